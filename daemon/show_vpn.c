/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `show vpn`: tunnels of the last sweep, with why each is shown as it is. */
#include <stdio.h>

#include "daemon/connections.h"
#include "daemon/esp_flows.h"
#include "daemon/ike_flows.h"
#include "daemon/l2tp_flows.h"
#include "daemon/names.h"
#include "daemon/rekeys.h"
#include "daemon/roster.h"
#include "daemon/show_limits.h"
#include "daemon/show_pages.h"
#include "daemon/show_words.h"
#include "daemon/sweeper.h"
#include "daemon/tunnel_state.h"

/* --- states ---------------------------------------------------------------------------- */

static const struct connections *connections_of(const struct gateway *gateway, uint8_t class)
{
	if (class == CLASS_PPTP)
		return gateway->pptp;
	return class == CLASS_L2TP ? l2tp_flows_connections(gateway->l2tp) : NULL;
}

static void state_tell(struct tunnel_state *state, const struct gateway *gateway,
		       const struct roster_tunnel *tunnel, uint32_t now)
{
	const struct connections *all = connections_of(gateway, tunnel->class);
	struct complaint complaint;
	struct tunnel_facts facts = {
		.tunnel = tunnel,
		.blocked = is_blocked(arena.config, tunnel->class),
		.hung_up = all && connections_hung_up(all, tunnel->inside, tunnel->remote),
		.now = now,
	};

	if (tunnel_complaint(&complaint, tunnel->class, tunnel->inside, tunnel->remote))
		facts.complaint = &complaint;
	tunnel_state_tell(state, &facts);
}

/* --- details: the ids, where somebody wants to compare them with a capture --------------- */

static void pair_detail(json_t *list, const struct record *orig)
{
	const struct record *reply = orig->partner == NO_RECORD ? NULL : record_at(orig->partner);
	char number[4];
	json_t *item = json_object();

	json_object_set_new(item, "protocol",
			    json_string(show_protocol(orig->key.protocol, number)));
	if (orig->key.id_type == ID_PORTS) {
		json_object_set_new(item, "inside_port",
				    json_integer(be16_to_host(orig->key.local_id)));
		json_object_set_new(item, "external_port",
				    json_integer(be16_to_host(orig->session.new_id)));
		json_object_set_new(item, "server_port",
				    json_integer(be16_to_host(orig->key.remote_id)));
	} else if (orig->key.id_type == ID_SPI) {
		json_object_set_new(item, "spi_out", json_integer(be32_to_host(orig->key.id)));
		if (reply)
			json_object_set_new(item, "spi_in",
					    json_integer(be32_to_host(reply->key.id)));
	} else if (orig->key.id_type == ID_KEY) {
		json_object_set_new(item, "key", json_integer(be32_to_host(orig->key.id)));
	} else if (orig->key.id_type == ID_CALL) {
		json_object_set_new(item, "call_id_server",
				    json_integer(be16_to_host(orig->key.local_id)));
		json_object_set_new(item, "call_id_external",
				    json_integer(be16_to_host(orig->session.new_id)));
		if (reply)
			json_object_set_new(item, "call_id_device",
					    json_integer(be16_to_host(reply->session.new_id)));
	}
	json_array_append_new(list, item);
}

/* Takes LIST; one without items is left out. */
static void list_set(json_t *object, const char *name, json_t *list)
{
	if (json_array_size(list))
		json_object_set_new(object, name, list);
	else
		json_decref(list);
}

/* Plain ESP: which SPIs are known to be this device's, and by what. */
static void ipsec_detail(json_t *object, const struct gateway *gateway,
			 const struct roster_tunnel *tunnel)
{
	list_set(object, "pairs", esp_flows_json(gateway->esp, tunnel->inside, tunnel->remote));
	json_object_set_new(object, "ike_port",
			    json_string(ike_flows_strategy(gateway->ike, tunnel->remote)));
}

/* What the helper has met in its control messages. */
static void helper_detail(json_t *object, const struct connections *connections,
			  const struct roster_tunnel *tunnel)
{
	list_set(object, "helper_notes",
		 connections_met_json(connections, tunnel->inside, tunnel->remote));
}

/* What its tunnels call themselves, and what they go by outside. */
static void l2tp_detail(json_t *object, const struct gateway *gateway,
			const struct roster_tunnel *tunnel)
{
	list_set(object, "tunnels", l2tp_flows_json(gateway->l2tp, tunnel->inside, tunnel->remote));
	json_object_set_new(object, "l2tp_port",
			    json_string(l2tp_flows_habit(gateway->l2tp, tunnel->remote)));
	helper_detail(object, l2tp_flows_connections(gateway->l2tp), tunnel);
}

/* The roster is some seconds old: what has ended since is passed over. */
static json_t *detail(const struct gateway *gateway, const struct roster_tunnel *tunnel)
{
	json_t *object = json_object(), *list = json_array();
	uint32_t rekey_s =
		rekey_interval_s(gateway->rekeys, tunnel->class, tunnel->inside, tunnel->remote);

	for (uint32_t i = 0; i < tunnel->sessions && i < ROSTER_SESSIONS; i++) {
		const struct record *r = record_at(tunnel->index[i]);

		if (r && record_state(r) == SLOT_LIVE && r->key.kind == KIND_SESSION_ORIG &&
		    r->key.local == tunnel->inside && r->key.remote == tunnel->remote)
			pair_detail(list, r);
	}
	if (rekey_s)
		json_object_set_new(object, "rekey_interval_s", json_integer(rekey_s));
	json_object_set_new(object, "sessions", list);
	json_object_set_new(object, "session_count", json_integer(tunnel->sessions));
	if (tunnel->class == CLASS_IPSEC)
		ipsec_detail(object, gateway, tunnel);
	else if (tunnel->class == CLASS_L2TP)
		l2tp_detail(object, gateway, tunnel);
	else if (tunnel->class == CLASS_PPTP)
		helper_detail(object, gateway->pptp, tunnel);
	return object;
}

/* --- the page ---------------------------------------------------------------------------- */

static bool is_asked(const struct ctl_query *query, const struct roster_tunnel *tunnel)
{
	if (query->class && strcmp(query->class, show_class(tunnel->class)))
		return false;
	if (query->inside.s_addr && query->inside.s_addr != tunnel->inside)
		return false;
	return !query->remote.s_addr || query->remote.s_addr == tunnel->remote;
}

/* All tunnels of the last pass. */
struct tunnels {
	const struct roster_tunnel *tunnel;
	size_t count;
};

static json_t *evidence(const struct gateway *gateway, const struct roster_tunnel *tunnel,
			const struct tunnel_state *state)
{
	json_t *sentences = json_pack("[s]", state->why);

	if (*state->complaint)
		json_array_append_new(sentences, json_string(state->complaint));
	if (tunnel->class == CLASS_L2TP &&
	    l2tp_flows_hides(gateway->l2tp, tunnel->inside, tunnel->remote))
		json_array_append_new(
			sentences,
			json_string("Its tunnel id is hidden, signed or of version 3: if another "
				    "device has chosen the same, it cannot be replaced."));
	return sentences;
}

static json_t *document(const struct gateway *gateway, const struct tunnels *all,
			const struct roster_tunnel *tunnel, uint32_t now)
{
	json_t *limit = limit_of_server(all->tunnel, all->count, tunnel, now);
	struct tunnel_state state;
	struct ctl_vpn vpn = {
		.device = {.s_addr = tunnel->inside},
		.device_name = names_of(gateway->names, tunnel->inside).name,
		.kind = show_class(tunnel->class),
		.server = {.s_addr = tunnel->remote},
		.age_s = show_seconds(ticks_since(now, tunnel->created)),
		.idle_s = show_seconds(ticks_since(now, tunnel->last_seen)),
		.traffic = show_traffic(&tunnel->traffic),
		.detail = detail(gateway, tunnel),
	};

	state_tell(&state, gateway, tunnel, now);
	vpn.state = limit ? "failed" : state.word;
	vpn.evidence = limit ? limit : evidence(gateway, tunnel, &state);
	return ctl_vpn_json(&vpn);
}

static int tunnels_show(const struct gateway *gateway, const struct tunnels *all,
			const struct ctl_query *query, json_t *items, size_t *at)
{
	uint32_t now = clock_ticks(arena.config), found = 0;

	for (; *at < all->count && found < query->limit; (*at)++) {
		if (!is_asked(query, &all->tunnel[*at]))
			continue;
		if (json_array_append_new(items, document(gateway, all, &all->tunnel[*at], now)))
			return -ENOMEM;
		found++;
	}
	return 0;
}

/* Behind the last tunnel, few enough for one page. */
static int refusals_show(const struct gateway *gateway, const struct ctl_query *query,
			 json_t *items)
{
	uint32_t now = clock_ticks(arena.config);
	const struct refusal *refusal;

	for (size_t n = 0; (refusal = refusals_nth(&gateway->refusals, n, now)); n++) {
		struct roster_tunnel like = {.class = limit_class(refusal),
					     .inside = refusal->inside,
					     .remote = refusal->remote};

		if (is_asked(query, &like) &&
		    json_array_append_new(items, limit_refusal(refusal, now)))
			return -ENOMEM;
	}
	return 0;
}

int show_vpns(void *daemon, const struct ctl_query *query, json_t *items, uint64_t *next)
{
	struct gateway *gateway = daemon;
	struct tunnels all;
	size_t at = query->cursor;
	int err;

	all.tunnel = roster_tunnels(sweeper_roster(gateway->sweeper), &all.count);
	err = tunnels_show(gateway, &all, query, items, &at);
	*next = at < all.count ? at : 0;
	return err || *next ? err : refusals_show(gateway, query, items);
}
