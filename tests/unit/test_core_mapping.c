/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the making of a mapping leaves behind: when it succeeds, fails or loses a race. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SETS 4096
#include "tests/unit/test_arena.h"

#define INSIDE	 host_to_be32(0x0a000002)
#define EXTERNAL host_to_be32(0xcb007101)
#define REMOTE	 host_to_be32(0xcb007109)
#define HOP	 2 /* to a router with the hosts behind it */

static int arena_up(void **state)
{
	arena_clear(EXTERNAL, 1000);
	config.sessions_per_host = config.mappings_per_host = config.sessions_limit = 1000000;
	config.new_per_second = 1000000;
	next_hops[HOP] = (struct next_hop){.ifindex = 5, .flags = NEXT_HOP_INSIDE};
	return 0;
}

static void halves_claim(uint32_t *inside, uint32_t *external)
{
	struct record_key key;

	mapping_inside_key(&key, PROTOCOL_UDP, INSIDE, host_to_be16(500));
	assert_int_equal(table_claim(&key, inside), CLAIM_OK);
	mapping_external_key(&key, PROTOCOL_UDP, EXTERNAL, host_to_be16(500));
	assert_int_equal(table_claim(&key, external), CLAIM_OK);
}

/* As the daemon remakes one after a reboot: held for a session, of which there is none yet. */
static void a_mapping_without_sessions_has_no_reference(void **state)
{
	uint32_t inside, external;

	halves_claim(&inside, &external);
	assert_true(mapping_link(external, inside, CLASS_IPSEC));
	assert_int_equal(record_references(record_at(external)), 1);
	record_release(record_at(external));
	assert_int_equal(record_references(record_at(external)), 0);
	assert_true(table_kill(record_at(external)));
}

/* An inside socket whose half another processor has just claimed, in its set's last slot. */
static __be16 socket_claimed(uint32_t *inside)
{
	uint16_t port = 1024;
	struct record_key key;

	do {
		mapping_inside_key(&key, PROTOCOL_TCP, INSIDE, host_to_be16(++port));
		assert_int_equal(table_claim(&key, inside), CLAIM_OK);
	} while (*inside % RECORDS_A_SET != RECORDS_A_SET - 1);
	return host_to_be16(port);
}

/* Who comes second takes no external id, though its slot is the stronger one. */
static void one_alone_looks_for_an_external_id(void **state)
{
	uint32_t inside;
	__be16 port = socket_claimed(&inside);
	verdict_t host = host_admit(INSIDE, HOP);
	verdict_t second =
		mapping_add(INSIDE, port, PROTOCOL_TCP, CLASS_PLAIN, verdict_index(host));

	assert_int_equal(verdict_reason(second), REASON_insert_race);
	assert_int_equal(record_state(record_at(inside)), SLOT_CLAIMED);
	for (uint32_t i = 0; i < SETS * RECORDS_A_SET; i++)
		assert_true(record_state(record_at(i)) == SLOT_FREE ||
			    record_at(i)->key.kind != KIND_MAPPING_EXTERNAL);
}

/* Of many attempts that find no external id none may fill the sets with its tag. */
static void one_that_gives_up_leaves_no_tag(void **state)
{
	struct record_key key;
	uint32_t index;

	mapping_inside_key(&key, PROTOCOL_UDP, INSIDE, host_to_be16(500));
	for (int i = 0; i < 100; i++) {
		assert_int_equal(table_claim(&key, &index), CLAIM_OK);
		table_give_up(index);
	}
	assert_int_equal(tag_read(index), 0);
}

/* --- races ------------------------------------------------------------------------------ */

#define THREADS 4
#define ROUNDS	3000

static pthread_barrier_t barrier;

static verdict_t begin_once(uint16_t port)
{
	struct facts facts = {.source = INSIDE + host_to_be32(port >> 8),
			      .destination = REMOTE,
			      .source_id = host_to_be16(port),
			      .destination_id = host_to_be16(53),
			      .protocol = PROTOCOL_UDP,
			      .id_type = ID_PORTS};
	verdict_t host = host_admit(facts.source, HOP), v;

	if (verdict_action(host) != ACTION_FORWARD)
		return host;
	v = outbound_mapping(&facts, verdict_index(host), HOP);
	if (verdict_action(v) == ACTION_FORWARD && verdict_index(v) == NO_RECORD)
		v = mapping_add(facts.source, facts.source_id, PROTOCOL_UDP, CLASS_PLAIN,
				verdict_index(host));
	if (verdict_action(v) != ACTION_FORWARD)
		return v;
	return outbound_session(&facts, hops_pack(1, HOP), verdict_index(host), verdict_index(v));
}

static void *begin_all(void *unused)
{
	for (uint16_t round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&barrier);
		/* a thread that holds a claim may have been preempted, as no program is */
		while (verdict_action(begin_once(1024 + round)) != ACTION_FORWARD)
			sched_yield();
	}
	return NULL;
}

static uint32_t live_of(uint8_t kind)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SETS * RECORDS_A_SET; i++)
		n += record_state(record_at(i)) == SLOT_LIVE && record_at(i)->key.kind == kind;
	return n;
}

/* RFC 4787 REQ-1, REQ-3: each socket has one mapping, with its own port, and one session. */
static void all_that_begin_at_once_have_one_mapping(void **state)
{
	pthread_t threads[THREADS];
	uint32_t references = 0, kept = 0;

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, begin_all, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(live_of(KIND_MAPPING_INSIDE), ROUNDS);
	assert_int_equal(live_of(KIND_MAPPING_EXTERNAL), ROUNDS);
	assert_int_equal(live_of(KIND_SESSION_ORIG), ROUNDS);
	assert_int_equal(live_of(KIND_SESSION_REPLY), ROUNDS);
	assert_int_equal(config.sessions_used, ROUNDS);
	for (uint32_t i = 0; i < SETS * RECORDS_A_SET; i++) {
		const struct record *r = record_at(i);

		if (record_state(r) != SLOT_LIVE || r->key.kind != KIND_MAPPING_EXTERNAL)
			continue;
		references += record_references(r);
		kept += r->key.local_id == r->mapping.new_id;
	}
	assert_int_equal(references, ROUNDS);
	assert_int_equal(kept, ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_mapping_without_sessions_has_no_reference, arena_up),
		cmocka_unit_test_setup(one_alone_looks_for_an_external_id, arena_up),
		cmocka_unit_test_setup(one_that_gives_up_leaves_no_tag, arena_up),
		cmocka_unit_test_setup(all_that_begin_at_once_have_one_mapping, arena_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
