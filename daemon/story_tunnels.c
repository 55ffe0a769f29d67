/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/story_tunnels.h"

#include <stdio.h>
#include <string.h>

/* The list of tunnels may turn within a pass: one pass without it proves nothing. */
#define PASSES_GONE 2

static const char *member(const json_t *document, const char *name)
{
	const char *text = json_string_value(json_object_get(document, name));

	return text ? text : "";
}

/* On their way, or asleep: neither is news, and both come and go. */
static bool is_news(const char *state)
{
	return strcmp(state, "connecting") != 0 && strcmp(state, "stale") != 0;
}

static struct story_tunnel *tunnel_find(struct story_tunnels *all, const json_t *document)
{
	for (unsigned int i = 0; i < all->count; i++)
		if (strcmp(all->tunnel[i].device, member(document, "device")) == 0 &&
		    strcmp(all->tunnel[i].server, member(document, "server")) == 0 &&
		    strcmp(all->tunnel[i].kind, member(document, "kind")) == 0)
			return &all->tunnel[i];
	return NULL;
}

/* NULL: as many as can be followed are. */
static struct story_tunnel *tunnel_get(struct story_tunnels *all, const json_t *document)
{
	struct story_tunnel *tunnel = tunnel_find(all, document);

	if (tunnel || all->count == STORY_TUNNELS)
		return tunnel;
	tunnel = &all->tunnel[all->count++];
	*tunnel = (struct story_tunnel){0};
	snprintf(tunnel->device, sizeof(tunnel->device), "%s", member(document, "device"));
	snprintf(tunnel->server, sizeof(tunnel->server), "%s", member(document, "server"));
	snprintf(tunnel->kind, sizeof(tunnel->kind), "%s", member(document, "kind"));
	return tunnel;
}

static bool share_take(struct story_tunnels *all, const char *device, time_t now_s)
{
	unsigned int share = 0;

	if (now_s - all->spent_since_s >= STORY_SHARE_S) {
		memset(all->spent, 0, sizeof(all->spent));
		all->spent_since_s = now_s;
	}
	for (; *device; device++)
		share = share * 31 + (unsigned char)*device;
	share %= STORY_SHARES;
	if (all->spent[share] == STORY_SHARE)
		return false;
	all->spent[share]++;
	return true;
}

static json_t *facts_of(const struct story_tunnel *tunnel)
{
	return json_pack("{s:s, s:s, s:s}", "device", tunnel->device, "protocol", tunnel->kind,
			 "server", tunnel->server);
}

json_t *story_tunnel_seen(struct story_tunnels *all, const json_t *document, time_t now_s,
			  const char **action)
{
	const char *state = member(document, "state");
	struct story_tunnel *tunnel = tunnel_get(all, document);
	json_t *facts, *name = json_object_get(document, "device_name");

	if (!tunnel)
		return NULL;
	tunnel->pass = all->pass;
	if (!is_news(state) || strcmp(tunnel->told, state) == 0)
		return NULL;
	snprintf(tunnel->told, sizeof(tunnel->told), "%s", state);
	if (now_s < all->silent_until_s || !share_take(all, tunnel->device, now_s))
		return NULL;
	facts = facts_of(tunnel);
	if (name)
		json_object_set(facts, "device_name", name);
	json_object_set(facts, "why", json_array_get(json_object_get(document, "evidence"), 0));
	*action = state;
	return facts;
}

json_t *story_tunnel_gone(struct story_tunnels *all, time_t now_s)
{
	for (unsigned int i = 0; i < all->count; i++) {
		struct story_tunnel gone = all->tunnel[i];

		if (all->pass - gone.pass < PASSES_GONE)
			continue;
		all->tunnel[i--] = all->tunnel[--all->count];
		if (strcmp(gone.told, "up") == 0 && share_take(all, gone.device, now_s))
			return facts_of(&gone);
	}
	return NULL;
}

void story_pass_over(struct story_tunnels *all)
{
	all->pass++;
}
