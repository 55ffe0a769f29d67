/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends the traffic and measures it. One line of JSON: frames sent, frames and
 * bad frames at each sink, seconds, and the processor time of the sending thread.
 *
 * Theory of operation. The sending thread sits in one BPF_PROG_TEST_RUN call.
 * The veths' polls run as soft interrupts in its context, so generator, gateway
 * and sink are all on its clock, and that clock stands still while other
 * programs have the processor: nanoseconds per frame are good on a busy machine,
 * frames per second are not. The run is cut into slices, so that those in which
 * somebody else's interrupts or caches got in the way can be told apart.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/options.h"
#include "bench/generator.skel.h"

#define REPEAT_MOST 0x7fffffff
#define BATCH	    64
#define SLICES	    12

struct reading {
	double at_s, busy_ns;
	__u64 sent;
	struct tally tallies[4];
};

struct sender {
	struct generator_bpf *generator;
	const struct options *options;
	pthread_t thread;
	volatile bool stop, done;
	int error;
};

static double clock_s(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

/* --- reading -------------------------------------------------------------------------- */

static struct tally tally_read(__u32 map_id)
{
	int processors = libbpf_num_possible_cpus(), map = bpf_map_get_fd_by_id(map_id);
	struct tally each[processors], sum = {0};
	__u32 zero = 0;

	if (map < 0 || bpf_map_lookup_elem(map, &zero, each))
		processors = 0;
	for (int i = 0; i < processors; i++) {
		sum.frames += each[i].frames;
		sum.bytes += each[i].bytes;
		sum.bad += each[i].bad;
		sum.other += each[i].other;
	}
	if (map >= 0)
		close(map);
	return sum;
}

static double thread_ns(pthread_t thread)
{
	clockid_t clock;

	return pthread_getcpuclockid(thread, &clock) ? 0 : clock_s(clock) * 1e9;
}

static struct reading reading_take(const struct sender *s)
{
	struct reading r = {
		.sent = s->generator->bss->sent,
		.busy_ns = thread_ns(s->thread),
		.at_s = clock_s(CLOCK_MONOTONIC),
	};

	for (int i = 0; i < s->options->tallies_count; i++)
		r.tallies[i] = tally_read(s->options->tallies[i]);
	return r;
}

/* Processor time per frame that reached the last sink; 0 without one. */
static double slice_ns(const struct options *o, const struct reading *from,
		       const struct reading *to)
{
	int last = o->tallies_count - 1;
	__u64 frames = last < 0 ? 0 : to->tallies[last].frames - from->tallies[last].frames;

	return frames ? (to->busy_ns - from->busy_ns) / frames : 0;
}

/* @readings: one more than @slices. */
static void report(const struct options *o, const struct reading *readings, int slices)
{
	const struct reading *from = readings, *to = readings + slices;

	printf("{\"seconds\": %.4f, \"sent\": %llu, \"busy_ns\": %.0f, \"sinks\": [",
	       to->at_s - from->at_s, to->sent - from->sent, to->busy_ns - from->busy_ns);
	for (int i = 0; i < o->tallies_count; i++)
		printf("%s{\"frames\": %llu, \"bad\": %llu}", i ? ", " : "",
		       to->tallies[i].frames - from->tallies[i].frames,
		       to->tallies[i].bad - from->tallies[i].bad);
	printf("], \"slices_ns\": [");
	for (int i = 0; i < slices; i++)
		printf("%s%.1f", i ? ", " : "", slice_ns(o, readings + i, readings + i + 1));
	puts("]}");
}

/* --- sending --------------------------------------------------------------------------- */

static void interrupted(int signal)
{
}

static void pin_to(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* How many frames to ask the kernel for; 0: enough sent. */
static int next_repeat(const struct sender *s)
{
	__u64 sent = s->generator->bss->sent, wanted = s->options->frames;

	if (s->stop)
		return 0;
	if (!wanted)
		return REPEAT_MOST;
	return sent >= wanted ? 0 : wanted - sent > REPEAT_MOST ? REPEAT_MOST : wanted - sent;
}

static void *send_all(void *context)
{
	struct sender *s = context;
	static unsigned char template[2048];
	__u32 bytes = s->options->traffic.frame_bytes;
	struct xdp_md xdp = {.data_end = bytes,
			     .ingress_ifindex = s->generator->rodata->out_ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = template, .data_size_in = bytes,
		    .ctx_in = &xdp, .ctx_size_in = sizeof(xdp), .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
		    .batch_size = BATCH);
	int program = bpf_program__fd(s->generator->progs.generate);

	pin_to(s->options->processor);
	while (!s->error && (run.repeat = next_repeat(s)))
		if (bpf_prog_test_run_opts(program, &run) && errno != EINTR)
			s->error = errno;
	s->done = true;
	while (!s->stop) /* its clock is read until then */
		usleep(1000);
	return NULL;
}

static void pause_s(double seconds)
{
	usleep(seconds * 1e6);
}

static void wait_until_sent(const struct sender *s)
{
	while (!s->done)
		pause_s(0.001);
	pause_s(0.02); /* what is still in the rings */
}

/* Before the thread is there, so that nothing is missed. */
static struct reading reading_first(const struct sender *s)
{
	struct reading r = {.at_s = clock_s(CLOCK_MONOTONIC)};

	for (int i = 0; i < s->options->tallies_count; i++)
		r.tallies[i] = tally_read(s->options->tallies[i]);
	return r;
}

/* Fills @readings; answers how many slices lie between them. */
static int measure(const struct sender *s, struct reading *readings)
{
	if (s->options->frames) {
		wait_until_sent(s);
		readings[1] = reading_take(s);
		return 1;
	}
	pause_s(s->options->warm_s);
	for (int i = 0; i <= SLICES; i++) {
		if (i)
			pause_s(s->options->measure_s / SLICES);
		readings[i] = reading_take(s);
	}
	return SLICES;
}

static int run(struct sender *s)
{
	struct sigaction action = {.sa_handler = interrupted};
	struct reading readings[SLICES + 1] = {reading_first(s)};
	int slices;

	sigaction(SIGUSR1, &action, NULL);
	if (pthread_create(&s->thread, NULL, send_all, s))
		return EAGAIN;
	slices = measure(s, readings);
	s->stop = true;
	pthread_kill(s->thread, SIGUSR1);
	pthread_join(s->thread, NULL);
	if (!s->error)
		report(s->options, readings, slices);
	return s->error;
}

static int generator_load(struct generator_bpf *generator, const struct options *o)
{
	memcpy((void *)&generator->rodata->traffic, &o->traffic, sizeof(o->traffic));
	generator->rodata->out_ifindex = if_nametoindex(o->interface);
	if (!generator->rodata->out_ifindex)
		return ENODEV;
	return -generator_bpf__load(generator);
}

int main(int argc, char **argv)
{
	struct options o = options_read(argc, argv);
	struct sender s = {.generator = generator_bpf__open(), .options = &o};
	int err = s.generator ? generator_load(s.generator, &o) : errno;

	if (!err)
		err = run(&s);
	if (err)
		fprintf(stderr, "generator on %s: %s\n", o.interface, strerror(err));
	generator_bpf__destroy(s.generator);
	return err ? 1 : 0;
}
