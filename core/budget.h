/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may be handed to the daemon: token buckets, one table of purposes.
 *
 * Each purpose has a budget of its own, so that errors to build do not keep
 * tunnels from being dialled; and within it each sender has its own, so that
 * none uses up what is everybody's: an inside host, a remote, or a session. Of
 * the whole a part is kept for senders who are known (who have a session): one
 * who invents addresses gets new budgets of his own with each, but never that.
 *
 * Nothing is allocated for a sender, so there is nothing to exhaust and nobody
 * to push out. His bucket is found by a hash of his address with the table's
 * secret, once in each of two rows. Two senders may have a bucket in common, and
 * then share it; that two share both is a matter of 1 in 16 million, and nobody
 * outside can tell which addresses do. Both are charged, and one that has enough
 * is enough (a count-min sketch), so who floods one row's bucket harms nobody.
 *
 * A packet costs a random amount, one token on average, as Linux does it for its
 * ICMP errors since CVE-2020-25705: who counts his own answers learns nothing of
 * what the gateway has answered to others (SAD DNS).
 *
 * Two processors may both take the last token: harmless. Context: TC, memory.
 */
#ifndef WAYLEAVE_CORE_BUDGET_H
#define WAYLEAVE_CORE_BUDGET_H

#include "core/backend.h"

#define TOKEN 1024u /* the unit is 1/1024 of a packet: what a tick brings is not rounded away */

enum budget_purpose {
	BUDGET_ERROR_INSIDE, /* ICMP errors towards inside hosts */
	BUDGET_ERROR_REMOTE, /* ICMP errors towards remotes that a session is with */
	BUDGET_PIECE_OUT,    /* pieces that wait for their first one */
	BUDGET_PIECE_IN,
	BUDGET_TUNNEL_OUT, /* first packets of tunnels */
	BUDGET_TUNNEL_IN,  /* of a remote in use, tunnel packets that nobody knows */
	BUDGET_CONTROL,	   /* control messages; the sender is a session */
	BUDGETS
};

/* Packets a second, and at once. The bursts of all fit into the tap (daemon/tap.h). */
struct budget_limit {
	__u16 rate, burst;	     /* of all */
	__u16 each_rate, each_burst; /* of one sender */
	__u16 reserve;		     /* of the burst: not for strangers */
};

static const struct budget_limit budget_limits[BUDGETS] = {
	[BUDGET_ERROR_INSIDE] = {500, 250, 20, 20, 125},
	[BUDGET_ERROR_REMOTE] = {500, 250, 10, 10, 0},
	[BUDGET_PIECE_OUT] = {1000, 500, 250, 125, 250},
	[BUDGET_PIECE_IN] = {1000, 500, 250, 125, 0},
	[BUDGET_TUNNEL_OUT] = {1000, 500, 250, 125, 250},
	[BUDGET_TUNNEL_IN] = {16384, 1024, 4096, 512, 0},
	[BUDGET_CONTROL] = {8192, 1024, 200, 200, 0},
};

/* What has come in since the bucket was looked at, @rate and @burst in packets. */
static __always_inline void bucket_refill(struct bucket *b, __u32 rate, __u32 burst, __u32 hz,
					  __u32 now)
{
	__u32 full = burst * TOKEN, elapsed = ticks_since(now, b->refilled);
	__u64 tokens = b->tokens;

	if (!b->refilled || elapsed >= hz)
		tokens = full; /* no burst is more than a second's worth */
	else if (!elapsed)
		return; /* or another processor's clock is a tick ahead */
	else
		tokens += (__u64)rate * TOKEN * elapsed / (hz ? hz : 1);
	b->tokens = tokens > full ? full : tokens;
	b->refilled = now ? now : 1; /* 0: never used */
}

static __always_inline bool bucket_take(struct bucket *b, __u32 cost)
{
	if (b->tokens < cost)
		return false;
	b->tokens -= cost;
	return true;
}

/* Index of the bucket that @sender has in @row. */
static __always_inline __u32 budget_slot(const struct config *c, __u32 purpose, __u32 sender,
					 __u32 row)
{
	return row * BUDGET_SLOTS +
	       secret_slot(c->hash_key[row & 1], (__u64)purpose << 32 | sender, BUDGET_SLOTS);
}

/* Does @sender have the cost in one of his buckets? Both pay what they have. */
static __always_inline bool budget_each(const struct config *c, __u32 purpose, __u32 sender,
					__u32 cost)
{
	const struct budget_limit *limit = &budget_limits[purpose];
	__u32 now = clock_ticks(c);
	bool enough = false;

	UNROLLED
	for (__u32 row = 0; row < BUDGET_ROWS; row++) {
		struct bucket *b = bucket_at(BUDGETS_ROOM + budget_slot(c, purpose, sender, row));

		if (!b)
			continue;
		bucket_refill(b, limit->each_rate, limit->each_burst, c->hz, now);
		enough |= bucket_take(b, cost);
	}
	return enough;
}

/*
 * May one more packet of @sender (an address, or a session's index) be handed to the daemon
 * for @purpose? @known: he has a session. Takes what it costs; false: nothing is taken but of
 * his own.
 */
SEPARATE __u32 budget_take(__u32 purpose, __u32 sender, __u32 known)
{
	const struct config *c = config_get();
	const struct budget_limit *limit;
	struct bucket *all;
	__u32 cost;

	if (!c || purpose >= BUDGETS)
		return false;
	limit = &budget_limits[purpose];
	all = bucket_at(purpose);
	if (!all)
		return false;
	cost = random_u32() % (2 * TOKEN);
	bucket_refill(all, limit->rate, limit->burst, c->hz, clock_ticks(c));
	if (all->tokens < cost + (known ? 0 : limit->reserve * TOKEN))
		return false;
	return budget_each(c, purpose, sender, cost) && bucket_take(all, cost);
}

#endif
