/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways that the kernel's routing table has lately answered: next hop towards an
 * address, by where the packet came in (rules of the kernel may ask for that).
 *
 * Two look-ups in the kernel are a fifth of what a new flow costs. An answer
 * counts for a second, and only while the daemon has seen no route change: also
 * with a dead daemon new flows follow the kernel's routes. It is exact: one
 * address, no prefix, or a route to a part of the prefix would be missed.
 *
 * Context: any; new flows. Two words of an entry may come from two writers;
 * then what they say together is of no generation that there is.
 */
#ifndef WAYLEAVE_CORE_KNOWN_ROUTE_H
#define WAYLEAVE_CORE_KNOWN_ROUTE_H

#include "core/next_hop.h"

/* The address is elsewhere than where it was wanted. */
#define WAY_ELSEWHERE 0xffffffffu

#define ANY_BUT_THE_WAN 0xffffffffu /* for a wanted ifindex; 0 is a WAN that is not there */

/* The interface that the way back to @source leads through; 0: this machine, or none. */
SEPARATE __u32 BACKEND_NAME(route_back)(packet_context *context, __u32 ifindex, __be32 source)
{
	struct packet p = {.context = context, .ifindex = ifindex};
	struct route back = {};

	return route_lookup(&p, source, &back) == ROUTE_STACK ? 0 : back.ifindex;
}

static __always_inline __u64 route_where(__u32 ifindex, __be32 address)
{
	return (__u64)ifindex << 32 | address;
}

static __always_inline __u64 where_hash(const struct config *c, __u64 where)
{
	return (where ^ c->hash_key[0]) * 0x9e3779b97f4a7c15ull;
}

static __always_inline struct known_route *known_route_of(__u64 hash)
{
	return known_route_at(hash >> 32 & (KNOWN_ROUTES - 1));
}

/* The next hop, or NO_NEXT_HOP: ask the kernel. */
static __always_inline __u32 known_route_find(const struct config *c, __u64 where, __u32 now)
{
	__u64 hash = where_hash(c, where), answer;
	const struct known_route *known = known_route_of(hash);

	if (!known || READ_ONCE(known->where) != where)
		return NO_NEXT_HOP;
	answer = READ_ONCE(known->answer) ^ hash;
	if ((__u16)(answer >> 16) != c->route_generation || ticks_passed(now, answer >> 32, c->hz))
		return NO_NEXT_HOP;
	return (__u16)answer;
}

static __always_inline void known_route_note(const struct config *c, __u64 where, __u32 hop,
					     __u32 now)
{
	__u64 hash = where_hash(c, where);
	struct known_route *known = known_route_of(hash);

	if (!known)
		return;
	WRITE_ONCE(known->where, where);
	WRITE_ONCE(known->answer,
		   ((__u64)now << 32 | (__u32)c->route_generation << 16 | hop) ^ hash);
}

static __always_inline bool leads_there(const struct config *c, __u32 ifindex, __u32 wanted)
{
	return wanted == ANY_BUT_THE_WAN ? ifindex != c->wan_ifindex : ifindex == wanted;
}

/*
 * The next hop from interface @ifindex towards @address, if it leaves by the
 * interface @wanted. WAY_ELSEWHERE: it does not; NO_NEXT_HOP: ask the kernel.
 */
static __always_inline __u32 way_known(const struct config *c, __u32 ifindex, __be32 address,
				       __u32 wanted)
{
	__u32 hop = known_route_find(c, route_where(ifindex, address), clock_ticks(c));
	const struct next_hop *known = next_hop_at(hop);

	if (hop == NO_NEXT_HOP || !known)
		return NO_NEXT_HOP;
	return leads_there(c, known->ifindex, wanted) ? hop : WAY_ELSEWHERE;
}

/* The same, asked for. NO_NEXT_HOP: there is no room for one more. */
SEPARATE __u32 BACKEND_NAME(way_ask)(packet_context *context, __u32 ifindex, __be32 address,
				     __u32 wanted)
{
	struct packet p = {.context = context, .ifindex = ifindex};
	const struct config *c = config_get();
	enum route_result result;
	struct route route = {};
	__u32 hop;

	if (!c)
		return NO_NEXT_HOP;
	result = route_lookup(&p, address, &route);
	if (result == ROUTE_STACK || !leads_there(c, route.ifindex, wanted))
		return WAY_ELSEWHERE;
	hop = next_hop_for(&route, result);
	if (result == ROUTE_RESOLVED)
		known_route_note(c, route_where(ifindex, address), hop, clock_ticks(c));
	return hop;
}

/* Two ways in one number: towards the remote and towards the inside. */
static __always_inline __u64 ways_pack(__u32 out, __u32 in)
{
	return (__u64)out << 32 | in;
}

/*
 * The ways of a new flow from interface @ifindex towards @remote, by the WAN,
 * and @inside, by the interface @inside_wanted; what is known of them.
 */
SEPARATE __u64 ways_known(__u32 ifindex, __be32 remote, __be32 inside, __u32 inside_wanted)
{
	const struct config *c = config_get();

	if (!c)
		return 0;
	return ways_pack(way_known(c, ifindex, remote, c->wan_ifindex),
			 way_known(c, ifindex, inside, inside_wanted));
}

/* The same, asked for where they are not known. */
static __always_inline __u64 ways_find(struct packet *p, const struct config *c, __be32 remote,
				       __be32 inside, __u32 inside_wanted)
{
	__u64 ways = ways_known(p->ifindex, remote, inside, inside_wanted);
	__u32 out = ways >> 32, in = ways;

	if (unlikely(out == NO_NEXT_HOP))
		out = BACKEND_NAME(way_ask)(p->context, p->ifindex, remote, c->wan_ifindex);
	if (unlikely(in == NO_NEXT_HOP))
		in = BACKEND_NAME(way_ask)(p->context, p->ifindex, inside, inside_wanted);
	return ways_pack(out, in);
}

#endif
