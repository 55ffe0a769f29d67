/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The documents of the control protocol as text for people: tables with one row per
 * document, status and settings as a few lines. What is shown in which column is
 * one table in text.c. Strings of documents are made printable.
 */
#ifndef WAYLEAVE_CTL_TEXT_H
#define WAYLEAVE_CTL_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct text_style {
	bool colour;	    /* ANSI colours */
	unsigned int width; /* cut lines to so many columns; 0: as long as they are */
};

/*
 * WHAT: "sessions", "vpn", "devices", "counters", "drops" (counters with
 * a "rate"), "port_forwards", "generations". A heading, then
 * a row per member of ITEMS; only the heading when there is none.
 */
void text_list(FILE *out, const char *what, const json_t *items, struct text_style style);

/*
 * Lines that a member of ITEMS takes there: 2 where STYLE's width is too small for all columns of
 * the table and the last ones (a tunnel's reason and ids) stand below the others.
 */
unsigned int text_list_row_lines(const char *what, const json_t *items, struct text_style style);

/* The results of `status` and `show config`. */
void text_status(FILE *out, const json_t *status, struct text_style style);
void text_config(FILE *out, const json_t *config, struct text_style style);

/* "1.5M", "17K", "999"; returns TEXT, which has at least 8 bytes. */
char *text_size(uint64_t bytes, char *text);

/* The same in steps of 1000, as rates are counted. */
char *text_rate(uint64_t per_second, char *text);

/* "4d03h", "2h05m", "7m09s", "42s"; returns TEXT, which has at least 12 bytes. */
char *text_duration(uint64_t seconds, char *text);

#endif
