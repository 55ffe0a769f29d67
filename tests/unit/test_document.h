/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page of docs/ that shows tables of the program between two marks: the test
 * writes them from the tables themselves and compares. WAYLEAVE_UPDATE_DOCS=1
 * writes the page anew.
 */
#ifndef WAYLEAVE_TESTS_TEST_DOCUMENT_H
#define WAYLEAVE_TESTS_TEST_DOCUMENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "helper/helper.h"

#define DOCUMENT_BEGIN "<!-- made from the tables: begin -->\n"
#define DOCUMENT_END   "<!-- made from the tables: end -->\n"

/* One state machine: a column a state, a row an event. */
struct document_machine {
	const char *title;
	int states, events;
	const char *(*state_name)(int state);
	const char *(*event_name)(int event);
	void (*cell_print)(FILE *out, int state, int event);
};

static inline void document_machine_print(FILE *out, const struct document_machine *machine)
{
	fprintf(out, "\n%s\n\n| event |", machine->title);
	for (int s = 0; s < machine->states; s++)
		fprintf(out, " %s |", machine->state_name(s));
	fprintf(out, "\n|");
	for (int s = 0; s <= machine->states; s++)
		fprintf(out, "---|");
	fprintf(out, "\n");
	for (int e = 0; e < machine->events; e++) {
		fprintf(out, "| %s |", machine->event_name(e));
		for (int s = 0; s < machine->states; s++)
			machine->cell_print(out, s, e);
		fprintf(out, "\n");
	}
}

/* Those of helper/reason.def that are IS_OURS by their source. */
static inline void document_reasons_print(FILE *out, bool (*is_ours)(const char *source))
{
	fprintf(out, "\nReasons\n\n| name | source | meaning |\n|---|---|---|\n");
	for (int r = HELPER_REASON_none + 1; r < HELPER_REASONS; r++) {
		enum helper_reason reason = (enum helper_reason)r;

		if (is_ours(helper_reason_source(reason)))
			fprintf(out, "| `%s` | %s | %s |\n", helper_reason_name(reason),
				helper_reason_source(reason), helper_reason_text(reason));
	}
	fprintf(out, "\n");
}

/* Static; NULL: not started in the repository. */
static inline char *document_read(const char *path)
{
	static char text[65536];
	FILE *f = fopen(path, "r");

	if (!f)
		return NULL;
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	return text;
}

static inline void document_write(const char *path, const char *before, const char *tables,
				  const char *after)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "%s" DOCUMENT_BEGIN "%s%s", before, tables, after);
	fclose(f);
}

/* TABLES is taken over. */
static inline void document_has(const char *path, char *tables)
{
	char *text = document_read(path), *begin, *end;

	if (!text) {
		print_message("skipped: not started in the repository, no %s\n", path);
		free(tables);
		skip();
	}
	begin = strstr(text, DOCUMENT_BEGIN);
	end = strstr(text, DOCUMENT_END);
	assert_true(begin && end && begin < end);
	*begin = 0;
	begin += strlen(DOCUMENT_BEGIN);
	if (getenv("WAYLEAVE_UPDATE_DOCS"))
		document_write(path, text, tables, end);
	else
		assert_true(strlen(tables) == (size_t)(end - begin) &&
			    strncmp(begin, tables, strlen(tables)) == 0);
	free(tables);
}

#endif
