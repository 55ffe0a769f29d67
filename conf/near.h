/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Did you mean ...?": the known word that is nearest to one that nobody knows. Pure. */
#ifndef WAYLEAVE_CONF_NEAR_H
#define WAYLEAVE_CONF_NEAR_H

#include <stddef.h>

#define NEAR_HINT_BYTES 96

/* The best word so far; begins as {.given = TEXT}. */
struct near {
	const char *given;
	const char *word; /* NULL: none is near */
	size_t distance;
};

/*
 * Looks at one more WORD, which has to outlive NEAR. Near is what differs by a third of its
 * letters at most: one wrong, missing, extra or two that have changed places.
 */
void near_look(struct near *near, const char *word);

/* "; did you mean WORD?", or "" without one; returns TEXT, at most NEAR_HINT_BYTES are useful. */
const char *near_hint(const struct near *near, char *text, size_t size);

#endif
