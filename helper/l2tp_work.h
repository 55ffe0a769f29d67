/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One message's work in progress, shared by the files that do it: l2tp.c (the
 * datagram), l2tp_connection.c and l2tp_session.c (what a message means). Lives on
 * the stack of l2tp_answer().
 */
#ifndef WAYLEAVE_HELPER_L2TP_WORK_H
#define WAYLEAVE_HELPER_L2TP_WORK_H

#include "helper/l2tp_fsm.h"
#include "helper/l2tp_state.h"

struct l2tp_work {
	struct l2tp_flow_state *state;
	enum helper_direction direction;
	const struct helper_request *request; /* for its spare ids */
	struct helper_answer *answer;
	enum helper_reason failed; /* the message has to be dropped and all of this undone */
};

/* The message passes, but something about it is worth counting. */
static inline void l2tp_work_note(struct l2tp_work *work, enum helper_reason reason)
{
	work->answer->notes |= 1u << reason;
}

/* A message has a handful of claims at most, its connection's end one for each session. */
static inline void l2tp_work_claim(struct l2tp_work *work, struct helper_claim claim)
{
	work->answer->claims[work->answer->claim_count++] = claim;
}
static_assert(HELPER_CLAIMS >= L2TP_CONNECTIONS + 2 * L2TP_SESSIONS, "a message's claims fit");

static inline bool l2tp_work_over_udp(const struct l2tp_work *work)
{
	return work->request->protocol != HELPER_L2TP_IP;
}

/* Behind a shared port nothing but the id tells whose an arrival is: it is always ours. */
static inline bool l2tp_work_translates(const struct l2tp_work *work)
{
	return work->request->protocol == HELPER_L2TP;
}

/* Steps its connection; what it means for a session is l2tp_session_received()'s. */
void l2tp_connection_received(struct l2tp_work *work, const struct l2tp_message *message);

/* A message OF_SESSION of a connection that allows it. */
void l2tp_session_received(struct l2tp_work *work, const struct l2tp_message *message,
			   uint8_t connection);

/* The connection is over, and its sessions with it. */
void l2tp_sessions_end(struct l2tp_work *work, uint8_t connection);

#endif
