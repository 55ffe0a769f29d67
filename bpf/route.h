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

/* Answers an enum route_result. */
SEPARATE __u32 BACKEND_NAME(route_of)(packet_context *context, __u32 ifindex, __be32 destination,
				      struct route *route)
{
	struct bpf_fib_lookup fib = {
		.family = FAMILY_IPV4,
		.tot_len = 1, /* makes the kernel say the route's MTU */
		.ifindex = ifindex,
		.ipv4_dst = destination,
	};
	long result;

	if (!route)
		return ROUTE_STACK;
	result = bpf_fib_lookup(context, &fib, sizeof(fib), 0);
	if (result != BPF_FIB_LKUP_RET_SUCCESS && result != BPF_FIB_LKUP_RET_NO_NEIGH)
		return ROUTE_STACK;
	route->ifindex = fib.ifindex;
	route->next_hop = fib.ipv4_dst;
	if (result == BPF_FIB_LKUP_RET_NO_NEIGH)
		return ROUTE_UNRESOLVED;
	route->mtu = fib.mtu_result;
	__builtin_memcpy(route->destination, fib.dmac, 6);
	__builtin_memcpy(route->source, fib.smac, 6);
	return ROUTE_RESOLVED;
}

#endif
