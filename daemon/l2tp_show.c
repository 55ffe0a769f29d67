/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `show vpn` says of L2TP flows over UDP. */
#include "core/memory.h"

#include "daemon/connections.h"
#include "daemon/l2tp_flow.h"
#include "daemon/l2tp_flows.h"

static const struct connection *next_over_udp(const struct l2tp_flows *flows,
					      const struct connection *flow, __be32 inside,
					      __be32 remote)
{
	while ((flow = connections_next(l2tp_flows_connections(flows), flow)))
		if (!l2tp_flow_is_over_ip(flow) && flow->key.local == inside &&
		    flow->key.remote == remote)
			return flow;
	return NULL;
}

static void tunnels_add(json_t *list, const struct connection *flow)
{
	for (unsigned int i = 0; i < CONNECTION_IDS; i++) {
		const struct connection_id *id = &flow->ids[i];
		json_t *item;

		if (id->state != ID_ARMED)
			continue;
		item = json_pack("{s:i}", "tunnel_id", id->inside);
		if (id->external != id->inside)
			json_object_set_new(item, "external_tunnel_id", json_integer(id->external));
		json_array_append_new(list, item);
	}
}

json_t *l2tp_flows_json(const struct l2tp_flows *flows, __be32 inside, __be32 remote)
{
	const struct connection *flow = NULL;
	json_t *list = json_array();

	while ((flow = next_over_udp(flows, flow, inside, remote)))
		tunnels_add(list, flow);
	return list;
}

bool l2tp_flows_hides(const struct l2tp_flows *flows, __be32 inside, __be32 remote)
{
	const struct connection *flow = NULL;

	while ((flow = next_over_udp(flows, flow, inside, remote)))
		if (flow->watch.hidden)
			return true;
	return false;
}
