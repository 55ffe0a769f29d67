/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `show vpn` says of tunnels that the server, or another device, stands in the way of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SETS 256
#include "tests/unit/test_arena.h"

#include "core/session.h"
#include "daemon/refusals.h"
#include "daemon/roster.h"
#include "daemon/show_limits.h"

#define A      host_to_be32(0x0a000002)
#define B      host_to_be32(0x0a000003)
#define REMOTE host_to_be32(0xcb007109)
#define NOW    100000u

static int arena_up(void **state)
{
	arena_clear(host_to_be32(0xcb007101), NOW);
	return 0;
}

/* --- the server's limit ------------------------------------------------------------------ */

static struct roster_tunnel ipsec(__be32 inside, uint32_t silent_seconds, uint64_t bytes)
{
	return (struct roster_tunnel){.class = CLASS_IPSEC,
				      .inside = inside,
				      .remote = REMOTE,
				      .replied = true,
				      .data_out = true,
				      .data_in = true,
				      .unanswered_since = NOW - silent_seconds * HZ,
				      .unanswered_bytes = bytes};
}

static bool is_said(struct roster_tunnel *tunnels, size_t count)
{
	json_t *sentences = limit_of_server(tunnels, count, &tunnels[0], NOW);
	bool said = sentences != NULL;

	json_decref(sentences);
	return said;
}

static void one_of_two_gets_no_answers(void **state)
{
	struct roster_tunnel tunnels[] = {ipsec(A, 25, 5000), ipsec(B, 0, 0)};
	json_t *sentences = limit_of_server(tunnels, 2, &tunnels[0], NOW);

	assert_int_equal(json_array_size(sentences), 3);
	assert_non_null(strstr(json_string_value(json_array_get(sentences, 0)), "10.0.0.3"));
	assert_non_null(strstr(json_string_value(json_array_get(sentences, 0)), "may be unable"));
	assert_non_null(strstr(json_string_value(json_array_get(sentences, 1)), "25 seconds"));
	json_decref(sentences);
	assert_null(limit_of_server(tunnels, 2, &tunnels[1], NOW));
}

static void nothing_is_said_without_evidence(void **state)
{
	struct roster_tunnel alone[] = {ipsec(A, 25, 5000)};
	struct roster_tunnel soon[] = {ipsec(A, 10, 5000), ipsec(B, 0, 0)};
	struct roster_tunnel idle[] = {ipsec(A, 500, 0), ipsec(B, 0, 0)};
	struct roster_tunnel both[] = {ipsec(A, 25, 5000), ipsec(B, 25, 5000)};
	struct roster_tunnel others[] = {ipsec(A, 25, 5000), ipsec(B, 0, 0)};
	struct roster_tunnel own[] = {ipsec(A, 25, 5000), ipsec(A, 0, 0)};

	others[1].remote = host_to_be32(0xcb00710a);
	assert_false(is_said(alone, 1));
	assert_false(is_said(soon, 2));
	assert_false(is_said(idle, 2)); /* keepalives alone are never answered */
	assert_false(is_said(both, 2)); /* then the server, or the line, is gone */
	assert_false(is_said(others, 2));
	assert_false(is_said(own, 2));
}

/* --- how the roster knows ------------------------------------------------------------------ */

static struct record *session_make(__be32 inside, struct record **reply)
{
	struct session_plan plan = {.class = CLASS_IPSEC, .timeout = TIMEOUT_UDP, .now = NOW};

	plan.orig = (struct record_key){.remote = REMOTE,
					.local = inside,
					.remote_id = host_to_be16(4500),
					.local_id = host_to_be16(4500),
					.protocol = PROTOCOL_UDP,
					.kind = KIND_SESSION_ORIG,
					.id_type = ID_PORTS};
	plan.reply = plan.orig;
	plan.reply.kind = KIND_SESSION_REPLY;
	plan.reply.local = config.external;
	assert_true(is_done(session_add(&plan)));
	*reply = record_at(plan.reply_index);
	return record_at(plan.orig_index);
}

static const struct roster_tunnel *pass(struct roster *roster, struct record *orig, uint32_t at)
{
	size_t count;

	roster_note(roster, orig, 0);
	roster_turn(roster, at);
	return roster_tunnels(roster, &count);
}

static void the_roster_measures_silence(void **state)
{
	struct roster *roster = roster_new();
	struct record *reply, *orig = session_make(A, &reply);

	orig->session.packets = 10;
	orig->session.bytes = 1000;
	reply->session.packets = 10;
	assert_int_equal(pass(roster, orig, 1000)->unanswered_bytes, 0);
	orig->session.packets += 2; /* RFC 3948 2.3: keepalives */
	orig->session.bytes += 2 * 29;
	assert_int_equal(pass(roster, orig, 1500)->unanswered_bytes, 0);
	orig->session.packets += 5;
	orig->session.bytes += 5 * 129;
	assert_int_equal(pass(roster, orig, 2000)->unanswered_bytes, 500);
	assert_int_equal(pass(roster, orig, 2500)->unanswered_since, 1000);
	reply->session.packets++;
	assert_int_equal(pass(roster, orig, 3000)->unanswered_bytes, 0);
	assert_int_equal(pass(roster, orig, 3500)->unanswered_since, 3000);
	roster_free(roster);
}

/* --- refusals -------------------------------------------------------------------------------- */

static struct facts asks(__be32 inside, uint8_t protocol)
{
	return (struct facts){.source = inside, .destination = REMOTE, .protocol = protocol};
}

static void a_refusal_is_said_once(void **state)
{
	static struct refusals refusals;
	struct facts facts = asks(B, PROTOCOL_IPIP);
	json_t *item;

	for (int i = 0; i < 3; i++)
		refusals_note(&refusals, &facts, NOW);
	assert_non_null(refusals_nth(&refusals, 0, NOW));
	assert_int_equal(refusals_nth(&refusals, 0, NOW)->count, 3);
	assert_null(refusals_nth(&refusals, 1, NOW));
	item = limit_refusal(refusals_nth(&refusals, 0, NOW), NOW);
	assert_string_equal(json_string_value(json_object_get(item, "state")), "refused");
	json_decref(item);
	assert_null(refusals_nth(&refusals, 0, NOW + (REFUSAL_SECONDS + 1) * HZ));
}

static void the_list_is_bounded(void **state)
{
	static struct refusals refusals;
	unsigned int n = 0;

	for (uint32_t i = 0; i < 3 * REFUSALS; i++) {
		struct facts facts = asks(host_to_be32(0x0a000000 + i), PROTOCOL_GRE);

		refusals_note(&refusals, &facts, NOW + i);
	}
	while (refusals_nth(&refusals, n, NOW + 3 * REFUSALS))
		n++;
	assert_int_equal(n, REFUSALS);
}

#define TEST(f) cmocka_unit_test_setup(f, arena_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_of_two_gets_no_answers),  TEST(nothing_is_said_without_evidence),
		TEST(the_roster_measures_silence), TEST(a_refusal_is_said_once),
		TEST(the_list_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
