/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An inside host's quota (RFC 6888 REQ-4, REQ-5): sessions, mappings and new
 * sessions per second, so that no device can starve the others. Counts go up
 * here and down in the sweeper. Context: any, new flows only.
 */
#ifndef WAYLEAVE_CORE_HOST_H
#define WAYLEAVE_CORE_HOST_H

#include "core/table.h"
#include "core/verdict.h"

#define TOKENS_A_SESSION 1024
#define TOKENS_MOST	 (0xffffffffu / TOKENS_A_SESSION) /* sessions a second */

static __always_inline void host_key(struct record_key *key, __be32 inside)
{
	*key = (struct record_key){.local = inside, .kind = KIND_HOST};
}

/* The new record's index, or that of another processor's; NO_RECORD: the table is full. */
SEPARATE __u32 host_add(const struct record_key *key, __u32 now)
{
	const struct config *c = config_get();
	enum claim_result result;
	struct record *r;
	__u32 index;

	if (!key || !c)
		return NO_RECORD;
	result = table_claim(key, &index);
	if (result == CLAIM_EXISTS)
		return table_await(key);
	r = result == CLAIM_OK ? record_at(index) : NULL;
	if (!r)
		return NO_RECORD;
	r->host = (struct host){
		.tokens = c->new_per_second * TOKENS_A_SESSION,
		.refilled = now,
		.last_seen = now,
		.created = now,
		.told = now - c->hz,
		.station = NO_RECORD,
	};
	table_publish(r);
	return index;
}

/* Index of the record with @key, made where it is new, or NO_RECORD as above. */
static __always_inline __u32 quota_index(const struct record_key *key, __u32 now)
{
	__u32 index = table_search(key);

	return index != NO_RECORD ? index : host_add(key, now);
}

static __always_inline __u32 host_index(__be32 inside, __u32 now)
{
	struct record_key key;

	host_key(&key, inside);
	return quota_index(&key, now);
}

/* One second's worth at most is saved up. Two processors may both refill: harmless. */
static __always_inline bool host_take_token(const struct config *c, struct host *host,
					    __u32 per_second, __u32 now)
{
	__u32 full = per_second * TOKENS_A_SESSION;
	__u32 elapsed = ticks_since(now, host->refilled);
	__u32 tokens = host->tokens;
	bool passed = ticks_passed(now, host->refilled, c->hz);

	host->last_seen = now;
	if (passed)
		tokens = full;
	else if (elapsed && c->hz)
		tokens += (__u32)((__u64)full * elapsed / c->hz);
	if (tokens > full)
		tokens = full;
	if (elapsed || passed)
		host->refilled = now;
	if (tokens < TOKENS_A_SESSION) {
		host->tokens = tokens;
		return false;
	}
	host->tokens = tokens - TOKENS_A_SESSION;
	return true;
}

/* Never below zero: what was forgotten meanwhile began at zero again. */
static __always_inline void count_less_by(__u32 *count, __u32 n)
{
	UNROLLED
	for (int i = 0; i < 4; i++) {
		__u32 old = READ_ONCE(*count), less = old < n ? 0 : old - n;

		if (__sync_val_compare_and_swap(count, old, less) == old)
			return;
	}
}

static __always_inline void count_less(__u32 *count)
{
	count_less_by(count, 1);
}

#endif
