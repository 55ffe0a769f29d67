/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions of version 3 over IP (RFC 3931 section 3.4): data carries nothing but
 * the id that its receiver chose, so each has to be claimed before it comes.
 */
#include "helper/l2tp_work.h"

/* The ids of a message by side; 0: not said. */
struct session_ids {
	uint32_t inside, remote;
};

static struct session_ids ids_of(const struct l2tp_work *work, const struct l2tp_message *message)
{
	uint32_t senders = message->ids[L2TP_SESSION_ID];
	uint32_t receivers = message->ids[L2TP_REMOTE_SESSION_ID];

	if (work->direction == HELPER_OUTBOUND)
		return (struct session_ids){.inside = senders, .remote = receivers};
	return (struct session_ids){.inside = receivers, .remote = senders};
}

static bool is_named(const struct l2tp_session *s, const struct session_ids *ids)
{
	return (ids->inside && s->flags & L2TP_HAS_INSIDE && s->inside_id == ids->inside) ||
	       (ids->remote && s->flags & L2TP_HAS_REMOTE && s->remote_id == ids->remote);
}

static struct l2tp_session *session_find(struct l2tp_work *work, uint8_t connection,
					 const struct session_ids *ids)
{
	for (size_t i = 0; i < L2TP_SESSIONS; i++) {
		struct l2tp_session *s = &work->state->sessions[i];

		if (s->state != L2TP_SESSION_NONE && s->connection == connection &&
		    is_named(s, ids))
			return s;
	}
	return NULL;
}

static struct l2tp_session *session_new(struct l2tp_work *work, uint8_t connection)
{
	for (size_t i = 0; i < L2TP_SESSIONS; i++) {
		struct l2tp_session *s = &work->state->sessions[i];

		if (s->state != L2TP_SESSION_NONE)
			continue;
		*s = (struct l2tp_session){.connection = connection};
		return s;
	}
	l2tp_work_note(work, HELPER_REASON_call_quota);
	return NULL;
}

/* --- ids ---------------------------------------------------------------------------- */

static void session_claim(struct l2tp_work *work, enum helper_claim_kind kind,
			  const struct l2tp_session *s)
{
	l2tp_work_claim(work, (struct helper_claim){
				      .kind = kind,
				      .space = HELPER_ID_SESSION,
				      .external_id = s->inside_id,
				      .inside_id = kind == HELPER_CLAIM_ARM ? s->inside_id : 0,
				      .remote_id = kind == HELPER_CLAIM_PEER ? s->remote_id : 0});
}

/* Another session of this host has the id: the peers will notice. */
static bool id_is_taken(const struct l2tp_work *work, uint32_t inside)
{
	for (size_t i = 0; i < L2TP_SESSIONS; i++) {
		const struct l2tp_session *s = &work->state->sessions[i];

		if (s->state != L2TP_SESSION_NONE && s->flags & L2TP_HAS_INSIDE &&
		    s->inside_id == inside)
			return true;
	}
	return false;
}

static void ids_learn(struct l2tp_work *work, struct l2tp_session *s, const struct session_ids *ids)
{
	bool new_inside = ids->inside && !(s->flags & L2TP_HAS_INSIDE) &&
			  work->direction == HELPER_OUTBOUND && !id_is_taken(work, ids->inside);
	bool new_remote =
		ids->remote && !(s->flags & L2TP_HAS_REMOTE) && work->direction == HELPER_INBOUND;

	if (new_inside) {
		s->inside_id = ids->inside;
		s->flags |= L2TP_HAS_INSIDE;
		session_claim(work, HELPER_CLAIM_TAKE, s);
		session_claim(work, HELPER_CLAIM_ARM, s);
	}
	if (new_remote) {
		s->remote_id = ids->remote;
		s->flags |= L2TP_HAS_REMOTE;
	}
	if ((new_inside || new_remote) && s->flags & L2TP_HAS_INSIDE && s->flags & L2TP_HAS_REMOTE)
		session_claim(work, HELPER_CLAIM_PEER, s);
}

static void session_end(struct l2tp_work *work, struct l2tp_session *s)
{
	if (s->flags & L2TP_HAS_INSIDE)
		session_claim(work, HELPER_CLAIM_RELEASE, s);
	*s = (struct l2tp_session){0};
}

void l2tp_sessions_end(struct l2tp_work *work, uint8_t connection)
{
	for (size_t i = 0; i < L2TP_SESSIONS; i++) {
		struct l2tp_session *s = &work->state->sessions[i];

		if (s->state != L2TP_SESSION_NONE && s->connection == connection)
			session_end(work, s);
	}
}

/* --- events ------------------------------------------------------------------------- */

static void session_step(struct l2tp_work *work, struct l2tp_session *s,
			 const struct l2tp_cell *cell, const struct session_ids *ids)
{
	ids_learn(work, s, ids);
	if (cell->next == L2TP_SESSION_NONE)
		session_end(work, s);
	else
		s->state = cell->next;
}

void l2tp_session_received(struct l2tp_work *work, const struct l2tp_message *message,
			   uint8_t connection)
{
	struct session_ids ids = ids_of(work, message);
	struct l2tp_session *s = session_find(work, connection, &ids);
	enum l2tp_session_event event = l2tp_session_event(message);
	const struct l2tp_cell *cell = l2tp_session_cell(s ? s->state : L2TP_SESSION_NONE, event);

	if (message->hidden) {
		l2tp_work_note(work, HELPER_REASON_hidden_id);
		return;
	}
	if (cell->outcome == L2TP_ILLEGAL) {
		l2tp_work_note(work, HELPER_REASON_session_illegal);
		return;
	}
	if (cell->outcome == L2TP_REPEATED)
		return;
	if (!s)
		s = session_new(work, connection);
	if (s)
		session_step(work, s, cell, &ids);
}
