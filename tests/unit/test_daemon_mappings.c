/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mappings that are made again after a reboot: nothing holds them, and nothing is left of failures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SETS 256
#include "tests/unit/test_arena.h"

#include "daemon/expiry.h"
#include "daemon/mappings.h"

#define INSIDE	 host_to_be32(0x0a000002)
#define OTHER	 host_to_be32(0x0a000003)
#define EXTERNAL host_to_be32(0xcb007101)
#define PORT	 host_to_be16(500)
#define NOW	 100000u

static int arena_up(void **state)
{
	arena_clear(EXTERNAL, NOW);
	return 0;
}

static struct record *external_of(__be16 port)
{
	struct record_key key;

	mapping_external_key(&key, PROTOCOL_UDP, EXTERNAL, port);
	return table_find(&config, &key);
}

static uint32_t slots_in_use(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SETS * RECORDS_A_SET; i++)
		n += record_state(record_at(i)) != SLOT_FREE;
	return n;
}

/* Each remembered IKE port was held for ever: the reference was never given back. */
static void a_mapping_made_again_is_held_by_nobody(void **state)
{
	struct record *external;

	assert_true(mapping_remake(INSIDE, PORT, PORT, CLASS_IPSEC));
	external = external_of(PORT);
	assert_non_null(external);
	assert_int_equal(record_references(external), 0);
	assert_int_equal(external->mapping.new_local, INSIDE);
	assert_int_equal(external->mapping.new_id, PORT);
	assert_int_equal(mapping_find(&config, PROTOCOL_UDP, INSIDE, PORT), table_index(external));
	assert_int_equal(record_references(external), 1); /* mapping_find() holds */
	record_release(external);
	assert_true(table_kill(external)); /* as the sweeper does */
}

/* The slot that was found to be taken was given a reference less than none. */
static void a_port_of_another_is_left_alone(void **state)
{
	struct record *external;

	assert_true(mapping_remake(OTHER, PORT, PORT, CLASS_IPSEC));
	external = external_of(PORT);
	assert_false(mapping_remake(INSIDE, PORT, PORT, CLASS_IPSEC));
	assert_int_equal(slots_in_use(), 2);
	assert_int_equal(record_references(external), 0);
	assert_int_equal(external->mapping.new_local, OTHER);
}

static void a_socket_with_a_mapping_keeps_it(void **state)
{
	assert_true(mapping_remake(INSIDE, PORT, PORT, CLASS_IPSEC));
	assert_false(mapping_remake(INSIDE, PORT, host_to_be16(1500), CLASS_IPSEC));
	assert_null(external_of(host_to_be16(1500)));
	assert_int_equal(slots_in_use(), 2);
}

static void a_full_table_makes_nothing(void **state)
{
	for (uint32_t i = 0; i < SETS * RECORDS_A_SET; i++) {
		tag_write(i, 1);
		record_at(i)->control = SLOT_LIVE;
	}
	assert_false(mapping_remake(INSIDE, PORT, PORT, CLASS_IPSEC));
	for (uint32_t i = 0; i < SETS * RECORDS_A_SET; i++)
		assert_int_equal(record_at(i)->control, SLOT_LIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_mapping_made_again_is_held_by_nobody, arena_up),
		cmocka_unit_test_setup(a_port_of_another_is_left_alone, arena_up),
		cmocka_unit_test_setup(a_socket_with_a_mapping_keeps_it, arena_up),
		cmocka_unit_test_setup(a_full_table_makes_nothing, arena_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
