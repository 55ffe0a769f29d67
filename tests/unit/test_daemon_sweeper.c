/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ends when, and what its end gives back: the sweeper on a table in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SETS 64
#include "tests/unit/test_arena.h"

#include "core/fragment.h"
#include "core/keyed.h"
#include "core/session.h"
#include "daemon/expiry.h"
#include "daemon/forwards.h"
#include "daemon/keepalives.h"
#include "daemon/reserved.h"
#include "daemon/roster.h"
#include "daemon/sweeper.h"
#include "daemon/tunnels.h"

#define INSIDE	 host_to_be32(0x0a000002)
#define EXTERNAL host_to_be32(0xcb007101)
#define REMOTE	 host_to_be32(0xcb007109)

static int arena_up(void **state)
{
	arena_clear(EXTERNAL, 1000);
	for (int i = 0; i < TIMEOUT_COUNT; i++)
		config.timeouts[i] = 300 * HZ;
	config.mappings_per_host = 4096;
	*state = sweeper_new();
	return *state ? 0 : -1;
}

static int arena_down(void **state)
{
	sweeper_free(*state);
	return 0;
}

static void pass(struct sweeper *sweeper)
{
	while (!sweeper_slice(sweeper, now))
		;
}

static unsigned int records_in(enum record_state wanted)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < SETS * RECORDS_A_SET; i++)
		n += record_state(record_at(i)) == wanted;
	return n;
}

/* A record with KEY, claimed; table_publish() shows it. */
static struct record *record_make(const struct record_key *key, uint32_t *index)
{
	assert_int_equal(table_claim(key, index), CLAIM_OK);
	return record_at(*index);
}

static void pair_show(struct record *a, uint32_t a_at, struct record *b, uint32_t b_at)
{
	a->partner = b_at;
	b->partner = a_at;
	table_publish(a);
	table_publish(b);
}

static struct record *host_record(void)
{
	struct record_key key;
	struct record *r;
	uint32_t index;

	host_key(&key, INSIDE);
	r = table_find(&config, &key);
	if (r)
		return r;
	r = record_make(&key, &index);
	r->host = (struct host){.last_seen = now};
	table_publish(r);
	return r;
}

static void mapping_make(uint16_t port)
{
	struct record_key outside, inside;
	uint32_t outside_at, inside_at;
	struct record *a, *b;

	mapping_external_key(&outside, PROTOCOL_UDP, EXTERNAL, host_to_be16(port));
	mapping_inside_key(&inside, PROTOCOL_UDP, INSIDE, host_to_be16(port));
	a = record_make(&outside, &outside_at);
	b = record_make(&inside, &inside_at);
	a->mapping = (struct mapping){.new_local = INSIDE, .last_seen = now, .created = now};
	b->mapping = (struct mapping){.new_local = EXTERNAL, .last_seen = now, .created = now};
	a->mapping.new_id = b->mapping.new_id = host_to_be16(port);
	pair_show(a, outside_at, b, inside_at);
	assert_true(record_hold(a));
	host_record()->host.mappings++;
}

/* A UDP session with its mapping, as the data plane makes it. */
static struct record *session_make(uint16_t port)
{
	struct record_key orig = {.remote = REMOTE,
				  .local = INSIDE,
				  .remote_id = host_to_be16(53),
				  .local_id = host_to_be16(port),
				  .protocol = PROTOCOL_UDP,
				  .kind = KIND_SESSION_ORIG,
				  .id_type = ID_PORTS};
	struct record_key reply = orig;
	uint32_t orig_at, reply_at;
	struct record *a, *b;

	mapping_make(port);
	reply.kind = KIND_SESSION_REPLY;
	reply.local = EXTERNAL;
	a = record_make(&orig, &orig_at);
	b = record_make(&reply, &reply_at);
	a->session = (struct session){.new_local = EXTERNAL,
				      .new_id = host_to_be16(port),
				      .timeout = TIMEOUT_UDP,
				      .last_seen = now,
				      .created = now};
	b->session = a->session;
	b->session.new_local = INSIDE;
	pair_show(a, orig_at, b, reply_at);
	host_record()->host.sessions++;
	return a;
}

static struct record *mapping_of(uint16_t port)
{
	struct record_key key;

	mapping_external_key(&key, PROTOCOL_UDP, EXTERNAL, host_to_be16(port));
	return table_find(&config, &key);
}

/* --- sessions -------------------------------------------------------------------------- */

static void a_fresh_session_stays(void **state)
{
	struct record *session = session_make(4000);

	now += 299 * HZ;
	pass(*state);
	assert_int_equal(record_state(session), SLOT_LIVE);
	assert_int_equal(sweeper_census(*state)->sessions, 1);
	assert_int_equal(sweeper_census(*state)->mappings, 1);
}

/* RFC 4787 REQ-6: either direction keeps it. */
static void one_direction_keeps_both(void **state)
{
	struct record *session = session_make(4000);

	now += 301 * HZ;
	record_at(session->partner)->session.last_seen = now - HZ;
	pass(*state);
	assert_int_equal(record_state(session), SLOT_LIVE);
}

static void an_idle_session_ends_with_both_halves(void **state)
{
	struct record *session = session_make(4000), *reply = record_at(session->partner);

	now += 301 * HZ;
	pass(*state);
	assert_int_not_equal(record_state(session), SLOT_LIVE);
	assert_int_not_equal(record_state(reply), SLOT_LIVE);
	assert_int_equal(host_record()->host.sessions, 0);
	assert_int_equal(record_references(mapping_of(4000)), 0);
}

static void the_slot_is_free_a_pass_later(void **state)
{
	session_make(4000);
	now += 301 * HZ;
	pass(*state);
	assert_true(records_in(SLOT_DEAD) > 0);
	pass(*state);
	pass(*state);
	assert_int_equal(records_in(SLOT_DEAD), 0);
}

static void the_traffic_of_ended_sessions_is_kept(void **state)
{
	struct record *session = session_make(4000);

	session->session.packets = 3;
	record_at(session->partner)->session.packets = 2;
	now += 301 * HZ;
	pass(*state);
	assert_int_equal(sweeper_traffic(*state).packets_out, 3);
	assert_int_equal(sweeper_traffic(*state).packets_in, 2);
}

/* --- what remotes began: core/remote.h ------------------------------------------------------ */

/* Whoever was charged at a session's begin gets it back at its end, and nobody else. */
static void the_end_of_an_inbound_session_is_its_remotes(void **state)
{
	struct record *session = session_make(4000);
	struct record *external = mapping_of(4000);
	struct record_key key;
	uint32_t index;

	host_record()->host.sessions = 5;
	remote_key(&key, REMOTE);
	index = quota_index(&key, now);
	session->session.inbound = 1;
	inbound_count(&config, external, index);
	assert_int_equal(record_at(index)->host.sessions, 1);
	now += 301 * HZ;
	pass(*state);
	assert_int_equal(record_at(index)->host.sessions, 0);
	assert_int_equal(external->mapping.inbound, 0);
	assert_int_equal(config.inbound_used, 0);
	assert_int_equal(host_record()->host.sessions, 5);
	now += 301 * HZ;
	pass(*state);
	assert_int_not_equal(record_state(record_at(index)), SLOT_LIVE);
}

/* --- questions: core/question.h; the sessions here are to port 53 -------------------------- */

/* RFC 4787 REQ-5a: only a host that has many mappings loses one before its timer. */
static void a_question_of_a_busy_host_ends_after_its_answer(void **state)
{
	struct record *asked = session_make(4000), *answered = session_make(4001);
	struct record *reply = record_at(answered->partner);

	asked->session.packets = answered->session.packets = reply->session.packets = 1;
	now += 6 * HZ;
	pass(*state);
	assert_int_equal(record_state(answered), SLOT_LIVE);
	host_record()->host.mappings = 1025;
	pass(*state);
	assert_int_equal(record_state(asked), SLOT_LIVE);
	assert_int_equal(record_state(answered), SLOT_DEAD);
	assert_null(mapping_of(4001));
	assert_int_equal(host_record()->host.mappings, 1024);
	assert_int_equal(host_record()->host.sessions, 1);
}

static void a_question_with_a_second_session_stays(void **state)
{
	struct record *session = session_make(4000);

	assert_true(record_hold(mapping_of(4000)));
	host_record()->host.mappings = 4096;
	now += 100 * HZ;
	pass(*state);
	assert_int_equal(record_state(session), SLOT_LIVE);
}

/* What the data plane has ended for the next question's sake is in the sums, once. */
static void the_traffic_of_questions_that_gave_way_is_kept(void **state)
{
	struct record *session = session_make(4000);

	session->session.packets = 2;
	record_at(session->partner)->session.packets = 1;
	assert_true(question_end(table_index(session), table_index(host_record())));
	for (int i = 0; i < 4; i++)
		pass(*state);
	assert_int_equal(sweeper_traffic(*state).packets_out, 2);
	assert_int_equal(sweeper_traffic(*state).packets_in, 1);
	assert_int_equal(records_in(SLOT_DEAD), 0);
}

static void a_lost_address_ends_its_sessions(void **state)
{
	struct record *session = session_make(4000);

	config.external = host_to_be32(0xcb007105);
	pass(*state);
	pass(*state);
	assert_int_not_equal(record_state(session), SLOT_LIVE);
	assert_null(mapping_of(4000));
}

/* Its inside socket would go on beginning sessions there, and each would keep it. */
static void a_mapping_of_a_lost_address_ends_in_use(void **state)
{
	session_make(4000);
	config.external = host_to_be32(0xcb007105);
	assert_int_equal(record_expire(&config, mapping_of(4000), now, false, &(struct traffic){0}),
			 EXPIRY_ENDED);
	assert_null(mapping_of(4000));
	assert_int_equal(host_record()->host.mappings, 0);
	pass(*state);
	assert_int_equal(host_record()->host.sessions, 0);
}

static void lost_count(void *context, const struct record *orig, const struct record *reply)
{
	unsigned int *count = context;

	assert_int_equal(orig->key.kind, KIND_SESSION_ORIG);
	assert_ptr_equal(record_at(orig->partner), reply);
	++*count;
}

static void each_session_of_a_lost_address_is_told_once(void **state)
{
	unsigned int count = 0;
	struct sweeper_calls calls = {.context = &count, .address_lost = lost_count};

	sweeper_tell(*state, &calls);
	for (uint16_t port = 4000; port < 4010; port++)
		session_make(port);
	pass(*state);
	assert_int_equal(count, 0);
	config.external = host_to_be32(0xcb007105);
	pass(*state);
	pass(*state);
	assert_int_equal(count, 10);
}

static void no_address_ends_nothing(void **state)
{
	struct record *session = session_make(4000);

	config.external = 0;
	pass(*state);
	assert_int_equal(record_state(session), SLOT_LIVE);
}

/* An inserter that was killed between its two halves. */
static void a_half_without_its_other_half_ends_at_the_second_visit(void **state)
{
	struct record *session = session_make(4000);

	record_end(record_at(session->partner));
	pass(*state);
	assert_int_equal(record_state(session), SLOT_LIVE);
	pass(*state);
	assert_int_not_equal(record_state(session), SLOT_LIVE);
}

static void a_claimed_slot_of_a_killed_inserter_is_freed(void **state)
{
	sets[3].way[1].control = SLOT_CLAIMED;
	for (int i = 0; i < 4; i++)
		pass(*state);
	assert_int_equal(record_state(&sets[3].way[1]), SLOT_FREE);
}

static unsigned int slices_of_a_pass(struct sweeper *sweeper)
{
	unsigned int slices = 1;

	while (!sweeper_slice(sweeper, now))
		slices++;
	return slices;
}

static void a_full_table_is_walked_more_slowly(void **state)
{
	assert_in_range(slices_of_a_pass(*state), SWEEP_SLICES_MIN / 2, SWEEP_SLICES_MIN);
	memset(tags, 1, sizeof(tags));
	assert_in_range(slices_of_a_pass(*state), SWEEP_SLICES_MIN + 1, SWEEP_SLICES_MAX);
}

/* A new daemon looks everywhere, for its predecessor may have been killed at any point. */
static void a_slot_without_a_tag_is_found_by_the_next_daemon(void **state)
{
	sets[3].way[1].control = SLOT_BUSY;
	tags[3].way[1] = 0;
	for (int i = 0; i < 4; i++)
		pass(*state);
	assert_int_equal(record_state(&sets[3].way[1]), SLOT_FREE);
}

/* An inserter that lost against another leaves its slot FREE, with a tag that nobody goes by. */
static void a_slot_that_was_given_up_can_be_used_again(void **state)
{
	struct record_key key = {.kind = KIND_HOST};
	uint32_t index;

	table_retreat(record_make(&key, &index));
	assert_int_not_equal(tag_read(index), 0);
	pass(*state);
	assert_int_equal(tag_read(index), 0);
	assert_int_equal(record_state(record_at(index)), SLOT_FREE);
}

/* Pieces may have taken over a DEAD slot and left it again since the last visit. */
static void a_slot_of_pieces_has_been_dead_for_a_second(void **state)
{
	struct record_key key = {.kind = KIND_FRAGMENT};
	uint32_t index;
	struct record *r = record_make(&key, &index);

	config.fragments = 1;
	table_publish(r);
	fragment_end(r);
	pass(*state);
	r->fragments.last_seen = now;
	pass(*state);
	assert_int_equal(record_state(r), SLOT_DEAD);
	assert_true(fragment_retake(&key) == index);
	table_publish(r);
	table_free(r, index); /* a sweeper that read DEAD before */
	assert_int_equal(record_state(r), SLOT_LIVE);
	fragment_end(r);
	pass(*state);
	now += HZ + 1;
	pass(*state);
	assert_int_equal(record_state(r), SLOT_FREE);
}

/* --- mappings -------------------------------------------------------------------------- */

/* RFC 6888 REQ-8 */
static void a_freed_id_is_in_quarantine(void **state)
{
	session_make(4000);
	now += 301 * HZ;
	pass(*state);
	now += 119 * HZ;
	pass(*state);
	assert_non_null(mapping_of(4000));
	now += 2 * HZ;
	pass(*state);
	assert_null(mapping_of(4000));
	assert_int_equal(host_record()->host.mappings, 0);
}

/* RFC 7857 section 7: the end of a stranger's session does not open the filter for the next one. */
static void the_end_of_a_session_refreshes_no_mapping(void **state)
{
	session_make(4000);
	now += 301 * HZ;
	pass(*state);
	assert_true(mapping_expired(arena.config, &mapping_of(4000)->mapping, now));
}

static void a_mapping_in_use_stays(void **state)
{
	struct record *session = session_make(4000);

	now += 290 * HZ;
	session->session.last_seen = now;
	pass(*state);
	assert_non_null(mapping_of(4000));
}

static void forwards_come_and_go_with_the_settings(void **state)
{
	struct port_forward_settings forward = {.protocol = FORWARD_UDP,
						.port = 5000,
						.port_last = 5002,
						.to.s_addr = INSIDE,
						.to_port = 53};
	struct settings with = {.port_forwards = &forward, .port_forwards_count = 1};
	struct settings without = {0};
	struct record *r;

	assert_int_equal(forwards_make(&with, now), 0);
	r = mapping_of(5002);
	assert_non_null(r);
	assert_int_equal(r->mapping.new_local, INSIDE);
	assert_int_equal(r->mapping.new_id, host_to_be16(55));
	assert_true(r->mapping.flags & MAPPING_OPEN);
	now += 10000 * HZ;
	pass(*state);
	assert_non_null(mapping_of(5000));
	forwards_drop(&with, &without);
	assert_null(mapping_of(5000));
	assert_null(mapping_of(5002));
}

static void a_forward_waits_for_a_port_in_use(void **state)
{
	struct port_forward_settings forward = {
		.protocol = FORWARD_UDP, .port = 4000, .port_last = 4000, .to.s_addr = REMOTE};
	struct settings with = {.port_forwards = &forward, .port_forwards_count = 1};
	struct forward_missing missing;

	session_make(4000);
	assert_int_equal(forwards_make(&with, now), 1);
	assert_true(forwards_missing_nth(&with, 0, &missing));
	assert_ptr_equal(missing.forward, &forward);
	assert_int_equal(missing.port, 4000);
	assert_int_equal(missing.owner, PORT_HOSTS);
	assert_int_equal(missing.holder, INSIDE);
	assert_false(forwards_missing_nth(&with, 1, &missing));
	now += 301 * HZ;
	pass(*state);
	assert_int_equal(forwards_make(&with, now), 0);
	assert_false(forwards_missing_nth(&with, 0, &missing));
	assert_int_equal(mapping_of(4000)->mapping.new_local, REMOTE);
}

/* A socket of the gateway's own keeps its port, but one that only listens: the WAN never reached
 * it. */
static void a_forward_of_the_gateways_own_port(void **state)
{
	struct port_forward_settings forward = {
		.protocol = FORWARD_TCP, .port = 4000, .port_last = 4000, .to.s_addr = INSIDE};
	struct settings with = {.port_forwards = &forward, .port_forwards_count = 1};
	struct forward_missing missing;

	reserved_port(PROTOCOL_TCP, host_to_be16(4000), false);
	assert_int_equal(forwards_make(&with, now), 1);
	assert_true(forwards_missing_nth(&with, 0, &missing));
	assert_int_equal(missing.owner, PORT_GATEWAYS);
	reserved_port(PROTOCOL_TCP, host_to_be16(4000), true);
	assert_int_equal(forwards_make(&with, now), 0);
	reserved_port(PROTOCOL_TCP, host_to_be16(4000), false);
	assert_int_equal(forwards_make(&with, now), 0);
}

/* CVE-2021-3773: a host that was first on a port gives it up, not what it has. */
static void a_socket_of_the_gateway_takes_a_hosts_port(void **state)
{
	struct record *session = session_make(4000), *external = mapping_of(4000);
	uint32_t references = record_references(external);

	reserved_port(PROTOCOL_UDP, host_to_be16(4000), false);
	assert_int_equal(port_owner_of(external), PORT_GATEWAYS);
	assert_int_equal(record_references(external), references);
	assert_int_equal(host_record()->host.mappings, 0);
	pass(*state);
	assert_int_equal(record_state(session), SLOT_LIVE);
	now += 301 * HZ; /* both have ended */
	pass(*state);
	now += 121 * HZ;
	pass(*state);
	assert_null(mapping_of(4000));
	assert_int_equal(host_record()->host.mappings, 0);
}

/* --- tunnels --------------------------------------------------------------------------- */

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

/* --- next hops ------------------------------------------------------------------------- */

static void a_next_hop_that_a_session_uses_stays(void **state)
{
	struct route route = {.ifindex = 5, .next_hop = REMOTE};
	struct record *session = session_make(4000);
	uint32_t hop = next_hop_for(&route, ROUTE_UNRESOLVED);

	session->session.next_hop = hop;
	for (int i = 0; i < 4; i++) {
		now += 100 * HZ;
		session->session.last_seen = now;
		pass(*state);
	}
	assert_int_equal(next_hops[hop].ifindex, 5);
	now += 301 * HZ;
	for (int i = 0; i < 6; i++)
		pass(*state);
	assert_int_equal(next_hops[hop].ifindex, 0);
}

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

#define TEST(f) cmocka_unit_test_setup_teardown(f, arena_up, arena_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_fresh_session_stays),
		TEST(one_direction_keeps_both),
		TEST(an_idle_session_ends_with_both_halves),
		TEST(the_slot_is_free_a_pass_later),
		TEST(the_traffic_of_ended_sessions_is_kept),
		TEST(the_end_of_an_inbound_session_is_its_remotes),
		TEST(a_question_of_a_busy_host_ends_after_its_answer),
		TEST(a_question_with_a_second_session_stays),
		TEST(the_traffic_of_questions_that_gave_way_is_kept),
		TEST(a_lost_address_ends_its_sessions),
		TEST(a_mapping_of_a_lost_address_ends_in_use),
		TEST(each_session_of_a_lost_address_is_told_once),
		TEST(no_address_ends_nothing),
		TEST(a_half_without_its_other_half_ends_at_the_second_visit),
		TEST(a_claimed_slot_of_a_killed_inserter_is_freed),
		TEST(a_full_table_is_walked_more_slowly),
		TEST(a_slot_without_a_tag_is_found_by_the_next_daemon),
		TEST(a_slot_that_was_given_up_can_be_used_again),
		TEST(a_slot_of_pieces_has_been_dead_for_a_second),
		TEST(a_freed_id_is_in_quarantine),
		TEST(the_end_of_a_session_refreshes_no_mapping),
		TEST(a_mapping_in_use_stays),
		TEST(forwards_come_and_go_with_the_settings),
		TEST(a_forward_waits_for_a_port_in_use),
		TEST(a_forward_of_the_gateways_own_port),
		TEST(a_socket_of_the_gateway_takes_a_hosts_port),
		TEST(an_armed_call_outlives_every_timer),
		TEST(a_forsaken_call_has_a_timer_again),
		TEST(a_call_id_of_another_host_is_refused),
		TEST(a_call_with_id_zero_leaves_nothing_behind),
		TEST(a_server_may_give_the_same_id_again),
		TEST(a_call_that_was_not_answered_ends_whole),
		TEST(without_an_address_a_call_keeps_all_its_records),
		TEST(the_roster_names_tunnels_and_devices),
		TEST(a_next_hop_that_a_session_uses_stays),
		TEST(a_silent_tunnel_is_kept),
		TEST(only_a_living_tunnel_is_kept),
		TEST(nobody_else_is_sent_an_unknown_byte),
		TEST(gre_in_use_stays_its_hosts),
		TEST(a_second_gre_host_crowds_while_it_lives),
		TEST(a_third_gre_host_is_not_alone_beside_the_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
