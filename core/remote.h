/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the outside may begin: sessions that a remote opens, at a port forward or at
 * a mapping whose filter admits it, have a budget of their own. They cost the inside
 * host nothing of its quota (RFC 6888 REQ-4 is about what a host asks for), or
 * anybody whom it has contacted once could use that up.
 *
 *   of a remote   at a port forward: as many as the clients of an office behind one
 *                 address need; at another mapping few. New ones a second as a host.
 *   of a mapping  a port forward: a quarter of all sessions
 *   in all        a quarter of all sessions, with port forwards half of them: the
 *                 rest is for what begins inside
 *
 *   REMOTE  remote  -> its sessions and tokens, as a host's
 *
 * A hairpinned flow is charged to its sender; here it counts for the mapping only.
 * Context: any, new flows only. Counts go down in the sweeper.
 */
#ifndef WAYLEAVE_CORE_REMOTE_H
#define WAYLEAVE_CORE_REMOTE_H

#include "core/mapping.h"
#include "core/station.h"

#define REMOTE_SESSIONS		64    /* of one remote, at mappings that are no forwards */
#define REMOTE_SESSIONS_FORWARD 4096  /* at port forwards; and at most a 16th of all */
#define MAPPING_INBOUND		4096  /* of one mapping that is no forward */
#define MAPPING_INBOUND_MOST	65000 /* the count has 16 bits */

static __always_inline void remote_key(struct record_key *key, __be32 remote)
{
	*key = (struct record_key){.remote = remote, .kind = KIND_REMOTE};
}

static __always_inline __u32 lower(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

static __always_inline __u32 remote_may_have(const struct config *c, bool forward)
{
	return forward ? lower(c->sessions_limit / 16, REMOTE_SESSIONS_FORWARD) : REMOTE_SESSIONS;
}

/* Has a mapping, and has the gateway, room for one more that began outside? */
static __always_inline bool inbound_has_room(const struct config *c, const struct mapping *m)
{
	bool forward = m->flags & MAPPING_OPEN;
	__u32 most = forward ? c->sessions_limit / 4 : MAPPING_INBOUND;

	return !is_reserve(READ_ONCE(c->sessions_used), c->sessions_limit) &&
	       READ_ONCE(c->inbound_used) < c->sessions_limit / (forward ? 2 : 4) &&
	       READ_ONCE(m->inbound) < lower(most, MAPPING_INBOUND_MOST);
}

/*
 * May @remote begin a session at @mapping? FORWARD's index: the record that it is
 * charged to; NO_RECORD: to none (@hairpin).
 */
SEPARATE verdict_t remote_admit(__be32 remote, __u32 mapping, __u32 hairpin)
{
	const struct record *external = record_at(mapping);
	const struct config *c = config_get();
	struct record_key key;
	struct record *r;
	__u32 index, now;

	if (!c || !external)
		return drop(REASON_table_full);
	if (!inbound_has_room(c, &external->mapping))
		return drop(REASON_inbound_sessions);
	if (hairpin)
		return verdict(ACTION_FORWARD, REASON_forwarded, NO_RECORD);
	now = clock_ticks(c);
	remote_key(&key, remote);
	index = quota_index(&key, now);
	r = record_at(index);
	if (!r)
		return drop(REASON_insert_race);
	if (READ_ONCE(r->host.sessions) >=
	    remote_may_have(c, external->mapping.flags & MAPPING_OPEN))
		return drop(REASON_remote_sessions);
	if (!host_take_token(c, &r->host, c->new_per_second, now))
		return drop(REASON_remote_rate);
	return verdict(ACTION_FORWARD, REASON_forwarded, index);
}

/* @n: 1 or -1. One word with the timer, which the data plane writes as a byte. */
static __always_inline void mapping_inbound_add(struct mapping *m, __s32 n)
{
	__sync_fetch_and_add(&m->inbound_word, (__u32)n * MAPPING_INBOUND_ONE);
}

/* A session was begun at @external that is charged to the record @payer, or to none. */
static __always_inline void inbound_count(struct config *c, struct record *external, __u32 payer)
{
	struct record *r = record_at(payer);

	if (r)
		__sync_fetch_and_add(&r->host.sessions, 1);
	mapping_inbound_add(&external->mapping, 1);
	__sync_fetch_and_add(&c->inbound_used, 1);
}

#endif
