/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A QR code (ISO/IEC 18004) as text. */
#ifndef WAYLEAVE_CLI_QR_H
#define WAYLEAVE_CLI_QR_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Prints TEXT with UTF-8 half blocks, two modules a character, and the quiet zone of four modules
 * around. COLOUR: white and black are set, for a terminal of any colours; else black is what is
 * not printed, which needs a dark background. 0 or -errno.
 */
int qr_print(FILE *out, const char *text, bool colour);

#endif
