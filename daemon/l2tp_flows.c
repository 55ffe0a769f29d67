/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/l2tp_flows.h"

#include <stdlib.h>

#include "core/memory.h"

#include "core/gateway.h"
#include "daemon/connections.h"
#include "daemon/expiry.h"
#include "daemon/l2tp_flow.h"
#include "daemon/l2tp_ports.h"
#include "daemon/l2tp_sharing.h"
#include "daemon/reinject.h"

#define LEARNED_A_MINUTE 64 /* ids of owners, so that a server cannot fill the table */
#define GRACE_SECONDS	 31 /* RFC 2661 section 5.7: an end is repeated for so long */
#define ETHERNET	 14

struct l2tp_flows {
	struct gateway *gateway;
	struct connections *connections;
	struct l2tp_sharing *sharing;
	unsigned int learned; /* ids of owners, in this minute */
	uint32_t minute;      /* tick at which it began */
};

static const struct connections_kind kind = {
	.protocol = "L2TP",
	.file_name = "l2tp_flows",
	.magic = 0x576c3205u,
	.tunnels = PROTOCOL_L2TP,
	.room = 256,
	.of_host = 32,
	.grace_seconds = GRACE_SECONDS,
	.arm = l2tp_flow_arm,
	.peer = l2tp_flow_peer,
	.disarm = l2tp_flow_disarm,
	.is_spare = l2tp_tunnel_is_spare,
	.is_apart = l2tp_flow_is_apart,
};

struct l2tp_flows *l2tp_flows_open(struct gateway *gateway)
{
	struct l2tp_flows *flows = calloc(1, sizeof(*flows));

	if (!flows)
		return NULL;
	flows->gateway = gateway;
	flows->connections = connections_open(gateway, &kind);
	if (flows->connections)
		flows->sharing = l2tp_sharing_new(gateway, flows->connections);
	if (flows->sharing)
		return flows;
	l2tp_flows_close(flows);
	return NULL;
}

void l2tp_flows_close(struct l2tp_flows *flows)
{
	if (!flows)
		return;
	l2tp_sharing_free(flows->sharing);
	connections_close(flows->connections);
	free(flows);
}

struct connections *l2tp_flows_connections(const struct l2tp_flows *flows)
{
	return flows->connections;
}

/* --- frames ---------------------------------------------------------------------------- */

/* Handed in again; from the WAN by a session's reply where REPLY is not NO_RECORD. */
static void frame_return(struct l2tp_flows *flows, uint8_t *frame, size_t length, uint32_t reply)
{
	const struct punt *punt = (const struct punt *)frame;

	if (punt->side & PUNT_FROM_WAN && reply != NO_RECORD)
		frame_as(flows->gateway, frame, length, reply);
	else
		frame_again(flows->gateway, frame, length);
}

/* --- flows --------------------------------------------------------------------------- */

static bool is_shared_with(const struct l2tp_flows *flows, __be32 remote)
{
	struct connection *flow = NULL;

	while ((flow = connections_next(flows->connections, flow)))
		if (flow->helper.protocol == HELPER_L2TP && flow->key.remote == remote)
			return true;
	return false;
}

/*
 * Its arrivals are looked up by tunnel id as long as one of its ids needs it. What a long
 * silence has ended is armed again.
 */
static void own_port_tend(struct l2tp_flows *flows, const struct connection *flow, uint32_t now)
{
	struct record *orig = table_find(arena.config, &flow->key);

	if (!orig || l2tp_port_is_shared(orig))
		return;
	if (!l2tp_flow_is_translated(flow)) {
		l2tp_port_leave_alone(orig);
		return;
	}
	connection_rearm(flows->connections, flow, now);
	l2tp_port_translate(orig);
}

/* A port that nobody shares any more is its owner's alone again. */
static void port_tend(struct l2tp_flows *flows, __be32 remote, uint32_t now)
{
	struct record *owner = l2tp_port_owner(remote), *orig;
	const struct connection *flow;

	if (!owner || !(owner->session.flags & SESSION_STATIC) || is_shared_with(flows, remote))
		return;
	l2tp_port_release(owner);
	orig = record_partner(owner);
	flow = orig ? connection_find(flows->connections, &orig->key) : NULL;
	if (flow)
		own_port_tend(flows, flow, now);
}

static void flow_free(struct l2tp_flows *flows, struct connection *flow, uint32_t now)
{
	__be32 remote = l2tp_flow_is_over_ip(flow) ? 0 : flow->key.remote;

	connection_free(flows->connections, flow, now);
	if (remote)
		port_tend(flows, remote, now);
}

static struct connection *flow_get(struct l2tp_flows *flows, const struct record_key *key,
				   uint32_t created, uint32_t now)
{
	return connection_get(flows->connections, key, created,
			      key->protocol == PROTOCOL_UDP ? HELPER_L2TP_OWN : HELPER_L2TP_IP,
			      now);
}

static int submit(struct l2tp_flows *flows, struct connection *flow, uint8_t *frame, size_t length,
		  const struct facts *facts)
{
	const struct punt *punt = (const struct punt *)frame;

	return connection_submit(flows->connections, flow, frame, length, facts,
				 punt->side & PUNT_FROM_WAN ? HELPER_INBOUND : HELPER_OUTBOUND);
}

/* --- over UDP -------------------------------------------------------------------------- */

static struct record *orig_of(struct record *session)
{
	return session->key.kind == KIND_SESSION_ORIG ? session : record_partner(session);
}

/* The punted packet's session, by the record that the data plane named. */
static struct record *session_of(const struct punt *punt, const struct facts *facts)
{
	struct record *r = punt->index == NO_RECORD ? NULL : record_at(punt->index);
	__be32 remote = punt->side & PUNT_FROM_WAN ? facts->source : facts->destination;

	if (!r || record_state(r) != SLOT_LIVE || r->key.remote != remote ||
	    r->key.protocol != facts->protocol)
		return NULL;
	return r;
}

/* It is not followed, and was answered: data plane alone from now on. */
static void watch_end(struct record *orig)
{
	struct record *reply = record_partner(orig);

	session_clear(&orig->session, SESSION_WATCHED);
	if (reply)
		session_clear(&reply->session, SESSION_WATCHED);
}

/* Between inside hosts there is nothing to be told apart. */
static struct connection *followed_flow(struct l2tp_flows *flows, const struct record *orig,
					uint32_t now)
{
	struct connection *flow = NULL;

	if (!(orig->session.flags & SESSION_HAIRPIN))
		flow = flow_get(flows, &orig->key, orig->session.created, now);
	if (!flow || !l2tp_port_is_shared(orig) || flow->helper.protocol == HELPER_L2TP)
		return flow;
	/* what it asked for at its own port was not answered; here its numbers may be another's */
	connection_restart(flows->connections, flow, HELPER_L2TP, now);
	l2tp_sharing_joined(flow, now);
	return flow;
}

/* What nobody reads goes on, but behind a shared port its answer would find no way back. */
static void followed_take(struct l2tp_flows *flows, struct record *orig, uint8_t *frame,
			  size_t length, const struct facts *facts, uint32_t now)
{
	struct connection *flow = followed_flow(flows, orig, now);
	int err = flow ? submit(flows, flow, frame, length, facts) : -ENOSPC;

	if (!err)
		return;
	if (l2tp_port_is_shared(orig)) {
		connections_drop_unread(flows->connections, err);
		return;
	}
	if (!flow && orig->session.flags & SESSION_REPLIED)
		watch_end(orig);
	frame_return(flows, frame, length, l2tp_port_reply(orig));
}

/* The header's tunnel id, which the receiver has chosen; 0: none yet, or none to be read. */
static uint16_t tunnel_named(uint8_t *frame, size_t length, const struct facts *facts)
{
	packet_context context = {.data = frame, .length = length};
	struct packet packet = {.context = &context, .base = ETHERNET};
	uint32_t at = is_fragment(facts) ? 0 : l2tp_tunnel_at(&packet, facts->l4);
	const __be16 *tunnel = at ? packet_at(&packet, at, 2) : NULL;

	return tunnel ? be16_to_host(*tunnel) : 0;
}

/* Behind one port a server cannot tell who ends a tunnel or says something else in it. */
static bool names_anothers(const struct l2tp_flows *flows, const struct record *orig,
			   uint16_t tunnel)
{
	const struct connection *flow = connection_find(flows->connections, &orig->key);

	return tunnel && flow && orig->session.new_id == host_to_be16(PORT_L2TP) &&
	       connection_names_anothers(flows->connections, flow, tunnel);
}

static void watched_take(struct l2tp_flows *flows, struct record *orig, uint8_t *frame,
			 size_t length, const struct facts *facts)
{
	const struct punt *punt = (const struct punt *)frame;
	uint32_t now = clock_ticks(arena.config);

	if (!(punt->side & PUNT_FROM_WAN) &&
	    names_anothers(flows, orig, tunnel_named(frame, length, facts))) {
		connections_drop(flows->connections, REASON_id_held);
		return;
	}

	if (punt->side & PUNT_FROM_WAN)
		l2tp_sharing_answered(flows->sharing, orig, now);
	else if (l2tp_sharing_asked(flows->sharing, orig, now))
		orig = NULL; /* begins anew */
	if (orig && !is_fragment(facts))
		followed_take(flows, orig, frame, length, facts, now);
	else
		frame_return(flows, frame, length, orig ? l2tp_port_reply(orig) : NO_RECORD);
}

static bool may_learn(struct l2tp_flows *flows, uint32_t now)
{
	if (ticks_passed(now, flows->minute, 60 * arena.config->hz)) {
		flows->minute = now;
		flows->learned = 0;
	}
	return flows->learned++ < LEARNED_A_MINUTE;
}

/* A flow has the id, and its record has ended in a long silence. */
static bool is_known_again(struct l2tp_flows *flows, const struct connection *holder,
			   const struct record_key *key, uint32_t now)
{
	return holder && !connection_rearm(flows->connections, holder, now) &&
	       table_find(arena.config, key);
}

/* An id that no message has named is his whose port it came to, and remembered as such. */
static void session_learn(struct l2tp_flows *flows, const struct record *session,
			  const struct record_key *key, const struct connection *holder,
			  uint32_t now)
{
	const struct record *orig = record_partner(session);

	if ((!holder || key_equal(&holder->key, &orig->key)) && may_learn(flows, now))
		l2tp_tunnel_arm(session, be16_to_host(key->local_id), 0, now);
}

/* RFC 2661 section 3.1: the first bit. */
static bool is_control(struct packet *packet, const struct facts *facts)
{
	const uint8_t *first = packet_at(packet, facts->l4 + sizeof(struct udp_header), 1);

	return !is_fragment(facts) && first && *first & 0x80;
}

/* Where arrivals are told apart by tunnel ids, one with an id that no record knows. */
static void unknown_take(struct l2tp_flows *flows, uint8_t *frame, size_t length,
			 struct packet *packet, const struct facts *facts)
{
	struct record *session =
		l2tp_port_session(facts->source, facts->source_id, facts->destination_id);
	uint32_t now = clock_ticks(arena.config);
	const struct connection *holder;
	struct record_key key;

	if (!session || !record_partner(session)) {
		connections_drop(flows->connections, REASON_tunnel_unknown);
		return;
	}
	if (shared_key_of(packet, facts, &key) && key.local_id) {
		holder = connection_owner(flows->connections, key.remote, HELPER_ID_CALL,
					  be16_to_host(key.local_id));
		if (is_known_again(flows, holder, &key, now)) {
			frame_again(flows->gateway, frame, length);
			return;
		}
		session_learn(flows, session, &key, holder, now);
	}
	if (session->session.flags & SESSION_WATCHED && is_control(packet, facts))
		watched_take(flows, record_partner(session), frame, length, facts);
	else
		frame_return(flows, frame, length, table_index(session));
}

/* --- over IP ----------------------------------------------------------------------------- */

/* The ways in and out, and whether the host may have a tunnel there at all; else why not. */
static enum reason flow_route(struct connection *flow, struct packet *packet,
			      const struct facts *facts)
{
	struct facts first = *facts;
	verdict_t v = outbound_routes(packet, arena.config, &first);

	if (verdict_action(v) != ACTION_FORWARD)
		return verdict_reason(v);
	flow->next_hop_out = verdict_index(v) >> 16;
	flow->next_hop_in = (uint16_t)verdict_index(v);
	return REASON_forwarded;
}

static struct record_key ip_key(__be32 inside, __be32 remote)
{
	return (struct record_key){.remote = remote,
				   .local = inside,
				   .protocol = PROTOCOL_L2TP,
				   .kind = KIND_SESSION_ORIG};
}

static void ip_outbound_take(struct l2tp_flows *flows, uint8_t *frame, size_t length,
			     struct packet *packet, const struct facts *facts)
{
	struct record_key key = ip_key(facts->source, facts->destination);
	uint32_t now = clock_ticks(arena.config);
	struct connection *flow = flow_get(flows, &key, 0, now);
	enum reason reason = flow ? flow_route(flow, packet, facts) : REASON_helper_full;

	if (reason == REASON_forwarded) {
		connections_drop_unread(flows->connections,
					submit(flows, flow, frame, length, facts));
		return;
	}
	connections_drop(flows->connections, reason);
	if (flow && !flow->helper.id_count)
		flow_free(flows, flow, now);
}

static void ip_inbound_take(struct l2tp_flows *flows, uint8_t *frame, size_t length,
			    const struct facts *facts)
{
	const struct record *session = session_of((const struct punt *)frame, facts);
	struct connection *flow = NULL;
	struct record_key key;

	if (session) {
		key = ip_key(session->session.new_local, facts->source);
		flow = connection_find(flows->connections, &key);
	}
	if (flow)
		connections_drop_unread(flows->connections,
					submit(flows, flow, frame, length, facts));
	else
		connections_drop(flows->connections, REASON_slow_path_stale);
}

/* Would the data plane know what to do with it, or hand it down again? */
static bool is_known(const struct helper_frame *frame)
{
	packet_context context = {.data = frame->bytes, .length = frame->frame_bytes};
	struct packet packet = {.context = &context, .base = ETHERNET};
	struct facts facts, spare;

	return parse_packet(&packet, &facts, &spare) == REASON_forwarded &&
	       session_find(arena.config, &facts,
			    frame->direction == HELPER_OUTBOUND ? DIRECTION_OUT : DIRECTION_IN);
}

/* --- in and out ---------------------------------------------------------------------------- */

bool l2tp_flows_is_for(const struct facts *facts)
{
	__be16 port = host_to_be16(PORT_L2TP);

	return facts->protocol == PROTOCOL_L2TP ||
	       (facts->protocol == PROTOCOL_UDP &&
		(facts->source_id == port || facts->destination_id == port));
}

static void udp_take(struct l2tp_flows *flows, uint8_t *frame, size_t length, struct packet *packet,
		     const struct facts *facts)
{
	const struct punt *punt = (const struct punt *)frame;
	struct record *session = session_of(punt, facts);
	struct record *orig = session ? orig_of(session) : NULL;

	if (orig && punt->reason == REASON_to_watch)
		watched_take(flows, orig, frame, length, facts);
	else if (punt->reason == REASON_to_pairing && punt->side & PUNT_FROM_WAN)
		unknown_take(flows, frame, length, packet, facts);
	else
		connections_drop(flows->connections, REASON_slow_path_stale);
}

void l2tp_flows_take(struct l2tp_flows *flows, uint8_t *frame, size_t length,
		     const struct facts *facts)
{
	const struct punt *punt = (const struct punt *)frame;
	packet_context context = {.data = frame, .length = length};
	struct packet packet = {.context = &context, .base = ETHERNET, .ifindex = punt->ifindex};

	if (facts->protocol == PROTOCOL_UDP)
		udp_take(flows, frame, length, &packet, facts);
	else if (is_fragment(facts))
		connections_drop(flows->connections, REASON_fragment_control);
	else if (punt->side & PUNT_FROM_WAN)
		ip_inbound_take(flows, frame, length, facts);
	else
		ip_outbound_take(flows, frame, length, &packet, facts);
}

/* Done: the frame goes on, and the data plane knows it. */
static struct outcome way_open(const struct connection *flow, const struct helper_result *result,
			       uint32_t now)
{
	if (!l2tp_flow_is_over_ip(flow) || is_known(result->frame))
		return outcome_of(REASON_forwarded);
	return l2tp_flow_begin_alone(flow, now);
}

/* Behind a shared port nobody can be told apart whose id cannot be read. */
static void udp_answered(struct l2tp_flows *flows, struct connection *flow,
			 const struct helper_result *result, uint32_t now)
{
	bool stops = result->frame->direction == HELPER_INBOUND && result->claim_count &&
		     result->claims[0].kind == HELPER_CLAIM_RELEASE;

	flow->watch.hidden |= result->notes >> HELPER_REASON_hidden_id & 1;
	if (stops)
		l2tp_sharing_stopped(flows->sharing, flow, now);
	if (flow->watch.hidden && flow->helper.protocol == HELPER_L2TP)
		l2tp_sharing_leave(flows->sharing, flow, now);
}

void l2tp_flows_answered(struct l2tp_flows *flows, struct helper_flow *helper,
			 const struct helper_result *result)
{
	struct connection *flow = connection_of(helper);
	uint32_t now = clock_ticks(arena.config);
	bool done = connection_claims_do(flows->connections, flow, result, now);
	struct outcome outcome;

	if (!l2tp_flow_is_over_ip(flow))
		udp_answered(flows, flow, result, now);
	if (result->verdict != HELPER_FORWARD) {
		connections_drop_answered(flows->connections, result->reason);
		return;
	}
	outcome = done ? way_open(flow, result, now) : outcome_of(REASON_id_held);
	if (is_done(outcome))
		frame_return(flows, result->frame->bytes, result->frame->frame_bytes,
			     l2tp_flow_reply(flow));
	else
		connections_drop(flows->connections, outcome.why_not);
}

/* --- upkeep ------------------------------------------------------------------------------- */

static void udp_tend(struct l2tp_flows *flows, struct connection *flow, uint32_t now)
{
	l2tp_sharing_watch(flows->sharing, flow, now);
	own_port_tend(flows, flow, now);
	port_tend(flows, flow->key.remote, now);
}

static void flow_tend(struct l2tp_flows *flows, struct connection *flow, uint32_t now)
{
	bool idle = ticks_since(now, flow->last_seen) > GRACE_SECONDS * arena.config->hz;
	bool any = connection_ids_tend(flows->connections, flow, now);

	if (l2tp_flow_is_over(flow, now) || (l2tp_flow_is_over_ip(flow) && !any && idle))
		flow_free(flows, flow, now);
	else if (!l2tp_flow_is_over_ip(flow))
		udp_tend(flows, flow, now);
}

void l2tp_flows_tend(struct l2tp_flows *flows, uint32_t now)
{
	struct connection *flow = NULL;

	while ((flow = connections_next(flows->connections, flow)))
		flow_tend(flows, flow, now);
	l2tp_sharing_tend(flows->sharing, now);
}

const char *l2tp_flows_habit(const struct l2tp_flows *flows, __be32 server)
{
	return port_habit_name(l2tp_sharing_habit(flows->sharing, server));
}
