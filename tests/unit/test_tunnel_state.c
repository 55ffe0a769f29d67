/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a tunnel, from what the sweeper has seen of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SETS 256
#include "tests/unit/test_arena.h"

#include "daemon/roster.h"
#include "daemon/tunnel_follow.h"
#include "daemon/tunnel_state.h"

#define E      host_to_be32(0xcb007101)
#define A      host_to_be32(0x0a000002)
#define REMOTE host_to_be32(0xcb007109)
#define ROUTER host_to_be32(0xcb0071fe)
#define NOW    100000u
#define PASS   3 /* seconds between two passes of the sweeper */

struct tunnel_session {
	struct record *orig, *reply;
	uint32_t index;
};

static int arena_up(void **state)
{
	arena_clear(E, NOW);
	*state = roster_new();
	return *state ? 0 : -1;
}

static int arena_down(void **state)
{
	roster_free(*state);
	return 0;
}

/* --- sessions, as the data plane leaves them -------------------------------------------------- */

static struct tunnel_session session_make(uint8_t class, uint8_t protocol, uint16_t port,
					  uint8_t flags)
{
	struct session_plan plan = {
		.class = class, .flags = flags, .timeout = TIMEOUT_UDP, .now = now};

	plan.orig = (struct record_key){.remote = REMOTE,
					.local = A,
					.remote_id = host_to_be16(port),
					.local_id = host_to_be16(port),
					.protocol = protocol,
					.kind = KIND_SESSION_ORIG,
					.id_type = ID_PORTS};
	plan.reply = plan.orig;
	plan.reply.kind = KIND_SESSION_REPLY;
	plan.reply.local = E;
	assert_true(is_done(session_add(&plan)));
	return (struct tunnel_session){record_at(plan.orig_index), record_at(plan.reply_index),
				       plan.orig_index};
}

static void passes(struct record *half, unsigned int packets, unsigned int bytes, bool data)
{
	if (half->key.protocol == PROTOCOL_TCP)
		half->session.tcp_packets += packets;
	else
		half->session.packets += packets;
	half->session.bytes += (uint64_t)packets * bytes;
	half->session.last_seen = now;
	if (data)
		half->session.carried = half->session.moved = 1;
}

static void sends(struct tunnel_session *s, bool data)
{
	passes(s->orig, 3, 100, data);
}

static void answers(struct tunnel_session *s, bool data)
{
	session_note_reply(s->reply);
	passes(s->reply, 3, 100, data);
}

/* --- what is said --------------------------------------------------------------------------------
 */

static const struct roster_tunnel *pass(struct roster *roster, struct tunnel_session *s,
					size_t count)
{
	const struct roster_tunnel *tunnel;
	size_t tunnels;

	now += PASS * HZ;
	for (size_t i = 0; i < count; i++)
		roster_note(roster, s[i].orig, s[i].index);
	roster_turn(roster, now);
	tunnel = roster_tunnels(roster, &tunnels);
	assert_int_equal(tunnels, 1);
	return tunnel;
}

static struct tunnel_state told;

static const char *said(const struct roster_tunnel *tunnel, bool hung_up)
{
	struct complaint complaint;
	struct tunnel_facts facts = {.tunnel = tunnel, .hung_up = hung_up, .now = now};

	if (tunnel_complaint(&complaint, tunnel->class, tunnel->inside, tunnel->remote))
		facts.complaint = &complaint;
	tunnel_state_tell(&told, &facts);
	return told.word;
}

static const char *state_after(struct roster *roster, struct tunnel_session *s)
{
	return said(pass(roster, s, 1), false);
}

#define assert_state(roster, session, word) assert_string_equal(state_after(roster, session), word)

static void in_seconds(struct roster *roster, struct tunnel_session *s, unsigned int seconds)
{
	for (unsigned int i = 0; i < seconds; i += PASS)
		state_after(roster, s);
}

/* --- up ----------------------------------------------------------------------------------------
 */

static void ike_alone_is_not_up(void **state)
{
	struct tunnel_session s = session_make(CLASS_IPSEC, PROTOCOL_UDP, 4500, SESSION_STUDIED);

	sends(&s, false);
	answers(&s, false);
	assert_state(*state, &s, "connecting");
	in_seconds(*state, &s, 30);
	assert_state(*state, &s, "failed");
	sends(&s, true);
	assert_state(*state, &s, "connecting"); /* after a pause: another attempt */
	answers(&s, true);
	assert_state(*state, &s, "up");
}

static void data_both_ways_is_up_until_it_idles(void **state)
{
	struct tunnel_session s = session_make(CLASS_IPSEC, PROTOCOL_UDP, 4500, SESSION_STUDIED);

	sends(&s, true);
	answers(&s, true);
	assert_state(*state, &s, "up");
	for (unsigned int i = 0; i + PASS < IDLE_SECONDS; i += PASS) {
		passes(s.orig, 1, 29, false); /* keepalives are not answered */
		assert_state(*state, &s, "up");
	}
	in_seconds(*state, &s, 2 * PASS);
	assert_string_equal(told.word, "stale");
	sends(&s, true);
	answers(&s, true);
	assert_state(*state, &s, "up");
}

/* IKE goes on, and is answered, where data is dropped. */
static void data_that_is_not_answered_goes_one_way(void **state)
{
	struct tunnel_session s = session_make(CLASS_IPSEC, PROTOCOL_UDP, 4500, SESSION_STUDIED);
	unsigned int one_way = 0;

	sends(&s, true);
	answers(&s, true);
	assert_state(*state, &s, "up");
	for (unsigned int i = 0; i < 20; i++) {
		sends(&s, true);
		if (i % 4 == 0)
			answers(&s, false);
		one_way += !strcmp(state_after(*state, &s), "one-way");
		assert_true(one_way == 0 || !strcmp(told.word, "one-way")); /* and stays so */
	}
	assert_true(one_way > 14);
	assert_non_null(strstr(told.why, "nothing received"));
	answers(&s, true);
	assert_state(*state, &s, "up");
}

static void a_pause_in_the_answers_is_none(void **state)
{
	struct tunnel_session s =
		session_make(CLASS_WIREGUARD, PROTOCOL_UDP, 51820, SESSION_STUDIED);

	for (unsigned int i = 0; i < 40; i++) {
		sends(&s, true);
		if (i % 3 == 0)
			answers(&s, true);
		assert_state(*state, &s, "up");
	}
	for (unsigned int i = 0; i < 40; i++) { /* persistent keepalives */
		passes(s.orig, 1, 60, false);
		assert_state(*state, &s, "up");
	}
}

/* What is set up anew on the same ports has to show it again. */
static void another_set_up_is_another_tunnel(void **state)
{
	struct tunnel_session s = session_make(CLASS_IPSEC, PROTOCOL_UDP, 4500, SESSION_STUDIED);

	sends(&s, true);
	answers(&s, true);
	assert_state(*state, &s, "up");
	now += 60 * HZ;
	sends(&s, false);
	answers(&s, false);
	s.orig->session.carried = s.reply->session.carried = 0; /* core/study.h */
	assert_state(*state, &s, "connecting");
	in_seconds(*state, &s, 40);
	assert_string_not_equal(told.word, "up");
	assert_string_equal(told.word, "stale");
}

/* ESP has its sessions to itself: all in them is data. */
static void esp_counts_by_its_packets(void **state)
{
	struct tunnel_session s[] = {session_make(CLASS_IPSEC, PROTOCOL_UDP, 500, 0),
				     session_make(CLASS_IPSEC, PROTOCOL_ESP, 1, 0)};

	sends(&s[0], false);
	answers(&s[0], false);
	assert_string_equal(said(pass(*state, s, 2), false), "connecting");
	sends(&s[1], false);
	answers(&s[1], false);
	assert_string_equal(said(pass(*state, s, 2), false), "up");
	for (unsigned int i = 0; i < 5; i++) {
		sends(&s[1], false);
		pass(*state, s, 2);
	}
	sends(&s[1], false);
	assert_string_equal(said(pass(*state, s, 2), false), "one-way");
}

/* --- not up --------------------------------------------------------------------------------------
 */

static void who_is_not_there_does_not_answer(void **state)
{
	struct tunnel_session s = session_make(CLASS_IPSEC, PROTOCOL_UDP, 500, 0);

	sends(&s, false);
	assert_state(*state, &s, "connecting");
	for (unsigned int i = 0; i < 5; i++) {
		sends(&s, false);
		state_after(*state, &s);
	}
	assert_string_equal(told.word, "no-answer");
	assert_non_null(strstr(told.why, "Sent for"));
	in_seconds(*state, &s, 200);
	assert_string_equal(told.word, "ended");
	sends(&s, false);
	assert_state(*state, &s, "connecting");
}

static void a_call_without_its_gre_goes_one_way(void **state)
{
	struct tunnel_session s[] = {session_make(CLASS_PPTP, PROTOCOL_TCP, 1723, 0),
				     session_make(CLASS_PPTP, PROTOCOL_GRE, 1, SESSION_STUDIED)};

	s[0].orig->session.tcp_state = TCP_ESTABLISHED;
	for (unsigned int i = 0; i < 6; i++) {
		sends(&s[0], false);
		answers(&s[0], false);
		sends(&s[1], false); /* LCP */
		said(pass(*state, s, 2), false);
	}
	assert_string_equal(told.word, "one-way");
}

static void a_reset_is_a_refusal_or_an_end(void **state)
{
	struct tunnel_session s = session_make(CLASS_PPTP, PROTOCOL_TCP, 1723, 0);

	sends(&s, false);
	s.orig->session.tcp_state = TCP_INIT_INSIDE;
	assert_state(*state, &s, "connecting");
	answers(&s, false);
	s.orig->session.tcp_state = TCP_TRANS;
	assert_state(*state, &s, "refused");
	s.reply->session.tcp_next = 7; /* its SYN had passed */
	assert_state(*state, &s, "failed");
}

static void what_was_up_ends_and_what_was_not_fails(void **state)
{
	struct tunnel_session s[] = {session_make(CLASS_PPTP, PROTOCOL_TCP, 1723, 0),
				     session_make(CLASS_PPTP, PROTOCOL_GRE, 1, SESSION_STUDIED)};

	s[0].orig->session.tcp_state = TCP_ESTABLISHED;
	sends(&s[1], false);
	answers(&s[0], false);
	answers(&s[1], false);
	assert_string_equal(said(pass(*state, s, 2), true), "failed"); /* Call-Disconnect-Notify */
	sends(&s[1], true);
	answers(&s[1], true);
	assert_string_equal(said(pass(*state, s, 2), false), "up");
	s[0].orig->session.tcp_state = TCP_FIN_INSIDE;
	assert_string_equal(said(pass(*state, s, 1), false), "ended");
	in_seconds(*state, s, 200);
	assert_string_equal(told.word, "ended");
}

/* Whoever dials again is judged by that. */
static void the_newest_connection_counts(void **state)
{
	struct tunnel_session s[] = {session_make(CLASS_PPTP, PROTOCOL_TCP, 1723, 0), {0}};

	now += 60 * HZ;
	s[0].orig->session.tcp_state = TCP_FIN_BOTH;
	answers(&s[0], false);
	said(pass(*state, s, 1), false);
	assert_string_equal(told.word, "ended"); /* before this daemon looked */
	now += 2 * ATTEMPT_PAUSE_SECONDS * HZ;
	s[1] = session_make(CLASS_PPTP, PROTOCOL_TCP, 1724, 0);
	s[1].orig->session.tcp_state = TCP_ESTABLISHED;
	answers(&s[1], false);
	assert_string_equal(said(pass(*state, s, 2), false), "connecting");
	s[1].orig->session.tcp_state = TCP_FIN_BOTH;
	assert_string_equal(said(pass(*state, s, 2), false), "failed");
}

/* --- what ICMP says
 * ---------------------------------------------------------------------------------- */

static void complain(struct tunnel_session *s, __be32 from, unsigned int type, unsigned int code)
{
	complaint_note(table_index(s->reply), from, type, code);
}

static void a_closed_port_is_a_refusal(void **state)
{
	struct tunnel_session s = session_make(CLASS_IPSEC, PROTOCOL_UDP, 500, 0);

	sends(&s, false);
	complain(&s, REMOTE, ICMP_UNREACHABLE, ICMP_CODE_PORT_UNREACHABLE);
	assert_state(*state, &s, "refused");
	assert_non_null(strstr(told.why, "port unreachable from 203.0.113.9"));
	complain(&s, ROUTER, ICMP_UNREACHABLE, ICMP_CODE_HOST_UNREACHABLE);
	assert_state(*state, &s, "no-answer");
	assert_non_null(strstr(told.why, "203.0.113.254"));
	complain(&s, ROUTER, ICMP_UNREACHABLE, ICMP_CODE_FRAGMENTATION); /* says nothing of that */
	assert_state(*state, &s, "no-answer");
	complain(&s, ROUTER, ICMP_UNREACHABLE, ICMP_CODE_ADMIN_PROHIBITED);
	assert_state(*state, &s, "refused");
	sends(&s, false);
	answers(&s, false);
	assert_state(*state, &s, "connecting");
	assert_string_equal(told.complaint, "");
}

/* Anybody who knows its ends can forge one: what passes says more. */
static void a_forged_error_refuses_nothing(void **state)
{
	struct tunnel_session s = session_make(CLASS_OPENVPN, PROTOCOL_UDP, 1194, SESSION_STUDIED);

	sends(&s, true);
	answers(&s, true);
	assert_state(*state, &s, "up");
	complain(&s, ROUTER, ICMP_UNREACHABLE, ICMP_CODE_PORT_UNREACHABLE);
	now += HZ / 10;
	answers(&s, true);
	assert_state(*state, &s, "up");
	complain(&s, ROUTER, ICMP_UNREACHABLE, ICMP_CODE_PORT_UNREACHABLE);
	for (unsigned int i = 0; i < 5; i++) { /* nobody goes on saying so */
		sends(&s, true);
		state_after(*state, &s);
	}
	assert_string_equal(told.word, "one-way");
}

static void a_switch_is_the_reason_before_all_others(void **state)
{
	struct tunnel_session s = session_make(CLASS_IPSEC, PROTOCOL_UDP, 500, 0);
	const struct roster_tunnel *tunnel = pass(*state, &s, 1);
	struct tunnel_facts facts = {.tunnel = tunnel, .blocked = true, .now = now};

	tunnel_state_tell(&told, &facts);
	assert_string_equal(told.word, "blocked");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_up, arena_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ike_alone_is_not_up),
		TEST(data_both_ways_is_up_until_it_idles),
		TEST(data_that_is_not_answered_goes_one_way),
		TEST(a_pause_in_the_answers_is_none),
		TEST(another_set_up_is_another_tunnel),
		TEST(esp_counts_by_its_packets),
		TEST(who_is_not_there_does_not_answer),
		TEST(a_call_without_its_gre_goes_one_way),
		TEST(a_reset_is_a_refusal_or_an_end),
		TEST(what_was_up_ends_and_what_was_not_fails),
		TEST(the_newest_connection_counts),
		TEST(a_closed_port_is_a_refusal),
		TEST(a_forged_error_refuses_nothing),
		TEST(a_switch_is_the_reason_before_all_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
