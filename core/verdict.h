/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is to be done with a packet and why, in one word: functions of a BPF
 * program return a register, so verdicts are packed.
 */
#ifndef WAYLEAVE_CORE_VERDICT_H
#define WAYLEAVE_CORE_VERDICT_H

#include "core/abi.h"
#include "core/bytes.h"

enum action {
	ACTION_DROP,
	ACTION_FORWARD, /* translated; send to next hop `index` */
	ACTION_CUT,	/* translated; too big for next hop `index`: to be cut for it */
	ACTION_HAIRPIN, /* translated outbound; now translate it inbound */
	ACTION_STACK,	/* to this machine's own stack, as it is */
	ACTION_PUNT,	/* to the daemon, as it is; `index` is the session's record */
	ACTION_LEAVE,	/* XDP only, untouched: TC does it */
};

/*
 * Was something done, or why not? A structure, for the compiler would test a bare
 * enum reason for truth, and that of success is 0. Ask is_done().
 */
struct outcome {
	enum reason why_not;
};

/* @why_not: REASON_forwarded means that it was done after all. */
static __always_inline struct outcome outcome_of(enum reason why_not)
{
	return (struct outcome){why_not};
}

static __always_inline bool is_done(struct outcome outcome)
{
	return outcome.why_not == REASON_forwarded;
}

typedef __u64 verdict_t;

static __always_inline verdict_t verdict(enum action action, enum reason reason, __u32 index)
{
	return (__u64)index << 32 | (__u64)reason << 8 | action;
}

static __always_inline verdict_t drop(enum reason reason)
{
	return verdict(ACTION_DROP, reason, 0);
}

static __always_inline verdict_t to_stack(enum reason reason)
{
	return verdict(ACTION_STACK, reason, 0);
}

static __always_inline verdict_t leave(void)
{
	return verdict(ACTION_LEAVE, REASON_forwarded, 0);
}

static __always_inline enum action verdict_action(verdict_t v)
{
	return v & 0xff;
}

static __always_inline enum reason verdict_reason(verdict_t v)
{
	return v >> 8 & 0xff;
}

static __always_inline __u32 verdict_index(verdict_t v)
{
	return v >> 32;
}

#endif
