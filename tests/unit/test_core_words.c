/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words that several change at once: nothing is lost, and nobody sees half of an address. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/shared_words.h"

#define ROUNDS	3000000
#define MTU	1492
#define BYTES	12 /* of two MAC addresses */
#define THREADS 4

static struct next_hop hop;
static struct record record;
static pthread_barrier_t barrier;
static uint32_t lost, torn, over;

static void run(void *(*const body[THREADS])(void *))
{
	pthread_t threads[THREADS];

	lost = torn = 0;
	over = 0;
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, body[i], NULL), 0);
	for (int i = 0; i < THREADS - 1; i++)
		pthread_join(threads[i], NULL);
	WRITE_ONCE(over, 1);
	pthread_join(threads[THREADS - 1], NULL);
	assert_int_equal(lost, 0);
	assert_int_equal(torn, 0);
}

/* --- next hops --------------------------------------------------------------------------- */

static void *macs_change(void *unused)
{
	pthread_barrier_wait(&barrier);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint8_t mac[6];

		memset(mac, 1 + i % 250, sizeof(mac));
		next_hop_set_destination(&hop, mac);
		next_hop_set_source(&hop, mac);
	}
	return NULL;
}

static void *devices_change(void *unused)
{
	pthread_barrier_wait(&barrier);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		next_hop_set(&hop, NEXT_HOP_XDP);
		lost += !(READ_ONCE(hop.flags) & NEXT_HOP_XDP);
		next_hop_clear(&hop, NEXT_HOP_XDP);
		lost += READ_ONCE(hop.flags) & NEXT_HOP_XDP;
	}
	return NULL;
}

static void *neighbour_changes(void *unused)
{
	pthread_barrier_wait(&barrier);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		next_hop_clear(&hop, NEXT_HOP_RESOLVED);
		lost += READ_ONCE(hop.mtu) != MTU || !(READ_ONCE(hop.flags) & NEXT_HOP_INSIDE);
	}
	return NULL;
}

static void *frames_leave(void *unused)
{
	pthread_barrier_wait(&barrier);
	while (!READ_ONCE(over)) {
		uint16_t frame[BYTES / 2];
		const uint8_t *bytes = (const uint8_t *)frame;

		macs_write(frame, &hop);
		for (int i = 1; i < BYTES; i++)
			torn += i != 6 && bytes[i] != bytes[i - 1];
	}
	return NULL;
}

static void next_hops_keep_flags_and_addresses_whole(void **state)
{
	hop = (struct next_hop){.mtu = MTU, .flags = NEXT_HOP_INSIDE};
	run((void *(*const[])(void *)){macs_change, devices_change, neighbour_changes,
				       frames_leave});
	assert_int_equal(hop.mtu, MTU);
}

static void an_address_is_written_as_it_is(void **state)
{
	const uint8_t to[] = {2, 1, 2, 3, 4, 5}, from[] = {6, 7, 8, 9, 10, 11};
	uint16_t frame[BYTES / 2];

	hop = (struct next_hop){.mtu = MTU, .flags = NEXT_HOP_INSIDE, .reserved = 0x5a};
	next_hop_set_destination(&hop, to);
	assert_false(hop.flags & NEXT_HOP_RESOLVED);
	next_hop_set_source(&hop, from);
	assert_memory_equal(hop.destination, to, 6);
	assert_memory_equal(hop.source, from, 6);
	assert_int_equal(hop.mtu, MTU);
	assert_int_equal(hop.flags, NEXT_HOP_INSIDE | NEXT_HOP_RESOLVED);
	assert_int_equal(hop.reserved, 0x5a);
	macs_write(frame, &hop);
	assert_memory_equal(frame, to, 6);
	assert_memory_equal((const uint8_t *)frame + 6, from, 6);
	next_hop_clear(&hop, NEXT_HOP_RESOLVED);
	assert_int_equal(hop.flags, NEXT_HOP_INSIDE);
}

/* --- sessions ---------------------------------------------------------------------------- */

/* Each sets and clears a flag of its own, and nobody else's comes or goes. */
static void flag_toggle(uint8_t flag)
{
	pthread_barrier_wait(&barrier);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		session_set(&record.session, flag);
		lost += !(READ_ONCE(record.session.flags) & flag);
		session_clear(&record.session, flag);
		lost += READ_ONCE(record.session.flags) & flag;
	}
}

static void *data_plane(void *unused)
{
	flag_toggle(SESSION_REPLIED);
	return NULL;
}

static void *daemon_side(void *unused)
{
	flag_toggle(SESSION_WATCHED);
	return NULL;
}

static void *tcp_goes_on(void *unused)
{
	pthread_barrier_wait(&barrier);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		WRITE_ONCE(record.session.tcp_state, (uint8_t)i);
		lost += READ_ONCE(record.session.tcp_state) != (uint8_t)i;
	}
	return NULL;
}

static void *routes_change(void *unused)
{
	pthread_barrier_wait(&barrier);
	for (uint16_t i = 0; !READ_ONCE(over); i++) {
		WRITE_ONCE(record.session.route_generation, i);
		lost += READ_ONCE(record.session.route_generation) != i;
	}
	return NULL;
}

static void sessions_keep_flags(void **state)
{
	record = (struct record){.session = {.flags = SESSION_HELPER}};
	run((void *(*const[])(void *)){data_plane, daemon_side, tcp_goes_on, routes_change});
	assert_int_equal(record.session.flags, SESSION_HELPER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_hops_keep_flags_and_addresses_whole),
		cmocka_unit_test(an_address_is_written_as_it_is),
		cmocka_unit_test(sessions_keep_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
