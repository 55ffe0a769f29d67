/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/near.h"

#include <stdio.h>
#include <string.h>

/* Longer words than any that we have are near to none; so the rows have a bound. */
#define WORD_MAX 40

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Optimal string alignment; A and B are at most WORD_MAX long. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1], length = strlen(b);
	size_t *before = rows[0], *above = rows[1], *row = rows[2], *spare;

	for (size_t k = 0; k <= length; k++)
		above[k] = k;
	for (size_t i = 1; i <= strlen(a); i++) {
		row[0] = i;
		for (size_t k = 1; k <= length; k++) {
			row[k] = least(above[k] + 1, row[k - 1] + 1,
				       above[k - 1] + (a[i - 1] != b[k - 1]));
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				row[k] = least(row[k], before[k - 2] + 1, row[k]);
		}
		spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[length];
}

void near_look(struct near *near, const char *word)
{
	size_t given = strlen(near->given), length = strlen(word), found;

	if (!given || !length || given > WORD_MAX || length > WORD_MAX)
		return;
	found = distance(near->given, word);
	if (found * 3 > length + 1 || (near->word && found >= near->distance))
		return;
	near->word = word;
	near->distance = found;
}

const char *near_hint(const struct near *near, char *text, size_t size)
{
	*text = '\0';
	if (near->word)
		snprintf(text, size, "; did you mean %s?", near->word);
	return text;
}
