/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GRE version 0 with keys (RFC 2890 section 2.1): several inside hosts at one
 * remote are told apart by the key, which both ends know and nobody changes.
 *
 * Where the ends use different keys, the remote's says nothing of ours. While
 * one inside host alone has GRE with that remote, it can only be that host's:
 * a MAPPING_EXTERNAL record with the remote in its key says which one.
 *
 *   MAPPING_EXTERNAL  remote, external, GRE, ID_KEY  -> the only host, or MAPPING_CROWDED
 *
 * Context: any; new flows, and the first packet of an era.
 */
#ifndef WAYLEAVE_CORE_KEYED_H
#define WAYLEAVE_CORE_KEYED_H

#include "core/mapping.h"

/* Keys that a remote may introduce; each is a session of the remote's budget (core/remote.h). */
#define KEYED_STRANGE_KEYS 16

static __always_inline void keyed_host_key(struct record_key *key, __be32 remote, __be32 external)
{
	*key = (struct record_key){
		.remote = remote,
		.local = external,
		.protocol = PROTOCOL_GRE,
		.kind = KIND_MAPPING_EXTERNAL,
		.id_type = ID_KEY,
	};
}

static __always_inline bool is_keyed_protocol(__u8 protocol, __u8 id_type)
{
	return protocol == PROTOCOL_GRE && (id_type == ID_KEY || id_type == ID_NONE);
}

/* More than one inside host has GRE with this remote, or had a timer ago. */
static __always_inline bool keyed_is_crowded(const struct config *c, const struct mapping *m,
					     __u32 now)
{
	return m->flags & MAPPING_CROWDED &&
	       ticks_since(now, m->crowded) <= c->timeouts[m->timeout & (TIMEOUT_SLOTS - 1)];
}

/* NO_RECORD, or the index of the record that another processor has just made. */
static __always_inline __u32 keyed_add(const struct config *c, const struct record_key *key,
				       __be32 inside, __u32 now)
{
	enum claim_result result;
	struct record *r;
	__u32 index;

	result = table_claim(key, &index);
	if (result == CLAIM_EXISTS)
		return table_await(key);
	r = result == CLAIM_OK ? record_at(index) : NULL;
	if (!r)
		return NO_RECORD;
	r->mapping = (struct mapping){
		.new_local = inside,
		.class = CLASS_TUNNEL,
		.timeout = TIMEOUT_GRE,
		.last_seen = now,
		.created = now,
		.strange_keys = KEYED_STRANGE_KEYS,
	};
	table_publish(r);
	return NO_RECORD;
}

/* @inside had GRE with the remote at @when, which may lie behind what is known. */
static __always_inline void keyed_seen(struct mapping *m, __be32 inside, __u32 when)
{
	if (m->new_local == inside) {
		if (ticks_is_later(when, m->last_seen))
			m->last_seen = when;
		return;
	}
	if (!(m->flags & MAPPING_CROWDED) || ticks_is_later(when, m->crowded))
		m->crowded = when;
	m->flags |= MAPPING_CROWDED;
}

/* The first host has been silent for its timer: another's turn. */
static __always_inline void keyed_inherit(struct mapping *m, __be32 inside, __u32 now)
{
	m->new_local = inside;
	m->last_seen = now;
	m->strange_keys = KEYED_STRANGE_KEYS;
}

/*
 * @inside begins GRE with @remote, or goes on with it in a new era (is_new_era()): whoever
 * begins next must not be taken for the only one, whether or not a sweeper has been here.
 */
SEPARATE __u32 keyed_note(__be32 inside, __be32 remote)
{
	const struct config *c = config_get();
	struct record_key key;
	struct record *r;
	__u32 index, now;

	if (!c)
		return false;
	now = clock_ticks(c);
	keyed_host_key(&key, remote, c->external);
	index = table_search(&key);
	if (index == NO_RECORD)
		index = keyed_add(c, &key, inside, now);
	r = record_at(index);
	if (!r)
		return true;
	if (mapping_expired(c, &r->mapping, now))
		keyed_inherit(&r->mapping, inside, now);
	else
		keyed_seen(&r->mapping, inside, now);
	return true;
}

/* A key from @remote that no session has: FORWARD's index is the host's record, held. */
SEPARATE verdict_t keyed_host(__be32 remote)
{
	const struct config *c = config_get();
	struct record_key key;
	struct record *r;
	__u32 index, now;

	if (!c)
		return drop(REASON_unsolicited);
	keyed_host_key(&key, remote, c->external);
	index = table_search(&key);
	r = record_at(index);
	now = clock_ticks(c);
	if (!r || mapping_expired(c, &r->mapping, now))
		return drop(REASON_unsolicited);
	if (keyed_is_crowded(c, &r->mapping, now) || !r->mapping.strange_keys)
		return drop(REASON_gre_key_unknown);
	if (!record_hold(r))
		return drop(REASON_insert_race);
	r->mapping.strange_keys--;
	return verdict(ACTION_FORWARD, REASON_forwarded, index);
}

#endif
