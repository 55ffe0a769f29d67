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
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/bpf.h>

#include "tests/cases/programs.h"

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

static const char *run(struct case_frame *frame)
{
	int result, error;

	if (!frame->program)
		return NULL;
	error = programs_run(frame, &result);
	if (error) {
		fprintf(stderr, "%s: %s\n", frame->program, strerror(-error));
		return NULL;
	}
	return strncmp(frame->program, "xdp_", 4) ? verdict_of_tc(result, frame)
						  : verdict_of_xdp(result, frame);
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

/* --- service --------------------------------------------------------------------------- */

/* The data plane's time goes on from there by itself. */
static void set_clock(__u32 ticks)
{
	arena.config->clock_offset = ticks - programs_jiffies();
}

int main(void)
{
	const struct case_backend backend = {
		.run = run, .race = race, .clock = set_clock, .counters = programs_counters};
	int status;

	programs_open(WORLD_SETS);
	status = case_serve(&backend);
	programs_close();
	return status;
}
