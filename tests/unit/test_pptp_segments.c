/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same session cut into segments in every way: what arrives is always the
 * same bytes. And the life of the TCP connection around it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "helper/pptp_state.h"

#define SPARE_STEP  0x101 /* 4100, 4201, 4302 */
#define EXTERNAL(n) (FIRST_SPARE + (n)*SPARE_STEP)
#include "tests/unit/test_pptp_peers.h"

/* --- a session and its two streams ------------------------------------------------ */

struct said {
	enum helper_direction way;
	uint16_t type, at12, at14;
	uint8_t result;
};

/* Two calls of a client that starts on our side; the server knows them as EXTERNAL(n). */
static const struct said session[] = {
	{OUT, PPTP_START_REQUEST, 0, 0, 0},
	{IN, PPTP_START_REPLY, 0, 0, 1},
	{OUT, PPTP_OUTGOING_CALL_REQUEST, 0x7801, 0, 0},
	{OUT, PPTP_OUTGOING_CALL_REQUEST, 0x9902, 0, 0},
	{IN, PPTP_OUTGOING_CALL_REPLY, 0xbe01, FIRST_SPARE, 1},
	{IN, PPTP_OUTGOING_CALL_REPLY, 0xbe02, EXTERNAL(1), 1},
	{OUT, PPTP_SET_LINK_INFO, 0xbe01, 0, 0},
	{IN, PPTP_SET_LINK_INFO, FIRST_SPARE, 0, 0},
	{IN, PPTP_INCOMING_CALL_REQUEST, 0xbe03, 0, 0},
	{OUT, PPTP_INCOMING_CALL_REPLY, 0x0003, 0xbe03, 1},
	{IN, PPTP_INCOMING_CALL_CONNECTED, EXTERNAL(2), 0, 0},
	{IN, PPTP_WAN_ERROR_NOTIFY, EXTERNAL(1), 0, 0},
	{OUT, PPTP_CALL_CLEAR_REQUEST, 0x7801, 0, 0},
	{IN, PPTP_CALL_DISCONNECT_NOTIFY, 0xbe01, 0, 4},
	{OUT, PPTP_ECHO_REQUEST, 0, 0, 0},
	{IN, PPTP_ECHO_REPLY, 0, 0, 1},
	{OUT, PPTP_STOP_REQUEST, 0, 0, 0},
	{IN, PPTP_STOP_REPLY, 0, 0, 1},
};
#define SAID (sizeof(session) / sizeof(session[0]))

struct arrived {
	uint8_t bytes[2][4096];
	size_t count[2];
};

static void arrive(struct arrived *a, const struct peers *p, enum helper_direction way)
{
	memcpy(a->bytes[way] + a->count[way], p->frame + 20, p->payload_bytes);
	a->count[way] += p->payload_bytes;
}

static void send_arriving(struct peers *p, struct arrived *a, enum helper_direction way,
			  const uint8_t *bytes, size_t count)
{
	assert_int_equal(peers_send(p, way, bytes, count), HELPER_FORWARD);
	arrive(a, p, way);
}

static void session_whole(struct arrived *a)
{
	struct peers p;
	uint8_t bytes[PPTP_MESSAGE_BYTES_MAX];

	memset(a, 0, sizeof(*a));
	peers_connect(&p, OUT);
	for (const struct said *s = session; s < session + SAID; s++)
		send_arriving(&p, a, s->way, bytes,
			      message_make(bytes, s->type, s->at12, s->at14, s->result));
	assert_int_equal(p.notes, 0);
	assert_int_equal(p.kinds[HELPER_CLAIM_ARM], 3);
}

static void assert_same(const struct arrived *a, const struct arrived *b)
{
	for (int way = OUT; way <= IN; way++) {
		assert_int_equal(a->count[way], b->count[way]);
		assert_memory_equal(a->bytes[way], b->bytes[way], a->count[way]);
	}
}

/* All ids that are in flight towards the remote are external ones. */
static void whole_messages(void **state)
{
	struct arrived a;

	session_whole(&a);
	assert_int_equal(a.bytes[OUT][156 + 12] << 8 | a.bytes[OUT][156 + 13], FIRST_SPARE);
	assert_int_equal(a.bytes[OUT][156 + 168 + 12] << 8 | a.bytes[OUT][156 + 168 + 13],
			 EXTERNAL(1));
	assert_int_equal(a.bytes[IN][156 + 14] << 8 | a.bytes[IN][156 + 15], 0x7801);
}

/* --- cut --------------------------------------------------------------------------- */

static void session_in_pieces(struct arrived *a, size_t first, size_t piece)
{
	struct peers p;
	uint8_t bytes[PPTP_MESSAGE_BYTES_MAX];

	memset(a, 0, sizeof(*a));
	peers_connect(&p, OUT);
	for (const struct said *s = session; s < session + SAID; s++) {
		size_t length = message_make(bytes, s->type, s->at12, s->at14, s->result);
		size_t next, done = 0;

		for (next = first; done < length; done += next, next = piece) {
			if (next > length - done)
				next = length - done;
			send_arriving(&p, a, s->way, bytes + done, next);
		}
	}
	assert_int_equal(p.notes, 0);
	assert_int_equal(p.flow.id_count, 0);
}

/* The sender waits for each byte to arrive: nothing may be held back. */
static void byte_by_byte(void **state)
{
	struct arrived whole, cut;

	session_whole(&whole);
	session_in_pieces(&cut, 1, 1);
	assert_same(&whole, &cut);
}

static void every_two_way_split(void **state)
{
	struct arrived whole, cut;

	session_whole(&whole);
	for (size_t at = 1; at < PPTP_MESSAGE_BYTES_MAX; at++) {
		session_in_pieces(&cut, at, PPTP_MESSAGE_BYTES_MAX);
		assert_same(&whole, &cut);
	}
}

/* Streams of both ways without regard to messages, as far as the peers can know them. */
static void coalesced(void **state)
{
	struct arrived whole, cut = {0};
	struct peers p;
	uint8_t bytes[4096];
	size_t length = 0;

	session_whole(&whole);
	peers_connect(&p, OUT);
	for (const struct said *s = session; s < session + SAID; s++) {
		length += message_make(bytes + length, s->type, s->at12, s->at14, s->result);
		if (s + 1 < session + SAID && s[1].way == s->way)
			continue;
		send_arriving(&p, &cut, s->way, bytes, length);
		length = 0;
	}
	assert_same(&whole, &cut);
}

/* --- repeated ------------------------------------------------------------------------ */

/* Every part of what is not acknowledged, again: the bytes of the first time. */
static void retransmitted_with_other_boundaries(void **state)
{
	struct peers p;
	uint8_t bytes[2 * PPTP_MESSAGE_BYTES_MAX], first[2 * PPTP_MESSAGE_BYTES_MAX];
	size_t length = message_make(bytes, PPTP_OUTGOING_CALL_REQUEST, 0x7801, 0, 0);
	uint32_t seq;

	length += message_make(bytes + length, PPTP_CALL_CLEAR_REQUEST, 0x7801, 0, 0);
	peers_establish(&p, OUT);
	seq = p.isn[OUT] + 1 + p.sent[OUT];
	peers_send(&p, OUT, bytes, length);
	memcpy(first, p.frame + 20, length);
	assert_int_not_equal(memcmp(first, bytes, length), 0);
	for (size_t from = 0; from < length; from++)
		for (size_t to = from; to <= length; to += 1 + (to - from) / 24) {
			assert_int_equal(peers_segment(&p, OUT, seq + (uint32_t)from, TCP_ACK,
						       bytes + from, to - from),
					 HELPER_FORWARD);
			assert_memory_equal(p.frame + 20, first + from, to - from);
			assert_int_equal(p.answer.claim_count, 0);
		}
	bytes[12] ^= 1;
	assert_int_equal(peers_segment(&p, OUT, seq, TCP_ACK, bytes, length), HELPER_DROP);
	assert_int_equal(p.answer.reason, HELPER_REASON_changed_again);
}

/* An overlap: old bytes get their edits, new ones are read. */
static void overlapping_segment(void **state)
{
	struct peers p;
	uint8_t bytes[2 * PPTP_MESSAGE_BYTES_MAX];
	size_t one = message_make(bytes, PPTP_OUTGOING_CALL_REQUEST, 1, 0, 0);
	size_t two = one + message_make(bytes + one, PPTP_OUTGOING_CALL_REQUEST, 2, 0, 0);

	peers_establish(&p, OUT);
	peers_send(&p, OUT, bytes, one);
	p.sent[OUT] -= (uint32_t)one;
	peers_send(&p, OUT, bytes, two);
	assert_int_equal(peers_field(&p, 12), FIRST_SPARE);
	assert_int_equal(peers_field(&p, one + 12), EXTERNAL(1));
	assert_int_equal(p.flow.id_count, 2);
}

static void spares_from(struct peers *p, uint16_t first)
{
	p->flow.spare_count = HELPER_SPARE_IDS;
	for (uint16_t i = 0; i < HELPER_SPARE_IDS; i++)
		p->flow.spare[i] = (uint16_t)(first + i);
}

/* 7801 is 4100, 7802 is 4200 and 9901 is 4110 outside. */
static void calls_that_begin_alike(struct peers *p)
{
	peers_establish(p, OUT);
	spares_from(p, 0x4100);
	peers_say(p, OUT, PPTP_OUTGOING_CALL_REQUEST, 0x7801, 0, 0);
	spares_from(p, 0x4200);
	peers_say(p, OUT, PPTP_OUTGOING_CALL_REQUEST, 0x7802, 0, 0);
	spares_from(p, 0x4110);
	peers_say(p, OUT, PPTP_OUTGOING_CALL_REQUEST, 0x9901, 0, 0);
}

struct halved {
	enum helper_direction way;
	uint16_t type, id, translated;
};

/*
 * Half an id that fits two calls waits for the other half, which comes out of
 * order and settles it.
 */
static void half_waits(const struct halved *h)
{
	struct peers p;
	uint8_t bytes[PPTP_MESSAGE_BYTES_MAX];
	size_t length = message_make(bytes, h->type, h->id, 0, 0);
	uint32_t seq;

	calls_that_begin_alike(&p);
	seq = p.isn[h->way] + 1 + p.sent[h->way];
	for (int i = 0; i < 2; i++) { /* also when it is repeated */
		assert_int_equal(peers_segment(&p, h->way, seq, TCP_ACK, bytes, 13), HELPER_DROP);
		assert_int_equal(p.answer.reason, HELPER_REASON_half_id);
	}
	assert_int_equal(peers_segment(&p, h->way, seq + 13, TCP_ACK, bytes + 13, length - 13),
			 HELPER_FORWARD);
	assert_int_equal(p.frame[20], h->translated & 0xff);
	assert_int_equal(peers_segment(&p, h->way, seq, TCP_ACK, bytes, 13), HELPER_FORWARD);
	assert_int_equal(p.frame[20 + 12], h->translated >> 8);
	assert_false(peers_noted(&p, HELPER_REASON_unknown_call));
}

static void half_an_id_that_fits_two_calls(void **state)
{
	half_waits(&(struct halved){OUT, PPTP_CALL_CLEAR_REQUEST, 0x7802, 0x4200});
	half_waits(&(struct halved){OUT, PPTP_CALL_CLEAR_REQUEST, 0x7801, 0x4100});
	half_waits(&(struct halved){IN, PPTP_WAN_ERROR_NOTIFY, 0x4110, 0x9901});
	half_waits(&(struct halved){OUT, PPTP_OUTGOING_CALL_REQUEST, 0x7801, 0x4100});
}

/* A new id in two halves that begins like a known one takes a spare that begins alike, or waits. */
static void half_of_a_new_id(void **state)
{
	struct peers p;
	uint8_t bytes[PPTP_MESSAGE_BYTES_MAX];
	size_t length = message_make(bytes, PPTP_OUTGOING_CALL_REQUEST, 0x7802, 0, 0);

	peers_establish(&p, OUT);
	peers_say(&p, OUT, PPTP_OUTGOING_CALL_REQUEST, 0x7801, 0, 0);
	spares_from(&p, 0x5500);
	p.flow.spare[5] = 0x4107; /* the only one that begins as 7801's does */
	assert_int_equal(peers_send(&p, OUT, bytes, 13), HELPER_FORWARD);
	assert_int_equal(p.frame[20 + 12], FIRST_SPARE >> 8);
	peers_send(&p, OUT, bytes + 13, length - 13);
	assert_int_equal(p.flow.id_count, 2);
	spares_from(&p, 0x5500);
	bytes[13] = 3;
	assert_int_equal(peers_send(&p, OUT, bytes, 13), HELPER_DROP);
	assert_int_equal(p.answer.reason, HELPER_REASON_half_id);
	p.sent[OUT] += 13;
	assert_int_equal(peers_send(&p, OUT, bytes + 13, length - 13), HELPER_FORWARD);
	assert_int_equal(p.flow.ids[2].external_id, 0x5500);
}

/* --- a lossy network ------------------------------------------------------------------ */

struct lossy {
	struct peers p;
	uint8_t stream[2][4096]; /* what was written to the sockets */
	size_t written[2], acked[2];
	struct arrived arrived;
};

/* A segment of what is not yet acknowledged, or of old bytes; the receiver takes it if it can. */
static void lossy_segment(struct lossy *l, enum helper_direction way)
{
	size_t from = l->acked[way] > 40 ? l->acked[way] - (size_t)(rand() % 40) : l->acked[way];
	size_t room, count;

	if (rand() % 2)
		from = l->acked[way] + (size_t)rand() % (l->written[way] - l->acked[way] + 1);
	room = l->written[way] - from;
	count = room ? (size_t)rand() % (room < 300 ? room + 1 : 300) : 0;
	l->p.sent[!way] = (uint32_t)l->acked[!way];
	if (peers_segment(&l->p, way, l->p.isn[way] + 1 + (uint32_t)from, TCP_ACK,
			  l->stream[way] + from, count) == HELPER_DROP ||
	    rand() % 4 == 0)
		return;			   /* lost, before or behind the gateway */
	for (size_t i = 0; i < count; i++) /* a receiver has no use for what it has acknowledged */
		if (from + i >= l->acked[way])
			l->arrived.bytes[way][from + i] = l->p.frame[20 + i];
	if (from <= l->acked[way] && from + count > l->acked[way])
		l->acked[way] = from + count;
}

static void lossy_session(struct lossy *l)
{
	peers_connect(&l->p, OUT);
	for (const struct said *s = session; s < session + SAID; s++) {
		l->written[s->way] += message_make(l->stream[s->way] + l->written[s->way], s->type,
						   s->at12, s->at14, s->result);
		/* a reply is not written before what it answers has arrived */
		while (s + 1 == session + SAID || s[1].way != s->way) {
			if (l->acked[s->way] == l->written[s->way])
				break;
			lossy_segment(l, s->way);
			lossy_segment(l, !s->way);
		}
	}
}

static void lost_repeated_reordered(void **state)
{
	static struct lossy l;
	struct arrived whole;

	session_whole(&whole);
	srand(2637);
	for (int round = 0; round < 40; round++) {
		memset(&l, 0, sizeof(l));
		lossy_session(&l);
		memcpy(l.arrived.count, l.acked, sizeof(l.acked));
		assert_same(&whole, &l.arrived);
		assert_int_equal(l.p.notes, 0);
	}
}

/* --- the connection ------------------------------------------------------------------- */

static void one_call(struct peers *p)
{
	peers_establish(p, OUT);
	peers_say(p, OUT, PPTP_OUTGOING_CALL_REQUEST, 0x7801, 0, 0);
	peers_say(p, IN, PPTP_OUTGOING_CALL_REPLY, 0xbe01, FIRST_SPARE, 1);
}

static uint32_t next_seq(const struct peers *p, enum helper_direction way)
{
	return p->isn[way] + 1 + p->sent[way];
}

static void out_of_order_is_dropped(void **state)
{
	struct peers p;

	one_call(&p);
	p.sent[OUT]++;
	assert_int_equal(peers_say(&p, OUT, PPTP_ECHO_REQUEST, 0, 0, 0), HELPER_DROP);
	assert_int_equal(p.answer.reason, HELPER_REASON_out_of_order);
	assert_int_equal(peers_segment(&p, OUT, next_seq(&p, OUT), TCP_ACK | TCP_FIN, NULL, 0),
			 HELPER_DROP);
	assert_int_equal(peers_send(&p, OUT, NULL, 0), HELPER_FORWARD);
	assert_int_equal(p.kinds[HELPER_CLAIM_RELEASE_ALL], 0);
}

/* A probe or keepalive repeats the last byte, or has none; neither means anything. */
static void probes_pass(void **state)
{
	struct peers p;
	const uint8_t last[1] = {0};

	one_call(&p);
	assert_int_equal(peers_segment(&p, OUT, next_seq(&p, OUT) - 1, TCP_ACK, last, 1), 0);
	assert_int_equal(peers_segment(&p, OUT, next_seq(&p, OUT) - 1, TCP_ACK, NULL, 0), 0);
	assert_int_equal(p.answer.edit_count + p.answer.claim_count, 0);
	assert_int_equal(p.notes, 0);
}

static void fin_releases(void **state)
{
	struct peers p;

	one_call(&p);
	for (int i = 0; i < 2; i++) /* the second one repeats it */
		peers_segment(&p, IN, next_seq(&p, IN), TCP_ACK | TCP_FIN, NULL, 0);
	assert_int_equal(p.kinds[HELPER_CLAIM_RELEASE_ALL], 1);
	assert_int_equal(p.flow.id_count, 0);
	assert_int_equal(peers_say(&p, IN, PPTP_ECHO_REQUEST, 0, 0, 0), HELPER_DROP);
	assert_int_equal(peers_say(&p, OUT, PPTP_CALL_CLEAR_REQUEST, 0x7801, 0, 0), HELPER_FORWARD);
	assert_int_equal(peers_field(&p, 12), FIRST_SPARE); /* still translated */
}

/* RFC 5961 3: a reset acts only exactly in sequence. */
static void rst_exactly_in_sequence(void **state)
{
	struct peers p;

	one_call(&p);
	for (uint32_t off = 1; off < 65536; off = off * 5 + 1) {
		peers_segment(&p, IN, next_seq(&p, IN) + off, TCP_RST, NULL, 0);
		peers_segment(&p, IN, next_seq(&p, IN) - off, TCP_RST, NULL, 0);
	}
	assert_int_equal(p.kinds[HELPER_CLAIM_RELEASE_ALL], 0);
	assert_true(peers_noted(&p, HELPER_REASON_rst_out_of_sequence));
}

/* RFC 7857 2.2: the calls live on with the TCP session, for it may be forged; data proves that it
 * was. */
static void rst_alone_ends_no_call(void **state)
{
	struct peers p;

	one_call(&p);
	peers_segment(&p, IN, next_seq(&p, IN), TCP_RST, NULL, 0);
	assert_int_equal(p.kinds[HELPER_CLAIM_RELEASE_ALL], 0);
	peers_say(&p, OUT, PPTP_ECHO_REQUEST, 0, 0, 0);
	peers_segment(&p, OUT, 777, TCP_SYN, NULL, 0); /* goes on: no new connection */
	assert_int_equal(p.flow.id_count, 1);
	p.notes = 0;
	peers_say(&p, OUT, PPTP_CALL_CLEAR_REQUEST, 0x7801, 0, 0);
	assert_int_equal(p.notes, 0);
}

/* The same ports again: a new connection, with a new session from its first byte. */
static void syn_after_the_end(void **state)
{
	struct peers p;

	one_call(&p);
	peers_segment(&p, OUT, 777, TCP_SYN, NULL, 0); /* in mid-life: ignored */
	assert_int_equal(p.flow.id_count, 1);
	peers_segment(&p, OUT, next_seq(&p, OUT), TCP_RST, NULL, 0);
	p.isn[OUT] = 777;
	p.isn[IN] = 999;
	p.sent[OUT] = p.sent[IN] = 0;
	peers_segment(&p, OUT, 777, TCP_SYN, NULL, 0);
	assert_int_equal(p.kinds[HELPER_CLAIM_RELEASE_ALL], 1);
	peers_segment(&p, IN, 999, TCP_SYN | TCP_ACK, NULL, 0);
	p.notes = 0;
	peers_say(&p, OUT, PPTP_START_REQUEST, 0, 0, 0);
	peers_say(&p, IN, PPTP_START_REPLY, 0, 0, 1);
	peers_say(&p, OUT, PPTP_OUTGOING_CALL_REQUEST, 0x7801, 0, 0);
	assert_int_equal(p.notes, 0);
	assert_int_equal(p.flow.id_count, 1);
}

/* Not seen from the start: translated never, whatever it looks like. */
static void taken_over_in_mid_stream(void **state)
{
	struct peers p;

	memset(&p, 0, sizeof(p));
	p.flow.protocol = HELPER_PPTP;
	peers_say(&p, OUT, PPTP_START_REQUEST, 0, 0, 0);
	assert_true(peers_noted(&p, HELPER_REASON_no_start));
	assert_int_equal(p.answer.flags, HELPER_ENDED | HELPER_PLAIN);
	memset(&p, 0, sizeof(p));
	peers_segment(&p, IN, 9, TCP_SYN | TCP_ACK, NULL, 0);
	assert_true(peers_noted(&p, HELPER_REASON_no_start));
	memset(&p, 0, sizeof(p));
	peers_segment(&p, IN, 9, TCP_RST | TCP_ACK, NULL, 0); /* refused before anything was seen */
	assert_int_equal(p.notes, 0);
}

static void header_is_broken(void **state)
{
	struct peers p;
	static struct helper_request request;
	struct helper_answer answer;

	one_call(&p);
	request = (struct helper_request){.magic = HELPER_PROTOCOL_MAGIC, .protocol = HELPER_PPTP};
	memcpy(request.state, p.flow.state, sizeof(request.state));
	for (size_t n = 0; n < 20; n++) {
		assert_true(process_answer(&request, offsetof(struct helper_request, segment) + n,
					   &answer));
		assert_int_equal(answer.reason, HELPER_REASON_tcp_header);
		assert_memory_equal(answer.state, p.flow.state, sizeof(answer.state));
	}
	assert_false(
		process_answer(&request, offsetof(struct helper_request, segment) - 1, &answer));
	request.protocol = 0;
	assert_false(process_answer(&request, sizeof(request), &answer));
	request.protocol = 200;
	assert_false(process_answer(&request, sizeof(request), &answer));
}

/* --- the saved state -------------------------------------------------------------------- */

/* Whatever a state holds, it is refused or harmless: every byte of it in turn. */
static void damaged_state(void **state)
{
	struct peers good, p;
	unsigned int refused = 0;

	one_call(&good);
	for (size_t i = 0; i < sizeof(struct pptp_stream_state); i++) {
		p = good;
		p.flow.state[i] ^= 0xff;
		peers_send(&p, OUT, NULL, 0);
		refused += peers_noted(&p, HELPER_REASON_bad_state);
		if (peers_noted(&p, HELPER_REASON_bad_state))
			assert_int_equal(p.flow.id_count, 0);
	}
	assert_in_range(refused, 30, sizeof(struct pptp_stream_state));
	p = good;
	p.flow.state[0]++; /* a later version */
	peers_send(&p, OUT, NULL, 0);
	assert_true(peers_noted(&p, HELPER_REASON_bad_state));
	assert_true(p.answer.flags & HELPER_ENDED);
}

/* --- limits --------------------------------------------------------------------------- */

/* Edits that nobody acknowledges: no more are made, the connection waits. */
static void unacknowledged_edits(void **state)
{
	struct peers p;
	enum helper_verdict verdict = HELPER_FORWARD;

	one_call(&p);
	for (int i = 0; i < 200 && verdict == HELPER_FORWARD; i++)
		verdict = peers_say(&p, OUT, PPTP_CALL_CLEAR_REQUEST, 0x7801, 0, 0);
	assert_int_equal(p.answer.reason, HELPER_REASON_edits_full);
	peers_send(&p, IN, NULL, 0);
	assert_int_equal(peers_say(&p, OUT, PPTP_CALL_CLEAR_REQUEST, 0x7801, 0, 0), HELPER_FORWARD);
}

/* One segment that asks for more claims than an answer carries is dropped whole. */
static void too_many_claims(void **state)
{
	struct peers p;
	uint8_t bytes[HELPER_SEGMENT_BYTES];
	size_t length = 0;

	one_call(&p);
	peers_say(&p, OUT, PPTP_CALL_CLEAR_REQUEST, 0x7801, 0, 0);
	peers_send(&p, IN, NULL, 0);
	peers_send(&p, OUT, NULL, 0);
	for (int i = 0; i < HELPER_CLAIMS + 1; i++)
		length += message_make(bytes + length, PPTP_OUTGOING_CALL_REPLY, (uint16_t)i,
				       FIRST_SPARE, 1);
	assert_int_equal(peers_send(&p, IN, bytes, length), HELPER_DROP);
	assert_true(p.answer.reason == HELPER_REASON_answer_full ||
		    p.answer.reason == HELPER_REASON_edits_full);
}

/* --- a real one ------------------------------------------------------------------------- */

#define CAPTURE "../shared/captures/tcpdump__pptp.pcap"

static uint32_t get(const uint8_t *at, size_t bytes)
{
	uint32_t value = 0;

	while (bytes--)
		value = value << 8 | *at++;
	return value;
}

/* TCP segment of an Ethernet frame, or NULL. */
static const uint8_t *frame_tcp(const uint8_t *frame, size_t *bytes)
{
	const uint8_t *ip = frame + 14;
	size_t header = (size_t)(ip[0] & 15) * 4;

	if (ip[9] != 6)
		return NULL;
	*bytes = get(ip + 2, 2) - header;
	return ip + header;
}

static void capture_segment(struct peers *p, const uint8_t *tcp, size_t bytes, size_t piece)
{
	enum helper_direction way = get(tcp, 2) == 1723 ? IN : OUT;
	size_t header = (size_t)(tcp[12] >> 4) * 4, done = 0;
	uint32_t seq = (uint32_t)get(tcp + 4, 4);

	p->isn[!way] = get(tcp + 8, 4) - 1; /* the harness acknowledges isn + 1 + sent */
	p->sent[!way] = 0;
	do {
		size_t n = bytes - header - done < piece ? bytes - header - done : piece;

		assert_int_equal(peers_segment(p, way, seq + (uint32_t)done, tcp[13] & 0x17,
					       tcp + header + done, n),
				 HELPER_FORWARD);
		done += n;
	} while (done < bytes - header);
}

static void capture_play(struct peers *p, const uint8_t *file, size_t size, size_t piece)
{
	memset(p, 0, sizeof(*p));
	p->flow.protocol = HELPER_PPTP;
	p->next_spare = FIRST_SPARE;
	for (size_t at = 24; at + 16 < size;) {
		uint32_t length = get(file + at + 8, 4);
		size_t bytes;
		const uint8_t *tcp;

		if (file[0] != 0xa1) /* written on a little-endian machine */
			length = __builtin_bswap32(length);
		tcp = frame_tcp(file + at + 16, &bytes);
		if (tcp)
			capture_segment(p, tcp, bytes, piece);
		at += 16 + length;
	}
}

/*
 * Both peers chose Call ID 0. The capture was not translated, so its reply
 * answers 0 and not our external id: that is counted, and changes nothing.
 */
static void captured_session(void **state)
{
	static uint8_t file[65536];
	FILE *f = fopen(CAPTURE, "rb");
	struct peers p;
	size_t size;

	if (!f) {
		print_message("skipped: %s is not here\n", CAPTURE);
		skip();
	}
	size = fread(file, 1, sizeof(file), f);
	fclose(f);
	for (size_t piece = 1; piece < 200; piece++) {
		capture_play(&p, file, size, piece);
		assert_int_equal(p.notes, 1u << HELPER_REASON_unknown_call);
		assert_int_equal(p.kinds[HELPER_CLAIM_ARM], 1);
		assert_int_equal(p.last[HELPER_CLAIM_ARM].inside_id, 0);
		assert_int_equal(p.last[HELPER_CLAIM_ARM].external_id, FIRST_SPARE);
		assert_int_equal(p.kinds[HELPER_CLAIM_RELEASE_ALL], 1); /* FIN */
		assert_int_equal(p.answer.flags, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_messages),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(every_two_way_split),
		cmocka_unit_test(coalesced),
		cmocka_unit_test(retransmitted_with_other_boundaries),
		cmocka_unit_test(overlapping_segment),
		cmocka_unit_test(half_an_id_that_fits_two_calls),
		cmocka_unit_test(half_of_a_new_id),
		cmocka_unit_test(lost_repeated_reordered),
		cmocka_unit_test(out_of_order_is_dropped),
		cmocka_unit_test(probes_pass),
		cmocka_unit_test(fin_releases),
		cmocka_unit_test(rst_exactly_in_sequence),
		cmocka_unit_test(rst_alone_ends_no_call),
		cmocka_unit_test(syn_after_the_end),
		cmocka_unit_test(taken_over_in_mid_stream),
		cmocka_unit_test(header_is_broken),
		cmocka_unit_test(damaged_state),
		cmocka_unit_test(unacknowledged_edits),
		cmocka_unit_test(too_many_claims),
		cmocka_unit_test(captured_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
