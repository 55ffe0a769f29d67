/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/lines.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* The deepest place is port_forwards[N].field; anything far beyond it is a bomb. */
#define DEPTH_MAX      8
#define PATH_MAX_BYTES 128

struct place {
	char *path;
	char *value; /* NULL: a mapping or a list */
	unsigned int line;
};

struct lines {
	struct place *places;
	size_t count, size;
};

/* One open mapping or list. */
struct level {
	size_t path_length; /* of the container's own path */
	bool list;
	bool key_seen;	   /* mapping: the next event is the value */
	unsigned int item; /* list: index of the next item */
};

struct walk {
	struct lines *lines;
	struct level levels[DEPTH_MAX];
	unsigned int depth;
	unsigned int documents;
	char path[PATH_MAX_BYTES];
	struct settings_error *error;
};

static int place_add(struct lines *lines, const char *path, const char *value, unsigned int line)
{
	if (lines->count == lines->size) {
		size_t size = lines->size ? 2 * lines->size : 64;
		struct place *places = reallocarray(lines->places, size, sizeof(*places));
		if (!places)
			return -ENOMEM;
		lines->places = places;
		lines->size = size;
	}
	struct place place = {strdup(path), value ? strdup(value) : NULL, line};
	if (!place.path || (value && !place.value)) {
		free(place.path);
		free(place.value);
		return -ENOMEM;
	}
	lines->places[lines->count++] = place;
	return 0;
}

static int refuse(struct walk *walk, const yaml_event_t *event, const char *message)
{
	settings_error_set(walk->error, -EINVAL, walk->path, "%s", message);
	walk->error->line = event->start_mark.line + 1;
	return -EINVAL;
}

/* Appends ".key" or "[n]" to the container's path. */
static int path_push(struct walk *walk, const yaml_event_t *event, const char *key)
{
	struct level *level = &walk->levels[walk->depth - 1];
	size_t room = sizeof(walk->path) - level->path_length;
	char *end = walk->path + level->path_length;
	int length = level->list ? snprintf(end, room, "[%u]", level->item++)
				 : snprintf(end, room, "%s%s", level->path_length ? "." : "", key);
	if ((size_t)length < room)
		return 0;
	*end = '\0';
	return refuse(walk, event, "has a name under it that is too long");
}

/* A value begins: finishes its path. Returns 1 when the scalar was a key instead. */
static int value_begins(struct walk *walk, const yaml_event_t *event, const char *scalar)
{
	if (walk->depth == 0)
		return 0;
	struct level *level = &walk->levels[walk->depth - 1];
	if (level->list)
		return path_push(walk, event, NULL);
	level->key_seen = !level->key_seen;
	if (!level->key_seen)
		return 0;
	if (!scalar || !*scalar)
		return refuse(walk, event, "a name here is empty, a list or a mapping");
	int rc = path_push(walk, event, scalar);
	return rc ? rc : 1;
}

static int scalar_seen(struct walk *walk, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	if (strlen(text) != event->data.scalar.length)
		return refuse(walk, event, "has a NUL byte in it");
	int rc = value_begins(walk, event, text);
	if (rc)
		return rc < 0 ? rc : 0;
	return place_add(walk->lines, walk->path, text, event->start_mark.line + 1);
}

static int container_opened(struct walk *walk, const yaml_event_t *event, bool list)
{
	int rc = value_begins(walk, event, NULL);
	if (rc)
		return rc;
	if (walk->depth == DEPTH_MAX)
		return refuse(walk, event, "is nested too deeply");
	walk->levels[walk->depth++] =
		(struct level){.path_length = strlen(walk->path), .list = list};
	return place_add(walk->lines, walk->path, NULL, event->start_mark.line + 1);
}

static void container_closed(struct walk *walk)
{
	walk->path[walk->levels[--walk->depth].path_length] = '\0';
}

static int event_seen(struct walk *walk, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return walk->documents++ ? refuse(walk, event, "a second document begins here") : 0;
	case YAML_ALIAS_EVENT:
		return refuse(walk, event, "uses an alias (*name); write the value out");
	case YAML_SCALAR_EVENT:
		return scalar_seen(walk, event);
	case YAML_MAPPING_START_EVENT:
		return container_opened(walk, event, false);
	case YAML_SEQUENCE_START_EVENT:
		return container_opened(walk, event, true);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		container_closed(walk);
		return 0;
	default:
		return 0;
	}
}

/* libyaml's words for the most frequent mistake do not mention the tab. */
static const char *syntax_problem(const yaml_parser_t *parser)
{
	if (!parser->problem)
		return "unreadable";
	if (strstr(parser->problem, "found character that cannot start"))
		return "tabs are not allowed, indent with spaces; nor may a value begin with @, ` "
		       "or %";
	return parser->problem;
}

static int syntax_error(const yaml_parser_t *parser, struct settings_error *error)
{
	settings_error_set(error, -EINVAL, "", "not YAML: %s", syntax_problem(parser));
	error->line = parser->problem_mark.line + 1;
	return -EINVAL;
}

static int walk_all(yaml_parser_t *parser, struct walk *walk)
{
	for (bool done = false; !done;) {
		yaml_event_t event;
		if (!yaml_parser_parse(parser, &event))
			return syntax_error(parser, walk->error);
		int rc = event_seen(walk, &event);
		done = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
		if (rc)
			return rc;
	}
	return 0;
}

int lines_read(const char *text, size_t length, struct lines **lines, struct settings_error *error)
{
	yaml_parser_t parser;
	struct walk walk = {.lines = calloc(1, sizeof(**lines)), .error = error};

	*lines = NULL;
	if (!walk.lines || !yaml_parser_initialize(&parser)) {
		free(walk.lines);
		return settings_error_set(error, -ENOMEM, "", "no memory");
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	int rc = walk_all(&parser, &walk);
	yaml_parser_delete(&parser);
	if (rc) {
		lines_free(walk.lines);
		return rc == -ENOMEM ? settings_error_set(error, rc, "", "no memory") : rc;
	}
	*lines = walk.lines;
	return 0;
}

void lines_free(struct lines *lines)
{
	if (!lines)
		return;
	for (size_t i = 0; i < lines->count; i++) {
		free(lines->places[i].path);
		free(lines->places[i].value);
	}
	free(lines->places);
	free(lines);
}

/* The last one, as of two equal names the second is the wrong one. */
static const struct place *place_find(const struct lines *lines, const char *path)
{
	for (size_t i = lines->count; i-- > 0;)
		if (strcmp(lines->places[i].path, path) == 0)
			return &lines->places[i];
	return NULL;
}

unsigned int lines_find(const struct lines *lines, const char *field)
{
	char path[PATH_MAX_BYTES];

	snprintf(path, sizeof(path), "%s", field);
	for (size_t length = strlen(path);; length--) {
		const struct place *place = place_find(lines, path);
		if (place)
			return place->line;
		while (length > 0 && path[length] != '.' && path[length] != '[')
			length--;
		if (length == 0)
			return 0;
		path[length] = '\0';
	}
}

const char *lines_value(const struct lines *lines, const char *field)
{
	const struct place *place = place_find(lines, field);
	return place ? place->value : NULL;
}

bool lines_next_scalar(const struct lines *lines, size_t *i, const char **field, const char **value)
{
	while (*i < lines->count && !lines->places[*i].value)
		++*i;
	if (*i == lines->count)
		return false;
	*field = lines->places[*i].path;
	*value = lines->places[*i].value;
	++*i;
	return true;
}
