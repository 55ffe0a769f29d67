/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/story.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/gateway.h"
#include "daemon/route_table.h"
#include "daemon/show_pages.h"
#include "daemon/story_tunnels.h"

#define TUNNELS_AT_ONCE 100 /* a second; the loop has other work */
#define ROUTES_EVERY_S	5
#define SILENT_S	30 /* by then the sweeper has seen all that an earlier run has left */

/* The WAN as it was told last. */
struct wan_seen {
	__be32 address;
	bool carrier;
	bool routed;
	__be32 next_hop; /* 0 where routed: on the link */
};

struct story {
	struct wan_seen wan;
	uint16_t route_generation;
	unsigned int routes_wait_s;
	uint64_t cursor; /* of `show vpn` */
	struct story_tunnels tunnels;
};

/* --- the WAN ---------------------------------------------------------------------------- */

struct default_route {
	bool found;
	uint32_t priority;
	__be32 gateway;
};

static void route_look(void *context, const struct table_route *route)
{
	struct default_route *best = context;

	if (route->table != RT_TABLE_MAIN || route->length || route->type != RTN_UNICAST ||
	    (best->found && best->priority <= route->priority))
		return;
	*best = (struct default_route){true, route->priority, route->gateway};
}

static void next_hop_read(struct gateway *gateway, struct wan_seen *wan)
{
	struct default_route best = {0};

	if (table_routes_read(&gateway->netlink, route_look, &best))
		return;
	wan->routed = best.found;
	wan->next_hop = best.gateway;
}

static struct wan_seen wan_look(struct gateway *gateway, struct story *story)
{
	const struct link *link = &gateway->links.link[0];
	struct wan_seen now = story->wan;
	uint16_t generation = gateway->plane.config->route_generation;

	now.address = gateway->plane.config->external;
	now.carrier = link->ifindex && link->up;
	if (story->routes_wait_s)
		story->routes_wait_s--;
	else if (story->route_generation != generation) {
		story->route_generation = generation;
		story->routes_wait_s = ROUTES_EVERY_S;
		next_hop_read(gateway, &now);
	}
	return now;
}

static json_t *address_json(__be32 address)
{
	char text[INET_ADDRSTRLEN];

	return address ? json_string(inet_ntop(AF_INET, &address, text, sizeof(text))) : NULL;
}

/* Before and after are left out where there is none. */
static void address_tell(struct gateway *gateway, const char *action, json_t *before, json_t *after)
{
	ctl_history_event(gateway->audit, "wan", action,
			  json_pack("{s:s, s:o*, s:o*}", "interface", gateway->links.link[0].name,
				    "before", before, "after", after));
}

static json_t *hop_json(const struct wan_seen *wan)
{
	if (wan->routed && !wan->next_hop)
		return json_string("on the link");
	return wan->routed ? address_json(wan->next_hop) : NULL;
}

static void wan_tell(struct gateway *gateway, struct story *story)
{
	const struct wan_seen before = story->wan, now = wan_look(gateway, story);

	story->wan = now;
	if (before.carrier != now.carrier)
		ctl_history_event(gateway->audit, "wan", "carrier",
				  json_pack("{s:s, s:b}", "interface", gateway->links.link[0].name,
					    "up", now.carrier));
	if (before.address != now.address)
		address_tell(gateway, "address", address_json(before.address),
			     address_json(now.address));
	if (before.routed != now.routed || before.next_hop != now.next_hop)
		address_tell(gateway, "next-hop", hop_json(&before), hop_json(&now));
}

/* --- tunnels ---------------------------------------------------------------------------- */

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void tunnels_gone_tell(struct gateway *gateway, struct story_tunnels *tunnels)
{
	json_t *facts;

	while ((facts = story_tunnel_gone(tunnels, now_s())))
		ctl_history_event(gateway->audit, "tunnel", "ended", facts);
	story_pass_over(tunnels);
}

static void tunnels_tell(struct gateway *gateway, struct story *story)
{
	const struct ctl_query query = {.cursor = story->cursor, .limit = TUNNELS_AT_ONCE};
	json_t *items = json_array(), *document, *facts;
	const char *action;
	uint64_t next = 0;
	size_t i;

	if (show_vpns(gateway, &query, items, &next)) {
		json_decref(items);
		return;
	}
	json_array_foreach (items, i, document) {
		facts = story_tunnel_seen(&story->tunnels, document, now_s(), &action);
		if (facts)
			ctl_history_event(gateway->audit, "tunnel", action, facts);
	}
	json_decref(items);
	story->cursor = next;
	if (!next)
		tunnels_gone_tell(gateway, &story->tunnels);
}

/* --- the life ----------------------------------------------------------------------------- */

struct story *story_begin(struct gateway *gateway)
{
	struct story *story = calloc(1, sizeof(*story));

	if (!story)
		return NULL;
	if (gateway->plane.adopted)
		story->tunnels.silent_until_s = now_s() + SILENT_S;
	story->route_generation = gateway->plane.config->route_generation - 1;
	story->wan = wan_look(gateway, story);
	ctl_history_event(gateway->audit, "gateway", "start",
			  json_pack("{s:s, s:o*, s:o*}", "interface", gateway->links.link[0].name,
				    "address", address_json(story->wan.address), "next_hop",
				    hop_json(&story->wan)));
	return story;
}

void story_end(struct gateway *gateway, struct story *story)
{
	if (story)
		ctl_history_event(gateway->audit, "gateway", "stop", NULL);
	free(story);
}

void story_tend(struct gateway *gateway, struct story *story)
{
	if (!story)
		return;
	wan_tell(gateway, story);
	tunnels_tell(gateway, story);
}
