/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversations of an inside host and a server, through the helper and the
 * daemon's check of its answers: RFC 2661 over UDP translated, RFC 3931 over IP
 * only followed. Each answer has to pass the check.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "helper/helper.h"
#include "helper/l2tp_wire.h"
#include "helper/process.h"

#define OUT	    HELPER_OUTBOUND
#define IN	    HELPER_INBOUND
#define FIRST_SPARE 0x4100
#define UDP_HEADER  8

struct peers {
	struct helper_flow flow;
	struct helper_answer answer;
	struct helper_frame frame;
	uint8_t bytes[512]; /* the last message, as it leaves the gateway */
	uint16_t next_spare;
	uint16_t taken; /* another host's tunnel; 0: there is none */
	bool held;	/* and not to be had: where its arrivals come to it is another tunnel's */
};

static int peers_up(void **state)
{
	static struct peers peers;

	peers = (struct peers){.next_spare = FIRST_SPARE};
	*state = &peers;
	return 0;
}

static struct peers *peers_over(void **state, enum helper_protocol protocol)
{
	struct peers *p = *state;

	p->flow.protocol = (uint8_t)protocol;
	return p;
}

static void spares_fill(struct peers *p)
{
	while (p->flow.protocol != HELPER_L2TP_IP && p->flow.spare_count < HELPER_SPARE_IDS)
		p->flow.spare[p->flow.spare_count++] = p->next_spare++;
}

static size_t head_bytes(const struct peers *p)
{
	return p->flow.protocol != HELPER_L2TP_IP ? UDP_HEADER : 4;
}

/* One's complement sum of the whole UDP datagram, which an edit must not change. */
static uint16_t udp_sum(const struct peers *p)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < p->frame.tcp_bytes; i++)
		sum += (uint32_t)p->bytes[i] << (i & 1 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void frame_make(struct peers *p, enum helper_direction direction, const uint8_t *message,
		       size_t length)
{
	memset(p->bytes, 0, sizeof(p->bytes));
	p->bytes[6] = p->flow.protocol != HELPER_L2TP_IP ? 0x12 : 0;
	memcpy(p->bytes + head_bytes(p), message, length);
	p->frame = (struct helper_frame){
		.bytes = p->bytes,
		.frame_bytes = head_bytes(p) + length,
		.tcp_bytes = head_bytes(p) + length,
		.carrier = p->flow.protocol != HELPER_L2TP_IP ? HELPER_OVER_UDP : HELPER_OVER_IP,
		.direction = direction};
}

static void answer_get(struct peers *p, enum helper_direction direction)
{
	static struct helper_request request;

	memset(&request, 0, sizeof(request));
	request.magic = HELPER_PROTOCOL_MAGIC;
	request.protocol = p->flow.protocol;
	request.direction = (uint8_t)direction;
	request.spare_count = p->flow.spare_count;
	memcpy(request.spare, p->flow.spare, sizeof(request.spare));
	request.taken_count = p->taken != 0;
	request.held_count = p->held;
	request.taken[0] = p->taken;
	memcpy(request.state, p->flow.state, sizeof(request.state));
	memcpy(request.segment, p->bytes, p->frame.tcp_bytes);
	assert_true(process_answer(&request,
				   offsetof(struct helper_request, segment) + p->frame.tcp_bytes,
				   &p->answer));
}

static void bytes_pass(struct peers *p, enum helper_direction direction, const uint8_t *message,
		       size_t length)
{
	uint16_t sum;

	frame_make(p, direction, message, length);
	answer_get(p, direction);
	assert_int_equal(helper_validate_answer(&p->flow, &p->frame, &p->answer, sizeof(p->answer)),
			 0);
	helper_flow_update(&p->flow, &p->answer);
	sum = udp_sum(p);
	if (p->answer.verdict == HELPER_FORWARD)
		helper_edits_apply(&p->frame, p->answer.edits, p->answer.edit_count);
	if (p->frame.carrier == HELPER_OVER_UDP)
		assert_int_equal(udp_sum(p), sum);
}

/* Says it; `received` is what the other end reads. */
static struct l2tp_message pass(struct peers *p, enum helper_direction direction,
				const struct l2tp_message *message)
{
	struct l2tp_message received;
	uint8_t bytes[256];
	size_t length = l2tp_message_encode(bytes, sizeof(bytes), message);

	assert_int_not_equal(length, 0);
	spares_fill(p);
	bytes_pass(p, direction, bytes, length);
	assert_int_equal(l2tp_message_decode(p->bytes + head_bytes(p), length, &received), 0);
	return received;
}

static struct l2tp_message control(uint8_t version, uint16_t type, uint32_t to, uint32_t id)
{
	return (struct l2tp_message){.version = version,
				     .type = type,
				     .connection_id = to,
				     .found = id ? 1 << L2TP_CONNECTION_ID : 0,
				     .ids = {id}};
}

static struct l2tp_message session(uint16_t type, uint32_t to, uint32_t local, uint32_t remote)
{
	return (struct l2tp_message){.version = 3,
				     .type = type,
				     .connection_id = to,
				     .found = 1 << L2TP_SESSION_ID | 1 << L2TP_REMOTE_SESSION_ID,
				     .ids = {0, local, remote}};
}

static void claimed(const struct peers *p, unsigned int at, enum helper_claim_kind kind,
		    uint32_t external, uint32_t inside, uint32_t remote)
{
	const struct helper_claim *claim = &p->answer.claims[at];

	assert_true(at < p->answer.claim_count);
	assert_int_equal(claim->kind, kind);
	assert_int_equal(claim->external_id, external);
	assert_int_equal(claim->inside_id, inside);
	assert_int_equal(claim->remote_id, remote);
}

static void noted(const struct peers *p, enum helper_reason reason)
{
	assert_int_equal(p->answer.notes, 1u << reason);
}

static void dropped(const struct peers *p, enum helper_reason reason)
{
	assert_int_equal(p->answer.verdict, HELPER_DROP);
	assert_int_equal(p->answer.reason, reason);
}

/* --- version 2: translated -------------------------------------------------------------- */

static void connection_up(struct peers *p, uint16_t inside, uint16_t remote)
{
	struct l2tp_message m = control(2, L2TP_SCCRQ, 0, inside);

	pass(p, OUT, &m);
	m = control(2, L2TP_SCCRP, inside, remote);
	pass(p, IN, &m);
	m = control(2, L2TP_SCCCN, remote, 0);
	pass(p, OUT, &m);
}

static void the_tunnel_id_is_replaced(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP);
	struct l2tp_message m = control(2, L2TP_SCCRQ, 0, 1), seen = pass(p, OUT, &m);

	assert_int_equal(seen.ids[L2TP_CONNECTION_ID], FIRST_SPARE);
	claimed(p, 0, HELPER_CLAIM_RESERVE, FIRST_SPARE, 0, 0);
	claimed(p, 1, HELPER_CLAIM_ARM, FIRST_SPARE, 1, 0);
	seen = pass(p, OUT, &m); /* sent again: the same, and nothing new */
	assert_int_equal(seen.ids[L2TP_CONNECTION_ID], FIRST_SPARE);
	assert_int_equal(p->answer.claim_count, 0);
	m = control(2, L2TP_SCCRP, 1, 9);
	seen = pass(p, IN, &m);
	assert_int_equal(seen.ids[L2TP_CONNECTION_ID], 9);
	claimed(p, 0, HELPER_CLAIM_PEER, FIRST_SPARE, 0, 9);
}

static void the_end_names_it_too(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP);
	struct l2tp_message m = control(2, L2TP_STOPCCN, 9, 1), seen;

	connection_up(p, 1, 9);
	seen = pass(p, OUT, &m);
	assert_int_equal(seen.ids[L2TP_CONNECTION_ID], FIRST_SPARE);
	claimed(p, 0, HELPER_CLAIM_RELEASE, FIRST_SPARE, 0, 0);
	seen = pass(p, OUT, &m); /* until it is acknowledged */
	assert_int_equal(seen.ids[L2TP_CONNECTION_ID], FIRST_SPARE);
	assert_int_equal(p->answer.claim_count, 0);
}

static void the_server_ends_it(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP);
	struct l2tp_message m = control(2, L2TP_STOPCCN, 1, 9);

	connection_up(p, 1, 9);
	pass(p, IN, &m);
	claimed(p, 0, HELPER_CLAIM_RELEASE, FIRST_SPARE, 0, 0);
	m = control(2, L2TP_SCCRQ, 0, 1);
	assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], FIRST_SPARE + 1);
}

static void two_tunnels_of_one_host(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP);
	struct l2tp_message m = control(2, L2TP_STOPCCN, 8, 2);

	connection_up(p, 1, 9);
	connection_up(p, 2, 8);
	assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], FIRST_SPARE + 1);
	claimed(p, 0, HELPER_CLAIM_RELEASE, FIRST_SPARE + 1, 0, 0);
	m = control(2, L2TP_HELLO, 9, 0);
	pass(p, OUT, &m);
	assert_int_equal(p->answer.notes, 0);
}

static void calls_of_version_2_need_nothing(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP);
	struct l2tp_message m = {.version = 2,
				 .type = L2TP_ICRQ,
				 .connection_id = 9,
				 .found = 1 << L2TP_SESSION_ID,
				 .ids = {0, 5}};

	connection_up(p, 1, 9);
	assert_int_equal(pass(p, OUT, &m).ids[L2TP_SESSION_ID], 5);
	assert_int_equal(p->answer.claim_count, 0);
	assert_int_equal(p->answer.notes, 0);
}

/* RFC 2661 4.3: nobody without the secret can read it, or write another. */
static void a_hidden_id_does_not_leave_a_shared_port(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP);
	struct l2tp_message m = control(2, L2TP_SCCRQ, 0, 1);
	uint8_t bytes[64], before[64];
	size_t length = l2tp_message_encode(bytes, sizeof(bytes), &m);

	bytes[20] |= 0x40;
	memcpy(before, bytes, length);
	spares_fill(p);
	bytes_pass(p, OUT, bytes, length);
	noted(p, HELPER_REASON_hidden_id);
	dropped(p, HELPER_REASON_hidden_id);
	assert_int_equal(p->answer.claim_count, 0);
	assert_memory_equal(p->bytes + UDP_HEADER, before, length);
}

static void without_a_spare_id_it_waits(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP);
	struct l2tp_message m = control(2, L2TP_SCCRQ, 0, 1);
	uint8_t bytes[64];

	bytes_pass(p, OUT, bytes, l2tp_message_encode(bytes, sizeof(bytes), &m));
	assert_int_equal(p->answer.verdict, HELPER_DROP);
	assert_int_equal(p->answer.reason, HELPER_REASON_no_spare_id);
	assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], FIRST_SPARE);
}

static void what_is_no_message_passes(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP);
	static const uint8_t noise[40] = {0xc8, 0x02, 0x00, 0xff};

	for (size_t length = 0; length <= sizeof(noise); length++) {
		bytes_pass(p, OUT, noise, length);
		assert_int_equal(p->answer.verdict, HELPER_FORWARD);
		noted(p, HELPER_REASON_not_l2tp);
	}
}

static void nothing_begins_in_the_middle(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP);

	for (uint16_t type = L2TP_SCCRP; type < L2TP_TYPES; type++) {
		struct l2tp_message m = control(2, type, 9, 1);

		pass(p, OUT, &m);
		noted(p, HELPER_REASON_connection_illegal);
		dropped(p, HELPER_REASON_id_held); /* the number could be another host's */
		pass(p, IN, &m);
		noted(p, HELPER_REASON_connection_illegal);
		assert_int_equal(p->flow.id_count, 0);
	}
}

/* --- version 2, on a port of its own ------------------------------------------------------- */

static void an_id_of_its_own_stays(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP_OWN);
	struct l2tp_message m = control(2, L2TP_SCCRQ, 0, 1);

	p->taken = 2;
	for (int again = 0; again < 3; again++) {
		assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], 1);
		assert_int_equal(p->answer.claim_count, again ? 0 : 2);
	}
	connection_up(p, 1, 9);
	m = control(2, L2TP_STOPCCN, 9, 1);
	assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], 1);
	claimed(p, 0, HELPER_CLAIM_RELEASE, 1, 0, 0);
}

/* A server may take it for the other host's request, which it has answered. */
static void the_id_of_another_host_is_replaced_unanswered(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP_OWN);
	struct l2tp_message m = control(2, L2TP_SCCRQ, 0, 1);

	p->taken = 1;
	assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], 1);
	claimed(p, 0, HELPER_CLAIM_TAKE, 1, 0, 0);
	claimed(p, 1, HELPER_CLAIM_ARM, 1, 1, 0);
	assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], FIRST_SPARE);
	claimed(p, 0, HELPER_CLAIM_RELEASE, 1, 0, 0);
	claimed(p, 1, HELPER_CLAIM_RESERVE, FIRST_SPARE, 0, 0);
	claimed(p, 2, HELPER_CLAIM_ARM, FIRST_SPARE, 1, 0);
	assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], FIRST_SPARE);
	assert_int_equal(p->answer.claim_count, 0);
	connection_up(p, 1, 9);
	m = control(2, L2TP_STOPCCN, 9, 1);
	assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], FIRST_SPARE);
	claimed(p, 0, HELPER_CLAIM_RELEASE, FIRST_SPARE, 0, 0);
}

/* xl2tpd acknowledges the request and leaves it at that; then it would not come again. */
static void a_mere_acknowledgment_is_held_back(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP_OWN);
	struct l2tp_message m = control(2, L2TP_SCCRQ, 0, 1), ack = control(2, L2TP_EMPTY, 1, 0);
	uint8_t bytes[64];
	size_t length = l2tp_message_encode(bytes, sizeof(bytes), &ack);

	pass(p, OUT, &m);
	pass(p, IN, &ack); /* nobody else has the id */
	assert_int_equal(p->answer.verdict, HELPER_FORWARD);
	p->taken = 1;
	bytes_pass(p, IN, bytes, length);
	assert_int_equal(p->answer.verdict, HELPER_DROP);
	assert_int_equal(p->answer.reason, HELPER_REASON_tunnel_id_twice);
	assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], FIRST_SPARE);
	pass(p, IN, &ack); /* of the one that was replaced, or of the other one */
	assert_int_equal(p->answer.verdict, HELPER_FORWARD);
}

static void an_answered_one_keeps_its_id(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP_OWN);
	struct l2tp_message m = control(2, L2TP_SCCRQ, 0, 1);

	connection_up(p, 1, 9);
	p->taken = 1;
	assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], 1);
	assert_int_equal(p->answer.claim_count, 0);
}

/* --- version 2, at port 1701, where other hosts' tunnels are found by their ids too -------- */

static void what_another_holds_is_replaced_at_once(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP_OWN);
	struct l2tp_message m = control(2, L2TP_SCCRQ, 0, 1);

	p->taken = 1;
	p->held = true;
	assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], FIRST_SPARE);
	claimed(p, 0, HELPER_CLAIM_RESERVE, FIRST_SPARE, 0, 0);
	m = control(2, L2TP_SCCRP, 1, 9);
	pass(p, IN, &m);
	m = control(2, L2TP_STOPCCN, 9, 1);
	assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], FIRST_SPARE);
}

/* RFC 2661 4.4.3: StopCCN may name a tunnel by its sender's id alone. */
static void what_another_holds_is_not_ended(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP_OWN);
	struct l2tp_message m = control(2, L2TP_STOPCCN, 0, 7);

	p->taken = 7;
	pass(p, OUT, &m);
	assert_int_equal(p->answer.verdict, HELPER_FORWARD);
	p->held = true;
	pass(p, OUT, &m);
	dropped(p, HELPER_REASON_id_held);
	connection_up(p, 1, 9);
	m = control(2, L2TP_STOPCCN, 9, 7);
	pass(p, OUT, &m);
	dropped(p, HELPER_REASON_id_held);
}

/* Its first request had its own id; behind the shared port it needs one that nobody has. */
static void moved_behind_a_shared_port(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP_OWN);
	struct l2tp_message m = control(2, L2TP_SCCRQ, 0, 1);

	pass(p, OUT, &m);
	p->flow.protocol = HELPER_L2TP;
	assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], FIRST_SPARE);
	claimed(p, 2, HELPER_CLAIM_ARM, FIRST_SPARE, 1, 0);
}

/* What another tunnel of the host goes by outside is not to be had, though the host cannot know. */
static void the_id_that_stands_for_another_is_replaced(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP_OWN);
	struct l2tp_message m = control(2, L2TP_SCCRQ, 0, 1);

	p->taken = 1;
	pass(p, OUT, &m);
	pass(p, OUT, &m);
	m = control(2, L2TP_SCCRQ, 0, FIRST_SPARE);
	assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], FIRST_SPARE + 1);
	claimed(p, 1, HELPER_CLAIM_ARM, FIRST_SPARE + 1, FIRST_SPARE, 0);
}

static void hidden_and_signed_ids_are_left_alone(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP_OWN);
	struct l2tp_message m = control(2, L2TP_SCCRQ, 0, 1);
	uint8_t bytes[64], before[64];
	size_t length = l2tp_message_encode(bytes, sizeof(bytes), &m);

	p->taken = 1;
	bytes[20] |= 0x40;
	memcpy(before, bytes, length);
	for (int again = 0; again < 3; again++) {
		spares_fill(p);
		bytes_pass(p, OUT, bytes, length);
		noted(p, HELPER_REASON_hidden_id);
		assert_memory_equal(p->bytes + UDP_HEADER, before, length);
	}
	m.digest = true; /* RFC 3931 4.7.3: a request for either version */
	for (int again = 0; again < 3; again++) {
		assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], 1);
		noted(p, HELPER_REASON_hidden_id);
	}
	assert_int_equal(p->flow.id_count, 0);
}

/* --- version 3 over IP: followed ------------------------------------------------------------ */

static void pseudowires_up(struct peers *p)
{
	struct l2tp_message m = control(3, L2TP_SCCRQ, 0, 0x11111111);

	assert_int_equal(pass(p, OUT, &m).ids[L2TP_CONNECTION_ID], 0x11111111);
	claimed(p, 0, HELPER_CLAIM_TAKE, 0x11111111, 0, 0);
	claimed(p, 1, HELPER_CLAIM_ARM, 0x11111111, 0x11111111, 0);
	m = control(3, L2TP_SCCRP, 0x11111111, 0x99999999);
	pass(p, IN, &m);
	claimed(p, 0, HELPER_CLAIM_PEER, 0x11111111, 0, 0x99999999);
	m = control(3, L2TP_SCCCN, 0x99999999, 0);
	pass(p, OUT, &m);
}

static void session_ids_are_claimed(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP_IP);
	struct l2tp_message m = session(L2TP_ICRQ, 0x99999999, 0x55555555, 0);

	pseudowires_up(p);
	pass(p, OUT, &m);
	claimed(p, 0, HELPER_CLAIM_TAKE, 0x55555555, 0, 0);
	claimed(p, 1, HELPER_CLAIM_ARM, 0x55555555, 0x55555555, 0);
	assert_int_equal(p->answer.claims[1].space, HELPER_ID_SESSION);
	m = session(L2TP_ICRP, 0x11111111, 0x66666666, 0x55555555);
	pass(p, IN, &m);
	claimed(p, 0, HELPER_CLAIM_PEER, 0x55555555, 0, 0x66666666);
	m = session(L2TP_ICCN, 0x99999999, 0x55555555, 0x66666666);
	pass(p, OUT, &m);
	assert_int_equal(p->answer.claim_count, 0);
	m = session(L2TP_CDN, 0x11111111, 0x66666666, 0x55555555);
	pass(p, IN, &m);
	claimed(p, 0, HELPER_CLAIM_RELEASE, 0x55555555, 0, 0);
}

/* The server asks: the inside host's id comes with its reply. */
static void the_server_begins_a_session(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP_IP);
	struct l2tp_message m = session(L2TP_ICRQ, 0x11111111, 0x66666666, 0);

	pseudowires_up(p);
	pass(p, IN, &m);
	assert_int_equal(p->answer.claim_count, 0);
	m = session(L2TP_ICRP, 0x99999999, 0x55555555, 0x66666666);
	pass(p, OUT, &m);
	claimed(p, 0, HELPER_CLAIM_TAKE, 0x55555555, 0, 0);
	claimed(p, 1, HELPER_CLAIM_ARM, 0x55555555, 0x55555555, 0);
	claimed(p, 2, HELPER_CLAIM_PEER, 0x55555555, 0, 0x66666666);
}

static void the_end_of_all_releases_all(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP_IP);
	struct l2tp_message m;

	pseudowires_up(p);
	for (uint32_t i = 1; i <= 20; i++) {
		m = session(L2TP_ICRQ, 0x99999999, i, 0);
		pass(p, OUT, &m);
	}
	assert_int_equal(p->flow.id_count, 21);
	m = control(3, L2TP_STOPCCN, 0x11111111, 0x99999999);
	pass(p, IN, &m);
	assert_int_equal(p->answer.claim_count, 21);
	assert_int_equal(p->flow.id_count, 0);
}

/* More sessions than are kept: they pass, and are counted. */
static void the_quota_of_sessions(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP_IP);

	pseudowires_up(p);
	for (uint32_t i = 1; i <= 40; i++) {
		struct l2tp_message m = session(L2TP_ICRQ, 0x99999999, i, 0);

		pass(p, OUT, &m);
		assert_int_equal(p->answer.verdict, HELPER_FORWARD);
	}
	noted(p, HELPER_REASON_call_quota);
	assert_int_equal(p->flow.id_count, 33);
}

/* RFC 3931 4.3: a signed message is read, and leaves as it came. */
static void a_signed_message_is_not_changed(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP_IP);
	struct l2tp_message m = control(3, L2TP_SCCRQ, 0, 7);

	m.digest = true;
	assert_true(pass(p, OUT, &m).digest);
	assert_int_equal(p->answer.edit_count, 0);
	claimed(p, 0, HELPER_CLAIM_TAKE, 7, 0, 0);
}

/* A state that another version, or a helper that was taken over, has left. */
static void a_damaged_state_is_given_up(void **state)
{
	struct peers *p = peers_over(state, HELPER_L2TP_IP);
	struct l2tp_message m = control(3, L2TP_HELLO, 0x99999999, 0);

	pseudowires_up(p);
	p->flow.state[0] ^= 0xff;
	pass(p, OUT, &m);
	claimed(p, 0, HELPER_CLAIM_RELEASE_ALL, 0, 0, 0);
	assert_int_equal(p->flow.id_count, 0);
}

#define TEST(f) cmocka_unit_test_setup(f, peers_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_tunnel_id_is_replaced),
		TEST(the_end_names_it_too),
		TEST(the_server_ends_it),
		TEST(two_tunnels_of_one_host),
		TEST(calls_of_version_2_need_nothing),
		TEST(a_hidden_id_does_not_leave_a_shared_port),
		TEST(without_a_spare_id_it_waits),
		TEST(what_is_no_message_passes),
		TEST(nothing_begins_in_the_middle),
		TEST(an_id_of_its_own_stays),
		TEST(the_id_of_another_host_is_replaced_unanswered),
		TEST(a_mere_acknowledgment_is_held_back),
		TEST(an_answered_one_keeps_its_id),
		TEST(what_another_holds_is_replaced_at_once),
		TEST(what_another_holds_is_not_ended),
		TEST(moved_behind_a_shared_port),
		TEST(the_id_that_stands_for_another_is_replaced),
		TEST(hidden_and_signed_ids_are_left_alone),
		TEST(session_ids_are_claimed),
		TEST(the_server_begins_a_session),
		TEST(the_end_of_all_releases_all),
		TEST(the_quota_of_sessions),
		TEST(a_signed_message_is_not_changed),
		TEST(a_damaged_state_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
