/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/difference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/field.h"

/* Takes nothing; TEXT is a setting's value, printable as conf/check.c has seen to. */
static void change_add(json_t *changes, const char *name, const char *before, const char *after)
{
	if (json_array_size(changes) < DIFFERENCE_MAX)
		json_array_append_new(changes, json_pack("{s:s, s:s%, s:s%}", "name", name,
							 "before", before, strnlen(before, 256),
							 "after", after, strnlen(after, 256)));
}

static void setting_compare(json_t *changes, const char *name, const struct settings *before,
			    const struct settings *after)
{
	char *old = NULL, *new = NULL;

	if (!settings_get(before, name, &old) && !settings_get(after, name, &new) &&
	    strcmp(old, new) != 0)
		change_add(changes, name, old, new);
	free(old);
	free(new);
}

/* --- forwards ------------------------------------------------------------------------------- */

static void port_print(FILE *out, const json_t *forward, const char *before, const char *name)
{
	json_int_t port = json_integer_value(json_object_get(forward, name));

	if (port)
		fprintf(out, "%s%" JSON_INTEGER_FORMAT, before, port);
}

char *ctl_forward_text(const json_t *forward)
{
	const char *name = json_string_value(json_object_get(forward, "name"));
	const char *protocol = json_string_value(json_object_get(forward, "protocol"));
	const char *to = json_string_value(json_object_get(forward, "to"));
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	fputs(protocol ? protocol : "?", out);
	port_print(out, forward, " ", "port");
	if (!json_equal(json_object_get(forward, "port"), json_object_get(forward, "port_last")))
		port_print(out, forward, "-", "port_last");
	fprintf(out, " -> %s", to ? to : "?");
	if (!json_equal(json_object_get(forward, "port"), json_object_get(forward, "to_port")))
		port_print(out, forward, ":", "to_port");
	if (name)
		fprintf(out, " (%s)", name);
	return fclose(out) ? NULL : text;
}

static bool list_has(const json_t *list, const json_t *wanted)
{
	json_t *item;
	size_t i;

	json_array_foreach ((json_t *)list, i, item)
		if (json_equal(item, wanted))
			return true;
	return false;
}

/* Those of LIST that OTHER does not have. */
static void forwards_only_in(json_t *changes, const json_t *list, const json_t *other, bool gone)
{
	json_t *forward;
	size_t i;

	json_array_foreach ((json_t *)list, i, forward) {
		if (json_array_size(changes) >= DIFFERENCE_MAX || list_has(other, forward))
			continue;
		char *text = ctl_forward_text(forward);

		if (text)
			change_add(changes, "port_forwards", gone ? text : "", gone ? "" : text);
		free(text);
	}
}

static void forwards_compare(json_t *changes, const struct settings *before,
			     const struct settings *after)
{
	json_t *old = settings_json(before), *new = settings_json(after);
	const json_t *was = json_object_get(old, "port_forwards");
	const json_t *is = json_object_get(new, "port_forwards");
	size_t known = json_array_size(changes);

	if (!json_equal(was, is)) {
		forwards_only_in(changes, was, is, true);
		forwards_only_in(changes, is, was, false);
		if (json_array_size(changes) == known)
			change_add(changes, "port_forwards", "another order", "this order");
	}
	json_decref(old);
	json_decref(new);
}

/* --- all ----------------------------------------------------------------------------------------
 */

json_t *ctl_difference_json(const struct settings *before, const struct settings *after)
{
	json_t *changes = json_array();
	const char *name;

	for (size_t i = 0; (name = settings_name(i)); i++)
		setting_compare(changes, name, before, after);
	forwards_compare(changes, before, after);
	return changes;
}

static void change_print(FILE *out, const json_t *change)
{
	const char *name = json_string_value(json_object_get(change, "name"));
	const char *before = json_string_value(json_object_get(change, "before"));
	const char *after = json_string_value(json_object_get(change, "after"));
	bool forward = strcmp(name, "port_forwards") == 0;

	if (forward && !*before)
		fprintf(out, "port forward added: %s", after);
	else if (forward && !*after)
		fprintf(out, "port forward removed: %s", before);
	else
		fprintf(out, "%s: %s -> %s", name, *before ? before : "none",
			*after ? after : "none");
}

char *ctl_difference_text(const json_t *changes)
{
	char *text = NULL;
	size_t bytes, i;
	FILE *out = open_memstream(&text, &bytes);
	json_t *change;

	if (!out)
		return NULL;
	json_array_foreach ((json_t *)changes, i, change) {
		fputs(i ? ", " : "", out);
		change_print(out, change);
	}
	return fclose(out) ? NULL : text;
}

char *ctl_difference(const struct settings *before, const struct settings *after)
{
	json_t *changes = ctl_difference_json(before, after);
	char *text = ctl_difference_text(changes);

	json_decref(changes);
	return text;
}
