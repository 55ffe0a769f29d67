/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a message means: it moves the control connection or a call through its
 * table, and a call's ids become claims for its GRE.
 *
 * An inbound claim is armed as soon as the inside host has said which id it
 * will listen to, that is with its request: GRE from the peer may overtake the
 * peer's reply. Nothing is armed before Start-Control-Connection was accepted.
 */
#include <string.h>

#include "helper/pptp_fsm.h"
#include "helper/pptp_work.h"

static void claim(struct pptp_work *work, struct helper_claim what)
{
	struct helper_answer *answer = work->answer;

	if (answer->claim_count == HELPER_CLAIMS)
		work->failed = HELPER_REASON_answer_full;
	else
		answer->claims[answer->claim_count++] = what;
}

static void claim_id(struct pptp_work *work, enum helper_claim_kind kind, uint16_t external_id)
{
	claim(work, (struct helper_claim){.kind = kind, .external_id = external_id});
}

static bool spare_usable(const struct pptp_work *work, size_t i, const uint8_t *needed_high)
{
	return !(work->spare_used & 1u << i) &&
	       (!needed_high || work->request->spare[i] >> 8 == *needed_high);
}

static void spare_take(struct pptp_work *work, size_t i)
{
	struct pptp_reader *reader = pptp_work_reader(work);

	work->spare_used |= 1u << i;
	reader->reserved_id = work->request->spare[i];
	reader->has_reserved = 1;
	claim_id(work, HELPER_CLAIM_RESERVE, reader->reserved_id);
}

/*
 * Ids that begin alike inside had better begin alike outside, and others not:
 * then half an id at the end of a segment can always be passed on.
 */
bool pptp_session_reserve(struct pptp_work *work, uint8_t inside_high, const uint8_t *needed_high)
{
	size_t count = work->request->spare_count, chosen = HELPER_SPARE_IDS;

	for (size_t i = 0; i < count && i < HELPER_SPARE_IDS; i++) {
		bool apart = pptp_halves_apart(work->state->calls, inside_high,
					       (uint8_t)(work->request->spare[i] >> 8));

		if (!spare_usable(work, i, needed_high) || (!apart && chosen < HELPER_SPARE_IDS))
			continue;
		chosen = i;
		if (apart)
			break;
	}
	if (chosen == HELPER_SPARE_IDS)
		return false;
	spare_take(work, chosen);
	return true;
}

/* An id was taken for this message, but no call came of it. */
static void reserved_release(struct pptp_work *work)
{
	struct pptp_reader *reader = pptp_work_reader(work);

	if (reader->has_reserved)
		claim_id(work, HELPER_CLAIM_RELEASE, reader->reserved_id);
	reader->has_reserved = 0;
}

static bool call_claimed(const struct pptp_call *call)
{
	return call->state != PPTP_CALL_NONE && call->flags & PPTP_HAS_INSIDE &&
	       !(call->flags & PPTP_RELEASED);
}

static void call_end(struct pptp_work *work, struct pptp_call *call)
{
	if (call_claimed(call))
		claim_id(work, HELPER_CLAIM_RELEASE, call->external_id);
	memset(call, 0, sizeof(*call));
}

void pptp_session_release_all(struct pptp_work *work)
{
	bool any = false;

	for (size_t i = 0; i < PPTP_CALLS; i++) {
		struct pptp_call *call = &work->state->calls[i];

		any |= call_claimed(call);
		if (call->state != PPTP_CALL_NONE)
			call->flags |= PPTP_RELEASED;
	}
	for (size_t i = 0; i < 2; i++) {
		any |= work->state->readers[i].has_reserved;
		work->state->readers[i].has_reserved = 0;
	}
	if (any)
		claim_id(work, HELPER_CLAIM_RELEASE_ALL, 0);
}

void pptp_session_end(struct pptp_work *work, enum helper_reason why)
{
	pptp_work_note(work, why);
	pptp_session_release_all(work);
	work->state->ended = 1;
	memset(work->state->calls, 0, sizeof(work->state->calls));
	memset(work->state->readers, 0, sizeof(work->state->readers));
}

static bool party_matches(const struct pptp_work *work, uint8_t party)
{
	bool originator = work->direction == work->state->originator;

	return party == PPTP_ANY_PARTY || originator == (party == PPTP_ORIGINATOR);
}

bool pptp_session_expects(struct pptp_work *work, const struct pptp_message *message)
{
	const struct pptp_control_cell *cell =
		pptp_control_cell(work->state->control, pptp_control_event(message));

	return cell->outcome != PPTP_FATAL && party_matches(work, cell->party);
}

/* True if the message may act. Its end may find another state than its header did. */
static bool control_step(struct pptp_work *work, const struct pptp_message *message)
{
	enum pptp_control_event event = pptp_control_event(message);
	const struct pptp_control_cell *cell = pptp_control_cell(work->state->control, event);

	if (cell->outcome == PPTP_FATAL || !party_matches(work, cell->party)) {
		pptp_session_end(work, HELPER_REASON_no_session);
		return false;
	}
	if (cell->outcome == PPTP_ILLEGAL) {
		pptp_work_note(work, HELPER_REASON_control_illegal);
		return false;
	}
	if (event == PPTP_STOP_REQUESTED)
		pptp_session_release_all(work);
	work->state->control = cell->next;
	return true;
}

/* Which id field names the call: a reply answers the peer's id, all else have one. */
static struct pptp_call *call_named(struct pptp_work *work, const struct pptp_message *message)
{
	const struct pptp_layout *layout = pptp_layout(message->type);
	size_t field = layout->ids[1] == PPTP_RECEIVERS_ID;

	return pptp_call_find(work->state->calls, pptp_side(work->direction, layout->ids[field]),
			      message->ids[field]);
}

static bool is_request(const struct pptp_message *message)
{
	return pptp_control_event(message) == PPTP_CALL_REQUESTED;
}

/* A call that is about to be requested: its roles are those of the request (2.7, 2.9). */
static struct pptp_call *call_new(struct pptp_work *work, const struct pptp_message *message)
{
	struct pptp_call *call = pptp_call_free(work->state->calls);
	bool sender_is_pns = pptp_layout(message->type)->sender == PPTP_PNS;
	bool sender_is_inside = work->direction == HELPER_OUTBOUND;

	if (call)
		call->flags = sender_is_pns == sender_is_inside ? PPTP_INSIDE_IS_PNS : 0;
	else
		pptp_work_note(work, HELPER_REASON_call_quota);
	return call;
}

static bool role_matches(const struct pptp_work *work, const struct pptp_call *call, uint8_t role)
{
	bool inside_is_pns = call->flags & PPTP_INSIDE_IS_PNS;
	bool sender_is_inside = work->direction == HELPER_OUTBOUND;

	return role == PPTP_EITHER || (role == PPTP_PNS) == (inside_is_pns == sender_is_inside);
}

static void peer_claim(struct pptp_work *work, const struct pptp_call *call)
{
	const uint8_t both = PPTP_HAS_INSIDE | PPTP_HAS_REMOTE;

	if ((call->flags & both) == both)
		claim(work, (struct helper_claim){.kind = HELPER_CLAIM_PEER,
						  .external_id = call->external_id,
						  .remote_id = call->remote_id});
}

/* The inside host said its id; the reserved one stands for it outside. */
static void inside_introduced(struct pptp_work *work, struct pptp_call *call, uint16_t id)
{
	struct pptp_reader *reader = pptp_work_reader(work);

	/* the id of another call of the same host, or a second id for this call */
	if (!reader->has_reserved || call->flags & PPTP_HAS_INSIDE) {
		pptp_work_note(work, HELPER_REASON_call_illegal);
		return;
	}
	reader->has_reserved = 0;
	call->inside_id = id;
	call->external_id = reader->reserved_id;
	call->flags |= PPTP_HAS_INSIDE;
	if (call->flags & PPTP_RELEASED) {
		claim_id(work, HELPER_CLAIM_RELEASE, call->external_id);
		return;
	}
	claim(work, (struct helper_claim){.kind = HELPER_CLAIM_ARM,
					  .external_id = call->external_id,
					  .inside_id = id});
	peer_claim(work, call);
}

static void remote_introduced(struct pptp_work *work, struct pptp_call *call, uint16_t id)
{
	call->remote_id = id;
	call->flags |= PPTP_HAS_REMOTE;
	if (!(call->flags & PPTP_RELEASED))
		peer_claim(work, call);
}

static void call_step(struct pptp_work *work, struct pptp_call *call,
		      const struct pptp_message *message)
{
	const struct pptp_layout *layout = pptp_layout(message->type);
	const struct pptp_call_cell *cell = pptp_call_cell(call->state, pptp_call_event(message));

	if (!role_matches(work, call, layout->sender)) {
		pptp_work_note(work, HELPER_REASON_wrong_role);
		return;
	}
	if (cell->outcome != PPTP_LEGAL) {
		pptp_work_note(work, HELPER_REASON_call_illegal);
		return;
	}
	if (cell->next == PPTP_CALL_NONE) {
		call_end(work, call);
		return;
	}
	call->state = cell->next;
	if (layout->introduces && work->direction == HELPER_OUTBOUND)
		inside_introduced(work, call, message->ids[0]);
	else if (layout->introduces)
		remote_introduced(work, call, message->ids[0]);
}

static void call_received(struct pptp_work *work, const struct pptp_message *message)
{
	struct pptp_call *call = call_named(work, message);

	if (call)
		call_step(work, call, message);
	else if (!is_request(message))
		pptp_work_note(work, HELPER_REASON_unknown_call);
	else if ((call = call_new(work, message)))
		call_step(work, call, message);
}

void pptp_session_received(struct pptp_work *work, const struct pptp_message *message)
{
	bool may_act = control_step(work, message);

	if (may_act && message->type >= PPTP_OUTGOING_CALL_REQUEST)
		call_received(work, message);
	reserved_release(work);
}
