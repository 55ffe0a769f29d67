/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/l2tp_flows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"

#include "core/gateway.h"
#include "daemon/call_ids.h"
#include "daemon/expiry.h"
#include "daemon/l2tp_ports.h"
#include "daemon/log.h"
#include "daemon/mapped_file.h"
#include "daemon/monotonic.h"
#include "daemon/reinject.h"
#include "daemon/tunnels.h"

#define FLOWS		 256
#define LEARNED_A_MINUTE 64 /* ids of owners, so that a server cannot fill the table */
#define FLOWS_OF_A_HOST	 32
#define IDS		 (HELPER_FLOW_IDS + 24) /* and just released ones */
#define GRACE_SECONDS	 31	     /* RFC 2661 section 5.7: an end is repeated for so long */
#define FILE_MAGIC	 0x576c3201u /* last byte: layout of this file */
#define FILE_NAME	 "l2tp_flows"
#define ETHERNET	 14

enum id_state { ID_FREE, ID_HELD, ID_ARMED, ID_RELEASED };

/* An id that stands for a tunnel or session outside; host byte order. */
struct l2tp_id {
	uint8_t state; /* enum id_state */
	uint8_t space; /* enum helper_id_space */
	uint8_t has_remote;
	uint32_t external, inside, remote;
	uint32_t released; /* tick */
};

struct l2tp_flow {
	/* SESSION_ORIG: of UDP the session's, of IP one with no id; protocol 0: free */
	struct record_key key;
	uint32_t created;   /* UDP: of the session: a later one of the same key is another */
	uint32_t last_seen; /* tick of the last control message */
	uint16_t next_hop_in, next_hop_out;
	struct l2tp_id ids[IDS];
	struct helper_flow helper;
};

struct flows_file {
	uint32_t magic, size;
	struct l2tp_server servers[L2TP_SERVERS];
	struct l2tp_flow flow[FLOWS];
};

struct l2tp_flows {
	struct gateway *gateway;
	struct flows_file *file; /* mapped from run_dir */
	struct call_ids *ids;	 /* external tunnel ids */
	unsigned int learned;	 /* ids of owners, in this minute */
	uint32_t minute;	 /* tick at which it began */
};

/* --- the file ------------------------------------------------------------------------ */

static bool is_used(const struct l2tp_flow *flow)
{
	return flow->key.protocol != 0;
}

static bool is_over_ip(const struct l2tp_flow *flow)
{
	return flow->key.protocol == PROTOCOL_L2TP;
}

/* Another version's, or a data plane that is not the one the flows were of. */
static void file_check(struct flows_file *file, bool adopted)
{
	if (adopted && file->magic == FILE_MAGIC && file->size == sizeof(*file))
		return;
	if (adopted)
		tunnels_forsake(PROTOCOL_L2TP);
	memset(file, 0, sizeof(*file));
	file->magic = FILE_MAGIC;
	file->size = sizeof(*file);
}

static void ids_recall(struct l2tp_flows *flows, struct l2tp_flow *flow)
{
	flow->helper.waiting = 0; /* died with the daemon that waited; L2TP sends again */
	if (is_over_ip(flow))
		return;
	for (unsigned int i = 0; i < flow->helper.spare_count && i < HELPER_SPARE_IDS; i++)
		call_ids_take_this(flows->ids, flow->key.remote, flow->helper.spare[i]);
	for (unsigned int i = 0; i < IDS; i++)
		if (flow->ids[i].state != ID_FREE)
			call_ids_take_this(flows->ids, flow->key.remote, flow->ids[i].external);
}

struct l2tp_flows *l2tp_flows_open(struct gateway *gateway)
{
	struct l2tp_flows *flows = calloc(1, sizeof(*flows));

	if (!flows)
		return NULL;
	flows->gateway = gateway;
	flows->ids = call_ids_new();
	flows->file = mapped_file_open(gateway->instance.run_dir, FILE_NAME, sizeof(*flows->file));
	if (!flows->file || !flows->ids) {
		log_error("the list of L2TP connections in %s cannot be opened: %s",
			  gateway->instance.run_dir, strerror(errno));
		l2tp_flows_close(flows);
		return NULL;
	}
	file_check(flows->file, gateway->plane.adopted);
	for (unsigned int i = 0; i < FLOWS; i++)
		if (is_used(&flows->file->flow[i]))
			ids_recall(flows, &flows->file->flow[i]);
	return flows;
}

void l2tp_flows_close(struct l2tp_flows *flows)
{
	if (!flows)
		return;
	mapped_file_close(flows->file, sizeof(*flows->file));
	call_ids_free(flows->ids);
	free(flows);
}

/* --- frames ---------------------------------------------------------------------------- */

static void drop_count(struct l2tp_flows *flows, enum reason reason)
{
	plane_count(&flows->gateway->plane, reason, 1);
}

/* Handed in again; from the WAN by a session's reply where REPLY is not NO_RECORD. */
static void frame_return(struct l2tp_flows *flows, uint8_t *frame, size_t length, uint32_t reply)
{
	const struct punt *punt = (const struct punt *)frame;

	if (punt->side & PUNT_FROM_WAN && reply != NO_RECORD)
		frame_as(flows->gateway, frame, length, reply);
	else
		frame_again(flows->gateway, frame, length);
}

static struct record *flow_session(const struct l2tp_flow *flow)
{
	struct record *orig = is_over_ip(flow) ? NULL : table_find(arena.config, &flow->key);

	return orig && orig->session.created == flow->created ? orig : NULL;
}

/* The reply that the flow's arrivals are translated by; NO_RECORD: by their ids. */
static uint32_t flow_reply(const struct l2tp_flow *flow)
{
	const struct record *orig = flow_session(flow);

	return orig && l2tp_port_is_shared(orig) ? orig->partner : NO_RECORD;
}

/* --- ids ------------------------------------------------------------------------------- */

static struct l2tp_id *id_find(struct l2tp_flow *flow, const struct helper_claim *claim)
{
	for (unsigned int i = 0; i < IDS; i++) {
		struct l2tp_id *id = &flow->ids[i];

		if ((id->state == ID_HELD || id->state == ID_ARMED) && id->space == claim->space &&
		    id->external == claim->external_id)
			return id;
	}
	return NULL;
}

static struct tunnel id_tunnel(const struct l2tp_flow *flow, const struct l2tp_id *id)
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
static struct tunnel request_tunnel(const struct l2tp_flow *flow, const struct l2tp_id *id)
{
	struct tunnel tunnel = id_tunnel(flow, id);

	tunnel.remote_id = 0;
	tunnel.inbound_only = false;
	return tunnel;
}

static int id_arm_ip(struct l2tp_flow *flow, const struct l2tp_id *id, uint32_t now)
{
	struct tunnel tunnel = id_tunnel(flow, id), request = request_tunnel(flow, id);
	int err = tunnel_arm_inbound(&tunnel, now);

	if (!err && tunnel.is_control)
		err = tunnel_arm_outbound(&request, now);
	return err;
}

static int id_arm_udp(struct l2tp_flow *flow, const struct l2tp_id *id, uint32_t now)
{
	uint32_t reply = flow_reply(flow);

	if (reply == NO_RECORD)
		return -ESTALE;
	return l2tp_tunnel_arm(record_at(reply), id->external, id->inside, now);
}

static void id_disarm(struct l2tp_flow *flow, const struct l2tp_id *id, uint32_t now)
{
	struct tunnel tunnel = id_tunnel(flow, id), request = request_tunnel(flow, id);

	if (!is_over_ip(flow)) {
		l2tp_tunnel_disarm(flow->key.remote, id->external);
		return;
	}
	tunnel_disarm(&tunnel, now);
	if (tunnel.is_control)
		tunnel_disarm(&request, now);
}

static void id_end(struct l2tp_flows *flows, struct l2tp_flow *flow, struct l2tp_id *id,
		   uint32_t now)
{
	id_disarm(flow, id, now);
	if (!is_over_ip(flow))
		call_ids_give_back(flows->ids, flow->key.remote, id->external);
	*id = (struct l2tp_id){0};
}

static void id_release(struct l2tp_id *id, uint32_t now)
{
	if (id->state != ID_HELD && id->state != ID_ARMED)
		return;
	id->state = ID_RELEASED;
	id->released = now;
}

/* An id that was released comes again: it is the new one's now. */
static void id_forget_former(struct l2tp_flow *flow, const struct helper_claim *claim)
{
	for (unsigned int i = 0; i < IDS; i++)
		if (flow->ids[i].state == ID_RELEASED && flow->ids[i].space == claim->space &&
		    flow->ids[i].external == claim->external_id)
			flow->ids[i] = (struct l2tp_id){0};
}

/* A place for a new id; the one that was released first makes room. */
static struct l2tp_id *id_place(struct l2tp_flows *flows, struct l2tp_flow *flow, uint32_t now)
{
	struct l2tp_id *oldest = NULL;

	for (unsigned int i = 0; i < IDS; i++) {
		struct l2tp_id *id = &flow->ids[i];

		if (id->state == ID_FREE)
			return id;
		if (id->state == ID_RELEASED &&
		    (!oldest || (int32_t)(id->released - oldest->released) < 0))
			oldest = id;
	}
	if (oldest)
		id_end(flows, flow, oldest, now);
	return oldest;
}

/* --- claims: validated by helper_serve() --------------------------------------------- */

static void claim_hold(struct l2tp_flows *flows, struct l2tp_flow *flow,
		       const struct helper_claim *claim, uint32_t now)
{
	struct l2tp_id *id;

	if (is_over_ip(flow))
		id_forget_former(flow, claim);
	id = id_place(flows, flow, now);
	if (id)
		*id = (struct l2tp_id){
			.state = ID_HELD, .space = claim->space, .external = claim->external_id};
}

static int claim_arm(struct l2tp_flow *flow, const struct helper_claim *claim, uint32_t now)
{
	struct l2tp_id *id = id_find(flow, claim);
	int err;

	if (!id)
		return -ENOENT;
	id->inside = claim->inside_id;
	err = is_over_ip(flow) ? id_arm_ip(flow, id, now) : id_arm_udp(flow, id, now);
	if (!err)
		id->state = ID_ARMED;
	return err;
}

static int claim_peer(struct l2tp_flow *flow, const struct helper_claim *claim, uint32_t now)
{
	struct l2tp_id *id = id_find(flow, claim);
	struct tunnel tunnel;

	if (!id)
		return -ENOENT;
	id->remote = claim->remote_id;
	id->has_remote = 1;
	if (!is_over_ip(flow) || id->state != ID_ARMED)
		return 0;
	tunnel = id_tunnel(flow, id);
	return tunnel_arm_outbound(&tunnel, now);
}

static void release_all(struct l2tp_flow *flow, uint32_t now)
{
	for (unsigned int i = 0; i < IDS; i++)
		id_release(&flow->ids[i], now);
}

static int claim_do(struct l2tp_flows *flows, struct l2tp_flow *flow,
		    const struct helper_claim *claim, uint32_t now)
{
	struct l2tp_id *id;

	switch (claim->kind) {
	case HELPER_CLAIM_RESERVE:
	case HELPER_CLAIM_TAKE:
		claim_hold(flows, flow, claim, now);
		return 0;
	case HELPER_CLAIM_ARM:
		return claim_arm(flow, claim, now);
	case HELPER_CLAIM_PEER:
		return claim_peer(flow, claim, now);
	case HELPER_CLAIM_RELEASE:
		id = id_find(flow, claim);
		if (id)
			id_release(id, now);
		return 0;
	default:
		release_all(flow, now);
		return 0;
	}
}

/* --- flows --------------------------------------------------------------------------- */

static bool is_shared_with(const struct l2tp_flows *flows, __be32 remote)
{
	for (unsigned int i = 0; i < FLOWS; i++) {
		const struct l2tp_flow *flow = &flows->file->flow[i];

		if (is_used(flow) && !is_over_ip(flow) && flow->key.remote == remote)
			return true;
	}
	return false;
}

/* A port that nobody shares any more is its owner's alone again. */
static void port_tend(struct l2tp_flows *flows, __be32 remote)
{
	struct record *owner = l2tp_port_owner(remote);

	if (owner && owner->session.flags & SESSION_SHARED && !is_shared_with(flows, remote))
		l2tp_port_release(owner);
}

static void flow_free(struct l2tp_flows *flows, struct l2tp_flow *flow, uint32_t now)
{
	__be32 remote = is_over_ip(flow) ? 0 : flow->key.remote;

	helper_forget(flows->gateway->helper, &flow->helper);
	for (unsigned int i = 0; i < flow->helper.spare_count && i < HELPER_SPARE_IDS; i++)
		call_ids_give_back(flows->ids, flow->key.remote, flow->helper.spare[i]);
	for (unsigned int i = 0; i < IDS; i++)
		if (flow->ids[i].state != ID_FREE)
			id_end(flows, flow, &flow->ids[i], now);
	memset(flow, 0, sizeof(*flow));
	if (remote)
		port_tend(flows, remote);
}

static struct l2tp_flow *flow_find(struct l2tp_flows *flows, const struct record_key *key)
{
	for (unsigned int i = 0; i < FLOWS; i++)
		if (is_used(&flows->file->flow[i]) && key_equal(&flows->file->flow[i].key, key))
			return &flows->file->flow[i];
	return NULL;
}

/* A free place, while this host has not more than its share of them. */
static struct l2tp_flow *flow_place(struct l2tp_flows *flows, __be32 inside)
{
	struct l2tp_flow *free_one = NULL;
	unsigned int of_host = 0;

	for (unsigned int i = 0; i < FLOWS; i++) {
		struct l2tp_flow *flow = &flows->file->flow[i];

		if (!is_used(flow))
			free_one = free_one ? free_one : flow;
		else
			of_host += flow->key.local == inside;
	}
	return of_host < FLOWS_OF_A_HOST ? free_one : NULL;
}

/* The flow of KEY, new where there is none or CREATED is another's; NULL: no room. */
static struct l2tp_flow *flow_get(struct l2tp_flows *flows, const struct record_key *key,
				  uint32_t created, uint32_t now)
{
	struct l2tp_flow *flow = flow_find(flows, key);

	if (flow && flow->created == created)
		return flow;
	if (flow)
		flow_free(flows, flow, now);
	flow = flow_place(flows, key->local);
	if (!flow)
		return NULL;
	flow->key = *key;
	flow->created = created;
	flow->helper.protocol = key->protocol == PROTOCOL_UDP ? HELPER_L2TP : HELPER_L2TP_IP;
	return flow;
}

static void spares_fill(struct l2tp_flows *flows, struct l2tp_flow *flow)
{
	struct helper_flow *helper = &flow->helper;

	while (!is_over_ip(flow) && helper->spare_count < HELPER_SPARE_IDS) {
		uint16_t id = call_ids_take(flows->ids, flow->key.remote);

		if (!id)
			return;
		helper->spare[helper->spare_count++] = id;
	}
}

static void submit(struct l2tp_flows *flows, struct l2tp_flow *flow, uint8_t *frame, size_t length,
		   const struct facts *facts)
{
	const struct punt *punt = (const struct punt *)frame;
	struct helper_frame request = {
		.bytes = frame,
		.frame_bytes = length,
		.tcp_offset = ETHERNET + facts->l4,
		.tcp_bytes = facts->length - facts->l4,
		.carrier = is_over_ip(flow) ? HELPER_OVER_IP : HELPER_OVER_UDP,
		.direction = punt->side & PUNT_FROM_WAN ? HELPER_INBOUND : HELPER_OUTBOUND,
	};
	int err;

	flow->last_seen = clock_ticks(arena.config);
	spares_fill(flows, flow);
	err = helper_submit(flows->gateway->helper, &flow->helper, &request, monotonic_ns());
	if (err)
		drop_count(flows, err == -ENOTCONN ? REASON_helper_absent : REASON_helper_refused);
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

/* It was answered, or nothing is to be learned: data plane alone from now on. */
static void watch_end(struct record *orig)
{
	struct record *reply = record_partner(orig);

	__sync_fetch_and_and(&orig->session.flags, (uint8_t)~SESSION_WATCHED);
	if (reply)
		__sync_fetch_and_and(&reply->session.flags, (uint8_t)~SESSION_WATCHED);
}

static void answer_came(struct l2tp_flows *flows, struct record *orig, uint32_t now)
{
	bool shared = l2tp_port_is_shared(orig);

	if (!shared && orig->key.local_id == host_to_be16(PORT_L2TP) &&
	    orig->session.new_id != host_to_be16(PORT_L2TP))
		l2tp_server_learn(flows->file->servers, orig->key.remote, L2TP_SERVER_ANY_PORT,
				  now);
	else if (shared && !(orig->session.flags & SESSION_REPLIED))
		l2tp_server_learn(flows->file->servers, orig->key.remote, L2TP_SERVER_INSISTS, now);
	if (!shared)
		watch_end(orig);
}

static void shared_take(struct l2tp_flows *flows, struct record *orig, uint8_t *frame,
			size_t length, const struct facts *facts, uint32_t now)
{
	struct l2tp_flow *flow = flow_get(flows, &orig->key, orig->session.created, now);

	if (flow)
		submit(flows, flow, frame, length, facts);
	else
		drop_count(flows, REASON_helper_refused);
}

static void watched_take(struct l2tp_flows *flows, struct record *orig, uint8_t *frame,
			 size_t length, const struct facts *facts)
{
	const struct punt *punt = (const struct punt *)frame;
	uint32_t now = clock_ticks(arena.config);

	if (punt->side & PUNT_FROM_WAN || orig->session.flags & SESSION_REPLIED)
		answer_came(flows, orig, now);
	else if (l2tp_port_is_to_blame(flows->file->servers, orig, now) &&
		 l2tp_port_share(orig, now) == 1)
		orig = NULL; /* begins anew */
	if (orig && l2tp_port_is_shared(orig) && !is_fragment(facts))
		shared_take(flows, orig, frame, length, facts, now);
	else
		frame_return(flows, frame, length,
			     orig && l2tp_port_is_shared(orig) ? orig->partner : NO_RECORD);
}

static bool may_learn(struct l2tp_flows *flows, uint32_t now)
{
	if (now - flows->minute > 60 * arena.config->hz) {
		flows->minute = now;
		flows->learned = 0;
	}
	return flows->learned++ < LEARNED_A_MINUTE;
}

/*
 * Behind a shared port all tunnels but the owner's are known from the message
 * that named them: what nobody has is the owner's, and remembered as such.
 */
static void unknown_take(struct l2tp_flows *flows, uint8_t *frame, size_t length,
			 struct packet *packet, const struct facts *facts)
{
	struct record *owner = l2tp_port_owner(facts->source);
	uint32_t now = clock_ticks(arena.config);
	struct record_key key;

	if (!owner || !record_partner(owner)) {
		drop_count(flows, REASON_tunnel_unknown);
		return;
	}
	if (shared_key_of(packet, facts, &key) && key.local_id && may_learn(flows, now))
		l2tp_tunnel_arm(owner, be16_to_host(key.local_id), 0, now);
	frame_return(flows, frame, length, table_index(owner));
}

/* --- over IP ----------------------------------------------------------------------------- */

/* The ways in and out, and whether the host may have a tunnel there at all. */
static bool flow_route(struct l2tp_flow *flow, struct packet *packet, const struct facts *facts)
{
	struct facts first = *facts;
	verdict_t v = outbound_routes(packet, arena.config, &first);

	if (verdict_action(v) != ACTION_FORWARD)
		return false;
	flow->next_hop_out = verdict_index(v) >> 16;
	flow->next_hop_in = (uint16_t)verdict_index(v);
	return true;
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
	struct l2tp_flow *flow = flow_get(flows, &key, 0, now);

	if (flow && flow_route(flow, packet, facts)) {
		submit(flows, flow, frame, length, facts);
		return;
	}
	drop_count(flows, REASON_helper_refused);
	if (flow && !flow->helper.id_count)
		flow_free(flows, flow, now);
}

static void ip_inbound_take(struct l2tp_flows *flows, uint8_t *frame, size_t length,
			    const struct facts *facts)
{
	const struct record *session = session_of((const struct punt *)frame, facts);
	struct l2tp_flow *flow = NULL;
	struct record_key key;

	if (session) {
		key = ip_key(session->session.new_local, facts->source);
		flow = flow_find(flows, &key);
	}
	if (flow)
		submit(flows, flow, frame, length, facts);
	else
		drop_count(flows, REASON_slow_path_stale);
}

/* Ids that cannot be read: the protocol's only flow with this server, if nobody has it. */
static enum reason alone_begin(const struct l2tp_flow *flow, uint32_t now)
{
	struct session_plan plan = {.orig = flow->key,
				    .class = CLASS_L2TP,
				    .timeout = timeout_of(PROTOCOL_L2TP, CLASS_L2TP),
				    .next_hop_out = flow->next_hop_out,
				    .next_hop_in = flow->next_hop_in,
				    .now = now};
	verdict_t host = host_admit(flow->key.local);

	if (verdict_action(host) != ACTION_FORWARD)
		return verdict_reason(host);
	plan.reply = plan.orig;
	plan.reply.kind = KIND_SESSION_REPLY;
	plan.reply.local = arena.config->external;
	return session_begin(arena.config, &plan, verdict_index(host));
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
		drop_count(flows, REASON_slow_path_stale);
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
		drop_count(flows, REASON_fragment_control);
	else if (punt->side & PUNT_FROM_WAN)
		ip_inbound_take(flows, frame, length, facts);
	else
		ip_outbound_take(flows, frame, length, &packet, facts);
}

static void claims_do(struct l2tp_flows *flows, struct l2tp_flow *flow,
		      const struct helper_result *result, uint32_t now)
{
	for (size_t i = 0; i < result->claim_count; i++) {
		int err = claim_do(flows, flow, &result->claims[i], now);

		if (err == -EEXIST)
			drop_count(flows, REASON_server_taken);
		else if (err)
			log_warning("an L2TP tunnel gets no data path: %s",
				    err == -ENOSPC ? "the session table is full" : strerror(-err));
	}
}

void l2tp_flows_answered(struct l2tp_flows *flows, struct helper_flow *helper,
			 const struct helper_result *result)
{
	struct l2tp_flow *flow =
		(struct l2tp_flow *)((char *)helper - offsetof(struct l2tp_flow, helper));
	uint32_t now = clock_ticks(arena.config);
	enum reason reason = REASON_helper_refused;

	claims_do(flows, flow, result, now);
	if (result->verdict != HELPER_FORWARD) {
		drop_count(flows, result->reason == HELPER_REASON_no_spare_id
					  ? REASON_helper_ids_exhausted
					  : REASON_helper_refused);
		return;
	}
	if (is_over_ip(flow) && !is_known(result->frame)) {
		reason = alone_begin(flow, now);
		if (reason != REASON_forwarded) {
			drop_count(flows, reason);
			return;
		}
	}
	frame_return(flows, result->frame->bytes, result->frame->frame_bytes, flow_reply(flow));
}

/* --- upkeep ------------------------------------------------------------------------------- */

static bool is_later(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* The tick of the last packet of any of its tunnels. */
static uint32_t flow_last_seen(const struct l2tp_flow *flow)
{
	uint32_t last = flow->last_seen;

	for (unsigned int i = 0; i < IDS; i++) {
		struct tunnel tunnel = id_tunnel(flow, &flow->ids[i]);
		uint32_t seen =
			flow->ids[i].state == ID_ARMED ? tunnel_last_seen(&tunnel, last) : last;

		last = is_later(seen, last) ? seen : last;
	}
	return last;
}

static bool is_over(const struct l2tp_flow *flow, uint32_t now)
{
	const struct record *orig = flow_session(flow);

	if (!is_over_ip(flow))
		return !orig || !l2tp_port_is_shared(orig);
	return now - flow_last_seen(flow) > arena.config->timeouts[TIMEOUT_L2TP];
}

/* Answers whether any id is left. */
static bool ids_tend(struct l2tp_flows *flows, struct l2tp_flow *flow, uint32_t now)
{
	uint32_t grace = GRACE_SECONDS * arena.config->hz;
	bool any = false;

	for (unsigned int i = 0; i < IDS; i++) {
		struct l2tp_id *id = &flow->ids[i];

		if (id->state == ID_RELEASED && now - id->released > grace)
			id_end(flows, flow, id, now);
		any |= id->state != ID_FREE;
	}
	return any;
}

static void flow_tend(struct l2tp_flows *flows, struct l2tp_flow *flow, uint32_t now)
{
	bool idle = now - flow->last_seen > GRACE_SECONDS * arena.config->hz;
	bool any = ids_tend(flows, flow, now);

	if (is_over(flow, now) || (is_over_ip(flow) && !any && idle))
		flow_free(flows, flow, now);
}

void l2tp_flows_tend(struct l2tp_flows *flows, uint32_t now)
{
	for (unsigned int i = 0; i < FLOWS; i++)
		if (is_used(&flows->file->flow[i]))
			flow_tend(flows, &flows->file->flow[i], now);
}
