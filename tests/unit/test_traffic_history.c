/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much passed when: bytes land in the steps in which they came, none twice, none lost. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/traffic_history.h"

#define BEGIN_MS 1000000000ull
#define EPOCH_MS 1800000000000ull

static struct traffic_history *history;
static struct traffic_pass pass;
static struct roster_device device[100];
static struct roster_tunnel tunnel;
static const struct traffic_key wan, laptop = {.inside = 1}, vpn = {1, 2, 3};

static int begin(void **state)
{
	history = traffic_history_new();
	memset(device, 0, sizeof(device));
	for (size_t i = 0; i < 100; i++)
		device[i].address = 1 + i;
	tunnel = (struct roster_tunnel){.inside = 1, .remote = 2, .class = 3};
	pass = (struct traffic_pass){
		.device = device, .devices = 1, .tunnel = &tunnel, .tunnels = 1};
	return history ? 0 : -1;
}

static int end(void **state)
{
	traffic_history_free(history);
	return 0;
}

static void turn(uint64_t after_ms)
{
	traffic_history_turn(history, BEGIN_MS + after_ms, &pass);
}

/* Bytes that came in, of all steps that are over at AFTER_MS; *STEPS how many these are. */
static uint64_t sum(const struct traffic_key *key, bool day, uint64_t after_ms, size_t *steps,
		    uint64_t *last)
{
	json_t *document =
		traffic_history_json(history, key, day, BEGIN_MS + after_ms, EPOCH_MS + after_ms);
	const json_t *in = json_object_get(document, "in");
	uint64_t all = 0;

	assert_non_null(document);
	*steps = json_array_size(in);
	assert_int_equal(json_array_size(json_object_get(document, "out")), *steps);
	for (size_t i = 0; i < *steps; i++) {
		*last = json_integer_value(json_array_get(in, i));
		all += *last;
	}
	json_decref(document);
	return all;
}

static void bytes_land_where_they_came(void **state)
{
	size_t steps;
	uint64_t last;

	pass.total.bytes_in = 5000; /* of an earlier run: when it came is not known */
	turn(0);
	for (int i = 1; i <= 60; i++) {
		pass.total.bytes_in += i == 30 ? 1000000 : 0;
		device[0].traffic.bytes_in = tunnel.traffic.bytes_in = pass.total.bytes_in - 5000;
		turn(i * 1000);
	}
	assert_int_equal(sum(&wan, false, 60000, &steps, &last), 1000000);
	assert_int_equal(steps, 6);
	assert_int_equal(sum(&laptop, false, 60000, &steps, &last), 1000000);
	assert_int_equal(sum(&vpn, false, 60000, &steps, &last), 1000000);
	json_t *document =
		traffic_history_json(history, &wan, false, BEGIN_MS + 60000, EPOCH_MS + 60000);
	assert_int_equal(json_integer_value(json_object_get(document, "from")), EPOCH_MS / 1000);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(document, "in"), 2)),
			 1000000);
	json_decref(document);
}

static void a_slow_pass_is_spread_over_its_time(void **state)
{
	size_t steps;
	uint64_t last;

	turn(0);
	pass.total.bytes_in = 4000;
	turn(40000);
	assert_int_equal(sum(&wan, false, 40000, &steps, &last), 4000);
	assert_int_equal(steps, 4);
	assert_int_equal(last, 1000);
}

static void what_has_ended_is_counted_once(void **state)
{
	const struct traffic gone = {.bytes_in = 700};
	size_t steps;
	uint64_t last;

	turn(0);
	device[0].traffic.bytes_in = 700;
	turn(5000);
	/* it ends in the middle of a pass that had seen it already */
	traffic_history_ended(history, &vpn, &gone);
	turn(10000);
	device[0].traffic.bytes_in = 0;
	turn(15000);
	device[0].traffic.bytes_in = 50;
	turn(20000);
	device[0].traffic.bytes_in = 800;
	turn(25000);
	turn(30000);
	/* 700 and 800 have come; what was counted too early is not counted again */
	assert_int_equal(sum(&laptop, false, 30000, &steps, &last), 1500);
}

static void an_hour_and_a_day_and_no_more(void **state)
{
	size_t steps;
	uint64_t last;

	turn(0);
	for (uint64_t s = 1; s <= 2 * 86400; s += 7) {
		pass.total.bytes_in += 7;
		turn(s * 1000);
	}
	assert_in_range(sum(&wan, false, 172800000, &steps, &last), 3590 - 7, 3590 + 7);
	assert_int_equal(steps, HOUR_STEPS - 1);
	assert_in_range(sum(&wan, true, 172800000, &steps, &last), 287 * 300 - 7, 287 * 300 + 7);
	assert_int_equal(steps, DAY_STEPS - 1);
	/* nobody looked for two days: nothing old shows up */
	pass.total.bytes_in += 1000;
	turn(4 * 86400000ull);
	assert_true(sum(&wan, true, 4 * 86400000ull, &steps, &last) <= 1000);
	assert_int_equal(steps, DAY_STEPS - 1);
}

static void as_many_devices_as_there_is_room_for(void **state)
{
	const struct traffic_key last_one = {.inside = 100};

	pass.devices = 100;
	turn(0);
	turn(1000);
	assert_null(traffic_history_json(history, &last_one, false, BEGIN_MS, EPOCH_MS));
	/* an hour later those that were idle make room */
	pass.device = &device[99];
	pass.devices = 1;
	turn(2 * 3600000ull);
	json_t *document = traffic_history_json(history, &last_one, false, BEGIN_MS, EPOCH_MS);
	assert_non_null(document);
	json_decref(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_land_where_they_came, begin, end),
		cmocka_unit_test_setup_teardown(a_slow_pass_is_spread_over_its_time, begin, end),
		cmocka_unit_test_setup_teardown(what_has_ended_is_counted_once, begin, end),
		cmocka_unit_test_setup_teardown(an_hour_and_a_day_and_no_more, begin, end),
		cmocka_unit_test_setup_teardown(as_many_devices_as_there_is_room_for, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
