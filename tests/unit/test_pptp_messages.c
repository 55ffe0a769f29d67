/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RFC 2637 section 2 message by message: which id field is translated in which
 * direction, with the PNS (client) or the PAC (server) inside; which claims
 * come of it; and what must never come of it.
 */
#include <stdio.h>

#include "tests/unit/test_pptp_peers.h"

#define INSIDE	 0x1234
#define EXTERNAL FIRST_SPARE
#define REMOTE	 0xbeef

/* One message, what stands at 12 and 14 when sent, what has to arrive. */
struct row {
	enum helper_direction way;
	uint16_t type, at12, at14;
	uint8_t result;
	uint16_t arrives12, arrives14;
	enum helper_reason note;
	const char *claims; /* in order: r reserve, a arm, p peer, f release, F release all */
};

static const char kind_letters[] = "?rapfF";

static void claims_written(const struct helper_answer *answer, char *text)
{
	size_t i;

	for (i = 0; i < answer->claim_count; i++)
		text[i] = kind_letters[answer->claims[i].kind];
	text[i] = 0;
}

static void play(struct peers *p, const struct row *rows, size_t count)
{
	char claims[HELPER_CLAIMS + 1];

	for (const struct row *r = rows; r < rows + count; r++) {
		assert_int_equal(peers_say(p, r->way, r->type, r->at12, r->at14, r->result),
				 HELPER_FORWARD);
		claims_written(&p->answer, claims);
		if (peers_field(p, 12) != r->arrives12 || peers_field(p, 14) != r->arrives14)
			print_error("row %zu, type %u: %04x %04x\n", (size_t)(r - rows), r->type,
				    peers_field(p, 12), peers_field(p, 14));
		assert_int_equal(peers_field(p, 12), r->arrives12);
		assert_int_equal(peers_field(p, 14), r->arrives14);
		assert_string_equal(claims, r->claims);
		assert_int_equal(p->answer.notes, r->note ? 1u << r->note : 0);
	}
}

#define PLAY(p, ...)                                                                               \
	play(p, (const struct row[]){__VA_ARGS__},                                                 \
	     sizeof((const struct row[]){__VA_ARGS__}) / sizeof(struct row))

#define OK 1

/* 14 of a message without a second id holds what the layout has there; the encoder leaves 0 */
static void outgoing_call_pns_inside(void **state)
{
	struct peers p;

	peers_establish(&p, OUT);
	PLAY(&p, {OUT, PPTP_OUTGOING_CALL_REQUEST, INSIDE, 0, 0, EXTERNAL, 0, 0, "ra"},
	     {IN, PPTP_OUTGOING_CALL_REPLY, REMOTE, EXTERNAL, OK, REMOTE, INSIDE, 0, "p"},
	     {OUT, PPTP_SET_LINK_INFO, REMOTE, 0, 0, REMOTE, 0, 0, ""},
	     {IN, PPTP_SET_LINK_INFO, EXTERNAL, 0, 0, INSIDE, 0, 0, ""},
	     {IN, PPTP_WAN_ERROR_NOTIFY, EXTERNAL, 0, 0, INSIDE, 0, 0, ""},
	     {OUT, PPTP_ECHO_REQUEST, 0, 0, 0, 0, 0, 0, ""},
	     {IN, PPTP_ECHO_REPLY, 0, 0, OK, 0, 0, 0, ""},
	     {OUT, PPTP_CALL_CLEAR_REQUEST, INSIDE, 0, 0, EXTERNAL, 0, 0, ""},
	     {IN, PPTP_CALL_DISCONNECT_NOTIFY, REMOTE, 0x0400, 4, REMOTE, 0x0400, 0, "f"},
	     {OUT, PPTP_STOP_REQUEST, 0, 0, 0, 0, 0, 0, ""},
	     {IN, PPTP_STOP_REPLY, 0x0100, 0, OK, 0x0100, 0, 0, ""});
	assert_int_equal(p.last[HELPER_CLAIM_ARM].external_id, EXTERNAL);
	assert_int_equal(p.last[HELPER_CLAIM_ARM].inside_id, INSIDE);
	assert_int_equal(p.last[HELPER_CLAIM_PEER].remote_id, REMOTE);
	assert_int_equal(p.last[HELPER_CLAIM_RELEASE].external_id, EXTERNAL);
	assert_int_equal(p.flow.id_count, 0);
}

static void incoming_call_pns_inside(void **state)
{
	struct peers p;

	peers_establish(&p, OUT);
	PLAY(&p, {IN, PPTP_INCOMING_CALL_REQUEST, REMOTE, 0, 0, REMOTE, 0, 0, ""},
	     {OUT, PPTP_INCOMING_CALL_REPLY, INSIDE, REMOTE, OK, EXTERNAL, REMOTE, 0, "rap"},
	     {IN, PPTP_INCOMING_CALL_CONNECTED, EXTERNAL, 0, 0, INSIDE, 0, 0, ""},
	     {IN, PPTP_WAN_ERROR_NOTIFY, EXTERNAL, 0, 0, INSIDE, 0, 0, ""},
	     {OUT, PPTP_CALL_CLEAR_REQUEST, INSIDE, 0, 0, EXTERNAL, 0, 0, ""},
	     {IN, PPTP_CALL_DISCONNECT_NOTIFY, REMOTE, 0, 0, REMOTE, 0, 0, "f"});
}

static void outgoing_call_pac_inside(void **state)
{
	struct peers p;

	peers_establish(&p, IN);
	PLAY(&p, {IN, PPTP_OUTGOING_CALL_REQUEST, REMOTE, 0, 0, REMOTE, 0, 0, ""},
	     {OUT, PPTP_OUTGOING_CALL_REPLY, INSIDE, REMOTE, OK, EXTERNAL, REMOTE, 0, "rap"},
	     {IN, PPTP_SET_LINK_INFO, EXTERNAL, 0, 0, INSIDE, 0, 0, ""},
	     {OUT, PPTP_SET_LINK_INFO, REMOTE, 0, 0, REMOTE, 0, 0, ""},
	     {OUT, PPTP_WAN_ERROR_NOTIFY, REMOTE, 0, 0, REMOTE, 0, 0, ""},
	     {IN, PPTP_CALL_CLEAR_REQUEST, REMOTE, 0, 0, REMOTE, 0, 0, ""},
	     {OUT, PPTP_CALL_DISCONNECT_NOTIFY, INSIDE, 0x0100, 1, EXTERNAL, 0x0100, 0, "f"});
}

static void incoming_call_pac_inside(void **state)
{
	struct peers p;

	peers_establish(&p, OUT);
	PLAY(&p, {OUT, PPTP_INCOMING_CALL_REQUEST, INSIDE, 0, 0, EXTERNAL, 0, 0, "ra"},
	     {IN, PPTP_INCOMING_CALL_REPLY, REMOTE, EXTERNAL, OK, REMOTE, INSIDE, 0, "p"},
	     {OUT, PPTP_INCOMING_CALL_CONNECTED, REMOTE, 0, 0, REMOTE, 0, 0, ""},
	     {IN, PPTP_CALL_CLEAR_REQUEST, REMOTE, 0, 0, REMOTE, 0, 0, ""},
	     {OUT, PPTP_CALL_DISCONNECT_NOTIFY, INSIDE, 0, 0, EXTERNAL, 0, 0, "f"});
}

/* 2.8, 2.10: a refusal ends the call; the id in it is translated all the same. */
static void refused_calls(void **state)
{
	struct peers p;

	peers_establish(&p, OUT);
	PLAY(&p, {OUT, PPTP_OUTGOING_CALL_REQUEST, INSIDE, 0, 0, EXTERNAL, 0, 0, "ra"},
	     {IN, PPTP_OUTGOING_CALL_REPLY, 0, EXTERNAL, 4, 0, INSIDE, 0, "f"},
	     {OUT, PPTP_OUTGOING_CALL_REQUEST, INSIDE, 0, 0, EXTERNAL + 1, 0, 0, "ra"},
	     {IN, PPTP_CALL_DISCONNECT_NOTIFY, REMOTE, 0, 0, REMOTE, 0, HELPER_REASON_unknown_call,
	      ""},
	     {OUT, PPTP_INCOMING_CALL_REQUEST, 7, 0, 0, EXTERNAL + 2, 0, 0, "ra"},
	     {IN, PPTP_INCOMING_CALL_REPLY, 0, EXTERNAL + 2, 2, 0, 7, 0, "f"});
	assert_int_equal(p.flow.id_count, 1);
}

/* pptpd hands out Call ID 0: a number like any other. */
static void call_id_zero(void **state)
{
	struct peers p;

	peers_establish(&p, OUT);
	PLAY(&p, {OUT, PPTP_OUTGOING_CALL_REQUEST, 0, 0, 0, EXTERNAL, 0, 0, "ra"},
	     {IN, PPTP_OUTGOING_CALL_REPLY, 0, EXTERNAL, OK, 0, 0, 0, "p"},
	     {OUT, PPTP_CALL_CLEAR_REQUEST, 0, 0, 0, EXTERNAL, 0, 0, ""},
	     {IN, PPTP_CALL_DISCONNECT_NOTIFY, 0, 0, 0, 0, 0, 0, "f"});
}

/* RFC 2637 1.3: several calls on one control connection, each with its own ids. */
static void several_calls(void **state)
{
	struct peers p;

	peers_establish(&p, OUT);
	PLAY(&p, {OUT, PPTP_OUTGOING_CALL_REQUEST, 1, 0, 0, EXTERNAL, 0, 0, "ra"},
	     {OUT, PPTP_OUTGOING_CALL_REQUEST, 2, 0, 0, EXTERNAL + 1, 0, 0, "ra"},
	     {IN, PPTP_OUTGOING_CALL_REPLY, 2, EXTERNAL + 1, OK, 2, 2, 0, "p"},
	     {IN, PPTP_OUTGOING_CALL_REPLY, 1, EXTERNAL, OK, 1, 1, 0, "p"},
	     {OUT, PPTP_CALL_CLEAR_REQUEST, 1, 0, 0, EXTERNAL, 0, 0, ""},
	     {IN, PPTP_CALL_DISCONNECT_NOTIFY, 1, 0, 0, 1, 0, 0, "f"},
	     {IN, PPTP_WAN_ERROR_NOTIFY, EXTERNAL + 1, 0, 0, 2, 0, 0, ""},
	     {OUT, PPTP_STOP_REQUEST, 0, 0, 0, 0, 0, 0, "F"},
	     {IN, PPTP_WAN_ERROR_NOTIFY, EXTERNAL + 1, 0, 0, 2, 0, 0, ""},
	     {IN, PPTP_CALL_DISCONNECT_NOTIFY, 2, 0, 0, 2, 0, 0, ""},
	     {IN, PPTP_STOP_REPLY, 0x0100, 0, OK, 0x0100, 0, 0, ""});
}

/* A new id in a message that is illegal never leaves as it is: it could be another host's. */
static void no_raw_id_leaves(void **state)
{
	struct peers p;

	peers_establish(&p, OUT);
	PLAY(&p, {OUT, PPTP_OUTGOING_CALL_REQUEST, 5, 0, 0, EXTERNAL, 0, 0, "ra"},
	     {OUT, PPTP_OUTGOING_CALL_REQUEST, 5, 0, 0, EXTERNAL, 0, HELPER_REASON_call_illegal,
	      ""},
	     {OUT, PPTP_INCOMING_CALL_REQUEST, 5, 0, 0, EXTERNAL, 0, HELPER_REASON_wrong_role, ""},
	     {OUT, PPTP_OUTGOING_CALL_REPLY, 6, 99, OK, EXTERNAL + 1, 99,
	      HELPER_REASON_unknown_call, "rf"},
	     {IN, PPTP_OUTGOING_CALL_REQUEST, REMOTE, 0, 0, REMOTE, 0, 0, ""},
	     {OUT, PPTP_OUTGOING_CALL_REPLY, 5, REMOTE, OK, EXTERNAL, REMOTE,
	      HELPER_REASON_call_illegal, ""},
	     {OUT, PPTP_STOP_REQUEST, 0, 0, 0, 0, 0, 0, "F"},
	     {OUT, PPTP_OUTGOING_CALL_REPLY, 8, REMOTE, OK, EXTERNAL + 2, REMOTE,
	      HELPER_REASON_call_illegal, "rf"},
	     {OUT, PPTP_OUTGOING_CALL_REQUEST, 8, 0, 0, EXTERNAL + 3, 0,
	      HELPER_REASON_control_illegal, "rf"});
	assert_int_equal(p.flow.id_count, 0);
}

static void call_accepted_while_stopping(void **state)
{
	struct peers p;

	peers_establish(&p, IN);
	PLAY(&p, {IN, PPTP_OUTGOING_CALL_REQUEST, REMOTE, 0, 0, REMOTE, 0, 0, ""},
	     {IN, PPTP_STOP_REQUEST, 0, 0, 0, 0, 0, 0, ""},
	     {OUT, PPTP_OUTGOING_CALL_REPLY, 8, REMOTE, OK, EXTERNAL, REMOTE, 0, "rf"},
	     {OUT, PPTP_CALL_DISCONNECT_NOTIFY, 8, 0, 0, EXTERNAL, 0, 0, ""},
	     {OUT, PPTP_STOP_REPLY, 0x0100, 0, OK, 0x0100, 0, 0, ""});
}

static void call_quota(void **state)
{
	struct peers p;

	peers_establish(&p, OUT);
	for (uint16_t id = 0; id < 32; id++)
		peers_say(&p, OUT, PPTP_OUTGOING_CALL_REQUEST, id, 0, 0);
	assert_int_equal(p.flow.id_count, 32);
	assert_int_equal(p.notes, 0);
	PLAY(&p,
	     {OUT, PPTP_OUTGOING_CALL_REQUEST, 32, 0, 0, EXTERNAL + 32, 0, HELPER_REASON_call_quota,
	      "rf"},
	     {IN, PPTP_INCOMING_CALL_REQUEST, 7, 0, 0, 7, 0, HELPER_REASON_call_quota, ""});
	assert_int_equal(p.flow.id_count, 32);
}

static void no_spare_id(void **state)
{
	struct peers p;
	struct helper_flow before;
	uint8_t bytes[PPTP_MESSAGE_BYTES_MAX * 9];
	size_t length = 0;

	peers_establish(&p, OUT);
	before = p.flow;
	for (uint16_t id = 0; id < 9; id++)
		length += message_make(bytes + length, PPTP_OUTGOING_CALL_REQUEST, id, 0, 0);
	assert_int_equal(peers_send(&p, OUT, bytes, length), HELPER_DROP);
	assert_int_equal(p.answer.reason, HELPER_REASON_no_spare_id);
	assert_memory_equal(before.state, p.flow.state, sizeof(before.state));
	assert_int_equal(p.flow.id_count, 0);
	assert_int_equal(peers_send(&p, OUT, bytes, length / 9 * 8), HELPER_FORWARD);
	assert_int_equal(p.flow.id_count, 8);
}

/* CVE-2006-0036: messages of an incoming call, from either side, in every control state. */
static void incoming_call_messages_anywhere(void **state)
{
	for (int way = OUT; way <= IN; way++)
		for (uint16_t type = PPTP_INCOMING_CALL_REQUEST;
		     type <= PPTP_INCOMING_CALL_CONNECTED; type++)
			for (int stage = 0; stage < 4; stage++) {
				struct peers p;

				peers_connect(&p, OUT);
				if (stage > 0)
					peers_say(&p, OUT, PPTP_START_REQUEST, 0, 0, 0);
				if (stage > 1)
					peers_say(&p, IN, PPTP_START_REPLY, 0, 0, 1);
				if (stage > 2)
					peers_say(&p, OUT, PPTP_STOP_REQUEST, 0, 0, 0);
				peers_say(&p, (enum helper_direction)way, type, 3, 4, 1);
				assert_int_equal(p.answer.verdict, HELPER_FORWARD);
				assert_int_equal(!!(p.answer.flags & HELPER_ENDED), stage < 2);
				if (stage != 2)
					assert_int_equal(p.kinds[HELPER_CLAIM_ARM], 0);
			}
}

/* Kernel 4c559f15: every type number, in each control state. */
static void unknown_types(void **state)
{
	for (uint32_t type = 0; type <= 0xffff; type += type < 64 ? 1 : 251) {
		struct peers p;
		uint8_t bytes[PPTP_MESSAGE_BYTES_MAX] = {0};

		if (type > 0 && type < PPTP_TYPES)
			continue;
		message_make(bytes, PPTP_ECHO_REQUEST, 0, 0, 0);
		bytes[8] = (uint8_t)(type >> 8);
		bytes[9] = (uint8_t)type;
		peers_establish(&p, OUT);
		peers_say(&p, OUT, PPTP_OUTGOING_CALL_REQUEST, 1, 0, 0);
		peers_send(&p, IN, bytes, 16);
		assert_int_equal(p.answer.flags & HELPER_ENDED, HELPER_ENDED);
		assert_true(peers_noted(&p, HELPER_REASON_unknown_message));
		assert_int_equal(p.flow.id_count, 0);
	}
}

static void wrong_lengths(void **state)
{
	for (uint32_t length = 0; length <= 400; length++)
		for (uint16_t type = 1; type < PPTP_TYPES; type++) {
			struct peers p;
			uint8_t bytes[PPTP_MESSAGE_BYTES_MAX];

			if (length == pptp_layout(type)->length)
				continue;
			message_make(bytes, type, 0, 0, 0);
			bytes[0] = (uint8_t)(length >> 8);
			bytes[1] = (uint8_t)length;
			peers_connect(&p, OUT);
			peers_send(&p, OUT, bytes, pptp_layout(type)->length);
			assert_true(p.answer.flags & HELPER_ENDED);
			assert_true(peers_noted(&p, HELPER_REASON_bad_length));
		}
}

/* NAT slipstreaming: whatever a browser can be made to send on 1723 opens nothing. */
static void slipstreaming(void **state)
{
	static const char post[] =
		"POST / HTTP/1.1\r\nHost: x:1723\r\nContent-Length: 4096\r\n\r\n";
	struct peers p;

	peers_connect(&p, OUT);
	peers_send(&p, OUT, post, sizeof(post) - 1);
	assert_true(peers_noted(&p, HELPER_REASON_not_pptp));
	peers_say(&p, OUT, PPTP_START_REQUEST, 0, 0, 0); /* a segment that starts with a message */
	peers_say(&p, IN, PPTP_START_REPLY, 0, 0, 1);
	peers_say(&p, OUT, PPTP_OUTGOING_CALL_REQUEST, 1, 0, 0);
	assert_int_equal(peers_field(&p, 12), 1);
	assert_int_equal(p.kinds[HELPER_CLAIM_ARM] + p.kinds[HELPER_CLAIM_RESERVE], 0);
	assert_int_equal(p.flow.flags, HELPER_ENDED | HELPER_PLAIN);
}

/* Garbage behind a real session: the calls go with the assistance, what was edited stays so. */
static void garbage_after_a_call(void **state)
{
	struct peers p;
	uint8_t bytes[2 * PPTP_MESSAGE_BYTES_MAX] = {0};
	size_t length = message_make(bytes, PPTP_OUTGOING_CALL_REQUEST, INSIDE, 0, 0);

	peers_establish(&p, OUT);
	peers_send(&p, OUT, bytes, length + 16);
	assert_int_equal(peers_field(&p, 12), EXTERNAL);
	assert_int_equal(p.answer.flags, HELPER_ENDED); /* not PLAIN: the edit may be repeated */
	assert_int_equal(p.last[HELPER_CLAIM_RELEASE_ALL].kind, HELPER_CLAIM_RELEASE_ALL);
	assert_int_equal(p.flow.id_count, 0);
	p.sent[OUT] -= (uint32_t)(length + 16);
	peers_send(&p, OUT, bytes, length);
	assert_int_equal(peers_field(&p, 12), EXTERNAL);
	p.sent[OUT] += 16;
	peers_send(&p, IN, NULL, 0);
	assert_int_equal(p.answer.flags, HELPER_ENDED | HELPER_PLAIN);
}

/* Only the originator starts (3.1.1); call messages before the reply are no session. */
static void not_a_session(void **state)
{
	struct peers p;

	peers_connect(&p, OUT);
	peers_say(&p, IN, PPTP_START_REQUEST, 0, 0, 0);
	assert_true(peers_noted(&p, HELPER_REASON_no_session));
	peers_connect(&p, OUT);
	peers_say(&p, OUT, PPTP_START_REQUEST, 0, 0, 0);
	peers_say(&p, OUT, PPTP_START_REPLY, 0, 0, 1);
	assert_true(peers_noted(&p, HELPER_REASON_no_session));
	peers_connect(&p, OUT);
	peers_say(&p, OUT, PPTP_START_REQUEST, 0, 0, 0);
	peers_say(&p, OUT, PPTP_OUTGOING_CALL_REQUEST, 1, 0, 0);
	assert_true(peers_noted(&p, HELPER_REASON_no_session));
	assert_int_equal(p.kinds[HELPER_CLAIM_ARM], 0);
	peers_connect(&p, OUT);
	peers_say(&p, OUT, PPTP_START_REQUEST, 0, 0, 0);
	peers_say(&p, IN, PPTP_START_REPLY, 0, 0, 4); /* not authorized (2.2) */
	peers_say(&p, OUT, PPTP_OUTGOING_CALL_REQUEST, 1, 0, 0);
	assert_true(peers_noted(&p, HELPER_REASON_control_illegal));
	assert_int_equal(p.kinds[HELPER_CLAIM_ARM], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outgoing_call_pns_inside),
		cmocka_unit_test(incoming_call_pns_inside),
		cmocka_unit_test(outgoing_call_pac_inside),
		cmocka_unit_test(incoming_call_pac_inside),
		cmocka_unit_test(refused_calls),
		cmocka_unit_test(call_id_zero),
		cmocka_unit_test(several_calls),
		cmocka_unit_test(no_raw_id_leaves),
		cmocka_unit_test(call_accepted_while_stopping),
		cmocka_unit_test(call_quota),
		cmocka_unit_test(no_spare_id),
		cmocka_unit_test(incoming_call_messages_anywhere),
		cmocka_unit_test(unknown_types),
		cmocka_unit_test(wrong_lengths),
		cmocka_unit_test(slipstreaming),
		cmocka_unit_test(garbage_after_a_call),
		cmocka_unit_test(not_a_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
