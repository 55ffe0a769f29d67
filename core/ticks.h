/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Differences of times on the data plane's clock, which wraps and which several
 * processors write into records with readings of their own. Context: any.
 */
#ifndef WAYLEAVE_CORE_TICKS_H
#define WAYLEAVE_CORE_TICKS_H

#include "core/bytes.h"

/*
 * How much later than a reading of the clock another one is taken to be, ticks:
 * 12 days at 1000 Hz, for a daemon that was stopped between reading and comparing.
 * What would be later than that is earlier: up to 37 days at 1000 Hz.
 */
#define TICKS_AHEAD (1u << 30)

/* Is @a later than @b? */
static __always_inline bool ticks_is_later(__u32 a, __u32 b)
{
	return a - b - 1 < TICKS_AHEAD;
}

/*
 * Ticks from @then to @now; 0 where @then is later: a record that was hit after
 * @now was read is not idle. The one way to take a difference of two times.
 */
static __always_inline __u32 ticks_since(__u32 now, __u32 then)
{
	return ticks_is_later(then, now) ? 0 : now - then;
}

/*
 * For what may happen once in @interval ticks: is the next time due? @then is the
 * last time, or anything else where there was none yet: what is further ahead than
 * an interval is no reading of this clock, so no state can hold it up for longer.
 */
static __always_inline bool ticks_passed(__u32 now, __u32 then, __u32 interval)
{
	return now - then >= interval && then - now >= interval;
}

#endif
