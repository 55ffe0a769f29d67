/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Next hops: made from the kernel's routing table when a flow begins or the
 * routes have changed, so that a hit needs no look-up there. Context: any.
 */
#ifndef WAYLEAVE_CORE_NEXT_HOP_H
#define WAYLEAVE_CORE_NEXT_HOP_H

#include "core/shared_words.h"
#include "core/station.h"

#define NO_NEXT_HOP 0
/* In a session: none, for routes or rules lead elsewhere. No index, and no used one as modulo. */
#define NEXT_HOP_ELSEWHERE 0xf000
#define MTU_UNKNOWN	   1500 /* RFC 894: Ethernet's */

static __always_inline const struct interface *interface_find(__u32 ifindex)
{
	for (__u32 i = 0; i < INTERFACES; i++) {
		const struct interface *interface;

		compiler_barrier();
		interface = interface_at(i);
		if (interface && interface->ifindex == ifindex)
			return interface;
	}
	return NULL;
}

/*
 * Has the interface gone to another network namespace? The kernel leaves our programs on it,
 * and what they do not know there is not theirs to drop. @ifindex: there.
 */
SEPARATE __u32 interface_is_elsewhere(__u32 ifindex)
{
	const struct config *c = config_get();
	bool elsewhere = false;

	for (__u32 i = 0; c && i < ELSEWHERE; i++)
		elsewhere |= c->elsewhere[i] == ifindex;
	return elsewhere && ifindex && !interface_find(ifindex);
}

static __always_inline void next_hop_key(struct record_key *key, __u32 ifindex, __be32 address,
					 __u16 mtu)
{
	*key = (struct record_key){
		.remote = address,
		.local = ifindex,
		.id = mtu,
		.kind = KIND_NEXT_HOP,
	};
}

/* A route's own MTU narrows what its interface carries, and never widens it. */
static __always_inline __u16 next_hop_mtu(const struct route *route,
					  const struct interface *interface)
{
	__u16 mtu = interface ? interface->mtu : route->device_mtu;

	if (!mtu)
		mtu = MTU_UNKNOWN;
	return route->mtu && route->mtu < mtu ? route->mtu : mtu;
}

static __always_inline void next_hop_refresh(struct next_hop *hop, const struct route *route,
					     enum route_result result, __u32 now)
{
	hop->last_chosen = now;
	if (result != ROUTE_RESOLVED)
		return;
	next_hop_set_destination(hop, route->destination);
	next_hop_set_source(hop, route->source);
}

/* A free entry, held by its ifindex; NO_NEXT_HOP when 64 neighbours of the start are taken. */
static __always_inline __u32 next_hop_take(__u32 ifindex, __u32 start)
{
	for (__u32 i = 0; i < 64; i++) {
		__u32 index = (start + i) & (NEXT_HOPS - 1);
		struct next_hop *hop;

		compiler_barrier();
		hop = next_hop_at(index);
		if (index == NO_NEXT_HOP || !hop || READ_ONCE(hop->ifindex))
			continue;
		if (__sync_val_compare_and_swap(&hop->ifindex, 0, ifindex) == 0)
			return index;
	}
	return NO_NEXT_HOP;
}

static __always_inline __u8 next_hop_flags(__u8 interface)
{
	return (interface & INTERFACE_BARE ? NEXT_HOP_BARE | NEXT_HOP_RESOLVED : 0) |
	       (interface & INTERFACE_LAN ? NEXT_HOP_INSIDE : 0) |
	       (interface & INTERFACE_XDP ? NEXT_HOP_XDP : 0);
}

static __always_inline void next_hop_count(void)
{
	struct config *c = config_get();

	if (c)
		__sync_fetch_and_add(&c->next_hops_used, 1);
}

/* The next hop that another processor is just making. */
static __always_inline __u32 next_hop_await(const struct record_key *key)
{
	const struct record *r = record_at(await_here(key));

	return r ? r->next_hop_index.index : NO_NEXT_HOP;
}

/* The new index, or another processor's; NO_NEXT_HOP: there is no room. */
static __always_inline __u32 next_hop_add(const struct record_key *key, const struct route *route,
					  const struct interface *interface,
					  enum route_result result, __u32 now)
{
	enum claim_result claimed;
	struct next_hop *hop;
	__u32 at, index;
	struct record *r;

	index = next_hop_take(route->ifindex, random_u32());
	hop = next_hop_at(index);
	if (index == NO_NEXT_HOP || !hop)
		return NO_NEXT_HOP;
	hop->address = key->remote;
	hop->flags = next_hop_flags(interface ? interface->flags : 0);
	hop->mtu = key->id;
	next_hop_refresh(hop, route, result, now);
	claimed = table_claim(key, &at); /* last: little is live across the call, stack is scarce */
	r = claimed == CLAIM_OK ? record_at(at) : NULL;
	if (!r) {
		WRITE_ONCE(hop->ifindex, 0);
		return claimed == CLAIM_EXISTS ? next_hop_await(key) : NO_NEXT_HOP;
	}
	r->next_hop_index.index = index;
	table_publish(r);
	next_hop_count();
	return index;
}

/* Has the neighbour that @route leads to a next hop, or is it on no LAN, where none counts? */
SEPARATE __u32 neighbour_is_free(const struct route *route)
{
	const struct interface *interface;
	struct record_key key;

	if (!route)
		return false;
	interface = interface_find(route->ifindex);
	if (!interface || (interface->flags & (INTERFACE_LAN | INTERFACE_BARE)) != INTERFACE_LAN)
		return true;
	next_hop_key(&key, route->ifindex, route->next_hop, next_hop_mtu(route, interface));
	return table_search(&key) != NO_RECORD;
}

/* Index of the station of the neighbour that @route leads to, or NO_RECORD. */
SEPARATE __u32 neighbour_station(const struct route *route, __u32 resolved)
{
	const struct config *c = config_get();
	struct record_key key;

	if (!route || !c)
		return NO_RECORD;
	station_key(&key, route->ifindex, route->destination, resolved);
	return quota_index(&key, clock_ticks(c));
}

/* May the station @index have one next hop more? Counts it. */
SEPARATE __u32 station_takes_hop(__u32 index)
{
	struct record *station = record_at(index);
	const struct config *c = config_get();

	if (!station || !c)
		return false;
	if (READ_ONCE(station->host.neighbours) >=
	    (station_is_resolved(station) ? STATION_HOSTS : UNRESOLVED_HOSTS))
		return false;
	if (is_reserve(READ_ONCE(c->next_hops_used), NEXT_HOPS) &&
	    !station_is_known(c, station, clock_ticks(c)))
		return false;
	__sync_fetch_and_add(&station->host.neighbours, 1);
	return true;
}

/*
 * May the neighbour that @route leads to have a next hop? Asked for what is on a LAN
 * before that is made, and before the host has a record. One that has one may.
 */
static __always_inline bool neighbour_admit(const struct route *route, bool resolved)
{
	return neighbour_is_free(route) || station_takes_hop(neighbour_station(route, resolved));
}

/*
 * Index of the next hop of @route, made where it is new. @result: enum
 * route_result. NO_NEXT_HOP: the table is full.
 */
SEPARATE __u32 next_hop_for(const struct route *route, __u32 result)
{
	const struct config *c = config_get();
	const struct interface *interface;
	struct record_key key;
	struct next_hop *hop;
	struct record *r;

	if (!c || !route)
		return NO_NEXT_HOP;
	interface = interface_find(route->ifindex);
	/* behind a device without neighbours all addresses are one next hop */
	next_hop_key(&key, route->ifindex,
		     interface && interface->flags & INTERFACE_BARE ? 0 : route->next_hop,
		     next_hop_mtu(route, interface));
	r = record_at(table_search(&key));
	if (!r)
		return next_hop_add(&key, route, interface, result, clock_ticks(c));
	hop = next_hop_at(r->next_hop_index.index);
	if (hop)
		next_hop_refresh(hop, route, result, clock_ticks(c));
	return r->next_hop_index.index;
}

#endif
