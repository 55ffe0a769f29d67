/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 2637 section 2 on the wire, and the tables of section 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "helper/cursor.h"
#include "helper/pptp_fsm.h"
#include "helper/pptp_wire.h"

/* Byte totals of the RFC's figures. */
static const uint16_t lengths[PPTP_TYPES] = {0,	 156, 156, 16, 16, 16,	20, 168,
					     32, 220, 24,  28, 16, 148, 40, 24};

static void layouts_match_the_rfc(void **state)
{
	for (uint16_t type = 1; type < PPTP_TYPES; type++)
		assert_int_equal(pptp_layout(type)->length, lengths[type]);
	assert_null(pptp_layout(0));
	assert_null(pptp_layout(PPTP_TYPES));
}

static void round_trip(void **state)
{
	for (uint16_t type = 1; type < PPTP_TYPES; type++) {
		const struct pptp_layout *layout = pptp_layout(type);
		uint8_t bytes[PPTP_MESSAGE_BYTES_MAX], again[PPTP_MESSAGE_BYTES_MAX];
		struct pptp_message m = {.length = layout->length, .type = type}, read = {0};

		for (size_t i = 0; i < PPTP_ID_FIELDS; i++)
			m.ids[i] = layout->ids[i] ? (uint16_t)(0xa1b2 + i) : 0;
		m.result = layout->result_offset ? 9 : 0;
		assert_int_equal(pptp_message_encode(bytes, sizeof(bytes), &m), layout->length);
		assert_int_equal(pptp_message_decode(bytes, layout->length, &read), 0);
		assert_memory_equal(&m, &read, sizeof(m));
		pptp_message_encode(again, sizeof(again), &read);
		assert_memory_equal(bytes, again, layout->length);
		assert_int_equal(pptp_message_encode(bytes, layout->length - 1u, &m), 0);
	}
}

static void truncated_at_every_byte(void **state)
{
	for (uint16_t type = 1; type < PPTP_TYPES; type++) {
		uint8_t bytes[PPTP_MESSAGE_BYTES_MAX];
		struct pptp_message m = {.type = type}, read;
		size_t needed = pptp_layout(type)->result_offset + 1u;

		pptp_message_encode(bytes, sizeof(bytes), &m);
		if (needed < PPTP_HEADER_BYTES + 4)
			needed = PPTP_HEADER_BYTES + 4;
		for (size_t cut = 0; cut <= PPTP_PREFIX_BYTES; cut++) {
			uint8_t exact[PPTP_PREFIX_BYTES + 1];

			memcpy(exact, bytes, cut);
			assert_int_equal(pptp_message_decode(exact, cut, &read) == 0,
					 cut >= needed);
		}
	}
}

static void every_type_number(void **state)
{
	uint8_t bytes[PPTP_MESSAGE_BYTES_MAX];
	struct pptp_message m = {.type = PPTP_ECHO_REQUEST}, read;

	pptp_message_encode(bytes, sizeof(bytes), &m);
	for (uint32_t type = 0; type <= 0xffff; type++) {
		bytes[8] = (uint8_t)(type >> 8);
		bytes[9] = (uint8_t)type;
		assert_int_equal(pptp_header_decode(bytes, 12, &read) ==
					 HELPER_REASON_unknown_message,
				 type == 0 || type >= PPTP_TYPES);
	}
}

static void wrong_header_bits(void **state)
{
	uint8_t bytes[PPTP_MESSAGE_BYTES_MAX];
	struct pptp_message m = {.type = PPTP_ECHO_REQUEST}, read;

	for (size_t bit = 2 * 8; bit < 8 * 8; bit++) {
		pptp_message_encode(bytes, sizeof(bytes), &m);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(pptp_header_decode(bytes, 12, &read), HELPER_REASON_not_pptp);
	}
	assert_int_equal(pptp_message_encode(bytes, sizeof(bytes), &(struct pptp_message){0}), 0);
}

static void cursor_fails_sticky(void **state)
{
	const uint8_t bytes[] = {1, 2, 3, 4, 5};
	struct cursor c = cursor_over(bytes, sizeof(bytes));

	assert_int_equal(cursor_u32(&c), 0x01020304);
	assert_int_equal(cursor_u16(&c), 0);
	assert_true(c.failed);
	assert_int_equal(cursor_u8(&c), 0);
	assert_true(cursor_part(&c, 0).failed);
}

/* Every cell is written down, has its section, and leads to a state. */
static void control_table_is_whole(void **state)
{
	for (uint8_t s = 0; s < PPTP_CONTROL_STATE_COUNT; s++)
		for (int e = 0; e < PPTP_CONTROL_EVENT_COUNT; e++) {
			const struct pptp_control_cell *cell =
				pptp_control_cell(s, (enum pptp_control_event)e);

			assert_non_null(cell->section);
			assert_in_range(cell->next, 0, PPTP_CONTROL_STATE_COUNT - 1);
			if (cell->outcome != PPTP_LEGAL)
				assert_int_equal(cell->next, s);
		}
	assert_int_equal(pptp_control_cell(99, PPTP_ECHOED)->outcome, PPTP_ILLEGAL);
	assert_string_equal(pptp_control_state_name(PPTP_CONTROL_WAIT_STOP), "WAIT_STOP");
	assert_string_equal(pptp_control_event_name(PPTP_ECHOED), "ECHOED");
	assert_string_equal(pptp_control_event_name(PPTP_CONTROL_EVENT_COUNT), "?");
	assert_string_equal(pptp_control_state_name(99), "?");
}

static void call_table_is_whole(void **state)
{
	for (uint8_t s = 0; s < PPTP_CALL_STATE_COUNT; s++)
		for (int e = 0; e < PPTP_CALL_EVENT_COUNT; e++) {
			const struct pptp_call_cell *cell =
				pptp_call_cell(s, (enum pptp_call_event)e);

			assert_non_null(cell->section);
			assert_in_range(cell->next, 0, PPTP_CALL_STATE_COUNT - 1);
			assert_int_not_equal(cell->outcome, PPTP_FATAL);
		}
	assert_int_equal(pptp_call_cell(99, PPTP_EVENT_DISCONNECTED)->outcome, PPTP_ILLEGAL);
	assert_string_equal(pptp_call_state_name(PPTP_CALL_CLEARING), "CLEARING");
	assert_string_equal(pptp_call_event_name(PPTP_EVENT_LINK_INFO_SET), "LINK_INFO_SET");
}

/* The calls that a session can be in the middle of, from each of the two requests. */
static void only_requests_begin_a_call(void **state)
{
	for (int e = 0; e < PPTP_CALL_EVENT_COUNT; e++)
		assert_int_equal(pptp_call_cell(PPTP_CALL_NONE, (enum pptp_call_event)e)->outcome ==
					 PPTP_LEGAL,
				 e == PPTP_EVENT_OUT_REQUESTED || e == PPTP_EVENT_IN_REQUESTED);
}

static void messages_are_events(void **state)
{
	static const struct {
		uint16_t type;
		uint8_t result;
		enum pptp_control_event control;
		enum pptp_call_event call;
	} rows[] = {
		{PPTP_START_REQUEST, 0, PPTP_START_REQUESTED, 0},
		{PPTP_START_REPLY, 1, PPTP_START_ACCEPTED, 0},
		{PPTP_START_REPLY, 3, PPTP_START_REFUSED, 0},
		{PPTP_STOP_REQUEST, 0, PPTP_STOP_REQUESTED, 0},
		{PPTP_STOP_REPLY, 1, PPTP_STOP_REPLIED, 0},
		{PPTP_ECHO_REQUEST, 0, PPTP_ECHOED, 0},
		{PPTP_ECHO_REPLY, 1, PPTP_ECHOED, 0},
		{7, 0, PPTP_CALL_REQUESTED, PPTP_EVENT_OUT_REQUESTED},
		{8, 1, PPTP_CALL_CONTINUED, PPTP_EVENT_OUT_CONNECTED},
		{8, 0, PPTP_CALL_CONTINUED, PPTP_EVENT_OUT_FAILED},
		{9, 0, PPTP_CALL_REQUESTED, PPTP_EVENT_IN_REQUESTED},
		{10, 1, PPTP_CALL_CONTINUED, PPTP_EVENT_IN_ACCEPTED},
		{10, 2, PPTP_CALL_CONTINUED, PPTP_EVENT_IN_REFUSED},
		{11, 0, PPTP_CALL_CONTINUED, PPTP_EVENT_IN_CONNECTED},
		{12, 0, PPTP_CALL_CONTINUED, PPTP_EVENT_CLEAR_REQUESTED},
		{13, 4, PPTP_CALL_CONTINUED, PPTP_EVENT_DISCONNECTED},
		{14, 0, PPTP_CALL_CONTINUED, PPTP_EVENT_WAN_ERROR_NOTIFIED},
		{15, 0, PPTP_CALL_CONTINUED, PPTP_EVENT_LINK_INFO_SET},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pptp_message m = {.type = rows[i].type, .result = rows[i].result};

		assert_int_equal(pptp_control_event(&m), rows[i].control);
		if (m.type >= PPTP_OUTGOING_CALL_REQUEST)
			assert_int_equal(pptp_call_event(&m), rows[i].call);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layouts_match_the_rfc),      cmocka_unit_test(round_trip),
		cmocka_unit_test(truncated_at_every_byte),    cmocka_unit_test(every_type_number),
		cmocka_unit_test(wrong_header_bits),	      cmocka_unit_test(cursor_fails_sticky),
		cmocka_unit_test(control_table_is_whole),     cmocka_unit_test(call_table_is_whole),
		cmocka_unit_test(only_requests_begin_a_call), cmocka_unit_test(messages_are_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
