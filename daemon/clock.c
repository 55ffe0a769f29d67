/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/clock.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"

#define BETWEEN_READINGS_US 200000

int clock_read(int program_fd, struct clock_reading *reading)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = reading, .ctx_size_in = sizeof(*reading));

	*reading = (struct clock_reading){0};
	return bpf_prog_test_run_opts(program_fd, &run) < 0 ? -errno : 0;
}

static void failing_note(struct clock *clock, int err)
{
	if (err && !clock->is_failing)
		log_error("the data plane's clock cannot be read: %s; no session ends and no timer "
			  "runs until it can",
			  strerror(-err));
	else if (!err && clock->is_failing)
		log_notice("the data plane's clock can be read again");
	clock->is_failing = err;
}

int clock_now(struct clock *clock, uint32_t *ticks)
{
	struct clock_reading reading;
	int err = clock_read(clock->program_fd, &reading);

	failing_note(clock, err);
	if (!err)
		clock->last = reading.jiffies;
	*ticks = clock->last;
	return err;
}

/* 250 and 300 are 10 ticks apart in the fifth of a second: far more than one is lost. */
unsigned int clock_rate_nearest(uint64_t ticks, uint64_t nanoseconds)
{
	static const unsigned int rates[] = {100, 250, 300, 1000};
	uint64_t measured = nanoseconds ? ticks * 1000000000ull / nanoseconds : 0;
	unsigned int best = rates[0];

	for (unsigned int i = 1; i < sizeof(rates) / sizeof(rates[0]); i++) {
		uint64_t off = measured > rates[i] ? measured - rates[i] : rates[i] - measured;
		uint64_t best_off = measured > best ? measured - best : best - measured;

		if (off < best_off)
			best = rates[i];
	}
	return best;
}

int clock_rate(int program_fd)
{
	struct clock_reading first, second;
	int err = clock_read(program_fd, &first);

	if (err)
		return err;
	usleep(BETWEEN_READINGS_US);
	err = clock_read(program_fd, &second);
	if (err)
		return err;
	return clock_rate_nearest(second.jiffies - first.jiffies,
				  second.monotonic_ns - first.monotonic_ns);
}
