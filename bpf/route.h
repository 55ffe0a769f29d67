/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's routing table and neighbours, for both back ends, which define
 * packet_context and BACKEND_NAME() before. New flows only.
 */
#ifndef WAYLEAVE_BPF_ROUTE_H
#define WAYLEAVE_BPF_ROUTE_H

#include "bpf/maps.h"
#include "core/bytes.h"

#define FAMILY_IPV4 2

static __always_inline void fib_ask(struct bpf_fib_lookup *fib, const struct query *query)
{
	*fib = (struct bpf_fib_lookup){
		.family = FAMILY_IPV4,
		.l4_protocol = query->protocol,
		.sport = query->source_port,
		.dport = query->destination_port,
		.ifindex = query->ifindex,
		.tos = query->tos,
		.ipv4_src = query->source,
		.ipv4_dst = query->destination,
	};
}

/*
 * Of an interface that is none of ours: XDP's look-up does not say it. The metric has been
 * read, and lends its place: the stack is short.
 */
static __always_inline __u16 device_mtu(packet_context *context, struct bpf_fib_lookup *fib)
{
	if (fib->mtu_result)
		return fib->mtu_result;
	fib->rt_metric = 0;
	return bpf_check_mtu(context, fib->ifindex, &fib->rt_metric, 0, 0) < 0 ? 0 : fib->rt_metric;
}

/*
 * Answers are asked for as from the WAN. Its device may have gone, and the daemon that would
 * say so as well: then as from where the packet came in.
 */
static __always_inline long fib_call(packet_context *context, struct bpf_fib_lookup *fib,
				     __u32 flags)
{
	long result = bpf_fib_lookup(context, fib, sizeof(*fib), flags);

	if (likely(result >= 0))
		return result;
	fib->ifindex = context->ingress_ifindex;
	return bpf_fib_lookup(context, fib, sizeof(*fib), flags);
}

static __always_inline bool fib_found(long result)
{
	return result == BPF_FIB_LKUP_RET_SUCCESS || result == BPF_FIB_LKUP_RET_NO_NEIGH ||
	       result == BPF_FIB_LKUP_RET_FRAG_NEEDED;
}

/*
 * Without a length in the query the kernel compares the packet with the interface's MTU,
 * in TC: what is too big has its route all the same.
 */
static __always_inline __u32 fib_answer(packet_context *context, struct bpf_fib_lookup *fib,
					__u32 flags, struct route *route)
{
	long result = fib_call(context, fib, flags);

	if (!fib_found(result))
		return ROUTE_STACK;
	route->ifindex = fib->ifindex;
	route->next_hop = fib->ipv4_dst;
	route->priority = fib->rt_metric;
	route->mtu = 0;
	route->device_mtu = device_mtu(context, fib);
	if (result == BPF_FIB_LKUP_RET_NO_NEIGH)
		return ROUTE_UNRESOLVED;
	__builtin_memcpy(route->destination, fib->dmac, 6);
	__builtin_memcpy(route->source, fib->smac, 6);
	return ROUTE_RESOLVED;
}

/* Answers an enum route_result. */
SEPARATE __u32 BACKEND_NAME(route_of)(packet_context *context, const struct query *query,
				      struct route *route)
{
	struct bpf_fib_lookup fib;

	if (!route || !query)
		return ROUTE_STACK;
	fib_ask(&fib, query);
	return fib_answer(context, &fib, 0, route);
}

/* Only the interface that the route leads through; 0: this machine, or none. */
SEPARATE __u32 BACKEND_NAME(interface_of)(packet_context *context, const struct query *query)
{
	struct bpf_fib_lookup fib;

	if (!query)
		return 0;
	fib_ask(&fib, query);
	return fib_found(fib_call(context, &fib, 0)) ? fib.ifindex : 0;
}

/* The neighbour itself, for its MAC address: no rule is asked where it is. */
SEPARATE __u32 BACKEND_NAME(neighbour_of)(packet_context *context, __u32 ifindex, __be32 address,
					  struct route *route)
{
	struct bpf_fib_lookup fib = {
		.family = FAMILY_IPV4, .ifindex = ifindex, .ipv4_dst = address};

	if (!route)
		return ROUTE_STACK;
	return fib_answer(context, &fib, BPF_FIB_LOOKUP_DIRECT, route);
}

/*
 * By which MTU the kernel's own stack would forward: with what it has learned of the path,
 * and without an MTU of the route that is not locked. 0: it would not.
 */
SEPARATE __u32 BACKEND_NAME(stack_mtu_of)(packet_context *context, const struct query *query)
{
	struct bpf_fib_lookup fib;
	long result;

	if (!query)
		return 0;
	fib_ask(&fib, query);
	fib.tot_len = 1; /* makes the kernel say it */
	result = bpf_fib_lookup(context, &fib, sizeof(fib), 0);
	return result == BPF_FIB_LKUP_RET_SUCCESS ? fib.mtu_result : 0;
}

#endif
