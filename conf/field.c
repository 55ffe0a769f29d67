/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/field.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/check.h"
#include "conf/load.h"
#include "conf/near.h"
#include "conf/schema.h"

/* --- names ------------------------------------------------------------------------ */

const char *settings_name(size_t i)
{
	return i < settings_fields_count ? settings_fields[i].name : NULL;
}

bool settings_is_machines(const char *name)
{
	static const char *const names[] = {"run_dir", "state_dir", "control_group",
					    "web.certificate", "web.key"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static const char *word_of(const cyaml_strval_t *words, size_t count, int64_t value)
{
	for (size_t i = 0; i < count; i++)
		if (words[i].val == value)
			return words[i].str;
	return "";
}

const char *forward_protocol_name(enum forward_protocol protocol)
{
	static char numbers[256][4];
	const char *word = word_of(forward_protocol_words, forward_protocol_words_count, protocol);
	char *number = numbers[protocol & 0xff];

	if (*word)
		return word;
	snprintf(number, sizeof(numbers[0]), "%u", (unsigned int)protocol & 0xff);
	return number;
}

const char *passthrough_state_name(enum passthrough_state state)
{
	const struct settings_field *field = settings_field_find("passthrough.pptp");
	return word_of(field->words, field->words_count, state);
}

/* --- one value --------------------------------------------------------------------- */

static char **string_place(const struct settings_field *field, const struct settings *settings)
{
	return (char **)((char *)settings + field->offset);
}

/* An empty text takes a string away: control_group. */
static int string_store(const struct settings_field *field, struct settings *settings,
			const char *value)
{
	char *text = *value ? strdup(value) : NULL;

	if (*value && !text)
		return -ENOMEM;
	char **place = string_place(field, settings);
	free(*place);
	*place = text;
	return 0;
}

static void names_free(struct lan_settings *lan)
{
	for (unsigned int i = 0; i < lan->interfaces_count; i++)
		free(lan->interfaces[i]);
	free(lan->interfaces);
	*lan = (struct lan_settings){0};
}

static int name_append(struct lan_settings *lan, const char *name, size_t length)
{
	char **names = reallocarray(lan->interfaces, lan->interfaces_count + 1, sizeof(*names));

	if (!names)
		return -ENOMEM;
	lan->interfaces = names;
	names[lan->interfaces_count] = strndup(name, length);
	if (!names[lan->interfaces_count])
		return -ENOMEM;
	lan->interfaces_count++;
	return 0;
}

/* "eth1,eth2" */
static int names_store(struct settings *settings, const char *value)
{
	struct lan_settings lan = {0};
	int rc = 0;

	while (!rc && *value) {
		size_t length = strcspn(value, ",");
		rc = name_append(&lan, value, length);
		value += length + (value[length] == ',');
	}
	if (rc) {
		names_free(&lan);
		return rc;
	}
	names_free(&settings->lan);
	settings->lan = lan;
	return 0;
}

int field_store(const struct settings_field *field, struct settings *settings, const char *value,
		struct settings_error *error)
{
	uint32_t number;
	int rc;

	switch (field->kind) {
	case FIELD_ENUM:
	case FIELD_NUMBER:
		rc = value_parse(field, value, &number, error);
		if (!rc)
			settings_field_store(field, settings, number);
		return rc;
	case FIELD_STRING:
		rc = string_store(field, settings, value);
		break;
	default:
		rc = names_store(settings, value);
	}
	return rc ? settings_error_set(error, rc, field->name, "no memory") : 0;
}

int settings_edit_finish(struct settings *settings, struct settings *work, int rc,
			 struct settings_error *error)
{
	if (!rc)
		rc = settings_check(work, error);
	if (!rc) {
		struct settings old = *settings;
		*settings = *work;
		*work = old;
	}
	settings_free(work);
	return rc;
}

static int unknown(const char *name, struct settings_error *error)
{
	struct near near = {.given = name};
	char hint[NEAR_HINT_BYTES];

	for (size_t i = 0; i < settings_fields_count; i++)
		near_look(&near, settings_fields[i].name);
	return settings_error_set(error, -ENOENT, name, "there is no such setting%s",
				  near_hint(&near, hint, sizeof(hint)));
}

int settings_set(struct settings *settings, const char *name, const char *value,
		 struct settings_error *error)
{
	const struct settings_field *field = settings_field_find(name);

	if (!field)
		return unknown(name, error);
	struct settings *work = settings_copy(settings);
	if (!work)
		return settings_error_set(error, -ENOMEM, name, "no memory");
	return settings_edit_finish(settings, work, field_store(field, work, value, error), error);
}

int settings_set_all(struct settings *settings, const json_t *values, struct settings_error *error)
{
	struct settings *work = settings_copy(settings);
	const char *name;
	json_t *value;
	int rc = 0;

	if (!work)
		return settings_error_set(error, -ENOMEM, "", "no memory");
	json_object_foreach ((json_t *)values, name, value) {
		const struct settings_field *field = settings_field_find(name);

		if (!field)
			rc = unknown(name, error);
		else if (!json_is_string(value))
			rc = settings_error_set(error, -EINVAL, name, "is not text");
		else
			rc = field_store(field, work, json_string_value(value), error);
		if (rc)
			break;
	}
	return settings_edit_finish(settings, work, rc, error);
}

static char *names_text(const struct lan_settings *lan)
{
	size_t size = 1;

	for (unsigned int i = 0; i < lan->interfaces_count; i++)
		size += strlen(lan->interfaces[i]) + 1;
	char *text = calloc(1, size);
	for (unsigned int i = 0; text && i < lan->interfaces_count; i++) {
		strcat(text, i ? "," : "");
		strcat(text, lan->interfaces[i]);
	}
	return text;
}

static char *number_text(const struct settings_field *field, const struct settings *settings)
{
	uint32_t value = settings_field_number(field, settings);
	const char *word = settings_field_word(field, value);
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	return strdup(word ? word : text);
}

int settings_get(const struct settings *settings, const char *name, char **value)
{
	const struct settings_field *field = settings_field_find(name);

	if (!field)
		return -ENOENT;
	if (field->kind == FIELD_NAMES) {
		*value = names_text(&settings->lan);
	} else if (field->kind == FIELD_STRING) {
		const char *text = *string_place(field, settings);
		*value = strdup(text ? text : "");
	} else {
		*value = number_text(field, settings);
	}
	return *value ? 0 : -ENOMEM;
}

/* --- as JSON ------------------------------------------------------------------------ */

static json_t *names_json(const struct lan_settings *lan)
{
	json_t *names = json_array();

	for (unsigned int i = 0; i < lan->interfaces_count; i++)
		json_array_append_new(names, json_string(lan->interfaces[i]));
	return names;
}

static json_t *value_json(const struct settings_field *field, const struct settings *settings)
{
	if (field->kind == FIELD_NAMES)
		return names_json(&settings->lan);
	if (field->kind == FIELD_STRING) {
		const char *text = *string_place(field, settings);
		return text ? json_string(text) : json_null();
	}
	uint32_t value = settings_field_number(field, settings);
	const char *word = settings_field_word(field, value);
	return word ? json_string(word) : json_integer(value);
}

/* Puts VALUE under "section.member" of ROOT; takes VALUE. */
static void nested_set(json_t *root, const char *name, json_t *value)
{
	const char *dot = strchr(name, '.');

	if (!dot) {
		json_object_set_new(root, name, value);
		return;
	}
	char section[32];
	snprintf(section, sizeof(section), "%.*s", (int)(dot - name), name);
	if (!json_object_get(root, section))
		json_object_set_new(root, section, json_object());
	json_object_set_new(json_object_get(root, section), dot + 1, value);
}

json_t *settings_json(const struct settings *settings)
{
	json_t *root = json_object();
	json_t *forwards = json_array();

	for (size_t i = 0; i < settings_fields_count; i++)
		nested_set(root, settings_fields[i].name,
			   value_json(&settings_fields[i], settings));
	for (unsigned int i = 0; i < settings->port_forwards_count; i++)
		json_array_append_new(forwards, settings_forward_json(&settings->port_forwards[i]));
	json_object_set_new(root, "port_forwards", forwards);
	return root;
}
