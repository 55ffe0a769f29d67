/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One segment's work in progress, shared by the files that do it: pptp.c (the
 * connection), pptp_reader.c (bytes to messages, ids translated on the way) and
 * pptp_session.c (what a message means). Lives on the stack of pptp_answer().
 */
#ifndef WAYLEAVE_HELPER_PPTP_WORK_H
#define WAYLEAVE_HELPER_PPTP_WORK_H

#include "helper/pptp_state.h"

struct pptp_work {
	struct pptp_stream_state *state;
	enum helper_direction direction;
	const struct helper_request *request; /* for its spare ids */
	uint32_t spare_used;		      /* bit n: spare id n is taken */
	struct helper_answer *answer;
	enum helper_reason failed; /* the segment has to be dropped and all of this undone */
};

static inline struct pptp_reader *pptp_work_reader(struct pptp_work *work)
{
	return &work->state->readers[work->direction];
}

static inline struct tcp_stream *pptp_work_stream(struct pptp_work *work)
{
	return &work->state->streams[work->direction];
}

/* The segment passes, but something about it is worth counting. */
static inline void pptp_work_note(struct pptp_work *work, enum helper_reason reason)
{
	work->answer->notes |= 1u << reason;
}

/* Reads unread bytes, of which the first has `seq`, in order, until they are done or the
 * work has failed or assistance has ended. */
void pptp_read(struct pptp_work *work, const uint8_t *bytes, size_t count, uint32_t seq);

/* A header was read: false if its message cannot belong to a PPTP session in this state. */
bool pptp_session_expects(struct pptp_work *work, const struct pptp_message *message);

/* A message was read to its last byte. Ids as they stood in the packet. */
void pptp_session_received(struct pptp_work *work, const struct pptp_message *message);

/* The connection is being closed: all GRE stops after the grace. Translation goes on. */
void pptp_session_release_all(struct pptp_work *work);

/*
 * Takes a spare id for an inside id that begins with `inside_high`, beginning itself with
 * *needed_high unless NULL. False if there is none.
 */
bool pptp_session_reserve(struct pptp_work *work, uint8_t inside_high, const uint8_t *needed_high);

/* Assistance ends for this connection, for ever, and all its calls with it. */
void pptp_session_end(struct pptp_work *work, enum helper_reason why);

#endif
