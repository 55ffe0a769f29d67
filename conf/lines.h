/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where in a YAML text each value stands. libcyaml tells the line only while it
 * reads; what is wrong between two fields is found later, so the lines are
 * remembered here. Also refuses what the settings file has no use for:
 * several documents, aliases, deep nesting.
 */
#ifndef WAYLEAVE_CONF_LINES_H
#define WAYLEAVE_CONF_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/error.h"

struct lines;

/*
 * Indexes TEXT. 0, -EINVAL with line and message in *ERROR (not YAML at all, or refused
 * as above), -ENOMEM. *LINES is the caller's to free.
 */
int lines_read(const char *text, size_t length, struct lines **lines, struct settings_error *error);
void lines_free(struct lines *lines);

/* Line of FIELD ("port_forwards[0].to"), else of the nearest parent that is there, else 0. */
unsigned int lines_find(const struct lines *lines, const char *field);

/* The scalar at FIELD as written, without quotes; NULL when there is none. Borrowed. */
const char *lines_value(const struct lines *lines, const char *field);

/* The next scalar from *I on, which is advanced; false after the last. Borrowed. */
bool lines_next_scalar(const struct lines *lines, size_t *i, const char **field,
		       const char **value);

#endif
