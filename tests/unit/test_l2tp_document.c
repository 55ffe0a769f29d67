/* SPDX-License-Identifier: GPL-2.0-or-later */
/* docs/l2tp.md shows the state tables that the program has. */
#include "tests/unit/test_document.h"

#include "helper/l2tp_fsm.h"

static const char *control_state(int state)
{
	return l2tp_control_state_name((uint8_t)state);
}

static const char *control_event(int event)
{
	return l2tp_control_event_name((enum l2tp_control_event)event);
}

static const char *session_state(int state)
{
	return l2tp_session_state_name((uint8_t)state);
}

static const char *session_event(int event)
{
	return l2tp_session_event_name((enum l2tp_session_event)event);
}

static void cell_print(FILE *out, const struct l2tp_cell *cell, const char *next)
{
	if (cell->outcome == L2TP_REPEATED)
		next = "again";
	fprintf(out, " %s |", cell->outcome == L2TP_ILLEGAL ? "counted" : next);
}

static void control_cell_print(FILE *out, int state, int event)
{
	const struct l2tp_cell *cell =
		l2tp_control_cell((uint8_t)state, (enum l2tp_control_event)event);

	cell_print(out, cell, control_state(cell->next));
}

static void session_cell_print(FILE *out, int state, int event)
{
	const struct l2tp_cell *cell =
		l2tp_session_cell((uint8_t)state, (enum l2tp_session_event)event);

	cell_print(out, cell, session_state(cell->next));
}

static const struct document_machine machines[] = {
	{"Control connection (RFC 2661 7.2, RFC 3931 3.3)", L2TP_CONTROL_STATE_COUNT,
	 L2TP_CONTROL_EVENT_COUNT, control_state, control_event, control_cell_print},
	{"Session (RFC 2661 7.4, RFC 3931 3.4)", L2TP_SESSION_STATE_COUNT, L2TP_SESSION_EVENT_COUNT,
	 session_state, session_event, session_cell_print},
};

static bool is_ours(const char *source)
{
	return !strncmp(source, "RFC 2661", 8);
}

static void tables_in_the_document(void **state)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	document_machine_print(out, &machines[0]);
	document_machine_print(out, &machines[1]);
	document_reasons_print(out, is_ours);
	fclose(out);
	document_has("docs/l2tp.md", text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_in_the_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
