/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways that the kernel's routing table has lately answered: next hop by query
 * (core/query.h), which holds all that the kernel's rules ask for.
 *
 * Two look-ups in the kernel are a fifth of what a new flow costs. An answer
 * counts for a second, and only while the daemon has seen no change of routes or
 * rules: also with a dead daemon new flows follow the kernel's. It is exact: one
 * address, no prefix, or a route to a part of the prefix would be missed.
 *
 * Context: any; new flows. Words of an entry may come from several writers; then
 * what they say together is of no generation that there is.
 */
#ifndef WAYLEAVE_CORE_KNOWN_ROUTE_H
#define WAYLEAVE_CORE_KNOWN_ROUTE_H

#include "core/marked_route.h"
#include "core/next_hop.h"
#include "core/query.h"
#include "core/route_mtu.h"

/* What stands in place of a next hop. */
#define WAY_ELSEWHERE 0xffffffffu /* the address is elsewhere than where it was wanted */
#define WAY_MARKED    0xfffffffeu /* a firewall's mark might lead elsewhere */

#define WAY_NOT_OURS 0xfffffffdu /* the interface that it came by is not ours any more */

/* Is @way what stands in place of a next hop? */
static __always_inline bool is_no_way(__u32 way)
{
	return way >= WAY_NOT_OURS;
}

#define ANY_BUT_THE_WAN 0xffffffffu /* for a wanted ifindex; 0 is a WAN that is not there */

/*
 * The interface that the way back to @source, who speaks on interface @ifindex, leads
 * through; 0: this machine, or none. Asked as of packets from the WAN: rules about those
 * from @ifindex are for what goes the other way.
 */
SEPARATE __u32 BACKEND_NAME(route_back)(packet_context *context, __u32 ifindex, __be32 source)
{
	struct packet p = {.context = context};
	const struct config *c = config_get();
	struct query q = {.destination = source, .ifindex = ifindex};

	if (c && c->wan_ifindex)
		q.ifindex = c->wan_ifindex;
	return route_interface(&p, &q);
}

/* Of @q what tells answers apart: the interface, the destination and what rules ask for. */
static __always_inline __u64 query_word(const struct config *c, const struct query *q, int word)
{
	return word ? q->word[word] & c->asked[word - 1] : q->word[0];
}

static __always_inline __u64 query_hash(const struct config *c, const struct query *q)
{
	__u64 hash = (q->word[0] ^ c->hash_key[0]) * 0x9e3779b97f4a7c15ull;

	if (likely(!c->asked[0]))
		return hash;
	hash = ((hash ^ hash >> 32) + query_word(c, q, 1)) * 0x9e3779b97f4a7c15ull;
	return ((hash ^ hash >> 32) + query_word(c, q, 2)) * 0x9e3779b97f4a7c15ull;
}

static __always_inline struct known_route *known_route_of(__u64 hash)
{
	return known_route_at(hash >> 32 & (KNOWN_ROUTES - 1));
}

static __always_inline bool known_route_is(const struct config *c, const struct known_route *known,
					   const struct query *q)
{
	__u64 differs = READ_ONCE(known->query[0]) ^ query_word(c, q, 0);

	differs |= READ_ONCE(known->query[1]) ^ query_word(c, q, 1);
	differs |= READ_ONCE(known->query[2]) ^ query_word(c, q, 2);
	return !differs;
}

/* The next hop, or NO_NEXT_HOP: ask the kernel. */
static __always_inline __u32 known_route_find(const struct config *c, const struct query *q,
					      __u32 now)
{
	__u64 hash = query_hash(c, q), answer;
	const struct known_route *known = known_route_of(hash);

	if (!known || !known_route_is(c, known, q))
		return NO_NEXT_HOP;
	answer = READ_ONCE(known->answer) ^ hash;
	if ((__u16)(answer >> 16) != c->route_generation || ticks_passed(now, answer >> 32, c->hz))
		return NO_NEXT_HOP;
	return (__u16)answer;
}

static __always_inline void known_route_note(const struct config *c, const struct query *q,
					     __u32 hop, __u32 now)
{
	__u64 hash = query_hash(c, q);
	struct known_route *known = known_route_of(hash);

	if (!known)
		return;
	WRITE_ONCE(known->query[0], query_word(c, q, 0));
	WRITE_ONCE(known->query[1], query_word(c, q, 1));
	WRITE_ONCE(known->query[2], query_word(c, q, 2));
	WRITE_ONCE(known->answer,
		   ((__u64)now << 32 | (__u32)c->route_generation << 16 | hop) ^ hash);
}

static __always_inline bool leads_there(const struct config *c, __u32 ifindex, __u32 wanted)
{
	return wanted == ANY_BUT_THE_WAN ? ifindex != c->wan_ifindex : ifindex == wanted;
}

/*
 * What is asked for a new flow whose first packet is @f, as the packet goes, or as its
 * answers do. @mapping: of a flow that begins outside, by which its destination is found.
 */
static __always_inline void flow_query(struct query *q, const struct facts *f,
				       const struct record *mapping, __u32 ifindex, bool back)
{
	__be32 to = mapping ? mapping->mapping.new_local : f->destination;
	__be16 to_port = mapping ? mapping->mapping.new_id : f->destination_id;
	bool ports = has_ports(f->protocol);

	*q = (struct query){
		.destination = back ? f->source : to,
		.ifindex = ifindex,
		.source = back ? to : f->source,
		.source_port = !ports ? 0
			       : back ? to_port
				      : f->source_id,
		.destination_port = !ports ? 0
				    : back ? f->source_id
					   : to_port,
		.protocol = f->protocol,
		.tos = back ? 0 : f->tos, /* nobody knows what answers will have */
	};
}

/* Ways by the WAN lead to the remote: as a packet from inside goes, and as answers to others. */
static __always_inline bool is_way_back(const struct config *c, const struct record *mapping,
					__u32 wanted)
{
	return (mapping != NULL) == (wanted == c->wan_ifindex);
}

/*
 * The next hop that is known for @q, if it leaves by the interface @wanted.
 * WAY_ELSEWHERE: it does not; NO_NEXT_HOP: ask the kernel.
 */
static __always_inline __u32 way_known(const struct config *c, const struct query *q, __u32 wanted)
{
	__u32 hop = known_route_find(c, q, clock_ticks(c));
	const struct next_hop *known = next_hop_at(hop);

	if (hop == NO_NEXT_HOP || !known)
		return NO_NEXT_HOP;
	if (!leads_there(c, known->ifindex, wanted))
		return WAY_ELSEWHERE;
	return unlikely(c->marked_routes) && is_marked_elsewhere(q) ? WAY_MARKED : hop;
}

/* The kernel's answer, with the MTU that is the route's own. */
static __always_inline enum route_result route_ask(struct packet *p, const struct config *c,
						   const struct query *q, struct route *route)
{
	enum route_result result = route_lookup(p, q, route);

	if (unlikely(c->route_mtus) && result != ROUTE_STACK)
		route->mtu = route_mtu_find(q->destination, route);
	return result;
}

/*
 * The same, asked for, of the flow that @f begins: from interface @ifindex by the interface
 * @wanted. NO_NEXT_HOP: there is no room for one more.
 */
SEPARATE __u32 BACKEND_NAME(way_ask)(packet_context *context, const struct facts *f, __u32 mapping,
				     __u32 ifindex, __u32 wanted)
{
	struct packet p = {.context = context};
	const struct record *r = record_at(mapping);
	const struct config *c = config_get();
	enum route_result result;
	struct route route = {};
	struct query q;
	__u32 hop;

	if (!c || !f)
		return NO_NEXT_HOP;
	flow_query(&q, f, r, ifindex, is_way_back(c, r, wanted));
	result = route_ask(&p, c, &q, &route);
	if (result == ROUTE_STACK || !leads_there(c, route.ifindex, wanted))
		return WAY_ELSEWHERE;
	if (!neighbour_admit(&route, result == ROUTE_RESOLVED))
		return NO_NEXT_HOP;
	hop = next_hop_for(&route, result);
	if (result == ROUTE_RESOLVED)
		known_route_note(c, &q, hop, clock_ticks(c));
	return unlikely(c->marked_routes) && is_marked_elsewhere(&q) ? WAY_MARKED : hop;
}

/* Two ways in one number: towards the remote and towards the inside. */
static __always_inline __u64 ways_pack(__u32 out, __u32 in)
{
	return (__u64)out << 32 | in;
}

static __always_inline __u32 way_ifindex(__u32 way)
{
	const struct next_hop *hop = is_no_way(way) ? NULL : next_hop_at(way);

	return hop ? hop->ifindex : 0;
}

/* Where answers come from: the WAN; while there is none, @ifindex, for a LAN is one without it too.
 */
static __always_inline __u32 way_back_from(const struct config *c, __u32 ifindex)
{
	return c->wan_ifindex ? c->wan_ifindex : ifindex;
}

/*
 * What is known of the ways of a flow that @f, from interface @ifindex, begins inside: to
 * the remote by the WAN, and back, of packets from the WAN, by the interface it came from.
 */
SEPARATE __u64 outbound_ways_known(const struct facts *f, __u32 ifindex)
{
	const struct config *c = config_get();
	struct query q;
	__u32 out;

	if (!c || !f)
		return 0;
	if (unlikely(interface_is_elsewhere(ifindex)))
		return ways_pack(WAY_NOT_OURS, WAY_NOT_OURS);
	flow_query(&q, f, NULL, ifindex, false);
	out = way_known(c, &q, c->wan_ifindex);
	flow_query(&q, f, NULL, way_back_from(c, ifindex), true);
	return ways_pack(out, way_known(c, &q, ifindex));
}

/* The same, asked for where they are not known. */
static __always_inline __u64 outbound_ways(struct packet *p, const struct config *c,
					   const struct facts *f)
{
	__u64 ways = outbound_ways_known(f, p->ifindex);
	__u32 out = ways >> 32, in = ways;

	if (unlikely(out == NO_NEXT_HOP))
		out = BACKEND_NAME(way_ask)(p->context, f, NO_RECORD, p->ifindex, c->wan_ifindex);
	if (unlikely(in == NO_NEXT_HOP))
		in = BACKEND_NAME(way_ask)(p->context, f, NO_RECORD, way_back_from(c, p->ifindex),
					   p->ifindex);
	return ways_pack(out, in);
}

/*
 * Of a flow that begins outside and is for the inside host of @mapping: to it by any
 * interface but the WAN, and of its answers, from that interface, by the WAN.
 */
SEPARATE __u64 inbound_ways_known(const struct facts *f, __u32 mapping, __u32 ifindex)
{
	const struct record *r = record_at(mapping);
	const struct config *c = config_get();
	struct query q;
	__u32 in;

	if (!c || !f || !r)
		return 0;
	if (unlikely(interface_is_elsewhere(ifindex)))
		return ways_pack(WAY_NOT_OURS, WAY_NOT_OURS);
	flow_query(&q, f, r, ifindex, false);
	in = way_known(c, &q, ANY_BUT_THE_WAN);
	flow_query(&q, f, r, way_ifindex(in), true);
	return ways_pack(way_ifindex(in) ? way_known(c, &q, c->wan_ifindex) : NO_NEXT_HOP, in);
}

static __always_inline __u64 inbound_ways(struct packet *p, const struct config *c,
					  const struct facts *f, __u32 mapping)
{
	__u64 ways = inbound_ways_known(f, mapping, p->ifindex);
	__u32 out = ways >> 32, in = ways;

	if (unlikely(in == NO_NEXT_HOP))
		in = BACKEND_NAME(way_ask)(p->context, f, mapping, p->ifindex, ANY_BUT_THE_WAN);
	if (unlikely(out == NO_NEXT_HOP))
		out = BACKEND_NAME(way_ask)(p->context, f, mapping, way_ifindex(in),
					    c->wan_ifindex);
	return ways_pack(out, in);
}

#endif
