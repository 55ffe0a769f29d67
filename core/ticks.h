/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Differences of times on the data plane's clock, which wraps and which several
 * processors write into records with readings of their own. Context: any.
 */
#ifndef WAYLEAVE_CORE_TICKS_H
#define WAYLEAVE_CORE_TICKS_H

#include "core/bytes.h"

/*
 * Ticks from @then to @now; 0 where @then is later: a record that was hit after
 * @now was read is not idle. Times are up to 2^31 ticks apart (24 days at 1000 Hz).
 */
static __always_inline __u32 ticks_since(__u32 now, __u32 then)
{
	__s32 elapsed = (__s32)(now - then);

	return elapsed < 0 ? 0 : elapsed;
}

#endif
