/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sweeper on a table in memory, and sessions as the data plane makes them: what the tests of
 * the sweeper and of tunnels share.
 */
#ifndef WAYLEAVE_TESTS_TEST_SWEEPER_STAGE_H
#define WAYLEAVE_TESTS_TEST_SWEEPER_STAGE_H

#define SETS 64
#include "tests/unit/test_arena.h"

#include "core/session.h"
#include "daemon/sweeper.h"

#define INSIDE	 host_to_be32(0x0a000002)
#define EXTERNAL host_to_be32(0xcb007101)
#define REMOTE	 host_to_be32(0xcb007109)

static inline int arena_up(void **state)
{
	arena_clear(EXTERNAL, 1000);
	for (int i = 0; i < TIMEOUT_COUNT; i++)
		config.timeouts[i] = 300 * HZ;
	config.mappings_per_host = 4096;
	*state = sweeper_new();
	return *state ? 0 : -1;
}

static inline int arena_down(void **state)
{
	sweeper_free(*state);
	return 0;
}

static inline void pass(struct sweeper *sweeper)
{
	while (!sweeper_slice(sweeper, now))
		;
}

static inline unsigned int records_in(enum record_state wanted)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < SETS * RECORDS_A_SET; i++)
		n += record_state(record_at(i)) == wanted;
	return n;
}

/* A record with KEY, claimed; table_publish() shows it. */
static inline struct record *record_make(const struct record_key *key, uint32_t *index)
{
	assert_int_equal(table_claim(key, index), CLAIM_OK);
	return record_at(*index);
}

static inline void pair_show(struct record *a, uint32_t a_at, struct record *b, uint32_t b_at)
{
	a->partner = b_at;
	b->partner = a_at;
	table_publish(a);
	table_publish(b);
}

static inline struct record *host_record(void)
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

static inline void mapping_make(uint16_t port)
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
static inline struct record *session_make(uint16_t port)
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

static inline struct record *mapping_of(uint16_t port)
{
	struct record_key key;

	mapping_external_key(&key, PROTOCOL_UDP, EXTERNAL, host_to_be16(port));
	return table_find(&config, &key);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, arena_up, arena_down)

#endif
