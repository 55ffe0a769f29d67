/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/pptp_flows.h"

#include "core/memory.h"
#include "core/session.h"
#include "daemon/connections.h"
#include "daemon/reinject.h"
#include "daemon/tunnels.h"

#define CONNECTIONS	    1024 /* with assistance at the same time */
#define CONNECTIONS_OF_HOST 256	 /* so that one host does not keep all others from dialling */

/* --- calls --------------------------------------------------------------------------- */

static struct tunnel call_tunnel(const struct connection *flow, const struct connection_id *call)
{
	return (struct tunnel){.protocol = PROTOCOL_GRE,
			       .inside = flow->key.local,
			       .remote = flow->key.remote,
			       .inside_id = call->inside,
			       .external_id = call->external,
			       .remote_id = call->remote,
			       .inbound_only = !call->has_remote};
}

/* The way of the control connection is the way of its calls. */
static struct tunnel call_tunnel_routed(const struct connection *flow,
					const struct connection_id *call)
{
	const struct record *orig = table_find(arena.config, &flow->key), *reply;
	struct tunnel tunnel = call_tunnel(flow, call);

	if (!orig)
		return tunnel;
	tunnel.next_hop_out = orig->session.next_hop;
	reply = record_at(orig->partner);
	if (reply)
		tunnel.next_hop_in = reply->session.next_hop;
	return tunnel;
}

static int call_arm(const struct connection *flow, const struct connection_id *call, uint32_t now)
{
	struct tunnel tunnel = call_tunnel_routed(flow, call);

	return tunnel_arm_inbound(&tunnel, now);
}

static int call_peer(const struct connection *flow, const struct connection_id *call, uint32_t now)
{
	struct tunnel tunnel = call_tunnel_routed(flow, call);

	return tunnel_arm_outbound(&tunnel, now);
}

static void call_disarm(const struct connection *flow, const struct connection_id *call,
			uint32_t now)
{
	struct tunnel tunnel = call_tunnel(flow, call);

	tunnel_disarm(&tunnel, now);
}

static bool call_id_is_spare(__be32 remote, uint16_t external_id)
{
	return !tunnel_id_in_use(PROTOCOL_GRE, remote, external_id);
}

static const struct connections_kind kind = {
	.protocol = "PPTP",
	.file_name = "pptp_flows",
	.magic = 0x57506c35u,
	.tunnels = PROTOCOL_GRE,
	.room = CONNECTIONS,
	.of_host = CONNECTIONS_OF_HOST,
	.grace_seconds = 3, /* GRE on its way when its call ends */
	.arm = call_arm,
	.peer = call_peer,
	.disarm = call_disarm,
	.is_spare = call_id_is_spare,
};

struct connections *pptp_flows_open(struct gateway *gateway)
{
	return connections_open(gateway, &kind);
}

/* --- upkeep -------------------------------------------------------------------------- */

static bool is_over(const struct connection *flow)
{
	const struct record *orig = table_find(arena.config, &flow->key);

	return !orig || orig->session.created != flow->created;
}

/*
 * A call keeps its control connection, as the connection keeps its calls: a
 * client that sends no echoes would lose both in the midst of its data. Not one
 * that was reset, whose peer may send GRE for ever.
 */
static void control_keep(const struct connection *flow)
{
	struct record *orig = table_find(arena.config, &flow->key);
	uint32_t last;

	if (!orig || orig->session.tcp_state != TCP_ESTABLISHED)
		return;
	last = orig->session.last_seen;
	for (unsigned int i = 0; i < CONNECTION_IDS; i++) {
		struct tunnel tunnel = call_tunnel(flow, &flow->ids[i]);

		if (flow->ids[i].state == ID_ARMED)
			last = tunnel_last_seen(&tunnel, last);
	}
	if (ticks_is_later(last, READ_ONCE(orig->session.last_seen)))
		WRITE_ONCE(orig->session.last_seen, last);
}

void pptp_flows_tend(struct connections *flows, uint32_t now)
{
	struct connection *flow = NULL;

	while ((flow = connections_next(flows, flow))) {
		bool over = is_over(flow);

		if (over)
			connection_release_all(flow, now);
		else
			control_keep(flow);
		if (!connection_ids_tend(flows, flow, now) && over)
			connection_free(flows, flow, now);
	}
}

/* --- frames -------------------------------------------------------------------------- */

static const struct record *orig_of(const struct record *session)
{
	return session->key.kind == KIND_SESSION_ORIG ? session : record_at(session->partner);
}

void pptp_flows_submit(struct connections *flows, uint8_t *frame, size_t length,
		       const struct facts *facts, struct record *session)
{
	const struct record *orig = orig_of(session);
	bool outbound = session->key.kind == KIND_SESSION_ORIG;
	struct connection *flow = orig ? connection_get(flows, &orig->key, orig->session.created,
							HELPER_PPTP, clock_ticks(arena.config))
				       : NULL;

	if (flow)
		connections_drop_unread(
			flows, connection_submit(flows, flow, frame, length, facts,
						 outbound ? HELPER_OUTBOUND : HELPER_INBOUND));
	else
		connections_drop(flows, orig ? REASON_helper_full : REASON_slow_path_stale);
}

/* Claims first: the answer to this message must find its data path open. */
void pptp_flows_answered(struct gateway *gateway, struct helper_flow *helper,
			 const struct helper_result *result)
{
	struct connection *flow = connection_of(helper);

	if (!connection_claims_do(gateway->pptp, flow, result, clock_ticks(arena.config)))
		connections_drop(gateway->pptp, REASON_id_held);
	else if (result->verdict == HELPER_FORWARD)
		frame_again(gateway, result->frame->bytes, result->frame->frame_bytes);
	else
		connections_drop_answered(gateway->pptp, result->reason);
}
