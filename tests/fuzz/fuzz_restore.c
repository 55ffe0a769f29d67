/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A backup that somebody uploads, from its bytes to settings. What is taken has to hold, to
 * come back the same from JSON and from the file's text, and what is refused to say why.
 */
#include <jansson.h>
#include <stdlib.h>

#include "conf/field.h"
#include "conf/load.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* Through the file's text and back. */
static void file_check(const struct settings *settings, const json_t *json)
{
	struct settings_error error = {0};
	struct settings *again;
	char *text;
	size_t length;

	must(settings_format(settings, &text, &length) == 0);
	must(settings_parse(text, length, "again", &again, &error) == 0);
	json_t *json_again = settings_json(again);
	must(json_equal(json, json_again));
	json_decref(json_again);
	settings_free(again);
	free(text);
}

static void settings_taken(const struct settings *settings)
{
	struct settings_error error = {0};
	json_t *json = settings_json(settings);
	struct settings *again;

	must(settings_check(settings, &error) == 0);
	must(settings_from_json(json, &again, &error) == 0);
	settings_free(again);
	file_check(settings, json);
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	json_t *whole = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct settings_error error = {0};
	struct settings *settings;

	if (!whole)
		return 0;
	if (settings_from_json(whole, &settings, &error) == 0) {
		settings_taken(settings);
		settings_free(settings);
	} else {
		must(!settings && *error.message);
	}
	json_decref(whole);
	return 0;
}
