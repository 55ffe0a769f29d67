/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may be shown to people as it is. A terminal obeys control characters, C1 ones
 * (U+0080 to U+009F) too, and format characters turn the direction of what follows or
 * are not seen at all.
 */
#ifndef WAYLEAVE_CONF_PRINTABLE_H
#define WAYLEAVE_CONF_PRINTABLE_H

#include <stdbool.h>

/* Is TEXT UTF-8 of letters, marks, digits, punctuation, symbols and spaces alone? */
bool printable(const char *text);

/* Puts '?' for each byte of TEXT that is not part of such a character. The length stays. */
void printable_make(char *text);

#endif
