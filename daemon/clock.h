/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data plane's clock: jiffies, read by running the program clock_read. */
#ifndef WAYLEAVE_DAEMON_CLOCK_H
#define WAYLEAVE_DAEMON_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/abi.h"

/* Zeroed, then with PROGRAM_FD set: a clock that has not been read yet. */
struct clock {
	int program_fd; /* of the program clock_read */
	uint32_t last;	/* ticks: the last reading that succeeded */
	bool is_failing;
};

/* Runs the program once. 0 or -errno. */
int clock_read(int program_fd, struct clock_reading *reading);

/*
 * Now, in ticks without config.clock_offset. 0, or -errno: *TICKS is then the last
 * reading that succeeded, and nothing may end by it. Logs once when readings begin to
 * fail and once when they succeed again.
 */
int clock_now(struct clock *clock, uint32_t *ticks);

/*
 * Ticks per second of this kernel (CONFIG_HZ), from two readings; takes a fifth
 * of a second. Negative: -errno.
 */
int clock_rate(int program_fd);

/* The rate that kernels are built with next to TICKS in NANOSECONDS; for tests. */
unsigned int clock_rate_nearest(uint64_t ticks, uint64_t nanoseconds);

#endif
