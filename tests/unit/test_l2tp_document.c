/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/l2tp.md shows the state tables that the program has: they are written
 * here from the tables themselves. WAYLEAVE_UPDATE_DOCS=1 writes them anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "helper/helper.h"
#include "helper/l2tp_fsm.h"

#define DOCUMENT "docs/l2tp.md"
#define BEGIN	 "<!-- made from the tables: begin -->\n"
#define END	 "<!-- made from the tables: end -->\n"

static const char *cell_text(const struct l2tp_cell *cell, const char *next)
{
	if (cell->outcome == L2TP_REPEATED)
		return "again";
	return cell->outcome == L2TP_LEGAL ? next : "counted";
}

static void control_table_print(FILE *out)
{
	fprintf(out, "\nControl connection (RFC 2661 7.2, RFC 3931 3.3)\n\n| event |");
	for (uint8_t s = 0; s < L2TP_CONTROL_STATE_COUNT; s++)
		fprintf(out, " %s |", l2tp_control_state_name(s));
	fprintf(out, "\n|---|---|---|---|---|---|\n");
	for (int e = 0; e < L2TP_CONTROL_EVENT_COUNT; e++) {
		fprintf(out, "| %s |", l2tp_control_event_name((enum l2tp_control_event)e));
		for (uint8_t s = 0; s < L2TP_CONTROL_STATE_COUNT; s++) {
			const struct l2tp_cell *cell =
				l2tp_control_cell(s, (enum l2tp_control_event)e);

			fprintf(out, " %s |",
				cell_text(cell, l2tp_control_state_name(cell->next)));
		}
		fprintf(out, "\n");
	}
}

static void session_table_print(FILE *out)
{
	fprintf(out, "\nSession (RFC 2661 7.4, RFC 3931 3.4)\n\n| event |");
	for (uint8_t s = 0; s < L2TP_SESSION_STATE_COUNT; s++)
		fprintf(out, " %s |", l2tp_session_state_name(s));
	fprintf(out, "\n|---|---|---|---|---|\n");
	for (int e = 0; e < L2TP_SESSION_EVENT_COUNT; e++) {
		fprintf(out, "| %s |", l2tp_session_event_name((enum l2tp_session_event)e));
		for (uint8_t s = 0; s < L2TP_SESSION_STATE_COUNT; s++) {
			const struct l2tp_cell *cell =
				l2tp_session_cell(s, (enum l2tp_session_event)e);

			fprintf(out, " %s |",
				cell_text(cell, l2tp_session_state_name(cell->next)));
		}
		fprintf(out, "\n");
	}
}

static void reasons_print(FILE *out)
{
	fprintf(out, "\nReasons\n\n| name | source | meaning |\n|---|---|---|\n");
	for (int r = HELPER_REASON_none + 1; r < HELPER_REASONS; r++)
		if (!strncmp(helper_reason_source((enum helper_reason)r), "RFC 2661", 8))
			fprintf(out, "| `%s` | %s | %s |\n",
				helper_reason_name((enum helper_reason)r),
				helper_reason_source((enum helper_reason)r),
				helper_reason_text((enum helper_reason)r));
	fprintf(out, "\n");
}

static char *tables_made(void)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	control_table_print(out);
	session_table_print(out);
	reasons_print(out);
	fclose(out);
	return text;
}

static char *document_read(void)
{
	static char text[65536];
	FILE *f = fopen(DOCUMENT, "r");

	if (!f)
		return NULL;
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	return text;
}

static void document_write(const char *before, const char *tables, const char *after)
{
	FILE *f = fopen(DOCUMENT, "w");

	assert_non_null(f);
	fprintf(f, "%s" BEGIN "%s%s", before, tables, after);
	fclose(f);
}

static void tables_in_the_document(void **state)
{
	char *tables = tables_made(), *text = document_read(), *begin, *end;

	if (!text) {
		print_message("skipped: not started in the repository, no " DOCUMENT "\n");
		free(tables);
		skip();
	}
	begin = strstr(text, BEGIN);
	end = strstr(text, END);
	assert_true(begin && end && begin < end);
	*begin = 0;
	begin += strlen(BEGIN);
	if (getenv("WAYLEAVE_UPDATE_DOCS"))
		document_write(text, tables, end);
	else
		assert_true(strlen(tables) == (size_t)(end - begin) &&
			    strncmp(begin, tables, strlen(tables)) == 0);
	free(tables);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_in_the_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
