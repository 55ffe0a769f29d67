/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/story.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/gateway.h"
#include "daemon/monotonic.h"
#include "daemon/show_pages.h"
#include "daemon/story_tunnels.h"

#define TUNNELS_AT_ONCE 100 /* a second; the loop has other work */
#define SILENT_S	30  /* by then the sweeper has seen all that an earlier run has left */

/* The WAN as the history has it. */
struct wan_seen {
	__be32 address;
	bool carrier;
	bool routed;
	__be32 next_hop; /* 0 where routed: on the link */
};

struct story {
	struct wan_seen wan;
	uint64_t cursor; /* of `show vpn` */
	struct story_tunnels tunnels;
};

/* --- the WAN ---------------------------------------------------------------------------- */

/* What daemon/line.h has seen this second. */
static struct wan_seen wan_look(const struct gateway *gateway)
{
	const struct line *line = &gateway->line;

	return (struct wan_seen){.address = gateway->plane.config->external,
				 .carrier = line->carrier,
				 .routed = line->route,
				 .next_hop = line->next_hop};
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
	const struct wan_seen before = story->wan, now = wan_look(gateway);

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

static void tunnels_gone_tell(struct gateway *gateway, struct story_tunnels *tunnels)
{
	json_t *facts;

	while ((facts = story_tunnel_gone(tunnels, monotonic_s())))
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
		facts = story_tunnel_seen(&story->tunnels, document, monotonic_s(), &action);
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
		story->tunnels.silent_until_s = monotonic_s() + SILENT_S;
	story->wan = wan_look(gateway);
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
