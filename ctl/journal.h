/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bounded list of JSON objects, each with "at", kept across restarts: the newest in memory,
 * all of them in DIR/NAME.jsonl, one a line, which is renamed to NAME.jsonl.1 when it is full:
 * two files, bounded.
 */
#ifndef WAYLEAVE_CTL_JOURNAL_H
#define WAYLEAVE_CTL_JOURNAL_H

#include <jansson.h>
#include <stddef.h>

#define JOURNAL_FILE_MAX_BYTES (256 * 1024)
#define JOURNAL_AT_BYTES       32

struct journal;

/* NAME is borrowed; at most ENTRIES in memory. NULL without memory. */
struct journal *journal_new(const char *name, size_t entries);
void journal_free(struct journal *journal);

/* Keeps it in DIR from now on, and reads what an earlier run has left there. 0 or -errno. */
int journal_open(struct journal *journal, const char *dir);

/* Takes ENTRY. What cannot be written to the file is in memory all the same. */
void journal_add(struct journal *journal, json_t *entry);

size_t journal_count(const struct journal *journal);

/* The N-th, counted from the newest; borrowed, NULL beyond the oldest. */
json_t *journal_nth(const struct journal *journal, size_t n);

/* Now, as UTC: "2026-01-31T10:00:00Z". Returns TEXT. */
const char *journal_at(char text[JOURNAL_AT_BYTES]);

#endif
