/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ends when, and what its end gives back: the sweeper on a table in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/test_sweeper_stage.h"

#include "core/fragment.h"
#include "daemon/expiry.h"
#include "daemon/forwards.h"
#include "daemon/reserved.h"

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
		TEST(a_next_hop_that_a_session_uses_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
