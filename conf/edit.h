/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing a settings file in place: only what differs is written, at the places that
 * libyaml's marks give, so that comments, order and quotes stay as their author wrote them.
 */
#ifndef WAYLEAVE_CONF_EDIT_H
#define WAYLEAVE_CONF_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/settings.h"

/*
 * TEXT, a settings file, changed to say WANTED. 0: *RESULT is the caller's to free and reads as
 * WANTED, which has been tried. -EINVAL: TEXT cannot be read, or there is no safe way to change
 * it (an unusual shape: block scalars, comments inside of a list in brackets); write it anew
 * with settings_format(). -ENOMEM.
 */
int settings_edit(const char *text, size_t length, const struct settings *wanted, char **result,
		  size_t *result_length);

/* Does TEXT have a comment that writing it anew would lose? */
bool settings_has_comments(const char *text, size_t length);

#endif
