/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data plane's clock: jiffies, read by running the program clock_read. */
#ifndef WAYLEAVE_DAEMON_CLOCK_H
#define WAYLEAVE_DAEMON_CLOCK_H

#include <stdint.h>

#include "core/abi.h"

/* Runs the program once. 0 or -errno. */
int clock_read(int program_fd, struct clock_reading *reading);

/*
 * Ticks per second of this kernel (CONFIG_HZ), from two readings; takes a fifth
 * of a second. Negative: -errno.
 */
int clock_rate(int program_fd);

/* The rate that kernels are built with next to TICKS in NANOSECONDS; for tests. */
unsigned int clock_rate_nearest(uint64_t ticks, uint64_t nanoseconds);

#endif
