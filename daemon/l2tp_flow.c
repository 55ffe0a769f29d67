/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/l2tp_flow.h"

#include <errno.h>

#include "core/memory.h"

#include "core/gateway.h"
#include "daemon/expiry.h"
#include "daemon/l2tp_ports.h"
#include "daemon/tunnels.h"

bool l2tp_flow_is_over_ip(const struct connection *flow)
{
	return flow->key.protocol == PROTOCOL_L2TP;
}

static struct record *flow_session(const struct connection *flow)
{
	struct record *orig =
		l2tp_flow_is_over_ip(flow) ? NULL : table_find(arena.config, &flow->key);

	return orig && orig->session.created == flow->created ? orig : NULL;
}

uint32_t l2tp_flow_reply(const struct connection *flow)
{
	const struct record *orig = flow_session(flow);

	return orig ? l2tp_port_reply(orig) : NO_RECORD;
}

bool l2tp_flow_is_translated(const struct connection *flow)
{
	for (unsigned int i = 0; i < CONNECTION_IDS; i++)
		if (flow->ids[i].state >= ID_ARMED && flow->ids[i].external != flow->ids[i].inside)
			return true;
	return false;
}

bool l2tp_flow_is_apart(const struct connection *flow, const struct connection_id *id)
{
	const struct record *orig = flow_session(flow);

	return id->external == id->inside &&
	       (!orig || orig->session.new_id != host_to_be16(PORT_L2TP));
}

/* --- arming -------------------------------------------------------------------------- */

static struct tunnel id_tunnel(const struct connection *flow, const struct connection_id *id)
{
	return (struct tunnel){.protocol = PROTOCOL_L2TP,
			       .inside = flow->key.local,
			       .remote = flow->key.remote,
			       .inside_id = id->inside,
			       .external_id = id->external,
			       .remote_id = id->remote,
			       .next_hop_in = flow->next_hop_in,
			       .next_hop_out = flow->next_hop_out,
			       .inbound_only = !id->has_remote,
			       .is_control = id->space == HELPER_ID_CALL};
}

/* RFC 3931: before the server has named its id, control messages to it carry 0. */
static struct tunnel request_tunnel(const struct connection *flow, const struct connection_id *id)
{
	struct tunnel tunnel = id_tunnel(flow, id);

	tunnel.remote_id = 0;
	tunnel.inbound_only = false;
	return tunnel;
}

static int arm_ip(const struct connection *flow, const struct connection_id *id, uint32_t now)
{
	struct tunnel tunnel = id_tunnel(flow, id), request = request_tunnel(flow, id);
	int err = tunnel_arm_inbound(&tunnel, now);

	if (!err && tunnel.is_control)
		err = tunnel_arm_outbound(&request, now);
	return err;
}

/* On a port of its own, under its own number, a tunnel needs nothing. */
static int arm_udp(const struct connection *flow, const struct connection_id *id, uint32_t now)
{
	struct record *orig = flow_session(flow), *reply = orig ? record_partner(orig) : NULL;
	bool shared = orig && l2tp_port_is_shared(orig);
	int err;

	if (!reply)
		return -ESTALE;
	if (!shared && id->external == id->inside)
		return 0;
	err = l2tp_tunnel_arm(reply, id->external, id->inside, now);
	if (!err && !shared)
		l2tp_port_translate(orig);
	return err;
}

int l2tp_flow_arm(const struct connection *flow, const struct connection_id *id, uint32_t now)
{
	return l2tp_flow_is_over_ip(flow) ? arm_ip(flow, id, now) : arm_udp(flow, id, now);
}

/* Over UDP nothing outbound hangs on the server's id. */
int l2tp_flow_peer(const struct connection *flow, const struct connection_id *id, uint32_t now)
{
	struct tunnel tunnel = id_tunnel(flow, id);

	if (!l2tp_flow_is_over_ip(flow) || id->state != ID_ARMED)
		return 0;
	return tunnel_arm_outbound(&tunnel, now);
}

void l2tp_flow_disarm(const struct connection *flow, const struct connection_id *id, uint32_t now)
{
	struct tunnel tunnel = id_tunnel(flow, id), request = request_tunnel(flow, id);

	if (!l2tp_flow_is_over_ip(flow)) {
		if (id->external != id->inside)
			l2tp_tunnel_disarm(flow->key.remote, id->external, flow->key.local);
		return;
	}
	tunnel_disarm(&tunnel, now);
	if (tunnel.is_control)
		tunnel_disarm(&request, now);
}

/* --- the end ----------------------------------------------------------------------------- */

/* The tick of the last packet of any of its tunnels. */
static uint32_t flow_last_seen(const struct connection *flow)
{
	uint32_t last = flow->last_seen;

	for (unsigned int i = 0; i < CONNECTION_IDS; i++) {
		struct tunnel tunnel = id_tunnel(flow, &flow->ids[i]);

		if (flow->ids[i].state == ID_ARMED)
			last = tunnel_last_seen(&tunnel, last);
	}
	return last;
}

bool l2tp_flow_is_over(const struct connection *flow, uint32_t now)
{
	if (!l2tp_flow_is_over_ip(flow))
		return !flow_session(flow);
	return ticks_since(now, flow_last_seen(flow)) > arena.config->timeouts[TIMEOUT_L2TP];
}

/* --- without ids ------------------------------------------------------------------------- */

struct outcome l2tp_flow_begin_alone(const struct connection *flow, uint32_t now)
{
	struct session_plan plan = {.orig = flow->key,
				    .class = CLASS_L2TP,
				    .timeout = timeout_of(PROTOCOL_L2TP, CLASS_L2TP),
				    .next_hop_out = flow->next_hop_out,
				    .next_hop_in = flow->next_hop_in,
				    .now = now};
	verdict_t host = host_admit(flow->key.local, flow->next_hop_in);

	if (verdict_action(host) != ACTION_FORWARD)
		return outcome_of(verdict_reason(host));
	plan.reply = plan.orig;
	plan.reply.kind = KIND_SESSION_REPLY;
	plan.reply.local = arena.config->external;
	return session_begin(arena.config, &plan, verdict_index(host));
}
