/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control connections. The header names the receiver's id, so an outbound message
 * is found by the remote's and an inbound one by the inside host's; before the
 * remote's is known the header says 0 and the AVP has to tell.
 */
#include "helper/l2tp_work.h"

#include <string.h>

static struct l2tp_connection *find_inside(struct l2tp_work *work, uint32_t id)
{
	for (size_t i = 0; i < L2TP_CONNECTIONS; i++) {
		struct l2tp_connection *c = &work->state->connections[i];

		if (c->used && c->flags & L2TP_HAS_INSIDE && c->inside_id == id)
			return c;
	}
	return NULL;
}

static struct l2tp_connection *find_remote(struct l2tp_work *work, uint32_t id)
{
	for (size_t i = 0; i < L2TP_CONNECTIONS; i++) {
		struct l2tp_connection *c = &work->state->connections[i];

		if (c->used && c->flags & L2TP_HAS_REMOTE && c->remote_id == id)
			return c;
	}
	return NULL;
}

static struct l2tp_connection *connection_named(struct l2tp_work *work,
						const struct l2tp_message *message)
{
	if (work->direction == HELPER_INBOUND)
		return find_inside(work, message->connection_id);
	if (message->connection_id && message->type != L2TP_SCCRQ)
		return find_remote(work, message->connection_id);
	return l2tp_has(message, L2TP_CONNECTION_ID)
		       ? find_inside(work, message->ids[L2TP_CONNECTION_ID])
		       : NULL;
}

/* A free entry, or one whose connection has stopped. */
static struct l2tp_connection *connection_place(struct l2tp_work *work)
{
	for (size_t i = 0; i < L2TP_CONNECTIONS; i++)
		if (!work->state->connections[i].used)
			return &work->state->connections[i];
	for (size_t i = 0; i < L2TP_CONNECTIONS; i++)
		if (work->state->connections[i].state == L2TP_CONTROL_STOPPED)
			return &work->state->connections[i];
	return NULL;
}

/* --- ids ---------------------------------------------------------------------------- */

static void claim_external(struct l2tp_work *work, enum helper_claim_kind kind,
			   const struct l2tp_connection *c)
{
	l2tp_work_claim(work, (struct helper_claim){
				      .kind = kind,
				      .external_id = c->external_id,
				      .inside_id = kind == HELPER_CLAIM_ARM ? c->inside_id : 0});
}

static void external_introduced(struct l2tp_work *work, struct l2tp_connection *c,
				enum helper_claim_kind kind, uint32_t id)
{
	c->external_id = id;
	c->flags |= L2TP_HAS_INSIDE;
	claim_external(work, kind, c);
	claim_external(work, HELPER_CLAIM_ARM, c);
}

/* Another tunnel of this host goes by the id outside. */
static bool is_ours_outside(const struct l2tp_work *work, uint32_t id)
{
	for (size_t i = 0; i < L2TP_CONNECTIONS; i++) {
		const struct l2tp_connection *c = &work->state->connections[i];

		if (c->used && c->flags & L2TP_HAS_INSIDE && c->state != L2TP_CONTROL_STOPPED &&
		    c->external_id == id)
			return true;
	}
	return false;
}

static bool is_taken(const struct l2tp_work *work, uint32_t id)
{
	const struct helper_request *request = work->request;

	for (size_t i = 0; i < request->taken_count && i < HELPER_TAKEN_IDS; i++)
		if (request->taken[i] == id)
			return true;
	return false;
}

/* Another host's tunnel owns it, and where this one's arrivals come to. */
static bool is_held(const struct l2tp_work *work, uint32_t id)
{
	const struct helper_request *request = work->request;

	for (size_t i = 0; i < request->held_count && i < HELPER_TAKEN_IDS; i++)
		if (request->taken[i] == id)
			return true;
	return false;
}

/* A number that has not been given to this host does not leave: it could be another's. */
static bool may_not_leave(const struct l2tp_work *work, uint32_t id)
{
	return work->direction == HELPER_OUTBOUND && l2tp_work_over_udp(work) &&
	       (l2tp_work_translates(work) || is_held(work, id));
}

/* The inside host has chosen its id; what stands for it outside is claimed. */
static void inside_introduced(struct l2tp_work *work, struct l2tp_connection *c, uint32_t id)
{
	bool replaced =
		l2tp_work_over_udp(work) &&
		(l2tp_work_translates(work) || is_ours_outside(work, id) || is_held(work, id));

	c->inside_id = id;
	if (!replaced)
		external_introduced(work, c, HELPER_CLAIM_TAKE, id);
	else if (work->request->spare_count)
		external_introduced(work, c, HELPER_CLAIM_RESERVE, work->request->spare[0]);
	else
		work->failed = HELPER_REASON_no_spare_id;
}

/* On a port of its own: another host's tunnel has the id, and this one was not answered yet. */
static bool is_in_doubt(const struct l2tp_work *work, const struct l2tp_connection *c)
{
	return c->state == L2TP_CONTROL_WAIT_REPLY && c->external_id == c->inside_id &&
	       l2tp_work_over_udp(work) && work->request->spare_count &&
	       (l2tp_work_translates(work) || is_taken(work, c->inside_id));
}

/*
 * The request comes again, so it was not answered. A server that knows a tunnel by
 * the peer's address and id (RFC 2661 section 3.1 has it so for data) takes it for
 * the other host's that has the same id, and that one's again.
 */
static void request_repeated(struct l2tp_work *work, struct l2tp_connection *c)
{
	claim_external(work, HELPER_CLAIM_RELEASE, c);
	external_introduced(work, c, HELPER_CLAIM_RESERVE, work->request->spare[0]);
}

static void remote_introduced(struct l2tp_work *work, struct l2tp_connection *c, uint32_t id)
{
	struct l2tp_connection *former = find_remote(work, id);

	if (former) /* that one is over, and the remote uses its number again */
		former->flags &= (uint8_t)~L2TP_HAS_REMOTE;
	c->remote_id = id;
	c->flags |= L2TP_HAS_REMOTE;
	l2tp_work_claim(work, (struct helper_claim){.kind = HELPER_CLAIM_PEER,
						    .external_id = c->external_id,
						    .remote_id = id});
}

/* RFC 2661 4.4.3: only SCCRQ, SCCRP and StopCCN carry the sender's id. */
static void id_translate(struct l2tp_work *work, const struct l2tp_connection *c,
			 const struct l2tp_message *message)
{
	uint32_t inside = message->ids[L2TP_CONNECTION_ID];
	struct helper_edit *edit = &work->answer->edits[0];

	if (work->direction != HELPER_OUTBOUND || !l2tp_has(message, L2TP_CONNECTION_ID))
		return;
	if (!(c->flags & L2TP_HAS_INSIDE) || c->inside_id != inside) {
		if (may_not_leave(work, inside))
			work->failed = HELPER_REASON_id_held;
		return;
	}
	if (c->external_id == inside)
		return;
	*edit = (struct helper_edit){
		.offset = message->offsets[L2TP_CONNECTION_ID],
		.length = 2,
		.old_bytes = {(uint8_t)(inside >> 8), (uint8_t)inside},
		.new_bytes = {(uint8_t)(c->external_id >> 8), (uint8_t)c->external_id}};
	work->answer->edit_count = 1;
}

static void connection_release(struct l2tp_work *work, struct l2tp_connection *c)
{
	if (c->flags & L2TP_HAS_INSIDE)
		claim_external(work, HELPER_CLAIM_RELEASE, c);
	l2tp_sessions_end(work, (uint8_t)(c - work->state->connections));
	/* the ids stay known: StopCCN comes again until it is acknowledged */
}

/* --- events --------------------------------------------------------------------------- */

/* Behind a shared port its answers would be taken for the owner's: it may not leave there. */
static void unreadable(struct l2tp_work *work)
{
	l2tp_work_note(work, HELPER_REASON_hidden_id);
	if (work->direction == HELPER_OUTBOUND && l2tp_work_translates(work))
		work->failed = HELPER_REASON_hidden_id;
}

/* SCCRQ of an id that no connection has. Only the inside host can begin here. */
static struct l2tp_connection *connection_new(struct l2tp_work *work,
					      const struct l2tp_message *message)
{
	struct l2tp_connection *c;

	if (message->type != L2TP_SCCRQ || work->direction != HELPER_OUTBOUND) {
		l2tp_work_note(work, HELPER_REASON_connection_illegal);
		return NULL;
	}
	/* over UDP it might have to be changed, and a signed one would be refused then */
	if (!l2tp_has(message, L2TP_CONNECTION_ID) || !message->ids[L2TP_CONNECTION_ID] ||
	    (message->digest && l2tp_work_over_udp(work))) {
		unreadable(work);
		return NULL;
	}
	c = connection_place(work);
	if (!c) {
		l2tp_work_note(work, HELPER_REASON_call_quota);
		return NULL;
	}
	*c = (struct l2tp_connection){.used = 1};
	return c;
}

/* Who may say it: the initiator is inside. */
static bool direction_fits(const struct l2tp_work *work, enum l2tp_control_event event)
{
	if (event == L2TP_EVENT_REQUESTED || event == L2TP_EVENT_CONNECTED)
		return work->direction == HELPER_OUTBOUND;
	return event != L2TP_EVENT_REPLIED || work->direction == HELPER_INBOUND;
}

static void connection_event(struct l2tp_work *work, struct l2tp_connection *c,
			     const struct l2tp_message *message, enum l2tp_control_event event)
{
	if (event == L2TP_EVENT_REQUESTED) {
		c->flags = 0;
		inside_introduced(work, c, message->ids[L2TP_CONNECTION_ID]);
	} else if (event == L2TP_EVENT_REPLIED && l2tp_has(message, L2TP_CONNECTION_ID)) {
		remote_introduced(work, c, message->ids[L2TP_CONNECTION_ID]);
	} else if (event == L2TP_EVENT_REPLIED) {
		l2tp_work_note(work, HELPER_REASON_hidden_id);
	} else if (event == L2TP_EVENT_STOPPED_BY) {
		connection_release(work, c);
	} else if (event == L2TP_EVENT_OF_SESSION && !l2tp_work_over_udp(work)) {
		l2tp_session_received(work, message, (uint8_t)(c - work->state->connections));
	}
}

static void connection_step(struct l2tp_work *work, struct l2tp_connection *c,
			    const struct l2tp_message *message)
{
	enum l2tp_control_event event = l2tp_control_event(message);
	const struct l2tp_cell *cell = l2tp_control_cell(c->state, event);

	if (cell->outcome == L2TP_ILLEGAL || !direction_fits(work, event)) {
		l2tp_work_note(work, HELPER_REASON_connection_illegal);
		return;
	}
	if (cell->outcome == L2TP_LEGAL) {
		c->state = cell->next;
		connection_event(work, c, message, event);
	} else if (event == L2TP_EVENT_REQUESTED && is_in_doubt(work, c)) {
		request_repeated(work, c);
	}
}

void l2tp_connection_received(struct l2tp_work *work, const struct l2tp_message *message)
{
	struct l2tp_connection *c;

	if (message->version != (l2tp_work_over_udp(work) ? 2 : 3)) {
		unreadable(work);
		return;
	}
	c = connection_named(work, message);
	if (!c)
		c = connection_new(work, message);
	if (!c) {
		if (l2tp_has(message, L2TP_CONNECTION_ID) &&
		    may_not_leave(work, message->ids[L2TP_CONNECTION_ID]))
			work->failed = HELPER_REASON_id_held;
		return;
	}
	if (work->direction == HELPER_INBOUND && message->type == L2TP_EMPTY &&
	    is_in_doubt(work, c)) {
		/* such a server acknowledges and does no more: the request shall come again */
		work->failed = HELPER_REASON_tunnel_id_twice;
		return;
	}
	connection_step(work, c, message);
	if (!work->failed)
		id_translate(work, c, message);
}
