/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet that the tap does not take is lost: it is counted, with its reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/abi.h"
#include "daemon/gateway.h"
#include "daemon/reinject.h"

#define FRAME_BYTES 100

static struct gateway self;
static int tap_out = -1;
static uint8_t frame[2 * TAP_FRAME_BYTES];

static int all_up(void **state)
{
	int pair[2];

	memset(&self, 0, sizeof(self));
	self.plane.counters_fd =
		bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "counters", 4, sizeof(struct counter),
			       DAEMON_COUNTERS + REASON_COUNT, NULL);
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair))
		return -1;
	self.tap.fd = pair[0];
	tap_out = pair[1];
	return 0;
}

static int all_down(void **state)
{
	close(tap_out);
	close(self.tap.fd);
	if (self.plane.counters_fd >= 0)
		close(self.plane.counters_fd);
	return 0;
}

static uint64_t counted(enum reason reason)
{
	struct counter sum;

	assert_int_equal(plane_counter(&self.plane, reason, &sum), 0);
	return sum.packets;
}

/* A map needs privileges. */
static bool can_count(void)
{
	if (self.plane.counters_fd >= 0)
		return true;
	print_message("# SKIP: no BPF map can be made here\n");
	return false;
}

static void what_goes_on_is_not_counted(void **state)
{
	struct punt punt;

	frame_again(&self, frame, FRAME_BYTES);
	assert_int_equal(recv(tap_out, frame, sizeof(frame), 0), FRAME_BYTES);
	memcpy(&punt, frame, sizeof(punt));
	assert_int_equal(punt.action, PUNT_TRANSLATE);
	assert_true(packet_transmit(&self, frame, FRAME_BYTES, 7));
	assert_int_equal(recv(tap_out, frame, sizeof(frame), 0), FRAME_BYTES + 14);
	memcpy(&punt, frame, sizeof(punt));
	assert_int_equal(punt.action, PUNT_TRANSMIT);
	assert_int_equal(punt.index, 7);
	if (can_count())
		assert_int_equal(counted(REASON_slow_path_full), 0);
}

static void what_the_tap_does_not_take_is_counted(void **state)
{
	int tap = self.tap.fd;

	if (!can_count())
		return;
	assert_false(packet_transmit(&self, frame, TAP_FRAME_BYTES, 7)); /* and a header */
	assert_int_equal(counted(REASON_slow_path_full), 1);
	self.tap.fd = -1;
	frame_again(&self, frame, FRAME_BYTES);
	assert_int_equal(counted(REASON_slow_path_full), 2);
	frame_as(&self, frame, FRAME_BYTES, 5);
	assert_int_equal(counted(REASON_slow_path_full), 3);
	self.tap.fd = tap;
}

static void a_way_that_is_none_is_counted(void **state)
{
	assert_false(packet_transmit(&self, frame, FRAME_BYTES, 0));
	assert_true(recv(tap_out, frame, sizeof(frame), 0) < 0);
	if (can_count())
		assert_int_equal(counted(REASON_next_hops_full), 1);
}

/* Programs count at the same time: what the daemon counts is written elsewhere. */
static void the_programs_counts_are_left_alone(void **state)
{
	uint32_t index = REASON_fragments_full, processors = libbpf_num_possible_cpus();
	struct counter *values = calloc(processors, sizeof(*values)), *after;

	after = calloc(processors, sizeof(*after));
	assert_non_null(values);
	assert_non_null(after);
	for (uint32_t i = 0; i < processors; i++)
		values[i] = (struct counter){.packets = 10 + i, .bytes = 100};
	if (can_count()) {
		bpf_map_update_elem(self.plane.counters_fd, &index, values, BPF_ANY);
		plane_count(&self.plane, REASON_fragments_full, 3);
		bpf_map_lookup_elem(self.plane.counters_fd, &index, after);
		assert_memory_equal(values, after, processors * sizeof(*values));
		assert_int_equal(counted(REASON_fragments_full),
				 3 + 10 * processors + processors * (processors - 1) / 2);
	}
	free(values);
	free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_goes_on_is_not_counted, all_up, all_down),
		cmocka_unit_test_setup_teardown(what_the_tap_does_not_take_is_counted, all_up,
						all_down),
		cmocka_unit_test_setup_teardown(a_way_that_is_none_is_counted, all_up, all_down),
		cmocka_unit_test_setup_teardown(the_programs_counts_are_left_alone, all_up,
						all_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
