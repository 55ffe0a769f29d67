/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/line.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"

#include "core/ticks.h"
#include "daemon/addresses.h"
#include "daemon/gateway.h"
#include "daemon/neighbours.h"
#include "daemon/sweeper.h"

/* --- the default route ------------------------------------------------------------------ */

/*
 * Looked up, not sent to: addresses of two halves of the internet, since some programs
 * make two routes of one (0.0.0.0/1, 128.0.0.0/1). A full table is never read.
 */
static const __be32 far_away[] = {host_to_be32(0x01020304), host_to_be32(0xc8010203)};

/* Does what QUERY asks for leave by the WAN? Notes its next hop. */
static bool route_takes(struct line *line, const struct query *query, uint32_t wan_ifindex)
{
	struct route route = {0};

	if (arena.route(query, &route) == ROUTE_STACK || route.ifindex != wan_ifindex)
		return false;
	line->next_hop = route.next_hop == query->destination ? 0 : route.next_hop;
	return true;
}

/* Rules may send the inside by the WAN, and the gateway itself another way. */
static bool route_of_lan(struct gateway *gateway, const struct link *lan, __be32 destination)
{
	struct query query = {.destination = destination, .ifindex = lan->ifindex};
	__be32 own = 0;

	if (!lan->ifindex || addresses_choose(&gateway->netlink, lan->ifindex, &own) || !own)
		return false;
	query.source = own ^ host_to_be32(1); /* a neighbour's: its own would be no packet's */
	return route_takes(&gateway->line, &query, gateway->links.link[0].ifindex);
}

static bool route_of_any(struct gateway *gateway, __be32 destination)
{
	const struct query query = {.destination = destination};

	if (route_takes(&gateway->line, &query, gateway->links.link[0].ifindex))
		return true;
	for (unsigned int i = 1; i < gateway->links.count && arena.config->rules; i++)
		if (route_of_lan(gateway, &gateway->links.link[i], destination))
			return true;
	return false;
}

static void route_look(struct gateway *gateway)
{
	struct line *line = &gateway->line;
	__be32 before = line->next_hop;

	line->route = false;
	line->next_hop = 0;
	for (size_t i = 0; i < sizeof(far_away) / sizeof(*far_away) && !line->route; i++)
		line->route = gateway->links.link[0].ifindex && route_of_any(gateway, far_away[i]);
	if (line->next_hop != before)
		line->neighbour = NEIGHBOUR_UNKNOWN; /* what is known is the other one's */
}

/* --- the next hop ------------------------------------------------------------------------- */

#define NUD_ANSWERED (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)

/* Between a question and its answer what was known stays. */
enum line_neighbour line_neighbour_next(enum line_neighbour before, const struct line_entry *entry)
{
	if (before == NEIGHBOUR_NONE)
		before = NEIGHBOUR_UNKNOWN;
	if (entry->state & NUD_FAILED)
		return NEIGHBOUR_SILENT;
	if (entry->state & NUD_ANSWERED && entry->confirmed_s <= LINE_FRESH_SECONDS)
		return NEIGHBOUR_ANSWERS;
	if (!(entry->state & (NUD_ANSWERED | NUD_INCOMPLETE)))
		return NEIGHBOUR_UNKNOWN; /* made by hand, or none */
	return before;
}

static bool is_fresh(const struct line *line)
{
	return line->heard && ticks_since(line->looked_at, line->heard_at) <=
				      LINE_FRESH_SECONDS * arena.config->hz;
}

static bool is_time_to_ask(const struct line *line, const struct line_entry *entry)
{
	return !(entry->state & (NUD_PERMANENT | NUD_NOARP | NUD_INCOMPLETE | NUD_PROBE)) &&
	       (!entry->state || entry->state & NUD_FAILED ||
		entry->confirmed_s >= LINE_ASK_SECONDS) &&
	       ticks_passed(line->looked_at, line->asked_at, LINE_ASK_SECONDS * arena.config->hz);
}

static void neighbour_look(struct line *line, struct gateway *gateway)
{
	const struct link *wan = &gateway->links.link[0];
	struct line_entry entry = {0};

	if (link_is_bare(wan) || !line->next_hop) {
		line->neighbour = line->route ? NEIGHBOUR_NONE : NEIGHBOUR_UNKNOWN;
		return;
	}
	neighbour_entry(&gateway->netlink, wan->ifindex, line->next_hop, &entry);
	line->neighbour = line_neighbour_next(line->neighbour, &entry);
	if (is_fresh(line) || !line->carrier || !line->address || !is_time_to_ask(line, &entry))
		return;
	line->asked_at = line->looked_at;
	neighbour_probe(&gateway->netlink, wan->ifindex, line->next_hop, &entry);
}

/* --- all of it ------------------------------------------------------------------------------- */

void line_tend(struct gateway *gateway, uint32_t now)
{
	const struct link *wan = &gateway->links.link[0];
	struct line *line = &gateway->line;

	line->looked_at = now;
	line->carrier = wan->ifindex && wan->up;
	line->address = gateway->plane.config->external != 0;
	line->heard = sweeper_heard(gateway->sweeper, &line->heard_at);
	route_look(gateway);
	neighbour_look(line, gateway);
}

/* A session's packet proves more than ARP: it outweighs a neighbour that does not answer. */
static bool is_down(const struct line *line)
{
	return !line->carrier || !line->address || !line->route ||
	       (line->neighbour == NEIGHBOUR_SILENT && !is_fresh(line));
}

const char *line_state(const struct line *line)
{
	if (is_down(line))
		return "down";
	return is_fresh(line) ? "online" : "not-checked";
}

static const char *line_why(const struct line *line)
{
	if (!line->carrier)
		return "The WAN interface has no carrier, or is down.";
	if (!line->address)
		return "The WAN interface has no address.";
	if (!line->route)
		return "There is no default route by the WAN.";
	if (is_fresh(line))
		return "Replies arrive.";
	if (line->neighbour == NEIGHBOUR_SILENT)
		return "The provider's router does not answer.";
	if (line->neighbour == NEIGHBOUR_ANSWERS)
		return "The provider's router answers; nothing has come from beyond it lately.";
	return "Nothing has come from the internet lately.";
}

static const char *neighbour_word(enum line_neighbour neighbour)
{
	static const char *const words[] = {[NEIGHBOUR_UNKNOWN] = "not-checked",
					    [NEIGHBOUR_NONE] = "none",
					    [NEIGHBOUR_ANSWERS] = "answers",
					    [NEIGHBOUR_SILENT] = "silent"};

	return words[neighbour];
}

json_t *line_json(const struct line *line)
{
	char text[INET_ADDRSTRLEN];
	json_t *json =
		json_pack("{s:s, s:b, s:b, s:b, s:b, s:s, s:s}", "state", line_state(line),
			  "online", !strcmp(line_state(line), "online"), "carrier", line->carrier,
			  "address", line->address, "route", line->route, "neighbour",
			  neighbour_word(line->neighbour), "why", line_why(line));

	if (json && line->next_hop)
		json_object_set_new(
			json, "next_hop",
			json_string(inet_ntop(AF_INET, &line->next_hop, text, sizeof(text))));
	if (json && line->heard)
		json_object_set_new(json, "heard_s",
				    json_integer(ticks_since(line->looked_at, line->heard_at) /
						 arena.config->hz));
	return json;
}
