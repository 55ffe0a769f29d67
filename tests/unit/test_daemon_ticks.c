/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times that are later than the reading they are compared with: other processors hit
 * records while the daemon walks over them. Nothing that was hit just now is idle.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define SETS 65536
#include "tests/unit/test_arena.h"

#include "core/shared.h"
#include "daemon/clock.h"
#include "daemon/gateway.h"
#include "daemon/refusals.h"
#include "daemon/show_pages.h"
#include "daemon/sweeper.h"

#define INSIDE	 host_to_be32(0x0a000002)
#define EXTERNAL host_to_be32(0xcb007101)
#define REMOTE	 host_to_be32(0xcb007109)

static int arena_up(void **state)
{
	arena_clear(EXTERNAL, 1000);
	for (int i = 0; i < TIMEOUT_COUNT; i++)
		config.timeouts[i] = 300 * HZ;
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

/* --- differences ----------------------------------------------------------------------- */

static void a_later_time_is_no_time_ago(void **state)
{
	assert_int_equal(ticks_since(1000, 1000), 0);
	assert_int_equal(ticks_since(1000, 1001), 0);
	assert_int_equal(ticks_since(1001, 1000), 1);
	assert_int_equal(ticks_since(5, 0xfffffffb), 10);
	assert_int_equal(ticks_since(0xfffffffb, 5), 0);
	assert_true(ticks_is_later(5, 0xfffffffb));
	assert_false(ticks_is_later(5, 5));
	assert_false(ticks_is_later(0xfffffffb, 5));
}

/* 31 days at 1000 Hz, more than any timer and its daemon's holidays. */
static void a_long_time_ago_is_not_later(void **state)
{
	uint32_t days = 31u * 24 * 3600 * 1000;

	assert_int_equal(ticks_since(days, 0), days);
	assert_int_equal(ticks_since(days - 100, (uint32_t)-100), days);
}

/* A rate that was never set, or not for weeks, holds nothing up for longer than its interval. */
static void a_rate_is_due_whatever_was_there_before(void **state)
{
	assert_false(ticks_passed(1000, 1000, HZ));
	assert_false(ticks_passed(1000, 1001, HZ));
	assert_false(ticks_passed(1000 + HZ - 1, 1000, HZ));
	assert_true(ticks_passed(1000 + HZ, 1000, HZ));
	assert_true(ticks_passed(1000, 1000 + HZ, HZ));
	assert_true(ticks_passed((uint32_t)-300 * HZ, 0, HZ)); /* Linux, just booted */
	assert_true(ticks_passed(3000000000u, 0, HZ));
}

/* --- records ---------------------------------------------------------------------------- */

static struct record *record_make(const struct record_key *key)
{
	struct record *r;
	uint32_t index;

	assert_int_equal(table_claim(key, &index), CLAIM_OK);
	r = record_at(index);
	r->partner = NO_RECORD;
	return r;
}

static void pair_show(struct record *a, struct record *b)
{
	table_publish(a);
	table_publish(b);
	a->partner = table_index(b);
	b->partner = table_index(a);
}

/* A pair whose halves were both last hit at @seen. */
static struct record *session_make(uint32_t number, uint32_t seen)
{
	struct record_key orig = {.remote = REMOTE,
				  .local = host_to_be32(0x0a000000 + (number >> 16)),
				  .remote_id = host_to_be16(53),
				  .local_id = host_to_be16((uint16_t)number),
				  .protocol = PROTOCOL_UDP,
				  .kind = KIND_SESSION_ORIG,
				  .id_type = ID_PORTS};
	struct record_key reply = orig;
	struct record *a, *b;

	reply.kind = KIND_SESSION_REPLY;
	reply.local = EXTERNAL;
	reply.remote_id = host_to_be16(53 + (number >> 16));
	a = record_make(&orig);
	b = record_make(&reply);
	a->session = (struct session){
		.new_local = EXTERNAL, .timeout = TIMEOUT_UDP, .last_seen = seen, .created = seen};
	b->session = a->session;
	b->session.new_local = orig.local;
	pair_show(a, b);
	return a;
}

static void a_session_hit_after_the_reading_stays(void **state)
{
	struct record *session = session_make(4000, now + 1);

	pass(*state);
	assert_int_equal(record_state(session), SLOT_LIVE);
	assert_int_equal(record_state(record_at(session->partner)), SLOT_LIVE);
}

static void a_mapping_let_go_after_the_reading_stays(void **state)
{
	struct record_key outside, inside;
	struct record *a, *b;

	mapping_external_key(&outside, PROTOCOL_UDP, EXTERNAL, host_to_be16(4000));
	mapping_inside_key(&inside, PROTOCOL_UDP, INSIDE, host_to_be16(4000));
	a = record_make(&outside);
	b = record_make(&inside);
	a->mapping = (struct mapping){
		.new_local = INSIDE, .last_seen = now + 1, .created = now, .released = now + 1};
	b->mapping = a->mapping;
	pair_show(a, b);
	pass(*state);
	assert_int_equal(record_state(a), SLOT_LIVE);
	assert_false(mapping_expired(&config, &a->mapping, now));
}

/* Records of one time only: each kind of them. */
static struct record *plain_record(uint8_t kind, uint8_t protocol, uint8_t id_type)
{
	struct record_key key = {.remote = REMOTE,
				 .local = EXTERNAL,
				 .protocol = protocol,
				 .kind = kind,
				 .id_type = id_type};

	return record_make(&key);
}

static void stays(struct sweeper *sweeper, struct record *r)
{
	table_publish(r);
	pass(sweeper);
	pass(sweeper);
	assert_int_equal(record_state(r), SLOT_LIVE);
}

static void a_permit_noted_after_the_reading_stays(void **state)
{
	struct record *r = plain_record(KIND_PERMIT, PROTOCOL_UDP, ID_PORTS);

	r->permit = (struct permit){.last_seen = now + 1, .remotes = {REMOTE}};
	stays(*state, r);
}

static void a_host_seen_after_the_reading_stays(void **state)
{
	struct record *r = plain_record(KIND_HOST, 0, 0);

	r->host = (struct host){.last_seen = now + 1};
	stays(*state, r);
}

static void a_claim_made_after_the_reading_stays(void **state)
{
	struct record *r = plain_record(KIND_CLAIM, PROTOCOL_ESP, ID_NONE);

	r->claim = (struct claim){.last_seen = now + 1};
	stays(*state, r);
}

static void pieces_seen_after_the_reading_stay(void **state)
{
	struct record *r = plain_record(KIND_FRAGMENT, PROTOCOL_UDP, ID_NONE);

	config.fragments = 1;
	r->fragments = (struct fragments){.last_seen = now + 1};
	stays(*state, r);
	r = plain_record(KIND_FRAGMENT_ID, PROTOCOL_UDP, ID_NONE);
	r->fragments = (struct fragments){.last_seen = now + 1};
	stays(*state, r);
}

/* Whose slot is taken over at once, when they have ended: not before a second is over. */
static void pieces_ended_after_the_reading_are_not_long_dead(void **state)
{
	struct record *r = plain_record(KIND_FRAGMENT, PROTOCOL_UDP, ID_NONE);

	config.fragments = 1;
	table_publish(r);
	fragment_end(r);
	pass(*state);
	r->fragments.last_seen = now + 1;
	pass(*state);
	assert_int_equal(record_state(r), SLOT_DEAD);
}

static void an_id_in_a_payload_seen_after_the_reading_stays(void **state)
{
	struct record *session = session_make(500, now), *r;

	r = plain_record(KIND_SHARED, PROTOCOL_UDP, ID_IKE);
	r->shared = (struct shared){.session = session->partner, .last_seen = now + 1};
	stays(*state, r);
}

static void what_an_error_quotes_stays(void **state)
{
	struct record *r = plain_record(KIND_QUOTED, PROTOCOL_ESP, ID_SPI);

	r->session = (struct session){.new_local = INSIDE, .last_seen = now + 1};
	stays(*state, r);
}

static void gre_seen_after_the_reading_stays_its_hosts(void **state)
{
	struct record *r = plain_record(KIND_MAPPING_EXTERNAL, PROTOCOL_GRE, ID_KEY);

	r->mapping = (struct mapping){.new_local = INSIDE,
				      .flags = MAPPING_CROWDED,
				      .last_seen = now + 1,
				      .crowded = now + 1};
	stays(*state, r);
	assert_true(keyed_is_crowded(&config, &r->mapping, now));
}

static void a_next_hop_chosen_after_the_reading_stays(void **state)
{
	struct record *r = plain_record(KIND_NEXT_HOP, 0, 0);

	next_hops[7] = (struct next_hop){.ifindex = 3, .last_chosen = now + 1};
	r->next_hop_index.index = 7;
	stays(*state, r);
	pass(*state);
	assert_int_equal(next_hops[7].ifindex, 3);
}

/* --- what is shown ----------------------------------------------------------------------- */

static void a_busy_session_is_shown_without_idle_time(void **state)
{
	const struct ctl_query query = {.limit = 10};
	struct gateway *gateway = calloc(1, sizeof(*gateway));
	json_t *items = json_array();
	uint64_t next = 0;

	session_make(4000, now + 1);
	for (;;) {
		struct ctl_query page = query;

		page.cursor = next;
		assert_int_equal(show_sessions(gateway, &page, items, &next), 0);
		if (!next)
			break;
	}
	assert_int_equal(json_array_size(items), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(items, 0), "idle_s")),
			 0);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(items, 0), "age_s")), 0);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(items, 0), "expires_s")),
			 300);
	json_decref(items);
	free(gateway);
}

static void a_refusal_of_just_now_is_shown(void **state)
{
	const struct facts facts = {
		.source = INSIDE, .destination = REMOTE, .protocol = PROTOCOL_ESP};
	static struct refusals refusals;

	refusals_note(&refusals, &facts, now + 1);
	assert_non_null(refusals_nth(&refusals, 0, now));
}

/* --- a clock that cannot be read ------------------------------------------------------------ */

static void the_last_reading_counts_while_the_clock_fails(void **state)
{
	struct clock clock = {.program_fd = -1, .last = 4711};
	uint32_t ticks = 0;

	assert_true(clock_now(&clock, &ticks) < 0);
	assert_int_equal(ticks, 4711);
	assert_true(clock.is_failing);
}

static int clock_fails(void *context, uint32_t *ticks)
{
	*ticks = 0; /* what a careless reader would take for a time */
	return -1;
}

static void nothing_is_swept_while_the_clock_fails(void **state)
{
	const struct sweeper_calls calls = {.clock = clock_fails};
	struct record *session;

	now = 3000000000u;
	session = session_make(4000, now);
	sweeper_tell(*state, &calls);
	for (int i = 0; i < 3 * SWEEP_SLICES_MAX; i++)
		assert_false(sweeper_slice_now(*state));
	assert_int_equal(record_state(session), SLOT_LIVE);
}

/* --- in earnest --------------------------------------------------------------------------- */

#define IDLE_SESSIONS 100000
#define BUSY_SESSIONS 64
#define PASSES	      12

/* 4000 ticks a second: what happens at 1000 is seen sooner. */
static __u32 wall_ticks(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 4000u + t.tv_nsec / 250000;
}

static struct record *busy[BUSY_SESSIONS];
static bool is_over;

static void *hit_all_the_time(void *unused)
{
	while (!READ_ONCE(is_over))
		for (unsigned int i = 0; i < BUSY_SESSIONS; i++) {
			uint32_t tick = wall_ticks();

			WRITE_ONCE(busy[i]->session.last_seen, tick);
			WRITE_ONCE(record_at(busy[i]->partner)->session.last_seen, tick);
		}
	return NULL;
}

static void busy_sessions_stay_in_a_large_table(void **state)
{
	unsigned int ended = 0;
	pthread_t thread;

	arena.ticks = wall_ticks;
	for (uint32_t i = 0; i < IDLE_SESSIONS; i++)
		session_make(70000 + i, wall_ticks());
	for (uint32_t i = 0; i < BUSY_SESSIONS; i++)
		busy[i] = session_make(i, wall_ticks());
	config.timeouts[TIMEOUT_UDP] = 3600 * 4000u;
	assert_int_equal(pthread_create(&thread, NULL, hit_all_the_time, NULL), 0);
	for (int i = 0; i < PASSES * SWEEP_SLICES_MAX; i++)
		sweeper_slice_now(*state);
	WRITE_ONCE(is_over, true);
	pthread_join(thread, NULL);
	for (uint32_t i = 0; i < BUSY_SESSIONS; i++)
		ended += record_state(busy[i]) != SLOT_LIVE;
	assert_int_equal(ended, 0);
}

int main(void)
{
#define AROUND(test) cmocka_unit_test_setup_teardown(test, arena_up, arena_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_later_time_is_no_time_ago),
		cmocka_unit_test(a_long_time_ago_is_not_later),
		cmocka_unit_test(a_rate_is_due_whatever_was_there_before),
		AROUND(a_session_hit_after_the_reading_stays),
		AROUND(a_mapping_let_go_after_the_reading_stays),
		AROUND(a_permit_noted_after_the_reading_stays),
		AROUND(a_host_seen_after_the_reading_stays),
		AROUND(a_claim_made_after_the_reading_stays),
		AROUND(pieces_seen_after_the_reading_stay),
		AROUND(pieces_ended_after_the_reading_are_not_long_dead),
		AROUND(an_id_in_a_payload_seen_after_the_reading_stays),
		AROUND(what_an_error_quotes_stays),
		AROUND(gre_seen_after_the_reading_stays_its_hosts),
		AROUND(a_next_hop_chosen_after_the_reading_stays),
		AROUND(a_busy_session_is_shown_without_idle_time),
		AROUND(a_refusal_of_just_now_is_shown),
		cmocka_unit_test(the_last_reading_counts_while_the_clock_fails),
		AROUND(nothing_is_swept_while_the_clock_fails),
		AROUND(busy_sessions_stay_in_a_large_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
