/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection: which bytes of a segment are new, what its flags mean, and
 * what becomes of it. The order is always the same: acknowledgement, SYN or
 * RST, new bytes, FIN, then the edits of all bytes in the segment, new or
 * repeated, from one list.
 */
#include "helper/pptp.h"

#include <string.h>

#include "helper/pptp_fsm.h"
#include "helper/pptp_work.h"

static enum helper_direction opposite(enum helper_direction direction)
{
	return direction == HELPER_OUTBOUND ? HELPER_INBOUND : HELPER_OUTBOUND;
}

static struct tcp_stream *other_stream(struct pptp_work *work)
{
	return &work->state->streams[opposite(work->direction)];
}

/* The next SYN of the same addresses and ports begins a new connection. */
static bool connection_over(const struct pptp_stream_state *state)
{
	return state->reset || (state->streams[0].seen & state->streams[1].seen & TCP_STREAM_FIN);
}

static void connection_renew(struct pptp_work *work)
{
	pptp_session_release_all(work);
	*work->state = (struct pptp_stream_state){.version = PPTP_STATE_VERSION};
}

static void syn_received(struct pptp_work *work, const struct tcp_segment *segment)
{
	bool has_ack = segment->flags & TCP_ACK;

	if (connection_over(work->state) && !has_ack)
		connection_renew(work);
	if (pptp_work_stream(work)->seen)
		return; /* repeated, or answered by a challenge ACK (RFC 5961 4) */
	if (has_ack && !other_stream(work)->seen) {
		pptp_session_end(work, HELPER_REASON_no_start);
		return;
	}
	if (!other_stream(work)->seen)
		work->state->originator = work->direction;
	tcp_stream_start(pptp_work_stream(work), segment->seq);
}

/*
 * A reset counts only if it is exactly in sequence (RFC 5961 3.2), and even then
 * it may be forged: the calls stay until the daemon ends the TCP session, four
 * minutes later, or until the next SYN (RFC 7857 2.2). Data takes it back.
 */
static void rst_received(struct pptp_work *work, const struct tcp_segment *segment)
{
	struct tcp_stream *stream = pptp_work_stream(work);

	if (!stream->seen)
		return;
	if (segment->seq != stream->next_seq) {
		pptp_work_note(work, HELPER_REASON_rst_out_of_sequence);
		return;
	}
	work->state->reset = 1;
}

static void fin_received(struct pptp_work *work)
{
	struct tcp_stream *stream = pptp_work_stream(work);

	if (stream->seen & TCP_STREAM_FIN)
		return;
	stream->seen |= TCP_STREAM_FIN;
	stream->next_seq++;
	pptp_session_release_all(work);
}

/* Reads what is new in the segment. The stream is known. */
static void payload_received(struct pptp_work *work, const struct tcp_segment *segment)
{
	struct tcp_stream *stream = pptp_work_stream(work);
	ssize_t fresh = tcp_stream_fresh(stream, segment);
	size_t count;

	if (fresh < 0) {
		/* An empty segment carries nothing that could be missed: a keepalive or an ACK. */
		if (segment->payload_bytes || segment->flags & TCP_FIN)
			work->failed = HELPER_REASON_out_of_order;
		return;
	}
	count = segment->payload_bytes - (size_t)fresh;
	pptp_read(work, segment->payload + fresh, count, segment->seq + (uint32_t)fresh);
	stream->next_seq += (uint32_t)count;
	if (count)
		work->state->reset = 0;
	if (segment->flags & TCP_FIN &&
	    segment->seq + (uint32_t)segment->payload_bytes == stream->next_seq)
		fin_received(work);
}

static void segment_received(struct pptp_work *work, const struct tcp_segment *segment)
{
	if (segment->flags & TCP_ACK)
		tcp_stream_acked(other_stream(work), segment->ack);
	if (work->state->ended) {
		tcp_stream_pass(pptp_work_stream(work), segment);
		return;
	}
	if (segment->flags & TCP_RST) {
		rst_received(work, segment);
		return;
	}
	if (segment->flags & TCP_SYN)
		syn_received(work, segment);
	else if (!pptp_work_stream(work)->seen)
		pptp_session_end(work, HELPER_REASON_no_start);
	if (!work->state->ended)
		payload_received(work, segment);
}

/* The segment holds the first half of an id of which nobody knows the second. */
static bool holds_half(struct pptp_work *work, const struct tcp_segment *segment)
{
	uint32_t offset = pptp_work_stream(work)->next_seq - 1 - segment->seq;

	return pptp_work_reader(work)->half == PPTP_READER_HELD && offset < segment->payload_bytes;
}

static void segment_drop(struct helper_answer *answer, enum helper_reason reason)
{
	answer->verdict = HELPER_DROP;
	answer->reason = (uint8_t)reason;
	answer->edit_count = 0;
	memset(answer->edits, 0, sizeof(answer->edits));
}

static uint8_t state_flags(const struct pptp_stream_state *state)
{
	bool repeats = state->streams[0].edit_count || state->streams[1].edit_count;

	if (!state->ended)
		return 0;
	return repeats ? HELPER_ENDED : HELPER_ENDED | HELPER_PLAIN;
}

/* As if the segment had never come; TCP sends it again. */
static void segment_undo(const struct helper_request *request, struct helper_answer *answer,
			 enum helper_reason reason)
{
	memset(answer->claims, 0, sizeof(answer->claims));
	answer->claim_count = 0;
	answer->notes = 0;
	memcpy(answer->state, request->state, sizeof(answer->state));
	segment_drop(answer, reason);
}

static void segment_answer(struct pptp_work *work, const struct tcp_segment *segment)
{
	struct helper_answer *answer = work->answer;

	segment_received(work, segment);
	if (!work->failed &&
	    !tcp_stream_edits(pptp_work_stream(work), segment, answer->edits, &answer->edit_count))
		work->failed = HELPER_REASON_changed_again;
	if (work->failed) {
		segment_undo(work->request, answer, work->failed);
		return;
	}
	answer->flags = state_flags(work->state);
	if (holds_half(work, segment))
		segment_drop(answer, HELPER_REASON_half_id);
	pptp_state_store(work->state, answer->state);
}

void pptp_answer(const struct helper_request *request, size_t segment_bytes,
		 struct helper_answer *answer)
{
	struct pptp_stream_state state;
	struct pptp_work work = {.state = &state,
				 .direction = request->direction ? HELPER_INBOUND : HELPER_OUTBOUND,
				 .request = request,
				 .answer = answer};
	struct tcp_segment segment;

	memset(answer, 0, sizeof(*answer));
	if (!pptp_state_load(&state, request->state)) {
		pptp_work_note(&work, HELPER_REASON_bad_state);
		answer->claims[answer->claim_count++].kind = HELPER_CLAIM_RELEASE_ALL;
	}
	answer->flags = state_flags(&state); /* stands if the segment is undone */
	if (!tcp_segment_decode(request->segment, segment_bytes, &segment)) {
		segment_undo(request, answer, HELPER_REASON_tcp_header);
		return;
	}
	segment_answer(&work, &segment);
}
