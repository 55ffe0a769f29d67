/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/expiry.h"

#include <stddef.h>

#include "core/fragment.h"
#include "core/keyed.h"
#include "core/remote.h"

bool record_end(struct record *r)
{
	uint32_t control = READ_ONCE(r->control);

	while ((control & CONTROL_STATE_MASK) == SLOT_LIVE) {
		uint32_t seen = __sync_val_compare_and_swap(&r->control, control, SLOT_DEAD);

		if (seen == control)
			return true;
		control = seen;
	}
	return false;
}

struct record *record_partner(const struct record *r)
{
	uint32_t index = READ_ONCE(r->partner);
	struct record *partner = index == NO_RECORD ? NULL : record_at(index);

	if (!partner || record_state(partner) != SLOT_LIVE ||
	    record_at(READ_ONCE(partner->partner)) != r)
		return NULL;
	return partner;
}

static struct host *host_of(const struct config *config, __be32 inside)
{
	struct record_key key;
	struct record *r;

	host_key(&key, inside);
	r = table_find(config, &key);
	return r ? &r->host : NULL;
}

/* Never below zero: a host that was forgotten meanwhile begins at zero again. */
static void count_drop(uint32_t *count)
{
	uint32_t n = READ_ONCE(*count);

	while (n) {
		uint32_t seen = __sync_val_compare_and_swap(count, n, n - 1);

		if (seen == n)
			return;
		n = seen;
	}
}

/* --- mappings ------------------------------------------------------------------------ */

static struct record *mapping_of_session(const struct config *config, const struct record *reply)
{
	struct record_key key;

	mapping_external_key(&key, reply->key.protocol, reply->key.local, reply->key.local_id);
	if (reply->key.id_type != ID_PORTS) { /* a protocol that is forwarded as a whole */
		key.local_id = 0;
		key.id_type = ID_NONE;
	}
	return table_find(config, &key);
}

/* From now on the quarantine counts, if this was the last session. */
static void mapping_release(const struct config *config, const struct record *reply, uint32_t now)
{
	struct record *external = mapping_of_session(config, reply);

	if (!external || !record_references(external))
		return;
	external->mapping.released = now;
	record_release(external);
}

static void mapping_inside_end(const struct config *config, struct record *inside)
{
	struct host *host = host_of(config, inside->key.local);

	if (!record_end(inside) || inside->mapping.flags & MAPPING_STATIC)
		return;
	count_drop(&arena.config->mappings_used);
	if (host)
		host_loses_mapping(host);
}

void mapping_end(const struct config *config, struct record *r)
{
	struct record *inside = record_partner(r);

	if (record_end(r) && inside)
		mapping_inside_end(config, inside);
}

/* An id waits out its quarantine; whose GRE it is counts as long as GRE lives. */
static uint32_t mapping_patience(const struct config *config, const struct record *r)
{
	if (r->key.id_type == ID_KEY)
		return config->timeouts[r->mapping.timeout % TIMEOUT_SLOTS];
	return QUARANTINE_SECONDS * config->hz;
}

/* From when the quarantine counts: the end of the last session, or of what has none of its own. */
static uint32_t mapping_idle_since(const struct record *r)
{
	return r->key.id_type != ID_PORTS || r->mapping.flags & MAPPING_LOCAL
		       ? READ_ONCE(r->mapping.last_seen)
		       : READ_ONCE(r->mapping.released);
}

/*
 * Its host is silent, but another one has GRE with the remote: without the record
 * a third one would be taken for the only one (core/keyed.h).
 */
static bool keyed_is_needed(const struct config *config, const struct record *r, uint32_t now)
{
	return r->key.protocol == PROTOCOL_GRE && r->key.id_type == ID_KEY &&
	       keyed_is_crowded(config, &r->mapping, now);
}

static enum expiry mapping_external_expire(const struct config *config, struct record *r,
					   uint32_t now)
{
	uint32_t idle = ticks_since(now, mapping_idle_since(r));
	struct record *inside;

	/* in use or not: its inside socket would begin at the old address for ever */
	if (config->external && r->key.local != config->external) {
		mapping_end(config, r);
		return EXPIRY_ENDED;
	}
	if (r->mapping.flags & MAPPING_STATIC || idle <= mapping_patience(config, r) ||
	    keyed_is_needed(config, r, now))
		return EXPIRY_KEEP;
	inside = record_partner(r);
	/* fails when a session has taken a reference since: then it is in use */
	if (!table_kill(r))
		return EXPIRY_KEEP;
	if (inside)
		mapping_inside_end(config, inside);
	return EXPIRY_ENDED;
}

static enum expiry mapping_inside_expire(const struct config *config, struct record *r,
					 bool suspected)
{
	if (record_partner(r))
		return EXPIRY_KEEP;
	if (!suspected)
		return EXPIRY_SUSPECT;
	mapping_inside_end(config, r);
	return EXPIRY_ENDED;
}

/* --- what remotes began: core/remote.h ------------------------------------------------- */

static void remote_uncount(const struct config *config, __be32 remote)
{
	struct record_key key;
	struct record *r;

	remote_key(&key, remote);
	r = table_find(config, &key);
	if (r)
		count_drop(&r->host.sessions);
}

/* Where it came in: a port's mapping, a forward of a whole protocol, or whose GRE it is. */
static struct record *inbound_mapping_of(const struct config *config, const struct record *reply)
{
	struct record_key key;

	if (reply->key.id_type == ID_PORTS)
		return mapping_of_session(config, reply);
	mapping_external_key(&key, reply->key.protocol, reply->key.local, 0);
	key.id_type = ID_NONE;
	if (reply->key.id_type == ID_KEY)
		keyed_host_key(&key, reply->key.remote, reply->key.local);
	return table_find(config, &key);
}

static void inbound_uncount(const struct config *config, const struct record *reply)
{
	struct record *external = inbound_mapping_of(config, reply);

	count_drop(&arena.config->inbound_used);
	if (reply->key.remote != reply->key.local) /* a hairpin is its sender's */
		remote_uncount(config, reply->key.remote);
	if (external && READ_ONCE(external->mapping.inbound))
		mapping_inbound_add(&external->mapping, -1);
}

/* --- sessions ------------------------------------------------------------------------ */

/* Sessions that the data plane made count against their host; armed ones do not. */
static bool is_counted(const struct record *orig)
{
	uint8_t flags = orig->session.flags;

	/* one whose port is shared is held for the others' sake, and its host's all the same */
	return !(flags & SESSION_LOCAL) && (!(flags & SESSION_STATIC) || flags & SESSION_SHARED);
}

static void traffic_add(struct traffic *sum, const struct record *orig, const struct record *reply)
{
	sum->packets_out += session_packets(orig);
	sum->bytes_out += orig->session.bytes;
	sum->packets_in += session_packets(reply);
	sum->bytes_in += reply->session.bytes;
}

static void pair_end(const struct config *config, struct record *orig, struct record *reply,
		     uint32_t now, struct traffic *ended)
{
	struct host *host;

	if (!record_end(orig))
		return;
	record_end(reply);
	traffic_add(ended, orig, reply);
	if (!is_counted(orig))
		return;
	count_drop(&arena.config->sessions_used);
	host = host_of(config, orig->key.local);
	if (orig->session.inbound)
		inbound_uncount(config, reply);
	else if (host)
		host_loses_session(host);
	if (reply->key.id_type != ID_KEY)
		mapping_release(config, reply, now);
}

void session_end(const struct config *config, struct record *r, uint32_t now, struct traffic *ended)
{
	struct record *partner = record_partner(r);

	if (!partner)
		record_end(r);
	else if (r->key.kind == KIND_SESSION_ORIG)
		pair_end(config, r, partner, now, ended);
	else
		pair_end(config, partner, r, now, ended);
}

static __be32 session_external(const struct record *r)
{
	return r->key.kind == KIND_SESSION_ORIG ? r->session.new_local : r->key.local;
}

bool session_has_moved(const struct record *r)
{
	return r->key.kind == KIND_SESSION_ORIG &&
	       READ_ONCE(r->session.next_hop) == NEXT_HOP_ELSEWHERE &&
	       !(r->session.flags & SESSION_STATIC);
}

bool session_lost_address(const struct config *config, const struct record *r)
{
	return config->external && session_external(r) != config->external;
}

/* Address-dependent filtering: a remote that is spoken with stays permitted. */
static void permit_refresh(const struct config *config, const struct record *orig)
{
	const struct record *reply = record_partner(orig);
	struct record_key key;
	struct record *permit;

	if (!reply || orig->key.id_type != ID_PORTS || orig->key.protocol == PROTOCOL_ICMP ||
	    filtering_of(config, orig->key.protocol) != FILTER_ADDRESS_DEPENDENT)
		return;
	permit_key(&key, orig->key.protocol, reply->key.local, reply->key.local_id,
		   orig->key.remote);
	permit = table_find(config, &key);
	if (permit && ticks_is_later(orig->session.last_seen, permit->permit.last_seen))
		permit->permit.last_seen = orig->session.last_seen;
}

/* GRE that is in use stays its host's, though only first packets say so. */
static void keyed_refresh(const struct config *config, const struct record *orig)
{
	struct record_key key;
	struct record *r;

	if (!is_keyed_protocol(orig->key.protocol, orig->key.id_type))
		return;
	keyed_host_key(&key, orig->key.remote, orig->session.new_local);
	r = table_find(config, &key);
	if (r)
		keyed_seen(&r->mapping, orig->key.local, orig->session.last_seen);
}

/*
 * Questions end early while their host has more than one in so many of the mappings
 * that it may have, so that the data plane seldom has to make room itself.
 */
#define QUESTIONS_SHARE 4

static bool question_expire(const struct config *config, const struct record *r, uint32_t now)
{
	const struct record *reply;
	struct record_key key;
	struct record *host;
	uint32_t index;

	if (!session_is_question(r))
		return false;
	reply = record_partner(r);
	if (!reply || !question_is_over(config, &r->session, &reply->session, now))
		return false;
	host_key(&key, r->key.local);
	index = table_search(&key);
	host = record_at(index);
	return host &&
	       READ_ONCE(host->host.mappings) > config->mappings_per_host / QUESTIONS_SHARE &&
	       question_end(table_index(r), index);
}

void taken_over_count(const struct record *r, struct traffic *ended)
{
	const struct record *reply = record_at(r->partner);

	if (r->key.kind == KIND_SESSION_ORIG && r->session.taken_over && reply)
		traffic_add(ended, r, reply);
}

static enum expiry session_expire(const struct config *config, struct record *r, uint32_t now,
				  bool suspected, struct traffic *ended)
{
	bool local = r->session.flags & SESSION_LOCAL;

	/* armed by the daemon for one direction only, or not a pair at all */
	bool single = local || r->session.flags & SESSION_STATIC;

	if (session_lost_address(config, r) || session_has_moved(r) ||
	    session_expired(config, r, now)) {
		session_end(config, r, now, ended);
		return EXPIRY_ENDED;
	}
	if (!single && !record_partner(r)) {
		if (suspected)
			record_end(r);
		return suspected ? EXPIRY_ENDED : EXPIRY_SUSPECT;
	}
	if (question_expire(config, r, now))
		return EXPIRY_ENDED;
	if (r->key.kind == KIND_SESSION_ORIG) {
		permit_refresh(config, r);
		keyed_refresh(config, r);
	}
	return EXPIRY_KEEP;
}

/* Goes with its tunnel, or with the WAN address, which is on either side of it. */
static enum expiry quoted_expire(const struct config *config, struct record *r, uint32_t now)
{
	bool lost = config->external && r->key.local != config->external &&
		    r->session.new_local != config->external;

	if (!lost && !session_expired(config, r, now))
		return EXPIRY_KEEP;
	return table_kill(r) ? EXPIRY_ENDED : EXPIRY_KEEP;
}

/* --- the rest ------------------------------------------------------------------------ */

static enum expiry permit_expire(const struct config *config, struct record *r, uint32_t now)
{
	if (!permit_expired(config, &r->permit, now))
		return EXPIRY_KEEP;
	return table_kill(r) ? EXPIRY_ENDED : EXPIRY_KEEP;
}

static enum expiry host_expire(const struct config *config, struct record *r, uint32_t now)
{
	if (READ_ONCE(r->host.sessions) || READ_ONCE(r->host.mappings) ||
	    ticks_since(now, READ_ONCE(r->host.last_seen)) <= HOST_IDLE_SECONDS * config->hz)
		return EXPIRY_KEEP;
	if (!table_kill(r))
		return EXPIRY_KEEP;
	station_forget_host(&r->host);
	return EXPIRY_ENDED;
}

/* Next hops that were made for a station and are still there. */
static uint32_t neighbours_of(const struct record *station)
{
	uint32_t n = 0;

	for (unsigned int i = 1; i < NEXT_HOPS; i++) {
		const struct next_hop *hop = next_hop_at(i);
		struct record_key key;

		if (hop->ifindex != station->key.local || !(hop->flags & NEXT_HOP_INSIDE))
			continue;
		hop_station_key(&key, hop);
		n += key_equal(&key, &station->key);
	}
	return n;
}

/*
 * A station's sums are corrected where they can be known: without hosts it has
 * nothing, and its next hops can be counted. One that is known stays so for a day.
 */
static enum expiry station_expire(const struct config *config, struct record *r, uint32_t now)
{
	uint32_t patience = station_is_known(config, r, now) ? STATION_SECONDS : HOST_IDLE_SECONDS;

	WRITE_ONCE(r->host.neighbours, neighbours_of(r));
	if (READ_ONCE(r->host.hosts))
		return EXPIRY_KEEP;
	r->host.sessions = r->host.mappings = 0;
	if (r->host.neighbours ||
	    ticks_since(now, READ_ONCE(r->host.last_seen)) <= patience * config->hz)
		return EXPIRY_KEEP;
	return table_kill(r) ? EXPIRY_ENDED : EXPIRY_KEEP;
}

/* RFC 791 section 3.2: whoever reassembles gives up long before. */
static enum expiry fragments_expire(const struct config *config, struct record *r, uint32_t now)
{
	if (ticks_since(now, READ_ONCE(r->fragments.last_seen)) <= FRAGMENT_SECONDS * config->hz)
		return EXPIRY_KEEP;
	if (!table_kill(r))
		return EXPIRY_KEEP;
	if (r->key.kind == KIND_FRAGMENT)
		fragment_uncount(arena.config, &r->key);
	return EXPIRY_ENDED;
}

/* The daemon refreshes it while an inside host has a tunnel with the remote. */
static enum expiry claim_expire(const struct config *config, struct record *r, uint32_t now)
{
	if (r->key.local == config->external &&
	    ticks_since(now, READ_ONCE(r->claim.last_seen)) <= CLAIM_SECONDS * config->hz)
		return EXPIRY_KEEP;
	return table_kill(r) ? EXPIRY_ENDED : EXPIRY_KEEP;
}

static enum expiry shared_expire(const struct config *config, struct record *r, uint32_t now)
{
	const struct record *reply = record_at(r->shared.session);

	if (reply && record_state(reply) == SLOT_LIVE && reply->key.kind == KIND_SESSION_REPLY &&
	    reply->key.remote == r->key.remote &&
	    ticks_since(now, READ_ONCE(r->shared.last_seen)) <= SHARED_SECONDS * config->hz)
		return EXPIRY_KEEP;
	return table_kill(r) ? EXPIRY_ENDED : EXPIRY_KEEP;
}

enum expiry record_expire(const struct config *config, struct record *r, uint32_t now,
			  bool suspected, struct traffic *ended)
{
	switch (r->key.kind) {
	case KIND_SESSION_ORIG:
	case KIND_SESSION_REPLY:
		return session_expire(config, r, now, suspected, ended);
	case KIND_MAPPING_INSIDE:
		return mapping_inside_expire(config, r, suspected);
	case KIND_MAPPING_EXTERNAL:
		return mapping_external_expire(config, r, now);
	case KIND_PERMIT:
		return permit_expire(config, r, now);
	case KIND_HOST:
	case KIND_REMOTE:
		return host_expire(config, r, now);
	case KIND_STATION:
		return station_expire(config, r, now);
	case KIND_FRAGMENT:
	case KIND_FRAGMENT_ID:
		return fragments_expire(config, r, now);
	case KIND_CLAIM:
		return claim_expire(config, r, now);
	case KIND_SHARED:
		return shared_expire(config, r, now);
	case KIND_QUOTED:
		return quoted_expire(config, r, now);
	default: /* next hops: the sweeper's own */
		return EXPIRY_KEEP;
	}
}
