/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packet cases' BPF back end: the real programs under BPF_PROG_TEST_RUN,
 * their maps shared with this program. Needs root, and the network namespace
 * that the runner has made.
 *
 * A device without Ethernet header cannot be had here, but the kernel takes
 * bytes 12 and 13 for the ethertype: an IPv4 packet from 8.0.0.0/16 has 0x0800
 * there, and the bare programs take it as it is.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/dataplane.skel.h"
#include "tests/cases/case_protocol.h"

#define TC_UNSPEC   -1
#define TC_SHOT	    2
#define TC_REDIRECT 7

static struct dataplane *skeleton;

static const struct bpf_program *program_find(const char *name)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(skeleton->obj, name);

	return program;
}

static const char *verdict_of_tc(int result, const struct case_frame *frame)
{
	if (result == TC_UNSPEC)
		return "stack";
	if (result == TC_SHOT)
		return "drop";
	return result == TC_REDIRECT ? case_sent(frame) : NULL;
}

static const char *verdict_of_xdp(int result, const struct case_frame *frame)
{
	if (result == XDP_PASS)
		return "leave";
	if (result == XDP_DROP)
		return "drop";
	return result == XDP_REDIRECT ? case_sent(frame) : NULL;
}

/* Answers what the program answered, or -errno; the frame is what it left behind. */
static int test_run(const char *name, struct case_frame *frame, void *context, __u32 size,
		    int *result)
{
	__u8 out[CASE_FRAME_BYTES];
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame->data, .data_size_in = frame->length,
		    .data_out = out, .data_size_out = sizeof(out), .ctx_in = context,
		    .ctx_size_in = size, .repeat = 1);
	const struct bpf_program *program = program_find(name);
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

static const char *run_tc(struct case_frame *frame)
{
	bool is_local = !strncmp(frame->program, "tc_local", 8);
	struct __sk_buff context = {
		.ifindex = frame->ifindex,
		.ingress_ifindex = is_local ? 0 : frame->ifindex,
		.gso_size = frame->segment,
	};
	int result, error;

	error = test_run(frame->program, frame, &context, sizeof(context), &result);
	if (error)
		fprintf(stderr, "%s: %s\n", frame->program, strerror(-error));
	return error ? NULL : verdict_of_tc(result, frame);
}

static const char *run_xdp(struct case_frame *frame)
{
	struct xdp_md context = {.ingress_ifindex = frame->ifindex, .data_end = frame->length};
	int result, error;

	error = test_run(frame->program, frame, &context, sizeof(context), &result);
	if (error)
		fprintf(stderr, "%s: %s\n", frame->program, strerror(-error));
	return error ? NULL : verdict_of_xdp(result, frame);
}

static const char *run(struct case_frame *frame)
{
	if (!frame->program)
		return NULL;
	return strncmp(frame->program, "xdp_", 4) ? run_tc(frame) : run_xdp(frame);
}

/* --- two processors at once ------------------------------------------------------------- */

struct racer {
	struct case_frame *frame;
	const char *word;
	int number, *ready;
};

/* Waits awake for the others: from a sleep it would come too late to collide. */
static void *race_one(void *context)
{
	struct racer *racer = context;
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(racer->number, &cpu);
	pthread_setaffinity_np(pthread_self(), sizeof(cpu), &cpu);
	__atomic_add_fetch(racer->ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(racer->ready, __ATOMIC_SEQ_CST) < CASE_RACERS)
		sched_yield();
	racer->word = run(racer->frame);
	return NULL;
}

static void race(struct case_frame *frames, const char **words)
{
	struct racer racers[CASE_RACERS];
	pthread_t threads[CASE_RACERS];
	int ready = 0;

	for (int i = 0; i < CASE_RACERS; i++) {
		racers[i] = (struct racer){.frame = &frames[i], .number = i, .ready = &ready};
		if (pthread_create(&threads[i], NULL, race_one, &racers[i])) {
			perror("pthread_create");
			exit(1);
		}
	}
	for (int i = 0; i < CASE_RACERS; i++) {
		pthread_join(threads[i], NULL);
		words[i] = racers[i].word;
	}
}

/* --- clock and counters --------------------------------------------------------------- */

static __u32 jiffies(void)
{
	struct clock_reading reading = {};
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = &reading, .ctx_size_in = sizeof(reading));

	bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.clock_read), &run);
	return reading.jiffies;
}

/* The data plane's time goes on from there by itself. */
static void set_clock(__u32 ticks)
{
	arena.config->clock_offset = ticks - jiffies();
}

static void read_counters(struct counter *totals)
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

static void load(void)
{
	skeleton = dataplane__open();
	if (!skeleton || bpf_map__set_max_entries(skeleton->maps.records, WORLD_SETS) ||
	    bpf_map__set_max_entries(skeleton->maps.tags, WORLD_SETS) ||
	    dataplane__load(skeleton)) {
		fprintf(stderr, "the data plane does not load: %s\n", strerror(errno));
		exit(1);
	}
}

int main(void)
{
	const struct case_backend backend = {
		.run = run, .race = race, .clock = set_clock, .counters = read_counters};
	struct arena memory = {};
	int status;

	load();
	memory.sets = map_memory(skeleton->maps.records);
	memory.tags = map_memory(skeleton->maps.tags);
	memory.next_hops = map_memory(skeleton->maps.next_hops);
	memory.known_routes = map_memory(skeleton->maps.known_routes);
	memory.interfaces = map_memory(skeleton->maps.interfaces);
	memory.config = map_memory(skeleton->maps.config);
	world_open(&memory, WORLD_SETS);
	status = case_serve(&backend);
	dataplane__destroy(skeleton);
	return status;
}
