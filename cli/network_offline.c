/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/network.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/field.h"
#include "conf/file.h"
#include "conf/load.h"
#include "conf/store.h"
#include "netsetup/plan.h"
#include "netsetup/store.h"
#include "netsetup/units.h"

#define SETTINGS_PATH "/etc/wayleave/wayleave.yaml"
#define STATE_DIR     "/var/lib/wayleave" /* the unit's StateDirectory, where the daemon looks */
#define RECORD_PATH   STATE_DIR "/network.json"

static int failed(const struct settings_error *error)
{
	fprintf(stderr, "wayleave: %s%s%s\n", error->field, *error->field ? ": " : "",
		error->message);
	return CLI_REFUSED;
}

/* --- the settings file -------------------------------------------------------------------- */

/* The package's file names no WAN yet, so it is no whole settings file: the names are added. */
static int names_append(const char *before, const json_t *values, struct settings_error *error)
{
	const char *wan = json_string_value(json_object_get(values, "wan.interface"));
	const char *lan = json_string_value(json_object_get(values, "lan.interfaces"));
	struct settings *settings;
	char *text;
	int rc;

	if (asprintf(&text, "%s%swan:\n  interface: %s\nlan:\n  interfaces: [%s]\n", before,
		     *before && before[strlen(before) - 1] != '\n' ? "\n" : "", wan, lan) < 0)
		return settings_error_set(error, -ENOMEM, "", "no memory");
	rc = settings_parse(text, strlen(text), SETTINGS_PATH, &settings, error);
	if (!rc) {
		settings_free(settings);
		mkdir("/etc/wayleave", 0755);
		rc = file_replace(SETTINGS_PATH, text, strlen(text), 0644);
		if (rc)
			settings_error_set(error, rc, "", SETTINGS_PATH ": %s", strerror(-rc));
	}
	free(text);
	return rc;
}

static int settings_write(const char *before, const json_t *values, struct settings_error *error)
{
	struct settings *settings;
	int rc = settings_load(SETTINGS_PATH, &settings, error);

	if (rc)
		return names_append(before, values, error);
	rc = settings_set_all(settings, values, error);
	if (!rc)
		rc = settings_store_save(SETTINGS_PATH, settings, false, error);
	settings_free(settings);
	return rc;
}

static char *settings_text(void)
{
	char *text;
	size_t length;

	return file_read(SETTINGS_PATH, &text, &length) ? strdup("") : text;
}

/* --- what was there ------------------------------------------------------------------------- */

static int record_write(const json_t *record, struct settings_error *error)
{
	char *text = json_dumps(record, JSON_COMPACT);
	int rc = text ? 0 : -ENOMEM;

	mkdir(STATE_DIR, 0700);
	if (!rc)
		rc = file_replace(RECORD_PATH, text, strlen(text), 0600);
	free(text);
	return rc ? settings_error_set(error, rc, "", "what was there cannot be kept in %s: %s",
				       RECORD_PATH, strerror(-rc))
		  : 0;
}

/* "settings" is what a daemon puts back, "text", a settings file, what undo() here does. */
static json_t *record_make(const json_t *plan, const char *text, struct settings_error *error)
{
	json_t *kept = store_keep("", error), *record;

	if (!kept)
		return NULL;
	record = json_pack("{s:o, s:{}, s:s, s:O, s:O, s:b}", "kept", kept, "settings", "text",
			   text, "address", json_object_get(plan, "address"), "units",
			   json_object_get(plan, "units"), "waiting", false);
	if (!record)
		settings_error_set(error, -EINVAL, "", "%s is not UTF-8", SETTINGS_PATH);
	return record;
}

static void units_restart_all(const json_t *units)
{
	const json_t *unit;
	size_t i;

	json_array_foreach (units, i, unit) {
		int rc = units_restart(json_string_value(unit));

		if (rc)
			fprintf(stderr, "wayleave: %s was not restarted: %s\n",
				json_string_value(unit),
				rc == -ENOENT ? "it is not there" : strerror(-rc));
	}
}

/* --- what is asked ------------------------------------------------------------------------------
 */

static int all_write(const json_t *plan, const struct files *files, struct settings_error *error)
{
	char *text = settings_text();
	json_t *record = text ? record_make(plan, text, error) : NULL;
	struct settings_error ignored;
	int rc = record ? record_write(record, error) : -EIO;

	if (!rc)
		rc = store_write("", files, error);
	if (!rc) {
		rc = settings_write(text, json_object_get(plan, "settings"), error);
		if (rc)
			store_restore("", json_object_get(record, "kept"), &ignored);
	}
	json_decref(record);
	free(text);
	return rc;
}

static int answers_do(const json_t *said, bool write, json_t **result)
{
	struct settings_error error = {0};
	struct answers answers;
	struct files files = {0};
	int rc = answers_read(said, &answers, &error);

	*result = rc ? NULL : plan_make("", &answers, &files, &error);
	if (*result && write) {
		rc = plan_lacks(*result, &error);
		if (!rc)
			rc = all_write(*result, &files, &error);
		if (!rc) {
			units_restart_all(json_object_get(*result, "units"));
			units_restart("wayleave.service"); /* it was waiting for its settings */
		}
	}
	files_free(&files);
	explicit_bzero(&answers, sizeof(answers));
	if (*result && !rc)
		return CLI_OK;
	json_decref(*result);
	return failed(&error);
}

static int undo(json_t **result)
{
	struct settings_error error = {0};
	json_t *record = json_load_file(RECORD_PATH, 0, NULL);
	const char *text = json_string_value(json_object_get(record, "text"));
	int rc;

	if (!json_object_size(record)) {
		json_decref(record);
		fputs("wayleave: there is no network setup to undo\n", stderr);
		return CLI_REFUSED;
	}
	rc = store_restore("", json_object_get(record, "kept"), &error);
	if (!rc && text)
		rc = file_replace(SETTINGS_PATH, text, strlen(text), 0644);
	if (!rc) {
		units_restart_all(json_object_get(record, "units"));
		unlink(RECORD_PATH);
	}
	json_decref(record);
	*result = json_object();
	return rc ? failed(&error) : CLI_OK;
}

int network_offline_ask(const json_t *request, json_t **result)
{
	const char *kind = json_string_value(json_object_get(request, "request"));
	const char *action = json_string_value(json_object_get(request, "action"));
	const json_t *answers = json_object_get(request, "answers");

	*result = NULL;
	if (strcmp(kind, "network-plan") == 0)
		return answers_do(answers, false, result);
	if (geteuid() != 0) {
		fputs("wayleave: no wayleaved runs, so only root can write the files\n", stderr);
		return CLI_NOT_ALLOWED;
	}
	if (strcmp(action, "undo") == 0)
		return undo(result);
	if (strcmp(action, "apply") == 0)
		return answers_do(answers, true, result);
	fputs("wayleave: no wayleaved runs: there is nothing that waits\n", stderr);
	return CLI_REFUSED;
}
