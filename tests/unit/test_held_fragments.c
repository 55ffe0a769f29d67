/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Later pieces before the first one: how long they wait, how many, and what they wait for. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SETS 64
#include "tests/unit/test_arena.h"

#include "core/table.h"
#include "daemon/expiry.h"
#include "daemon/held_fragments.h"

#define NOW	    1000u
#define EXPIRED	    (NOW + FRAGMENT_SECONDS * HZ + 1)
#define FRAME_BYTES 100

/* What came back. */
static struct {
	unsigned int count;
	size_t length;
	uint8_t frame[FRAME_BYTES];
} sent;

static void take(void *context, uint8_t *frame, size_t length)
{
	assert_ptr_equal(context, &sent);
	sent.count++;
	sent.length = length;
	memcpy(sent.frame, frame, length < FRAME_BYTES ? length : FRAME_BYTES);
}

static int held_up(void **state)
{
	arena_clear(0, NOW);
	memset(&sent, 0, sizeof(sent));
	*state = held_fragments_new(NULL, take, &sent);
	return *state ? 0 : -1;
}

static int held_down(void **state)
{
	held_fragments_free(*state);
	return 0;
}

/* The record that the data plane makes for a later piece that came first. */
static struct record *datagram_make(uint16_t ip_id, uint32_t *index)
{
	const struct record_key key = {.remote = host_to_be32(0xcb007109),
				       .local = host_to_be32(0xcb007101),
				       .local_id = host_to_be16(ip_id),
				       .protocol = PROTOCOL_UDP,
				       .kind = KIND_FRAGMENT};
	struct record *r;

	assert_int_equal(table_claim(&key, index), CLAIM_OK);
	r = record_at(*index);
	r->fragments = (struct fragments){.state = FRAGMENT_WAITING};
	table_publish(r);
	return r;
}

static unsigned int piece_add(struct held_fragments *held, uint32_t index, size_t length)
{
	struct punt punt = {.index = index};
	uint8_t *frame = malloc(length);
	unsigned int lost;

	assert_non_null(frame);
	memset(frame, 0x5a, length);
	memcpy(frame, &punt, sizeof(punt));
	lost = held_fragments_add(held, frame, length, NOW);
	free(frame); /* a copy is kept */
	return lost;
}

static void waits_for_the_first(void **state)
{
	struct record *r;
	uint32_t index;

	r = datagram_make(1, &index);
	assert_int_equal(piece_add(*state, index, FRAME_BYTES), 0);
	assert_int_equal(held_fragments_look(*state, NOW), 1);
	assert_int_equal(sent.count, 0);
	r->fragments.state = FRAGMENT_KNOWN;
	assert_int_equal(held_fragments_look(*state, NOW + 1), 0);
	assert_int_equal(sent.count, 1);
	assert_int_equal(held_fragments_look(*state, NOW + 2), 0);
	assert_int_equal(sent.count, 1);
}

static void comes_back_as_it_was(void **state)
{
	uint8_t wanted[FRAME_BYTES];
	struct punt punt = {0};

	datagram_make(1, &punt.index)->fragments.state = FRAGMENT_KNOWN;
	memset(wanted, 0x5a, sizeof(wanted));
	memcpy(wanted, &punt, sizeof(punt));
	assert_int_equal(piece_add(*state, punt.index, FRAME_BYTES), 0);
	held_fragments_look(*state, NOW);
	assert_int_equal(sent.length, FRAME_BYTES);
	assert_memory_equal(sent.frame, wanted, FRAME_BYTES);
}

static void each_waits_for_its_own(void **state)
{
	uint32_t first, second;

	datagram_make(1, &first);
	datagram_make(2, &second)->fragments.state = FRAGMENT_KNOWN;
	assert_int_equal(piece_add(*state, first, FRAME_BYTES), 0);
	assert_int_equal(piece_add(*state, second, FRAME_BYTES), 0);
	assert_int_equal(held_fragments_look(*state, NOW), 1);
	assert_int_equal(sent.count, 1);
}

static void expires(void **state)
{
	struct record *r;
	uint32_t index;

	r = datagram_make(1, &index);
	assert_int_equal(piece_add(*state, index, FRAME_BYTES), 0);
	assert_int_equal(held_fragments_look(*state, EXPIRED - 1), 1);
	assert_int_equal(held_fragments_look(*state, EXPIRED), 0);
	r->fragments.state = FRAGMENT_KNOWN; /* too late */
	assert_int_equal(held_fragments_look(*state, EXPIRED), 0);
	assert_int_equal(sent.count, 0);
}

static void poisoned_is_dropped(void **state)
{
	struct record *r;
	uint32_t index;

	r = datagram_make(1, &index);
	assert_int_equal(piece_add(*state, index, FRAME_BYTES), 0);
	r->fragments.state = FRAGMENT_POISONED;
	assert_int_equal(held_fragments_look(*state, NOW), 0);
	assert_int_equal(sent.count, 0);
}

/* The slot belongs to another datagram by now: its first piece says nothing about ours. */
static void reused_record_is_not_taken(void **state)
{
	struct record *r;
	uint32_t index;

	r = datagram_make(1, &index);
	assert_int_equal(piece_add(*state, index, FRAME_BYTES), 0);
	r->key.local_id = host_to_be16(2);
	r->fragments.state = FRAGMENT_KNOWN;
	assert_int_equal(held_fragments_look(*state, NOW), 0);
	assert_int_equal(sent.count, 0);
}

/* A datagram of the sender number @sender, from outside. */
static uint32_t datagram_of(uint32_t sender)
{
	uint32_t index;
	struct record *r = datagram_make(1000 + sender, &index);

	r->key.remote = host_to_be32(0xcb007200 + sender);
	r->key.remote_id = DIRECTION_IN;
	return index;
}

/* One who sends without end loses his own oldest pieces, and nobody else's. */
static void count_is_bounded(void **state)
{
	uint32_t flood = datagram_of(1), other = datagram_of(2);

	assert_int_equal(piece_add(*state, other, FRAME_BYTES), 0);
	for (int i = 0; i < 2 * HELD_FRAGMENTS; i++)
		assert_int_equal(piece_add(*state, flood, FRAME_BYTES), i >= HELD_FRAGMENTS_EACH);
	assert_int_equal(held_fragments_look(*state, NOW), HELD_FRAGMENTS_EACH + 1);
	record_at(other)->fragments.state = FRAGMENT_KNOWN;
	assert_int_equal(held_fragments_look(*state, NOW), HELD_FRAGMENTS_EACH);
	assert_int_equal(sent.count, 1);
	record_at(flood)->fragments.state = FRAGMENT_KNOWN;
	assert_int_equal(held_fragments_look(*state, NOW), 0);
	assert_int_equal(sent.count, 1 + HELD_FRAGMENTS_EACH);
}

/* All places taken by many: a newcomer gets one from whoever has most. */
static void a_newcomer_gets_a_place(void **state)
{
	uint32_t all = HELD_FRAGMENTS / HELD_FRAGMENTS_EACH, late;

	for (uint32_t sender = 0; sender < all; sender++) {
		uint32_t index = datagram_of(sender);

		for (int i = 0; i < HELD_FRAGMENTS_EACH; i++)
			assert_int_equal(piece_add(*state, index, FRAME_BYTES), 0);
	}
	late = datagram_of(all);
	assert_int_equal(piece_add(*state, late, FRAME_BYTES), 1); /* of whoever has most */
	assert_int_equal(held_fragments_look(*state, NOW), HELD_FRAGMENTS);
	record_at(late)->fragments.state = FRAGMENT_KNOWN;
	held_fragments_look(*state, NOW);
	assert_int_equal(sent.count, 1);
}

static void bytes_are_bounded(void **state)
{
	const size_t half = HELD_FRAGMENTS_BYTES / 2;
	uint32_t index;

	datagram_make(1, &index);
	assert_int_equal(piece_add(*state, index, half), 0);
	assert_int_equal(piece_add(*state, index, half), 0);
	assert_int_equal(piece_add(*state, index, sizeof(struct punt)), 1);
	assert_int_equal(held_fragments_look(*state, EXPIRED), 0);
	assert_int_equal(piece_add(*state, index, half), 0); /* the bytes were given back */
}

static void unknown_record_is_refused(void **state)
{
	assert_int_equal(piece_add(*state, SETS * RECORDS_A_SET, FRAME_BYTES), 1);
	assert_int_equal(held_fragments_look(*state, NOW), 0);
}

#define HELD_TEST(name) cmocka_unit_test_setup_teardown(name, held_up, held_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HELD_TEST(waits_for_the_first),	    HELD_TEST(comes_back_as_it_was),
		HELD_TEST(each_waits_for_its_own),  HELD_TEST(expires),
		HELD_TEST(poisoned_is_dropped),	    HELD_TEST(reused_record_is_not_taken),
		HELD_TEST(count_is_bounded),	    HELD_TEST(bytes_are_bounded),
		HELD_TEST(a_newcomer_gets_a_place), HELD_TEST(unknown_record_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
