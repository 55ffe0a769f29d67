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

/* The inside host has chosen its id; what stands for it outside is claimed. */
static void inside_introduced(struct l2tp_work *work, struct l2tp_connection *c, uint32_t id)
{
	enum helper_claim_kind kind = HELPER_CLAIM_TAKE;

	c->inside_id = c->external_id = id;
	if (l2tp_work_translates(work)) {
		if (!work->request->spare_count) {
			work->failed = HELPER_REASON_no_spare_id;
			return;
		}
		c->external_id = work->request->spare[0];
		kind = HELPER_CLAIM_RESERVE;
	}
	c->flags |= L2TP_HAS_INSIDE;
	claim_external(work, kind, c);
	claim_external(work, HELPER_CLAIM_ARM, c);
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

	if (work->direction != HELPER_OUTBOUND || !l2tp_has(message, L2TP_CONNECTION_ID) ||
	    !(c->flags & L2TP_HAS_INSIDE) || c->inside_id != inside || c->external_id == inside)
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

/* SCCRQ of an id that no connection has. Only the inside host can begin here. */
static struct l2tp_connection *connection_new(struct l2tp_work *work,
					      const struct l2tp_message *message)
{
	struct l2tp_connection *c;

	if (message->type != L2TP_SCCRQ || work->direction != HELPER_OUTBOUND) {
		l2tp_work_note(work, HELPER_REASON_connection_illegal);
		return NULL;
	}
	if (!l2tp_has(message, L2TP_CONNECTION_ID) || !message->ids[L2TP_CONNECTION_ID]) {
		l2tp_work_note(work, HELPER_REASON_hidden_id);
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
	} else if (event == L2TP_EVENT_OF_SESSION && !l2tp_work_translates(work)) {
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
	}
}

void l2tp_connection_received(struct l2tp_work *work, const struct l2tp_message *message)
{
	struct l2tp_connection *c;

	if (message->version != (l2tp_work_translates(work) ? 2 : 3)) {
		l2tp_work_note(work, HELPER_REASON_hidden_id);
		return;
	}
	c = connection_named(work, message);
	if (!c)
		c = connection_new(work, message);
	if (!c)
		return;
	connection_step(work, c, message);
	if (!work->failed)
		id_translate(work, c, message);
}
