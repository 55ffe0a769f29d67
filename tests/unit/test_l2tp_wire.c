/* SPDX-License-Identifier: GPL-2.0-or-later */
/* L2TP control messages as bytes: RFC 2661 sections 3.1 and 4, RFC 3931 sections 3.2 and 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "helper/l2tp_fsm.h"
#include "helper/l2tp_wire.h"

/* What xl2tpd sends: SCCRQ, tunnel id 0x1f90 in AVP 9, behind other AVPs. */
static const uint8_t captured[] = {0xc8, 0x02, 0x00, 0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
				   0x00, 0x00, 0x80, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
				   0x80, 0x0c, 0x00, 0x00, 0x00, 0x07, 'd',  'e',  'b',	 'i',
				   'a',	 'n',  0x80, 0x08, 0x00, 0x00, 0x00, 0x09, 0x1f, 0x90};

static struct l2tp_message message_of(uint8_t version, uint16_t type)
{
	struct l2tp_message m = {.version = version, .type = type};

	m.connection_id = version == 2 ? 0xa1b2 : 0xa1b2c3d4;
	m.found = version == 2 ? 3 : 7;
	for (int id = 0; id < (version == 2 ? 2 : 3); id++)
		m.ids[id] = (version == 2 ? 0x1234u : 0x12345678u) + (uint32_t)id;
	return m;
}

static void a_captured_request(void **state)
{
	struct l2tp_message m;

	assert_int_equal(l2tp_message_decode(captured, sizeof(captured), &m), 0);
	assert_int_equal(m.version, 2);
	assert_int_equal(m.type, L2TP_SCCRQ);
	assert_true(l2tp_has(&m, L2TP_CONNECTION_ID));
	assert_int_equal(m.ids[L2TP_CONNECTION_ID], 0x1f90);
	assert_int_equal(m.offsets[L2TP_CONNECTION_ID], 38);
	assert_int_equal(m.hidden, 0);
	assert_false(m.digest);
}

static void round_trip(void **state)
{
	for (uint8_t version = 2; version <= 3; version++)
		for (uint16_t type = L2TP_SCCRQ; type < L2TP_TYPES; type++) {
			struct l2tp_message m = message_of(version, type), read;
			uint8_t bytes[128], again[128];
			size_t length;

			m.digest = version == 3 && type & 1;
			length = l2tp_message_encode(bytes, sizeof(bytes), &m);
			assert_int_not_equal(length, 0);
			assert_int_equal(l2tp_message_decode(bytes, length, &read), 0);
			assert_int_equal(read.length, length);
			assert_memory_equal(read.ids, m.ids, sizeof(m.ids));
			assert_int_equal(read.connection_id, m.connection_id);
			assert_int_equal(read.digest, m.digest);
			assert_int_equal(l2tp_message_encode(again, sizeof(again), &read), length);
			assert_memory_equal(bytes, again, length);
			assert_int_equal(l2tp_message_encode(bytes, length - 1, &m), 0);
		}
}

static void truncated_at_every_byte(void **state)
{
	struct l2tp_message m;

	for (size_t cut = 0; cut < sizeof(captured); cut++) {
		uint8_t exact[sizeof(captured)];

		memcpy(exact, captured, cut);
		assert_int_equal(l2tp_message_decode(exact, cut, &m), HELPER_REASON_not_l2tp);
	}
}

/* The length field says less than there is: what lies behind is not the message's. */
static void shortened_at_every_byte(void **state)
{
	struct l2tp_message m;
	uint8_t bytes[sizeof(captured)];

	for (uint8_t length = 0; length < sizeof(captured); length++) {
		memcpy(bytes, captured, sizeof(bytes));
		bytes[3] = length;
		switch (l2tp_message_decode(bytes, sizeof(bytes), &m)) {
		case HELPER_REASON_none: /* a message may end behind any AVP */
			assert_true(length == 12 || length == 20 || length == 32);
			assert_false(l2tp_has(&m, L2TP_CONNECTION_ID));
			break;
		case HELPER_REASON_not_l2tp:
			assert_true(length < L2TP_HEADER_BYTES);
			break;
		default:
			break;
		}
	}
}

static void every_flag_and_version(void **state)
{
	struct l2tp_message m;
	uint8_t bytes[sizeof(captured)];

	for (uint32_t flags = 0; flags <= 0xffff; flags++) {
		bool good = (flags & 0xcb00) == 0xc800 && (flags & 15) == 2;

		memcpy(bytes, captured, sizeof(bytes));
		bytes[0] = (uint8_t)(flags >> 8);
		bytes[1] = (uint8_t)flags;
		if ((flags & 15) != 3) /* as version 3 its AVP 9 means nothing */
			assert_int_equal(!l2tp_message_decode(bytes, sizeof(bytes), &m), good);
	}
}

static void a_hidden_id_is_seen(void **state)
{
	struct l2tp_message m;
	uint8_t bytes[sizeof(captured)];

	memcpy(bytes, captured, sizeof(bytes));
	bytes[32] |= 0x40;
	assert_int_equal(l2tp_message_decode(bytes, sizeof(bytes), &m), 0);
	assert_int_equal(m.hidden, 1 << L2TP_CONNECTION_ID);
	assert_false(l2tp_has(&m, L2TP_CONNECTION_ID));
}

/* RFC 2661 4.4.1: the message type comes first and in clear. */
static void the_type_is_never_hidden(void **state)
{
	struct l2tp_message m;
	uint8_t bytes[sizeof(captured)];

	memcpy(bytes, captured, sizeof(bytes));
	bytes[12] |= 0x40;
	assert_int_equal(l2tp_message_decode(bytes, sizeof(bytes), &m), HELPER_REASON_bad_avp);
	memcpy(bytes, captured, sizeof(bytes));
	bytes[17] = 7;
	assert_int_equal(l2tp_message_decode(bytes, sizeof(bytes), &m), HELPER_REASON_bad_avp);
}

static void an_id_twice_is_none(void **state)
{
	uint8_t bytes[sizeof(captured) + 8];
	struct l2tp_message m;

	memcpy(bytes, captured, sizeof(captured));
	memcpy(bytes + sizeof(captured), captured + 32, 8);
	bytes[3] = sizeof(bytes);
	assert_int_equal(l2tp_message_decode(bytes, sizeof(bytes), &m), HELPER_REASON_bad_avp);
	bytes[sizeof(captured) + 3] = 9; /* a vendor's own AVP 9 */
	assert_int_equal(l2tp_message_decode(bytes, sizeof(bytes), &m), 0);
	assert_int_equal(m.ids[L2TP_CONNECTION_ID], 0x1f90);
}

static void avp_lengths(void **state)
{
	struct l2tp_message m;
	uint8_t bytes[sizeof(captured)];

	for (uint32_t length = 0; length < 1024; length++) {
		memcpy(bytes, captured, sizeof(bytes));
		bytes[32] = (uint8_t)(0x80 | length >> 8);
		bytes[33] = (uint8_t)length;
		assert_int_equal(!l2tp_message_decode(bytes, sizeof(bytes), &m), length == 8);
	}
}

static void an_acknowledgement_alone(void **state)
{
	struct l2tp_message m;
	uint8_t bytes[L2TP_HEADER_BYTES];

	memcpy(bytes, captured, sizeof(bytes));
	bytes[3] = L2TP_HEADER_BYTES;
	assert_int_equal(l2tp_message_decode(bytes, sizeof(bytes), &m), 0);
	assert_int_equal(m.type, L2TP_EMPTY);
	bytes[1] = 3; /* version 3 has a message for it */
	assert_int_equal(l2tp_message_decode(bytes, sizeof(bytes), &m), HELPER_REASON_bad_avp);
}

/* More attributes than are looked at: nothing is known of the rest, so nothing is done. */
static void too_many_attributes(void **state)
{
	static uint8_t bytes[12 + 8 + 6 * (L2TP_AVPS_MAX + 1)];
	struct l2tp_message m;

	for (int avps = L2TP_AVPS_MAX - 1; avps <= L2TP_AVPS_MAX; avps++) {
		size_t length = 20 + 6 * (size_t)avps;

		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, captured, 20);
		bytes[2] = (uint8_t)(length >> 8);
		bytes[3] = (uint8_t)length;
		for (size_t at = 20; at < length; at += 6) {
			bytes[at + 1] = 6;
			bytes[at + 5] = 99;
		}
		assert_int_equal(!l2tp_message_decode(bytes, length, &m), avps < L2TP_AVPS_MAX);
	}
}

/* --- tables ------------------------------------------------------------------------- */

static void tables_are_whole(void **state)
{
	for (uint8_t s = 0; s < L2TP_CONTROL_STATE_COUNT; s++)
		for (int e = 0; e < L2TP_CONTROL_EVENT_COUNT; e++) {
			const struct l2tp_cell *cell =
				l2tp_control_cell(s, (enum l2tp_control_event)e);

			assert_non_null(cell->section);
			assert_in_range(cell->next, 0, L2TP_CONTROL_STATE_COUNT - 1);
			if (cell->outcome != L2TP_LEGAL)
				assert_int_equal(cell->next, s);
		}
	for (uint8_t s = 0; s < L2TP_SESSION_STATE_COUNT; s++)
		for (int e = 0; e < L2TP_SESSION_EVENT_COUNT; e++) {
			const struct l2tp_cell *cell =
				l2tp_session_cell(s, (enum l2tp_session_event)e);

			assert_non_null(cell->section);
			assert_in_range(cell->next, 0, L2TP_SESSION_STATE_COUNT - 1);
			if (cell->outcome != L2TP_LEGAL)
				assert_int_equal(cell->next, s);
		}
	assert_int_equal(l2tp_control_cell(99, L2TP_EVENT_KEPT)->outcome, L2TP_ILLEGAL);
	assert_int_equal(l2tp_session_cell(99, L2TP_SESSION_EVENT_CHANGED)->outcome, L2TP_ILLEGAL);
	assert_string_equal(l2tp_control_state_name(L2TP_CONTROL_STOPPED), "STOPPED");
	assert_string_equal(l2tp_control_event_name(L2TP_EVENT_KEPT), "KEPT");
	assert_string_equal(l2tp_session_state_name(L2TP_SESSION_CONNECTED), "CONNECTED");
	assert_string_equal(l2tp_session_event_name(99), "?");
}

static void every_type_is_an_event(void **state)
{
	static const uint8_t control[L2TP_TYPES] = {
		[L2TP_EMPTY] = L2TP_EVENT_KEPT,
		[L2TP_SCCRQ] = L2TP_EVENT_REQUESTED,
		[L2TP_SCCRP] = L2TP_EVENT_REPLIED,
		[L2TP_SCCCN] = L2TP_EVENT_CONNECTED,
		[L2TP_STOPCCN] = L2TP_EVENT_STOPPED_BY,
		[5] = L2TP_EVENT_UNKNOWN,
		[L2TP_HELLO] = L2TP_EVENT_KEPT,
		[L2TP_OCRQ] = L2TP_EVENT_OF_SESSION,
		[L2TP_OCRP] = L2TP_EVENT_OF_SESSION,
		[L2TP_OCCN] = L2TP_EVENT_OF_SESSION,
		[L2TP_ICRQ] = L2TP_EVENT_OF_SESSION,
		[L2TP_ICRP] = L2TP_EVENT_OF_SESSION,
		[L2TP_ICCN] = L2TP_EVENT_OF_SESSION,
		[13] = L2TP_EVENT_UNKNOWN,
		[L2TP_CDN] = L2TP_EVENT_OF_SESSION,
		[L2TP_WEN] = L2TP_EVENT_OF_SESSION,
		[L2TP_SLI] = L2TP_EVENT_OF_SESSION,
		[17] = L2TP_EVENT_UNKNOWN,
		[18] = L2TP_EVENT_UNKNOWN,
		[19] = L2TP_EVENT_UNKNOWN,
		[L2TP_ACK] = L2TP_EVENT_KEPT,
	};

	for (uint16_t type = 0; type < L2TP_TYPES; type++) {
		struct l2tp_message m = {.type = type};

		assert_int_equal(l2tp_control_event(&m), control[type]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_captured_request),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(truncated_at_every_byte),
		cmocka_unit_test(shortened_at_every_byte),
		cmocka_unit_test(every_flag_and_version),
		cmocka_unit_test(a_hidden_id_is_seen),
		cmocka_unit_test(the_type_is_never_hidden),
		cmocka_unit_test(an_id_twice_is_none),
		cmocka_unit_test(avp_lengths),
		cmocka_unit_test(an_acknowledgement_alone),
		cmocka_unit_test(too_many_attributes),
		cmocka_unit_test(tables_are_whole),
		cmocka_unit_test(every_type_is_an_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
