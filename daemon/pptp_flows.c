/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/pptp_flows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/session.h"
#include "daemon/call_ids.h"
#include "daemon/expiry.h"
#include "daemon/log.h"
#include "daemon/mapped_file.h"
#include "daemon/monotonic.h"
#include "daemon/tunnels.h"

#define FLOWS	      1024	  /* control connections with assistance at the same time */
#define CALLS	      64	  /* held and just released ones of one connection */
#define GRACE_SECONDS 3		  /* GRE on its way when its call ends */
#define FILE_MAGIC    0x57506c31u /* last byte: layout of this file */
#define FILE_NAME     "pptp_flows"

_Static_assert(CALLS > HELPER_FLOW_IDS, "room for released calls in their grace");

enum call_state { CALL_NONE, CALL_RESERVED, CALL_ARMED, CALL_RELEASED };

struct call {
	uint8_t state; /* enum call_state */
	uint8_t has_remote;
	uint16_t external_id, inside_id, remote_id; /* host byte order */
	uint32_t released;			    /* tick */
};

struct pptp_flow {
	struct record_key key; /* SESSION_ORIG of the control connection; protocol 0: free */
	__be32 external;
	uint32_t created; /* of the session: a later one of the same key is another */
	struct call calls[CALLS];
	struct helper_flow helper;
};

struct flows_file {
	uint32_t magic, size;
	struct pptp_flow flow[FLOWS];
};

struct pptp_flows {
	struct gateway *gateway;
	struct flows_file *file; /* mapped from run_dir */
	struct call_ids *ids;
};

/* --- the file ------------------------------------------------------------------------ */

/* Another version's, or a data plane that is not the one the flows were of. */
static void file_check(struct flows_file *file, bool adopted)
{
	if (adopted && file->magic == FILE_MAGIC && file->size == sizeof(*file))
		return;
	if (adopted)
		tunnels_forsake(PROTOCOL_GRE);
	memset(file, 0, sizeof(*file));
	file->magic = FILE_MAGIC;
	file->size = sizeof(*file);
}

static bool is_used(const struct pptp_flow *flow)
{
	return flow->key.protocol != 0;
}

static void ids_recall(struct pptp_flows *flows, struct pptp_flow *flow)
{
	for (unsigned int i = 0; i < flow->helper.spare_count && i < HELPER_SPARE_IDS; i++)
		call_ids_take_this(flows->ids, flow->key.remote, flow->helper.spare[i]);
	for (unsigned int i = 0; i < CALLS; i++)
		if (flow->calls[i].state != CALL_NONE)
			call_ids_take_this(flows->ids, flow->key.remote,
					   flow->calls[i].external_id);
	flow->helper.waiting = 0; /* died with the daemon that waited; TCP sends again */
}

struct pptp_flows *pptp_flows_open(struct gateway *gateway)
{
	struct pptp_flows *flows = calloc(1, sizeof(*flows));

	if (!flows)
		return NULL;
	flows->gateway = gateway;
	flows->ids = call_ids_new();
	flows->file = mapped_file_open(gateway->instance.run_dir, FILE_NAME, sizeof(*flows->file));
	if (!flows->file || !flows->ids) {
		log_error("the list of PPTP connections in %s cannot be opened: %s",
			  gateway->instance.run_dir, strerror(errno));
		pptp_flows_close(flows);
		return NULL;
	}
	file_check(flows->file, gateway->plane.adopted);
	for (unsigned int i = 0; i < FLOWS; i++)
		if (is_used(&flows->file->flow[i]))
			ids_recall(flows, &flows->file->flow[i]);
	return flows;
}

void pptp_flows_close(struct pptp_flows *flows)
{
	if (!flows)
		return;
	mapped_file_close(flows->file, sizeof(*flows->file));
	call_ids_free(flows->ids);
	free(flows);
}

/* --- calls --------------------------------------------------------------------------- */

static struct call *call_find(struct pptp_flow *flow, uint16_t external_id)
{
	for (unsigned int i = 0; i < CALLS; i++)
		if (flow->calls[i].state != CALL_NONE && flow->calls[i].state != CALL_RELEASED &&
		    flow->calls[i].external_id == external_id)
			return &flow->calls[i];
	return NULL;
}

static struct tunnel call_tunnel(const struct pptp_flow *flow, const struct call *call)
{
	return (struct tunnel){.protocol = PROTOCOL_GRE,
			       .inside = flow->key.local,
			       .remote = flow->key.remote,
			       .inside_id = call->inside_id,
			       .external_id = call->external_id,
			       .remote_id = call->remote_id,
			       .inbound_only = !call->has_remote};
}

/* The way of the control connection is the way of its calls. */
static void tunnel_route(struct tunnel *tunnel, const struct pptp_flow *flow)
{
	const struct record *orig = table_find(arena.config, &flow->key), *reply;

	if (!orig)
		return;
	tunnel->next_hop_out = orig->session.next_hop;
	reply = record_at(orig->partner);
	if (reply)
		tunnel->next_hop_in = reply->session.next_hop;
}

static void call_end(struct pptp_flows *flows, struct pptp_flow *flow, struct call *call,
		     uint32_t now)
{
	struct tunnel tunnel = call_tunnel(flow, call);

	tunnel_disarm(&tunnel, now);
	call_ids_give_back(flows->ids, flow->key.remote, call->external_id);
	*call = (struct call){0};
}

static void call_release(struct call *call, uint32_t now)
{
	if (call->state != CALL_RESERVED && call->state != CALL_ARMED)
		return;
	call->state = CALL_RELEASED;
	call->released = now;
}

/* A place for a new call; the one that was released first makes room. */
static struct call *call_place(struct pptp_flows *flows, struct pptp_flow *flow, uint32_t now)
{
	struct call *oldest = NULL;

	for (unsigned int i = 0; i < CALLS; i++) {
		struct call *call = &flow->calls[i];

		if (call->state == CALL_NONE)
			return call;
		if (call->state == CALL_RELEASED &&
		    (!oldest || (int32_t)(call->released - oldest->released) < 0))
			oldest = call;
	}
	if (oldest)
		call_end(flows, flow, oldest, now);
	return oldest;
}

/* --- claims: validated by helper_serve() --------------------------------------------- */

static void claim_reserve(struct pptp_flows *flows, struct pptp_flow *flow,
			  const struct helper_claim *claim, uint32_t now)
{
	struct call *call = call_place(flows, flow, now);

	if (call)
		*call = (struct call){.state = CALL_RESERVED, .external_id = claim->external_id};
}

static int claim_arm(struct pptp_flow *flow, const struct helper_claim *claim, uint32_t now)
{
	struct call *call = call_find(flow, claim->external_id);
	struct tunnel tunnel;

	if (!call)
		return -ENOENT;
	call->inside_id = claim->inside_id;
	call->state = CALL_ARMED;
	tunnel = call_tunnel(flow, call);
	tunnel_route(&tunnel, flow);
	return tunnel_arm_inbound(&tunnel, now);
}

static int claim_peer(struct pptp_flow *flow, const struct helper_claim *claim, uint32_t now)
{
	struct call *call = call_find(flow, claim->external_id);
	struct tunnel tunnel;

	if (!call)
		return -ENOENT;
	call->remote_id = claim->remote_id;
	call->has_remote = 1;
	tunnel = call_tunnel(flow, call);
	tunnel_route(&tunnel, flow);
	return tunnel_arm_outbound(&tunnel, now);
}

static void claim_release(struct pptp_flow *flow, const struct helper_claim *claim, uint32_t now)
{
	struct call *call = call_find(flow, claim->external_id);

	if (call)
		call_release(call, now);
}

static void release_all(struct pptp_flow *flow, uint32_t now)
{
	for (unsigned int i = 0; i < CALLS; i++)
		call_release(&flow->calls[i], now);
}

static void claim_do(struct pptp_flows *flows, struct pptp_flow *flow,
		     const struct helper_claim *claim, uint32_t now)
{
	int err = 0;

	switch (claim->kind) {
	case HELPER_CLAIM_RESERVE:
		claim_reserve(flows, flow, claim, now);
		break;
	case HELPER_CLAIM_ARM:
		err = claim_arm(flow, claim, now);
		break;
	case HELPER_CLAIM_PEER:
		err = claim_peer(flow, claim, now);
		break;
	case HELPER_CLAIM_RELEASE:
		claim_release(flow, claim, now);
		break;
	case HELPER_CLAIM_RELEASE_ALL:
		release_all(flow, now);
		break;
	}
	if (err)
		log_warning("a PPTP call gets no data path: %s",
			    err == -ENOSPC ? "the session table is full" : strerror(-err));
}

/* --- flows --------------------------------------------------------------------------- */

static void flow_free(struct pptp_flows *flows, struct pptp_flow *flow, uint32_t now)
{
	helper_forget(flows->gateway->helper, &flow->helper);
	for (unsigned int i = 0; i < flow->helper.spare_count && i < HELPER_SPARE_IDS; i++)
		call_ids_give_back(flows->ids, flow->key.remote, flow->helper.spare[i]);
	for (unsigned int i = 0; i < CALLS; i++)
		if (flow->calls[i].state != CALL_NONE)
			call_end(flows, flow, &flow->calls[i], now);
	memset(flow, 0, sizeof(*flow));
}

static void flow_init(struct pptp_flow *flow, const struct record *orig)
{
	flow->key = orig->key;
	flow->external = orig->session.new_local;
	flow->created = orig->session.created;
	flow->helper.protocol = HELPER_PPTP;
}

/* The flow of a control connection, new where there is none; NULL: no room. */
static struct pptp_flow *flow_get(struct pptp_flows *flows, const struct record *orig, uint32_t now)
{
	struct pptp_flow *free_one = NULL;

	for (unsigned int i = 0; i < FLOWS; i++) {
		struct pptp_flow *flow = &flows->file->flow[i];

		if (!is_used(flow)) {
			free_one = free_one ? free_one : flow;
			continue;
		}
		if (!key_equal(&flow->key, &orig->key))
			continue;
		if (flow->created == orig->session.created)
			return flow;
		flow_free(flows, flow, now);
		free_one = flow;
		break;
	}
	if (free_one)
		flow_init(free_one, orig);
	return free_one;
}

/* Ids that the table has from before this daemon's file are passed over. */
static void spares_fill(struct pptp_flows *flows, struct pptp_flow *flow)
{
	struct helper_flow *helper = &flow->helper;
	unsigned int tries = 2 * HELPER_SPARE_IDS;

	while (helper->spare_count < HELPER_SPARE_IDS && tries--) {
		uint16_t id = call_ids_take(flows->ids, flow->key.remote);

		if (!id)
			return;
		if (!tunnel_id_in_use(PROTOCOL_GRE, flow->key.remote, id))
			helper->spare[helper->spare_count++] = id;
	}
}

static bool is_over(const struct pptp_flow *flow)
{
	const struct record *orig = table_find(arena.config, &flow->key);

	return !orig || orig->session.created != flow->created;
}

static bool calls_tend(struct pptp_flows *flows, struct pptp_flow *flow, uint32_t now)
{
	uint32_t grace = GRACE_SECONDS * arena.config->hz;
	bool any = false;

	for (unsigned int i = 0; i < CALLS; i++) {
		struct call *call = &flow->calls[i];

		if (call->state == CALL_RELEASED && now - call->released > grace)
			call_end(flows, flow, call, now);
		any |= call->state != CALL_NONE;
	}
	return any;
}

static bool is_later(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* The tick of the last GRE packet of either direction; LAST if that is later. */
static uint32_t call_last_seen(const struct pptp_flow *flow, const struct call *call, uint32_t last)
{
	struct tunnel tunnel = call_tunnel(flow, call);

	return call->state == CALL_ARMED ? tunnel_last_seen(&tunnel, last) : last;
}

/*
 * A call keeps its control connection, as the connection keeps its calls: a
 * client that sends no echoes would lose both in the midst of its data. Not one
 * that was reset, whose peer may send GRE for ever.
 */
static void control_keep(const struct pptp_flow *flow)
{
	struct record *orig = table_find(arena.config, &flow->key);
	uint32_t last;

	if (!orig || orig->session.tcp_state != TCP_ESTABLISHED)
		return;
	last = orig->session.last_seen;
	for (unsigned int i = 0; i < CALLS; i++)
		last = call_last_seen(flow, &flow->calls[i], last);
	if (is_later(last, READ_ONCE(orig->session.last_seen)))
		WRITE_ONCE(orig->session.last_seen, last);
}

void pptp_flows_tend(struct pptp_flows *flows, uint32_t now)
{
	for (unsigned int i = 0; i < FLOWS; i++) {
		struct pptp_flow *flow = &flows->file->flow[i];
		bool over;

		if (!is_used(flow))
			continue;
		over = is_over(flow);
		if (over)
			release_all(flow, now);
		else
			control_keep(flow);
		if (!calls_tend(flows, flow, now) && over)
			flow_free(flows, flow, now);
	}
}

/* --- frames -------------------------------------------------------------------------- */

static void drop_count(struct pptp_flows *flows, enum reason reason)
{
	plane_count(&flows->gateway->plane, reason, 1);
}

static const struct record *orig_of(const struct record *session)
{
	return session->key.kind == KIND_SESSION_ORIG ? session : record_at(session->partner);
}

void pptp_flows_submit(struct pptp_flows *flows, uint8_t *frame, size_t length,
		       const struct facts *facts, struct record *session)
{
	const struct record *orig = orig_of(session);
	bool outbound = session->key.kind == KIND_SESSION_ORIG;
	struct helper_frame request = {
		.bytes = frame,
		.frame_bytes = length,
		.tcp_offset = 14 + facts->l4,
		.tcp_bytes = facts->length - facts->l4,
		.direction = outbound ? HELPER_OUTBOUND : HELPER_INBOUND,
	};
	struct pptp_flow *flow = orig ? flow_get(flows, orig, clock_ticks(arena.config)) : NULL;
	int err;

	if (!flow) {
		drop_count(flows, orig ? REASON_helper_refused : REASON_slow_path_stale);
		return;
	}
	spares_fill(flows, flow);
	err = helper_submit(flows->gateway->helper, &flow->helper, &request, monotonic_ns());
	if (err)
		drop_count(flows, err == -ENOTCONN ? REASON_helper_absent : REASON_helper_refused);
}

static enum reason drop_reason(enum helper_reason reason)
{
	switch (reason) {
	case HELPER_REASON_out_of_order:
		return REASON_helper_out_of_order;
	case HELPER_REASON_no_spare_id:
		return REASON_helper_ids_exhausted;
	case HELPER_REASON_no_answer:
		return REASON_helper_absent;
	default:
		return REASON_helper_refused;
	}
}

/* The frame goes back where it came from, now to be translated. */
static void frame_return(struct gateway *gateway, const struct helper_frame *frame)
{
	struct punt *punt = (struct punt *)frame->bytes;

	punt->action = PUNT_TRANSLATE;
	tap_write(&gateway->tap, frame->bytes, frame->frame_bytes);
}

/* Claims first: the answer to this message must find its data path open. */
void pptp_flows_answered(void *context, struct helper_flow *helper,
			 const struct helper_result *result)
{
	struct gateway *gateway = context;
	struct pptp_flows *flows = gateway->pptp;
	struct pptp_flow *flow =
		(struct pptp_flow *)((char *)helper - offsetof(struct pptp_flow, helper));
	uint32_t now = clock_ticks(arena.config);

	for (size_t i = 0; i < result->claim_count; i++)
		claim_do(flows, flow, &result->claims[i], now);
	if (result->verdict == HELPER_FORWARD)
		frame_return(gateway, result->frame);
	else
		drop_count(flows, drop_reason(result->reason));
}
