/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stations: who is behind an inside address. An address is what its sender says it
 * is; a station is the neighbour entry that the kernel has resolved for it, so it
 * takes a device that answers ARP. All addresses of one MAC address share a higher
 * ceiling, all that are not resolved share one host's, so that a host does not
 * multiply itself by inventing addresses.
 *
 *   STATION  MAC address, interface  -> sum of its hosts' sessions and mappings
 *            0, interface            the addresses that are not resolved; on a device
 *                                    without Ethernet header (PPP, tun): all of them
 *
 * Behind a router are many hosts: its ceiling is half of what there is. A router is
 * who the kernel's routes lead through, or config.routed says so (a bridge that
 * answers ARP for others).
 *
 * MAC addresses can be invented too. So the last quarter of sessions, ports and next
 * hops is for stations that have been known for a while, and nobody becomes known by
 * being many. A device that keeps up many identities for that long is not held off.
 *
 * Context: any, new flows only. Counts go down in the sweeper.
 */
#ifndef WAYLEAVE_CORE_STATION_H
#define WAYLEAVE_CORE_STATION_H

#include "core/host.h"

#define STATION_SHARES	      4	  /* hosts' quotas that one MAC address has */
#define STATION_HOSTS	      256 /* addresses, and next hops, of one MAC address */
#define UNRESOLVED_HOSTS      1024
#define STATION_KNOWN_SECONDS 600
#define RESERVE		      4 /* one part in so many is for known stations */
#define PORTS_IN_ALL	      0x10000

static __always_inline void station_key(struct record_key *key, __u32 ifindex, const __u8 *mac,
					bool resolved)
{
	*key = (struct record_key){.local = ifindex, .kind = KIND_STATION};
	if (!resolved)
		return;
	__builtin_memcpy(&key->remote, mac, 4);
	__builtin_memcpy(&key->remote_id, mac + 4, 2);
}

static __always_inline void hop_station_key(struct record_key *key, const struct next_hop *hop)
{
	station_key(key, hop->ifindex, hop->destination,
		    (hop->flags & (NEXT_HOP_RESOLVED | NEXT_HOP_BARE)) == NEXT_HOP_RESOLVED);
}

static __always_inline bool station_is_resolved(const struct record *station)
{
	return station->key.remote || station->key.remote_id;
}

/* A station that was there before trouble began. */
static __always_inline bool station_is_known(const struct config *c, const struct record *station,
					     __u32 now)
{
	return station_is_resolved(station) &&
	       ticks_since(now, station->host.created) > STATION_KNOWN_SECONDS * c->hz;
}

/* Is so much of @all in use that the rest is kept for known stations? (If all is, it is full.) */
static __always_inline bool is_reserve(__u32 used, __u32 all)
{
	return used >= all - all / RESERVE && used < all;
}

/* Do the sessions of all, or their mappings, leave room for a station that is new? */
static __always_inline bool gateway_has_room(const struct config *c, const struct record *station,
					     __u32 now)
{
	return (!is_reserve(READ_ONCE(c->sessions_used), c->sessions_limit) &&
		!is_reserve(READ_ONCE(c->mappings_used), PORTS_IN_ALL)) ||
	       station_is_known(c, station, now);
}

/* --- routers ----------------------------------------------------------------------------- */

static __always_inline bool is_routed(const struct config *c, __be32 inside)
{
	bool routed = false;

	UNROLLED
	for (int i = 0; i < ROUTED_SUBNETS; i++)
		routed |= c->routed[i].mask && (inside & c->routed[i].mask) == c->routed[i].address;
	return routed;
}

/* Are there rightly many hosts behind @hop, the way to @inside? */
static __always_inline bool leads_to_many(const struct config *c, const struct next_hop *hop,
					  __be32 inside)
{
	return hop->flags & NEXT_HOP_BARE || hop->address != inside || is_routed(c, inside);
}

/* Is @used, of a station, below its ceiling? @of_host: what one host may; @all: what there is. */
static __always_inline bool station_has_room(const struct config *c, const struct next_hop *hop,
					     __be32 inside, __u32 used, __u64 of_host, __u32 all)
{
	__u32 shares = hop->flags & NEXT_HOP_RESOLVED ? STATION_SHARES : 1;

	return likely(used < of_host * shares) || (leads_to_many(c, hop, inside) && used < all / 2);
}

/* --- admission --------------------------------------------------------------------------- */

/* Index of the station behind @hop, made where it is new; NO_RECORD: the table is full. */
static __always_inline __u32 station_index(const struct next_hop *hop, __u32 now)
{
	struct record_key key;

	hop_station_key(&key, hop);
	return quota_index(&key, now);
}

/* Is the record @index, which may have been given to another since, @hop's station? */
static __always_inline bool station_is_of(__u32 index, const struct next_hop *hop)
{
	const struct record *r = record_at(index);
	struct record_key key;

	hop_station_key(&key, hop);
	return r && record_is(r, &key);
}

/* @host moves to the station @to, at @index. Of two processors that see it move one counts it. */
static __always_inline void station_take(struct record *to, __u32 index, struct host *host)
{
	__u32 former = READ_ONCE(host->station);
	struct record *from = record_at(former);

	if (former == index || __sync_val_compare_and_swap(&host->station, former, index) != former)
		return;
	if (from && from->key.kind == KIND_STATION) {
		count_less_by(&from->host.sessions, host->sessions);
		count_less_by(&from->host.mappings, host->mappings);
		count_less(&from->host.hosts);
	}
	__sync_fetch_and_add(&to->host.sessions, host->sessions);
	__sync_fetch_and_add(&to->host.mappings, host->mappings);
	__sync_fetch_and_add(&to->host.hosts, 1);
}

static __always_inline bool station_takes_host(const struct config *c, const struct record *station,
					       const struct next_hop *hop, __be32 inside)
{
	__u32 hosts = READ_ONCE(station->host.hosts);

	if (hosts < (station_is_resolved(station) ? STATION_HOSTS : UNRESOLVED_HOSTS))
		return true;
	return leads_to_many(c, hop, inside);
}

/*
 * The record of @inside, whose way is @hop, as FORWARD's index: made where it is
 * new, and its station the present one, whose ARP entry may have changed.
 */
SEPARATE verdict_t host_of_station(__be32 inside, __u32 hop_index)
{
	const struct next_hop *hop = next_hop_at(hop_index);
	const struct config *c = config_get();
	struct record *host, *station;
	__u32 index, at, now;
	struct record_key key;

	if (!c || !hop)
		return drop(REASON_table_full);
	now = clock_ticks(c);
	host_key(&key, inside);
	index = table_search(&key);
	host = record_at(index);
	if (likely(host && station_is_of(host->host.station, hop)))
		return verdict(ACTION_FORWARD, REASON_forwarded, index);
	at = station_index(hop, now);
	station = record_at(at);
	if (!station)
		return drop(REASON_table_full);
	if (!station_takes_host(c, station, hop, inside))
		return drop(REASON_station_limit);
	if (!host) {
		index = host_add(&key, now);
		host = record_at(index);
		if (!host)
			return drop(REASON_table_full);
	}
	station_take(station, at, &host->host);
	return verdict(ACTION_FORWARD, REASON_forwarded, index);
}

static __always_inline __u32 station_rate(const struct config *c, const struct next_hop *hop)
{
	__u64 rate =
		(__u64)c->new_per_second * (hop->flags & NEXT_HOP_RESOLVED ? STATION_SHARES : 1);

	return rate < TOKENS_MOST ? rate : TOKENS_MOST;
}

/* What the host's own quota leaves, may its station have it? Why not, or REASON_forwarded. */
static __always_inline enum reason station_admit(const struct config *c, struct record *station,
						 __u32 hop_index, __be32 inside, __u32 now)
{
	const struct next_hop *hop = next_hop_at(hop_index);

	if (!hop || !station)
		return REASON_table_full;
	if (!station_has_room(c, hop, inside, READ_ONCE(station->host.sessions),
			      c->sessions_per_host, c->sessions_limit))
		return REASON_station_limit;
	if (!gateway_has_room(c, station, now))
		return REASON_newcomers_limit;
	if (!host_take_token(c, &station->host, station_rate(c, hop), now))
		return REASON_station_limit;
	return REASON_forwarded;
}

/* As host_admit(), for the host's record @index. */
SEPARATE verdict_t host_admit_known(__be32 inside, __u32 hop, __u32 index)
{
	const struct config *c = config_get();
	struct record *r = record_at(index);
	enum reason reason;
	__u32 now;

	if (!c || !r)
		return drop(REASON_table_full);
	if (READ_ONCE(r->host.sessions) >= c->sessions_per_host)
		return drop(REASON_host_sessions);
	now = clock_ticks(c);
	if (!host_take_token(c, &r->host, c->new_per_second, now))
		return drop(REASON_host_rate);
	reason = station_admit(c, record_at(r->host.station), hop, inside, now);
	return reason == REASON_forwarded ? verdict(ACTION_FORWARD, REASON_forwarded, index)
					  : drop(reason);
}

/*
 * May @inside, whose way is the next hop @hop, open one more session? FORWARD's
 * index: its record; else why not.
 */
static __always_inline verdict_t host_admit(__be32 inside, __u32 hop)
{
	verdict_t v = host_of_station(inside, hop);

	return verdict_action(v) == ACTION_FORWARD ? host_admit_known(inside, hop, verdict_index(v))
						   : v;
}

/* Have the station of the host record @host, and the gateway, room for one mapping more? */
static __always_inline bool station_has_mapping(const struct config *c, const struct record *host,
						__u32 hop_index, __be32 inside)
{
	const struct record *station = record_at(host->host.station);
	const struct next_hop *hop = next_hop_at(hop_index);

	return hop && station &&
	       station_has_room(c, hop, inside, READ_ONCE(station->host.mappings),
				c->mappings_per_host, PORTS_IN_ALL);
}

/* --- counts ------------------------------------------------------------------------------ */

static __always_inline struct record *station_of(const struct host *host)
{
	struct record *r = record_at(host->station);

	return r && r->key.kind == KIND_STATION ? r : NULL;
}

/* One session more for the host record @index, and for its station. */
SEPARATE __u32 host_counts_session(__u32 index)
{
	struct record *host = record_at(index), *station;

	if (!host)
		return false;
	station = station_of(&host->host);
	__sync_fetch_and_add(&host->host.sessions, 1);
	if (station)
		__sync_fetch_and_add(&station->host.sessions, 1);
	return true;
}

static __always_inline void host_counts_mapping(struct config *c, struct host *host)
{
	struct record *station = station_of(host);

	__sync_fetch_and_add(&host->mappings, 1);
	__sync_fetch_and_add(&c->mappings_used, 1);
	if (station)
		__sync_fetch_and_add(&station->host.mappings, 1);
}

static __always_inline void host_loses_session(struct host *host)
{
	struct record *station = station_of(host);

	count_less(&host->sessions);
	if (station)
		count_less(&station->host.sessions);
}

/* Context: the sweeper; the host's record has just ended. */
static __always_inline void station_forget_host(const struct host *host)
{
	struct record *station = station_of(host);

	if (station)
		count_less(&station->host.hosts);
}

static __always_inline void host_loses_mapping(struct host *host)
{
	struct record *station = station_of(host);

	count_less(&host->mappings);
	if (station)
		count_less(&station->host.mappings);
}

#endif
