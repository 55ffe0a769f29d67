/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much may be handed to the daemon. Control messages of live calls always
 * may; errors to build and fragments to hold are limited, so that no flood of
 * them fills the tap before a control message. Context: any.
 */
#ifndef WAYLEAVE_CORE_PUNT_H
#define WAYLEAVE_CORE_PUNT_H

#include "core/backend.h"

#define PUNTS_A_SECOND 500

/* Two processors may both take the last token: harmless. */
static __always_inline bool punt_take_token(struct config *c)
{
	__u32 now = clock_ticks(c);

	if (ticks_passed(now, c->punt_refilled, c->hz)) {
		c->punt_refilled = now;
		c->punt_tokens = PUNTS_A_SECOND;
	}
	if (!c->punt_tokens)
		return false;
	c->punt_tokens--;
	return true;
}

/* Has this reason paid already, or does it never pay? */
static __always_inline bool punt_is_free(__u32 reason)
{
	return reason == REASON_to_helper || reason == REASON_fragment_early ||
	       reason == REASON_to_watch;
}

#endif
