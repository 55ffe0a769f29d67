/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/difference.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/field.h"

static bool setting_differs(FILE *out, bool first, const char *name, const struct settings *before,
			    const struct settings *after)
{
	char *old = NULL, *new = NULL;
	bool differs = !settings_get(before, name, &old) && !settings_get(after, name, &new) &&
		       strcmp(old, new) != 0;

	if (differs)
		fprintf(out, "%s%s: %s -> %s", first ? "" : ", ", name, old, new);
	free(old);
	free(new);
	return differs;
}

/* A list of objects has no value in one line: that it differs is said. */
static bool forwards_differ(const struct settings *before, const struct settings *after)
{
	json_t *old = settings_json(before), *new = settings_json(after);
	bool differ = !json_equal(json_object_get(old, "port_forwards"),
				  json_object_get(new, "port_forwards"));

	json_decref(old);
	json_decref(new);
	return differ;
}

char *ctl_difference(const struct settings *before, const struct settings *after)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	bool first = true;
	const char *name;

	if (!out)
		return NULL;
	for (size_t i = 0; (name = settings_name(i)); i++)
		first &= !setting_differs(out, first, name, before, after);
	if (forwards_differ(before, after))
		fprintf(out, "%sport_forwards", first ? "" : ", ");
	return fclose(out) ? NULL : text;
}
