/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The datagram: where its control message lies, and what becomes of it. A message
 * that is not understood passes as it is and nothing comes of it; L2TP repeats
 * what is lost, and the peers themselves refuse what is broken.
 */
#include "helper/l2tp.h"

#include <string.h>

#include "helper/l2tp_work.h"

#define UDP_HEADER_BYTES 8
#define IP_SESSION_BYTES 4 /* session id 0: a control message, RFC 3931 section 4.1.1 */

struct span {
	const uint8_t *bytes;
	size_t length, offset; /* offset: from the payload's start, as edits count */
};

static struct span message_span(const struct helper_request *request, size_t segment_bytes)
{
	bool ip = request->protocol == HELPER_L2TP_IP;
	size_t head = ip ? IP_SESSION_BYTES : UDP_HEADER_BYTES;

	if (segment_bytes < head)
		return (struct span){.bytes = request->segment};
	return (struct span){.bytes = request->segment + head,
			     .length = segment_bytes - head,
			     .offset = ip ? IP_SESSION_BYTES : 0};
}

static void edits_shift(struct helper_answer *answer, size_t offset)
{
	for (size_t i = 0; i < answer->edit_count; i++)
		answer->edits[i].offset = (uint16_t)(answer->edits[i].offset + offset);
}

/* As if the message had never come; its sender sends it again. */
static void message_undo(const struct helper_request *request, struct helper_answer *answer,
			 enum helper_reason reason)
{
	uint8_t flags = answer->flags;
	uint32_t notes = answer->notes;

	memset(answer, 0, sizeof(*answer));
	answer->flags = flags;
	answer->notes = notes;
	answer->verdict = HELPER_DROP;
	answer->reason = (uint8_t)reason;
	memcpy(answer->state, request->state, sizeof(answer->state));
}

void l2tp_answer(const struct helper_request *request, size_t segment_bytes,
		 struct helper_answer *answer)
{
	struct l2tp_flow_state state;
	struct l2tp_work work = {.state = &state,
				 .direction = request->direction ? HELPER_INBOUND : HELPER_OUTBOUND,
				 .request = request,
				 .answer = answer};
	struct span span = message_span(request, segment_bytes);
	struct l2tp_message message;
	enum helper_reason reason = l2tp_message_decode(span.bytes, span.length, &message);

	memset(answer, 0, sizeof(*answer));
	answer->flags = request->flags & HELPER_ENDED;
	if (!l2tp_state_load(&state, request->state)) {
		l2tp_work_note(&work, HELPER_REASON_bad_state);
		answer->claims[answer->claim_count++].kind = HELPER_CLAIM_RELEASE_ALL;
	}
	if (reason)
		l2tp_work_note(&work, reason);
	else if (!answer->flags)
		l2tp_connection_received(&work, &message);
	if (work.failed) {
		message_undo(request, answer, work.failed);
		return;
	}
	edits_shift(answer, span.offset);
	l2tp_state_store(&state, answer->state);
}
