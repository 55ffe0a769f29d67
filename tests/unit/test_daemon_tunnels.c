/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tunnels in the table: calls that the daemon arms, keyed GRE, keepalives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/test_sweeper_stage.h"

#include "core/keyed.h"
#include "daemon/keepalives.h"
#include "daemon/roster.h"
#include "daemon/tunnels.h"

/* --- armed calls --------------------------------------------------------------------------- */

static const struct tunnel call = {.protocol = PROTOCOL_GRE,
				   .inside = INSIDE,
				   .remote = REMOTE,
				   .inside_id = 7,
				   .external_id = 7000,
				   .remote_id = 99};

static void an_armed_call_outlives_every_timer(void **state)
{
	assert_int_equal(tunnel_arm_inbound(&call, now), 0);
	assert_int_equal(tunnel_arm_outbound(&call, now), 0);
	now += 100000 * HZ;
	pass(*state);
	assert_true(tunnel_id_in_use(PROTOCOL_GRE, REMOTE, 7000));
	tunnel_disarm(&call, now);
	assert_false(tunnel_id_in_use(PROTOCOL_GRE, REMOTE, 7000));
	assert_int_equal(records_in(SLOT_LIVE), 0);
}

static void a_forsaken_call_has_a_timer_again(void **state)
{
	tunnel_arm_inbound(&call, now);
	tunnel_arm_outbound(&call, now);
	tunnels_forsake(PROTOCOL_GRE);
	pass(*state);
	assert_true(tunnel_id_in_use(PROTOCOL_GRE, REMOTE, 7000));
	now += 301 * HZ;
	pass(*state);
	assert_false(tunnel_id_in_use(PROTOCOL_GRE, REMOTE, 7000));
}

static void a_call_id_of_another_host_is_refused(void **state)
{
	struct tunnel other = call;

	other.inside = host_to_be32(0x0a000003);
	assert_int_equal(tunnel_arm_inbound(&call, now), 0);
	assert_int_equal(tunnel_arm_inbound(&other, now), -EEXIST);
	tunnel_disarm(&other, now);
	assert_true(tunnel_id_in_use(PROTOCOL_GRE, REMOTE, 7000));
}

/* pptpd gives call id 0 to its first caller. */
static void a_call_with_id_zero_leaves_nothing_behind(void **state)
{
	struct tunnel zero = call;

	zero.remote_id = 0;
	tunnel_arm_inbound(&zero, now);
	tunnel_arm_outbound(&zero, now);
	tunnel_disarm(&zero, now);
	assert_int_equal(records_in(SLOT_LIVE), 0);
}

/* A client that redials at once: the old call is in its grace when its id is given again. */
static void a_server_may_give_the_same_id_again(void **state)
{
	struct tunnel redialled = call;

	tunnel_arm_inbound(&call, now);
	tunnel_arm_outbound(&call, now);
	redialled.external_id = 7001;
	redialled.inside_id = 8;
	tunnel_arm_inbound(&redialled, now);
	tunnel_arm_outbound(&redialled, now);
	tunnel_disarm(&call, now);
	assert_false(tunnel_id_in_use(PROTOCOL_GRE, REMOTE, 7000));
	assert_true(tunnel_id_in_use(PROTOCOL_GRE, REMOTE, 7001));
	/* both halves and what is quoted of each */
	assert_int_equal(records_in(SLOT_LIVE), 4);
	tunnel_disarm(&redialled, now);
	assert_int_equal(records_in(SLOT_LIVE), 0);
}

static void a_call_that_was_not_answered_ends_whole(void **state)
{
	struct tunnel asked = call;

	asked.inbound_only = true;
	tunnel_arm_inbound(&asked, now);
	tunnel_disarm(&asked, now);
	assert_int_equal(records_in(SLOT_LIVE), 0);
}

static void without_an_address_a_call_keeps_all_its_records(void **state)
{
	tunnel_arm_inbound(&call, now);
	tunnel_arm_outbound(&call, now);
	config.external = 0;
	pass(*state);
	assert_int_equal(records_in(SLOT_LIVE), 4);
	config.external = REMOTE;
	pass(*state);
	pass(*state);
	assert_int_equal(records_in(SLOT_LIVE), 0);
}

static void the_roster_names_tunnels_and_devices(void **state)
{
	const struct roster_tunnel *tunnels;
	size_t count;

	tunnel_arm_inbound(&call, now);
	tunnel_arm_outbound(&call, now);
	session_make(4000);
	pass(*state);
	tunnels = roster_tunnels(sweeper_roster(*state), &count);
	assert_int_equal(count, 1);
	assert_int_equal(tunnels[0].class, CLASS_PPTP);
	assert_int_equal(tunnels[0].inside, INSIDE);
	roster_devices(sweeper_roster(*state), &count);
	assert_int_equal(count, 1);
}

/* --- keyed GRE ------------------------------------------------------------------------- */

/* A keyed GRE session of INSIDE, seen at WHEN, as the data plane makes it. */
static struct record *keyed_session_make(__be32 inside, uint32_t key, uint32_t when)
{
	struct session_plan plan = {.class = CLASS_TUNNEL, .timeout = TIMEOUT_GRE, .now = when};

	plan.orig = (struct record_key){.remote = REMOTE,
					.local = inside,
					.id = host_to_be32(key),
					.protocol = PROTOCOL_GRE,
					.kind = KIND_SESSION_ORIG,
					.id_type = ID_KEY};
	plan.reply = plan.orig;
	plan.reply.kind = KIND_SESSION_REPLY;
	plan.reply.local = EXTERNAL;
	assert_true(is_done(session_add(&plan)));
	keyed_note(inside, REMOTE);
	return record_at(plan.orig_index);
}

static struct mapping *keyed_mapping(void)
{
	struct record_key key;
	struct record *r;

	keyed_host_key(&key, REMOTE, EXTERNAL);
	r = table_find(&config, &key);
	return r ? &r->mapping : NULL;
}

/* Would a key that nobody knows yet be let in? */
static bool gre_is_alone(void)
{
	verdict_t v = keyed_host(REMOTE);

	if (verdict_action(v) != ACTION_FORWARD)
		return false;
	record_release(record_at(verdict_index(v)));
	return true;
}

/* RFC 2890: only first packets note whose GRE it is; the sweeper keeps it true. */
static void gre_in_use_stays_its_hosts(void **state)
{
	struct record *session = keyed_session_make(INSIDE, 7, now);

	for (int i = 0; i < 8; i++) {
		now += 200 * HZ;
		session->session.last_seen = now;
		pass(*state);
	}
	assert_non_null(keyed_mapping());
	assert_true(gre_is_alone());
	now += 301 * HZ;
	pass(*state);
	assert_null(keyed_mapping());
}

static void a_second_gre_host_crowds_while_it_lives(void **state)
{
	struct record *first = keyed_session_make(INSIDE, 7, now);

	keyed_session_make(host_to_be32(0x0a000003), 8, now);
	assert_false(gre_is_alone());
	now += 200 * HZ;
	first->session.last_seen = now;
	pass(*state);
	assert_false(gre_is_alone());
	now += 200 * HZ;
	first->session.last_seen = now;
	pass(*state);
	assert_true(gre_is_alone());
}

/* Only first packets and the sweeper tell of a host: its sessions go on by themselves. */
static void a_third_gre_host_is_not_alone_beside_the_second(void **state)
{
	struct record *second;

	keyed_session_make(INSIDE, 7, now);
	second = keyed_session_make(host_to_be32(0x0a000003), 8, now);
	for (int i = 0; i < 4; i++) { /* the first one is silent from now on */
		now += 100 * HZ;
		second->session.last_seen = now;
		pass(*state);
	}
	keyed_session_make(host_to_be32(0x0a000004), 9, now);
	assert_false(gre_is_alone());
	now += 301 * HZ;
	pass(*state);
	pass(*state);
	assert_null(keyed_mapping());
}

/* --- keepalives ------------------------------------------------------------------------ */

#define INTERVAL (20 * HZ)

/* A tunnel of IPsec in UDP whose inside host answers ARP. */
static struct record *nat_t_make(uint16_t port)
{
	struct record *session = session_make(port);

	next_hops[7] = (struct next_hop){.ifindex = 5, .flags = NEXT_HOP_RESOLVED};
	session->key.remote_id = host_to_be16(PORT_NAT_T);
	session->session.class = CLASS_IPSEC;
	session->session.flags = SESSION_REPLIED;
	record_at(session->partner)->session.next_hop = 7;
	return session;
}

/* Asked every second for a minute: how often? */
static unsigned int keepalives_in_a_minute(const struct record *session)
{
	unsigned int count = 0;

	for (int i = 0; i < 60; i++) {
		now += HZ;
		count += keepalive_is_due(session, INTERVAL, now, HZ);
	}
	return count;
}

static void a_silent_tunnel_is_kept(void **state)
{
	struct record *session = nat_t_make(4500);

	assert_int_equal(keepalives_in_a_minute(session), 3);
	session->session.last_seen = now;
	now += 19 * HZ;
	assert_false(keepalive_is_due(session, INTERVAL, now, HZ));
	now += 2 * HZ; /* asked late: not lost */
	assert_true(keepalive_is_due(session, INTERVAL, now, 2 * HZ));
}

static void only_a_living_tunnel_is_kept(void **state)
{
	struct record *session = nat_t_make(4500);

	next_hops[7].flags = 0; /* the device is gone */
	assert_int_equal(keepalives_in_a_minute(session), 0);
	next_hops[7].flags = NEXT_HOP_RESOLVED;
	config.blocked = 1u << CLASS_IPSEC;
	assert_int_equal(keepalives_in_a_minute(session), 0);
	config.blocked = 0;
	session->session.flags = 0; /* nobody has ever answered */
	assert_int_equal(keepalives_in_a_minute(session), 0);
	session->session.flags = SESSION_REPLIED;
	config.external = REMOTE;
	assert_int_equal(keepalives_in_a_minute(session), 0);
	config.external = EXTERNAL;
	assert_int_equal(keepalives_in_a_minute(session), 3);
	assert_int_equal(keepalives_in_a_minute(session), 0); /* over its timer of 300 s */
}

static void nobody_else_is_sent_an_unknown_byte(void **state)
{
	struct record *session = nat_t_make(4500);

	session->key.remote_id = host_to_be16(500);
	assert_int_equal(keepalives_in_a_minute(session), 0);
	session->key.remote_id = host_to_be16(PORT_NAT_T);
	session->session.flags |= SESSION_LOCAL;
	assert_int_equal(keepalives_in_a_minute(session), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_armed_call_outlives_every_timer),
		TEST(a_forsaken_call_has_a_timer_again),
		TEST(a_call_id_of_another_host_is_refused),
		TEST(a_call_with_id_zero_leaves_nothing_behind),
		TEST(a_server_may_give_the_same_id_again),
		TEST(a_call_that_was_not_answered_ends_whole),
		TEST(without_an_address_a_call_keeps_all_its_records),
		TEST(the_roster_names_tunnels_and_devices),
		TEST(a_silent_tunnel_is_kept),
		TEST(only_a_living_tunnel_is_kept),
		TEST(nobody_else_is_sent_an_unknown_byte),
		TEST(gre_in_use_stays_its_hosts),
		TEST(a_second_gre_host_crowds_while_it_lives),
		TEST(a_third_gre_host_is_not_alone_beside_the_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
