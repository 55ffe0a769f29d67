/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/dataplane.skel.h"
#include "tests/cases/programs.h"

static struct dataplane *skeleton;

/* --- one frame ---------------------------------------------------------------------------- */

static int test_run(struct case_frame *frame, void *context, __u32 size, int *result)
{
	__u8 out[CASE_FRAME_BYTES];
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame->data, .data_size_in = frame->length,
		    .data_out = out, .data_size_out = sizeof(out), .ctx_in = context,
		    .ctx_size_in = size, .repeat = 1);
	const struct bpf_program *program =
		bpf_object__find_program_by_name(skeleton->obj, frame->program);
	int error;

	if (!program)
		return -ENOENT;
	error = bpf_prog_test_run_opts(bpf_program__fd(program), &run);
	if (error)
		return error;
	frame->length = run.data_size_out;
	memcpy(frame->data, out, frame->length);
	*result = run.retval;
	return 0;
}

static int run_tc(struct case_frame *frame, int *result)
{
	bool is_local = !strncmp(frame->program, "tc_local", 8);
	struct __sk_buff context = {
		.ifindex = frame->ifindex,
		.ingress_ifindex = is_local ? 0 : frame->ifindex,
		.gso_size = frame->segment,
	};

	return test_run(frame, &context, sizeof(context), result);
}

static int run_xdp(struct case_frame *frame, int *result)
{
	struct xdp_md context = {.ingress_ifindex = frame->ifindex, .data_end = frame->length};

	return test_run(frame, &context, sizeof(context), result);
}

int programs_run(struct case_frame *frame, int *result)
{
	return strncmp(frame->program, "xdp_", 4) ? run_tc(frame, result) : run_xdp(frame, result);
}

/* --- clock and counters --------------------------------------------------------------- */

__u32 programs_jiffies(void)
{
	struct clock_reading reading = {};
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = &reading, .ctx_size_in = sizeof(reading));

	bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.clock_read), &run);
	return reading.jiffies;
}

void programs_counters(struct counter *totals)
{
	int cpus = libbpf_num_possible_cpus(), fd = bpf_map__fd(skeleton->maps.counters);
	struct counter value[cpus];

	for (__u32 reason = 0; reason < REASON_COUNT; reason++) {
		if (bpf_map_lookup_elem(fd, &reason, value))
			continue;
		for (int cpu = 0; cpu < cpus; cpu++) {
			totals[reason].packets += value[cpu].packets;
			totals[reason].bytes += value[cpu].bytes;
		}
	}
}

/* --- start ------------------------------------------------------------------------------ */

static void *map_memory(const struct bpf_map *map)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t size = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);
	void *memory = mmap(NULL, (size + page - 1) / page * page, PROT_READ | PROT_WRITE,
			    MAP_SHARED, bpf_map__fd(map), 0);

	if (memory == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return memory;
}

static void load(__u32 sets)
{
	skeleton = dataplane__open();
	if (!skeleton || bpf_map__set_max_entries(skeleton->maps.records, sets) ||
	    bpf_map__set_max_entries(skeleton->maps.tags, sets) || dataplane__load(skeleton)) {
		fprintf(stderr, "the data plane does not load: %s\n", strerror(errno));
		exit(1);
	}
}

void programs_open(__u32 sets)
{
	struct arena memory = {};

	load(sets);
	memory.sets = map_memory(skeleton->maps.records);
	memory.tags = map_memory(skeleton->maps.tags);
	memory.next_hops = map_memory(skeleton->maps.next_hops);
	memory.known_routes = map_memory(skeleton->maps.known_routes);
	memory.questions = map_memory(skeleton->maps.questions);
	memory.route_mtus = map_memory(skeleton->maps.route_mtus);
	memory.marked_routes = map_memory(skeleton->maps.marked_routes);
	memory.interfaces = map_memory(skeleton->maps.interfaces);
	memory.config = map_memory(skeleton->maps.config);
	memory.buckets = map_memory(skeleton->maps.buckets);
	memory.contacts = map_memory(skeleton->maps.contacts);
	memory.complaints = map_memory(skeleton->maps.complaints);
	world_open(&memory, sets);
}

void programs_close(void)
{
	dataplane__destroy(skeleton);
}
