/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/printable.h"

#include <string.h>
#include <unictype.h>
#include <unistr.h>

/*
 * Bytes of the character at TEXT; 0: it may not be shown. "Other" are control, format,
 * surrogate, private and unassigned characters; line and paragraph separators end a line.
 */
static int character_bytes(const char *text, size_t left)
{
	ucs4_t character;
	int bytes = u8_mbtoucr(&character, (const uint8_t *)text, left);

	if (bytes <= 0 ||
	    uc_is_general_category_withtable(character, UC_CATEGORY_MASK_C | UC_CATEGORY_MASK_Zl |
								UC_CATEGORY_MASK_Zp))
		return 0;
	return bytes;
}

bool printable(const char *text)
{
	for (size_t left = strlen(text); left;) {
		int bytes = character_bytes(text, left);

		if (!bytes)
			return false;
		text += bytes;
		left -= bytes;
	}
	return true;
}

void printable_make(char *text)
{
	for (size_t left = strlen(text); left;) {
		int bytes = character_bytes(text, left);

		if (!bytes) {
			*text = '?';
			bytes = 1;
		}
		text += bytes;
		left -= bytes;
	}
}
