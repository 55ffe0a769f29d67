/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules by firewall mark (ip rule add fwmark ...): the mark is set by netfilter, behind the
 * data plane's hooks, so nobody knows here whether such a rule would take a packet. What it
 * might take is refused, for it must not leave by the WAN instead.
 *
 * Context: any; new flows while there is such a rule.
 */
#ifndef WAYLEAVE_CORE_MARKED_ROUTE_H
#define WAYLEAVE_CORE_MARKED_ROUTE_H

#include "core/backend.h"
#include "core/bytes.h"

static __always_inline bool port_is_within(__be16 port, __u16 first, __u16 last)
{
	__u16 n = be16_to_host(port);

	return !last || (n >= first && n <= last);
}

static __always_inline bool marked_route_takes(const struct config *c,
					       const struct marked_route *rule,
					       const struct query *q)
{
	if (rule->ifindex ? rule->ifindex != q->ifindex : q->ifindex == c->wan_ifindex)
		return false;
	return (q->source & rule->source_mask) == rule->source &&
	       (q->destination & rule->destination_mask) == rule->destination &&
	       (!rule->protocol || rule->protocol == q->protocol) &&
	       (q->tos & rule->tos_mask) == rule->tos &&
	       port_is_within(q->source_port, rule->source_first, rule->source_last) &&
	       port_is_within(q->destination_port, rule->destination_first, rule->destination_last);
}

struct marked_search {
	struct query query;
	__u32 found;
};

static long marked_route_step(__u32 index, void *context)
{
	const struct marked_route *rule = marked_route_at(index);
	struct marked_search *search = context;
	const struct config *c = config_get();

	if (!rule || !c)
		return 1;
	search->found = marked_route_takes(c, rule, &search->query);
	return search->found;
}

/* Might a rule by mark take what @query is about another way than by the WAN? */
SEPARATE __u32 is_marked_elsewhere(const struct query *query)
{
	const struct config *c = config_get();
	struct marked_search search = {};

	if (!c || !query)
		return false;
	search.query = *query;
	bounded_loop(c->marked_routes, marked_route_step, &search);
	return search.found;
}

#endif
