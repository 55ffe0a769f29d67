/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tunnels without their control traffic, for tests and benches. */
#include "daemon/call_ids.h"
#include "daemon/gateway.h"
#include "daemon/show_pages.h"
#include "daemon/tunnels.h"

/* Next hops of both directions from the routing table. */
static int tunnel_routes(struct tunnel *tunnel)
{
	struct route out = {0}, in = {0};
	enum route_result to_remote = arena.route(0, tunnel->remote, &out);
	enum route_result to_inside = arena.route(0, tunnel->inside, &in);

	if (to_remote == ROUTE_STACK || to_inside == ROUTE_STACK)
		return -EHOSTUNREACH;
	tunnel->next_hop_out = next_hop_for(&out, to_remote);
	tunnel->next_hop_in = next_hop_for(&in, to_inside);
	return tunnel->next_hop_out && tunnel->next_hop_in ? 0 : -ENOSPC;
}

static uint32_t free_id(const struct tunnel *tunnel)
{
	uint32_t id = 1 + arena.random() % 0xfff0;

	while (id < 0x10000 && tunnel_id_in_use(tunnel->protocol, tunnel->remote, id))
		id++;
	return id;
}

static int tunnel_make(struct tunnel *tunnel, uint32_t now)
{
	int err;

	if (!tunnel->external_id)
		tunnel->external_id =
			tunnel->protocol == PROTOCOL_ESP ? tunnel->inside_id : free_id(tunnel);
	err = tunnel_arm_inbound(tunnel, now);
	return err ? err : tunnel_arm_outbound(tunnel, now);
}

static struct tunnel tunnel_asked(const struct ctl_arm *arm, uint32_t offset)
{
	return (struct tunnel){
		.protocol = arm->kind == CTL_ARM_ESP ? PROTOCOL_ESP : PROTOCOL_GRE,
		.inside = arm->inside.s_addr,
		.remote = arm->remote.s_addr,
		.inside_id = arm->inside_id + offset,
		.external_id = arm->external_id ? arm->external_id + offset : 0,
		.remote_id = arm->remote_id + offset,
	};
}

int show_arm(void *daemon, const struct ctl_arm *arm, json_t **result)
{
	uint32_t now = clock_ticks(arena.config), made = 0, first = 0;
	struct tunnel ways = tunnel_asked(arm, 0);
	int err = arena.config->external ? tunnel_routes(&ways) : -ENETDOWN;

	for (; made < arm->count && !err; made++) {
		struct tunnel tunnel = tunnel_asked(arm, made);

		tunnel.next_hop_in = ways.next_hop_in;
		tunnel.next_hop_out = ways.next_hop_out;
		err = tunnel_make(&tunnel, now);
		if (err)
			break;
		first = made ? first : tunnel.external_id;
	}
	if (!made)
		return err;
	*result = json_pack("{s:i, s:i}", "armed", (int)made, "external_id", (int)first);
	return *result ? 0 : -ENOMEM;
}
