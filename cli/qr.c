/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/qr.h"

#include <errno.h>
#include <qrencode.h>

#define QUIET 4 /* modules; ISO/IEC 18004 section 5.3.8 */

static bool is_black(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return false;
	return code->data[y * code->width + x] & 1;
}

/* White is what is printed: readers want dark modules on light ground. */
static const char *half_blocks(bool upper_black, bool lower_black)
{
	if (upper_black)
		return lower_black ? " " : "\u2584";
	return lower_black ? "\u2580" : "\u2588";
}

int qr_print(FILE *out, const char *text, bool colour)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);

	if (!code)
		return -errno;
	for (int y = -QUIET; y < code->width + QUIET; y += 2) {
		fputs(colour ? "\033[97;40m" : "", out);
		for (int x = -QUIET; x < code->width + QUIET; x++)
			fputs(half_blocks(is_black(code, x, y), is_black(code, x, y + 1)), out);
		fputs(colour ? "\033[0m\n" : "\n", out);
	}
	QRcode_free(code);
	return 0;
}
