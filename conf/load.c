/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text to settings: lines (YAML as such), values (words and numbers), document
 * (names and shape), settings_check() (what must hold between values). Whoever
 * finds something wrong names the field; the line comes from the index of lines.
 */
#include "conf/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/check.h"
#include "conf/document.h"
#include "conf/file.h"
#include "conf/lines.h"

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);
	return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool is_port(const char *path)
{
	return strncmp(path, "port_forwards[", 14) == 0 &&
	       (ends_with(path, "].port") || ends_with(path, "].port_last") ||
		ends_with(path, "].to_port"));
}

/* Numbers as written: libcyaml would take 0x10, 010 and (for words) -1. */
static int values_check(const struct lines *lines, struct settings_error *error)
{
	const char *path, *value;
	int rc = 0;

	for (size_t i = 0; !rc && lines_next_scalar(lines, &i, &path, &value);) {
		const struct settings_field *field = settings_field_find(path);
		uint32_t number;
		uint16_t port;
		if (field && (field->kind == FIELD_ENUM || field->kind == FIELD_NUMBER))
			rc = value_parse(field, value, &number, error);
		else if (is_port(path))
			rc = port_parse(path, value, &port, error);
	}
	return rc;
}

static int indexed_parse(const char *text, size_t length, const struct lines *lines,
			 struct settings **settings, struct settings_error *error)
{
	struct settings_document *document;

	int rc = values_check(lines, error);
	if (!rc)
		rc = document_read(text, length, &document, error);
	if (!rc)
		rc = document_to_settings(document, lines, settings, error);
	if (!rc)
		rc = settings_check(*settings, error);
	if (rc && *settings) {
		settings_free(*settings);
		*settings = NULL;
	}
	return rc;
}

int settings_parse(const char *text, size_t length, const char *name, struct settings **settings,
		   struct settings_error *error)
{
	struct lines *lines;

	*settings = NULL;
	int rc = lines_read(text, length, &lines, error);
	if (!rc) {
		rc = indexed_parse(text, length, lines, settings, error);
		if (rc && *error->field)
			error->line = lines_find(lines, error->field);
		lines_free(lines);
	}
	if (rc)
		snprintf(error->file, sizeof(error->file), "%s", name);
	return rc;
}

static int file_error(struct settings_error *error, const char *path, int code, const char *message)
{
	settings_error_set(error, code, "", "%s", message);
	snprintf(error->file, sizeof(error->file), "%s", path);
	return code;
}

int settings_load(const char *path, struct settings **settings, struct settings_error *error)
{
	char *text;
	size_t length;

	*settings = NULL;
	int rc = file_read(path, &text, &length);
	if (rc)
		return file_error(error, path, rc, strerror(-rc));
	rc = settings_parse(text, length, path, settings, error);
	free(text);
	return rc;
}

int settings_format(const struct settings *settings, char **text, size_t *length)
{
	return document_write(settings, text, length);
}

struct settings *settings_copy(const struct settings *settings)
{
	struct settings *copy = NULL;
	struct settings_error error;
	char *text;
	size_t length;

	if (settings_format(settings, &text, &length) != 0)
		return NULL;
	settings_parse(text, length, "", &copy, &error);
	free(text);
	return copy;
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	free(settings->wan.interface);
	free(settings->wan.allow);
	for (unsigned int i = 0; i < settings->lan.interfaces_count; i++)
		free(settings->lan.interfaces[i]);
	free(settings->lan.interfaces);
	for (unsigned int i = 0; i < settings->port_forwards_count; i++)
		free(settings->port_forwards[i].name);
	free(settings->port_forwards);
	free(settings->limits.routed_subnets);
	free(settings->web.interfaces);
	free(settings->web.names);
	free(settings->web.certificate);
	free(settings->web.key);
	free(settings->run_dir);
	free(settings->state_dir);
	free(settings->control_group);
	free(settings);
}
