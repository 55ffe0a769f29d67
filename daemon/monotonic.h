/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CLOCK_MONOTONIC as one number. */
#ifndef WAYLEAVE_DAEMON_MONOTONIC_H
#define WAYLEAVE_DAEMON_MONOTONIC_H

#include <stdint.h>
#include <time.h>

static inline uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static inline uint64_t monotonic_ms(void)
{
	return monotonic_ns() / 1000000;
}

static inline time_t monotonic_s(void)
{
	return monotonic_ns() / 1000000000;
}

#endif
