/* SPDX-License-Identifier: GPL-2.0-or-later */
/* docs/pptp.md shows the state tables that the program has. */
#include "tests/unit/test_document.h"

#include "helper/pptp_fsm.h"

static const char *control_state(int state)
{
	return pptp_control_state_name((uint8_t)state);
}

static const char *control_event(int event)
{
	return pptp_control_event_name((enum pptp_control_event)event);
}

static const char *call_state(int state)
{
	return pptp_call_state_name((uint8_t)state);
}

static const char *call_event(int event)
{
	return pptp_call_event_name((enum pptp_call_event)event);
}

static void control_cell_print(FILE *out, int state, int event)
{
	static const char *const parties[] = {"", " (originator)", " (acceptor)"};
	const struct pptp_control_cell *cell =
		pptp_control_cell((uint8_t)state, (enum pptp_control_event)event);

	if (cell->outcome == PPTP_LEGAL)
		fprintf(out, " %s%s |", control_state(cell->next), parties[cell->party]);
	else
		fprintf(out, " %s |", cell->outcome == PPTP_FATAL ? "**ends**" : "counted");
}

static void call_cell_print(FILE *out, int state, int event)
{
	const struct pptp_call_cell *cell =
		pptp_call_cell((uint8_t)state, (enum pptp_call_event)event);

	if (cell->outcome != PPTP_LEGAL)
		fprintf(out, " counted |");
	else
		fprintf(out, " %s |",
			cell->next == PPTP_CALL_NONE ? "over" : call_state(cell->next));
}

static const struct document_machine machines[] = {
	{"Control connection (RFC 2637 3.1)", PPTP_CONTROL_STATE_COUNT, PPTP_CONTROL_EVENT_COUNT,
	 control_state, control_event, control_cell_print},
	{"Call (RFC 2637 3.2)", PPTP_CALL_STATE_COUNT, PPTP_CALL_EVENT_COUNT, call_state,
	 call_event, call_cell_print},
};

/* docs/l2tp.md has the others. */
static bool is_ours(const char *source)
{
	return strncmp(source, "RFC 2661", 8) != 0;
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
	document_has("docs/pptp.md", text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_in_the_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
