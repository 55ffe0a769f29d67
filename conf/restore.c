/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings from JSON: a backup (conf/field.h). No YAML is read, only values are. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/check.h"
#include "conf/document.h"
#include "conf/field.h"
#include "conf/load.h"

#define VALUE_MAX_BYTES 4096

/* ["eth1", "eth2"] as "eth1,eth2"; false: too long, or not only text. */
static bool names_join(const json_t *names, char *text, size_t size)
{
	const json_t *name;
	size_t i, used = 0;

	*text = '\0';
	json_array_foreach (names, i, name) {
		if (!json_is_string(name))
			return false;
		used += snprintf(text + used, size - used, "%s%s", i ? "," : "",
				 json_string_value(name));
		if (used >= size)
			return false;
	}
	return true;
}

/* The value as settings_set() takes it; false: it is no value. */
static bool value_text(const json_t *value, char *text, size_t size)
{
	if (json_is_array(value))
		return names_join(value, text, size);
	if (json_is_integer(value))
		return snprintf(text, size, "%lld", (long long)json_integer_value(value)) > 0;
	return json_is_string(value) && strlen(json_string_value(value)) < size &&
	       strcpy(text, json_string_value(value));
}

static int value_take(struct settings *settings, const char *name, const json_t *value,
		      struct settings_error *error)
{
	const struct settings_field *field = settings_field_find(name);
	char text[VALUE_MAX_BYTES];

	if (!field)
		return settings_error_set(error, -EINVAL, name, "there is no such setting");
	if (json_is_null(value))
		return 0;
	if (!value_text(value, text, sizeof(text)) ||
	    (json_is_array(value) && field->kind != FIELD_NAMES))
		return settings_error_set(error, -EINVAL, name, "wants a single value");
	return field_store(field, settings, text, error);
}

static int section_take(struct settings *settings, const char *section, const json_t *members,
			struct settings_error *error)
{
	const char *key;
	json_t *value;
	int rc = 0;

	json_object_foreach ((json_t *)members, key, value) {
		char name[128];

		snprintf(name, sizeof(name), "%.60s.%.60s", section, key);
		rc = value_take(settings, name, value, error);
		if (rc)
			break;
	}
	return rc;
}

static int forwards_take(struct settings *settings, const json_t *forwards,
			 struct settings_error *error)
{
	const json_t *forward;
	size_t i;
	int rc = 0;

	if (!json_is_array(forwards))
		return settings_error_set(error, -EINVAL, "port_forwards", "wants a list: [a, b]");
	json_array_foreach (forwards, i, forward) {
		rc = settings_forward_append(settings, forward, error);
		if (rc)
			break;
	}
	return rc;
}

static int whole_take(struct settings *settings, const json_t *whole, struct settings_error *error)
{
	const char *key;
	json_t *value;
	int rc = 0;

	json_object_foreach ((json_t *)whole, key, value) {
		if (strcmp(key, "port_forwards") == 0)
			rc = forwards_take(settings, value, error);
		else if (json_is_object(value))
			rc = section_take(settings, key, value, error);
		else
			rc = value_take(settings, key, value, error);
		if (rc)
			break;
	}
	return rc;
}

int settings_from_json(const json_t *whole, struct settings **result, struct settings_error *error)
{
	struct settings *settings = calloc(1, sizeof(*settings));

	*result = NULL;
	if (!settings || settings_defaults(settings)) {
		settings_free(settings);
		return settings_error_set(error, -ENOMEM, "", "no memory");
	}
	int rc = json_is_object(whole) ? whole_take(settings, whole, error)
				       : settings_error_set(error, -EINVAL, "settings",
							    "is missing or not an object");
	if (!rc)
		rc = settings_check(settings, error);
	if (rc)
		settings_free(settings);
	else
		*result = settings;
	return rc;
}
