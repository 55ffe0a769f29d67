/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the nanoseconds of a hit go: BPF_PROG_TEST_RUN of the data plane
 * stopped after each step, for tables that fit every cache and tables that
 * fit none. Prints a table; each figure is a step's own share. Every flow has had
 * its first hit before.
 *
 *   steps             the table, and a new flow
 *   steps new         a new flow
 *   steps hit FLOWS   one number: ns of a hit, a frame of the bench included; what
 *                     bench/against.py compares builds by
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "core/memory.h"
#include "core/gateway.h"

#include "bench/flow.h"
#include "bench/steps.skel.h"

#define SETS	     (1u << 19) /* of eight records: a million sessions fill half */
#define REPEAT	     100000
#define ROUNDS	     25
#define HIT_REPEAT   20000 /* short, for some of them to run undisturbed */
#define HIT_ROUNDS   200
#define EXTERNAL     0xcb007101u /* 203.0.113.1 */
#define SERVERS_BITS 6		 /* of each inside socket */
#define HOSTS_BITS   4		 /* where each frame is a new flow */
#define HOP	     1
#define HOP_BACK     2 /* to the inside; its interface is where test runs come in */
#define INSIDE	     1 /* ifindex */
#define WAN	     2
#define LENGTH(a)    ((int)(sizeof(a) / sizeof((a)[0])))

struct arena arena;

static const __u32 flows[] = {1, 1000, 100000, 1000000};

static const char *const step_names[] = {
	"frame of the bench", "parse",	 "key and hash", "look-up",	   "checks",
	"session's counters", "rewrite", "counter",	 "MACs, redirect", "whole",
};
#define STEPS LENGTH(step_names)

/* --- the world that the core needs ----------------------------------------------------- */

static __u32 no_ticks(void)
{
	return 0;
}

static __u32 kernel_random(void)
{
	__u32 value = 0;

	if (getrandom(&value, sizeof(value), 0) != sizeof(value))
		abort();
	return value;
}

static void *map_memory(const struct bpf_map *map)
{
	size_t bytes = (size_t)bpf_map__max_entries(map) * bpf_map__value_size(map);
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int arena_map(const struct steps_bpf *steps)
{
	arena.sets = map_memory(steps->maps.records);
	arena.tags = map_memory(steps->maps.tags);
	arena.next_hops = map_memory(steps->maps.next_hops);
	arena.known_routes = map_memory(steps->maps.known_routes);
	arena.config = map_memory(steps->maps.config);
	arena.buckets = map_memory(steps->maps.buckets);
	arena.contacts = map_memory(steps->maps.contacts);
	arena.complaints = map_memory(steps->maps.complaints);
	arena.ticks = no_ticks;
	arena.random = kernel_random;
	return arena.sets && arena.tags && arena.next_hops && arena.known_routes && arena.config &&
			       arena.buckets && arena.contacts
		       ? 0
		       : -errno;
}

static void config_fill(struct config *c)
{
	c->hash_key[0] = (__u64)kernel_random() << 32 | kernel_random();
	c->hash_key[1] = (__u64)kernel_random() << 32 | kernel_random();
	c->set_mask = SETS - 1;
	c->external = host_to_be32(EXTERNAL);
	c->route_generation = 1;
	c->own_macs[INSIDE].ifindex = INSIDE; /* the frames' destination is zero */
	for (int i = 0; i < TIMEOUT_SLOTS; i++)
		c->timeouts[i] = 0x7fffffff;
	for (int hop = HOP; hop <= HOP_BACK; hop++)
		arena.next_hops[hop] = (struct next_hop){
			.ifindex = hop == HOP ? WAN : INSIDE,
			.mtu = 1500,
			.flags = NEXT_HOP_RESOLVED | NEXT_HOP_XDP,
		};
}

/* Quotas that nobody reaches. */
static void config_open(struct config *c)
{
	c->wan_ifindex = WAN;
	c->hz = 0xffffffff; /* what is known of the routes is known for ever */
	c->new_per_second = 0xffffffff / TOKENS_A_SESSION;
	c->mappings_per_host = c->sessions_per_host = c->sessions_limit = 0xffffffff;
	c->filtering_udp = c->filtering_tcp = FILTER_ADDRESS_DEPENDENT;
}

/* --- sessions --------------------------------------------------------------------------- */

static void key_fill(struct record_key *key, const struct flow *f, __be32 local, __u8 kind)
{
	key_set(key, host_to_be32(f->server), local,
		id_word(host_to_be16(SERVER_PORT), host_to_be16(f->id)), PROTOCOL_UDP, kind,
		ID_PORTS);
}

static bool flow_add(const struct traffic *traffic, __u32 number)
{
	struct flow f = flow_at(traffic, number);
	struct session_plan plan = {
		.inside_id = host_to_be16(f.id),
		.external_id = host_to_be16(f.id),
		.next_hop_out = HOP,
		.next_hop_in = HOP_BACK,
		.timeout = TIMEOUT_UDP,
	};

	key_fill(&plan.orig, &f, host_to_be32(f.inside), KIND_SESSION_ORIG);
	/* hosts share ports here: a reply half of its own each, as no packet comes back */
	key_fill(&plan.reply, &f, ~host_to_be32(f.inside), KIND_SESSION_REPLY);
	return is_done(session_add(&plan));
}

static __u32 flows_add(const struct traffic *traffic, __u32 from, __u32 to)
{
	__u32 refused = 0;

	for (; from < to; from++)
		refused += !flow_add(traffic, from);
	return refused;
}

/* --- measuring --------------------------------------------------------------------------- */

static int run_times(int program, __u32 times, __u32 *result)
{
	unsigned char frame[FRAME_LEAST] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = times);

	if (bpf_prog_test_run_opts(program, &run))
		return -errno;
	*result = run.retval;
	return run.duration;
}

static int run_ns(int program)
{
	__u32 result;

	return run_times(program, REPEAT, &result);
}

/*
 * The lowest of each step's rounds, steps taking turns: what others do on the
 * machine can only add to it.
 */
static int measure(const int *programs, int *lowest)
{
	for (int i = 0; i < STEPS; i++)
		lowest[i] = INT_MAX;
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < STEPS; i++) {
			int ns = run_ns(programs[i]);

			if (ns < 0)
				return ns;
			if (ns < lowest[i])
				lowest[i] = ns;
		}
	return 0;
}

/* Leaves out what `steps hit` does not run, for the verifier takes seconds. */
static void steps_leave_out(struct steps_bpf *steps)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, steps->obj) bpf_program__set_autoload(
		program, program == steps->progs.step_whole || program == steps->progs.step_warm);
}

static struct steps_bpf *steps_open(__u32 count, bool hits_only)
{
	struct steps_bpf *steps = steps_bpf__open();
	struct traffic traffic = {
		.flows = count,
		.servers_bits = SERVERS_BITS,
		.hosts_bits = count ? 10 : HOSTS_BITS,
		.protocol = 17,
		.frame_bytes = FRAME_LEAST,
	};

	if (!steps)
		return NULL;
	memcpy((void *)&steps->rodata->traffic, &traffic, sizeof(traffic));
	traffic.sequential = 1;
	memcpy((void *)&steps->rodata->in_turn, &traffic, sizeof(traffic));
	if (hits_only)
		steps_leave_out(steps);
	bpf_map__set_max_entries(steps->maps.records, SETS);
	bpf_map__set_max_entries(steps->maps.tags, SETS);
	if (steps_bpf__load(steps) || arena_map(steps)) {
		steps_bpf__destroy(steps);
		return NULL;
	}
	config_fill(arena.config);
	if (flows_add(&traffic, 0, count))
		fprintf(stderr, "some of %u flows found no room\n", count);
	return steps;
}

/* In the order of step_names. */
static void programs_of(const struct steps_bpf *steps, int *programs)
{
	const struct bpf_program *in_order[STEPS] = {
		steps->progs.step_build,   steps->progs.step_parse, steps->progs.step_hash,
		steps->progs.step_look_up, steps->progs.step_check, steps->progs.step_account,
		steps->progs.step_rewrite, steps->progs.step_count, steps->progs.step_transmit,
		steps->progs.step_whole,
	};

	for (int i = 0; i < STEPS; i++)
		programs[i] = bpf_program__fd(in_order[i]);
}

static void steps_close(struct steps_bpf *steps)
{
	munmap(arena.sets, (size_t)SETS * sizeof(struct record_set));
	munmap(arena.tags, (size_t)SETS * sizeof(struct set_tags));
	steps_bpf__destroy(steps);
}

/* Each flow's first hit. */
static int warm_up(const struct steps_bpf *steps, __u32 count)
{
	__u32 result = 0;
	int ns = run_times(bpf_program__fd(steps->progs.step_warm), count, &result);

	if (ns < 0)
		return ns;
	if (result != XDP_REDIRECT) {
		fprintf(stderr, "a frame of a known flow was not sent on: verdict %u\n", result);
		return -EPROTO;
	}
	return 0;
}

static int column(__u32 count, int *lowest)
{
	struct steps_bpf *steps = steps_open(count, false);
	int programs[STEPS], err;

	if (!steps)
		return -errno;
	programs_of(steps, programs);
	err = warm_up(steps, count);
	if (!err)
		err = measure(programs, lowest);
	if (steps->bss->missed)
		fprintf(stderr, "%llu frames of %u flows found no session\n", steps->bss->missed,
			count);
	steps_close(steps);
	return err;
}

/* Prints the lowest of the rounds. */
static int hit(__u32 count)
{
	struct steps_bpf *steps = steps_open(count, true);
	int program, lowest = INT_MAX, err;

	if (!steps)
		return -errno;
	program = bpf_program__fd(steps->progs.step_whole);
	err = warm_up(steps, count);
	for (int round = 0; round < HIT_ROUNDS && !err; round++) {
		__u32 result;
		int ns = run_times(program, HIT_REPEAT, &result);

		if (ns < 0)
			err = ns;
		else if (ns < lowest)
			lowest = ns;
	}
	steps_close(steps);
	if (!err)
		printf("%d\n", lowest);
	return err;
}

/* --- new flows ------------------------------------------------------------------------- */

static bool way_is_noted(__u32 address, __u32 hop)
{
	/* ways in are asked for as of packets from the WAN: core/known_route.h */
	struct query q = {
		.destination = host_to_be32(address),
		.ifindex = hop == HOP ? INSIDE : WAN,
	};

	if (known_route_of(query_hash(arena.config, &q))->query[0])
		return false;
	known_route_note(arena.config, &q, hop, 0);
	return true;
}

/* All hosts and servers of the bench have known ways; false: two have one place. */
static bool ways_note(void)
{
	bool noted = true;

	memset(arena.known_routes, 0, KNOWN_ROUTES * sizeof(struct known_route));
	for (__u32 host = 0; host < 1u << HOSTS_BITS; host++)
		noted &= way_is_noted(INSIDE_BASE + host, HOP_BACK);
	for (__u32 server = 0; server < 1u << SERVERS_BITS; server++)
		noted &= way_is_noted(SERVER_BASE + server, HOP);
	return noted;
}

static void table_empty(void)
{
	memset(arena.sets, 0, (size_t)SETS * sizeof(struct record_set));
	memset(arena.tags, 0, (size_t)SETS * sizeof(struct set_tags));
	arena.config->sessions_used = 0;
}

/* The lowest of the rounds, each into an empty table; a frame of the bench included. */
static int measure_new(const struct steps_bpf *steps)
{
	int program = bpf_program__fd(steps->progs.step_whole), lowest = INT_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		__u32 before;
		int ns;

		table_empty();
		ns = run_ns(program);
		before = arena.config->sessions_used;
		if (ns < 0)
			return ns;
		if (before < REPEAT * 98 / 100)
			fprintf(stderr, "%u of %u new flows began\n", before, REPEAT);
		if (ns < lowest)
			lowest = ns;
	}
	return lowest;
}

static int new_flows(void)
{
	struct steps_bpf *steps = steps_open(0, false);
	int ns, frame;

	if (!steps)
		return -errno;
	config_open(arena.config);
	while (!ways_note())
		config_fill(arena.config); /* with another secret */
	frame = run_ns(bpf_program__fd(steps->progs.step_build));
	ns = measure_new(steps);
	steps_close(steps);
	if (ns < 0 || frame < 0)
		return ns < 0 ? ns : frame;
	printf("\na new flow: %d ns\n", ns - frame);
	return 0;
}

static void print(int lowest[][STEPS])
{
	printf("| ns per frame, the step alone |");
	for (int i = 0; i < LENGTH(flows); i++)
		printf(" %9u flows |", flows[i]);
	printf("\n|------------------------------|");
	for (int i = 0; i < LENGTH(flows); i++)
		printf("----------------:|");
	for (int step = 0; step < STEPS; step++) {
		/* the whole stands for itself, without the bench's frame */
		int before = step == STEPS - 1 ? 0 : step - 1;

		printf("\n| %-28s |", step_names[step]);
		for (int i = 0; i < LENGTH(flows); i++)
			printf(" %15d |", lowest[i][step] - (step ? lowest[i][before] : 0));
	}
	putchar('\n');
}

static int table(void)
{
	int lowest[LENGTH(flows)][STEPS];

	for (int i = 0; i < LENGTH(flows); i++) {
		int err = column(flows[i], lowest[i]);

		if (err)
			return err;
	}
	print(lowest);
	return new_flows();
}

int main(int argc, char **argv)
{
	int err;

	if (argc == 3 && strcmp(argv[1], "hit") == 0)
		err = hit(atoi(argv[2]));
	else if (argc == 2 && strcmp(argv[1], "new") == 0)
		err = new_flows();
	else
		err = table();
	if (err)
		fprintf(stderr, "steps: %s\n", strerror(-err));
	return err != 0;
}
