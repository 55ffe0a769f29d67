/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MTU that belongs to a route and not to its interface (ip route ... mtu N): it counts
 * for what the route leads to and for nothing else. What the gateway's own kernel has learned
 * of the path to one destination does not count for anybody who is forwarded, as with
 * Linux's ip_forward_use_pmtu=0: it can be forged, and is the sender's to learn.
 *
 * Context: any; new flows while there is such a route.
 */
#ifndef WAYLEAVE_CORE_ROUTE_MTU_H
#define WAYLEAVE_CORE_ROUTE_MTU_H

#include "core/backend.h"
#include "core/bytes.h"

struct route_mtu_search {
	__be32 destination;
	/* the route that the kernel has found */
	__u32 ifindex;
	__be32 next_hop;
	__u32 priority;
	__u32 table; /* its most specific route was there; 0: none yet */
	__u32 mtu;   /* the smallest so far; 0: none */
};

/* Could @entry be the route that was found? */
static __always_inline bool route_mtu_fits(const struct route_mtu *entry,
					   const struct route_mtu_search *search)
{
	__be32 next_hop = entry->next_hop ? entry->next_hop : search->destination;

	return (search->destination & entry->mask) == entry->prefix &&
	       entry->ifindex == search->ifindex && next_hop == search->next_hop &&
	       (entry->priority == search->priority || search->priority == ANY_PRIORITY);
}

static long route_mtu_step(__u32 index, void *context)
{
	const struct route_mtu *entry = route_mtu_at(index);
	struct route_mtu_search *search = context;

	if (!entry)
		return 1;
	if (entry->table == search->table || !route_mtu_fits(entry, search))
		return 0;
	search->table = entry->table;
	if (entry->mtu && (!search->mtu || entry->mtu < search->mtu))
		search->mtu = entry->mtu;
	return 0;
}

/*
 * The own MTU of the route to @destination that the kernel has found; 0: it has none. Where
 * several tables have the like of it, the smallest.
 */
SEPARATE __u32 route_mtu_find(__be32 destination, const struct route *route)
{
	struct route_mtu_search search = {.destination = destination};
	const struct config *c = config_get();

	if (!c || !route)
		return 0;
	search.ifindex = route->ifindex;
	search.next_hop = route->next_hop;
	search.priority = route->priority;
	bounded_loop(c->route_mtus, route_mtu_step, &search);
	return search.mtu;
}

#endif
