/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "helper/pptp_calls.h"

#include "helper/pptp_fsm.h"

enum pptp_side pptp_side(enum helper_direction direction, enum pptp_id_kind kind)
{
	if (direction == HELPER_OUTBOUND)
		return kind == PPTP_SENDERS_ID ? PPTP_INSIDE : PPTP_REMOTE;
	return kind == PPTP_SENDERS_ID ? PPTP_REMOTE : PPTP_EXTERNAL;
}

bool pptp_side_translated(enum pptp_side side)
{
	return side != PPTP_REMOTE;
}

static bool call_goes_by(const struct pptp_call *call, enum pptp_side side)
{
	uint8_t needed = side == PPTP_REMOTE ? PPTP_HAS_REMOTE : PPTP_HAS_INSIDE;

	return call->state != PPTP_CALL_NONE && call->flags & needed;
}

static uint16_t call_id(const struct pptp_call *call, enum pptp_side side)
{
	if (side == PPTP_REMOTE)
		return call->remote_id;
	return side == PPTP_INSIDE ? call->inside_id : call->external_id;
}

struct pptp_call *pptp_call_find(struct pptp_call *calls, enum pptp_side side, uint16_t id)
{
	for (struct pptp_call *call = calls; call < calls + PPTP_CALLS; call++)
		if (call_goes_by(call, side) && call_id(call, side) == id)
			return call;
	return NULL;
}

struct pptp_call *pptp_call_free(struct pptp_call *calls)
{
	for (struct pptp_call *call = calls; call < calls + PPTP_CALLS; call++)
		if (call->state == PPTP_CALL_NONE)
			return call;
	return NULL;
}

uint16_t pptp_call_translated(const struct pptp_call *call, enum pptp_side side)
{
	return side == PPTP_INSIDE ? call->external_id : call->inside_id;
}

enum pptp_half pptp_half_translate(const struct pptp_call *calls, enum pptp_side side, uint8_t high,
				   uint8_t *translated)
{
	enum pptp_half half = PPTP_HALF_UNKNOWN;

	for (const struct pptp_call *call = calls; call < calls + PPTP_CALLS; call++) {
		if (!call_goes_by(call, side) || call_id(call, side) >> 8 != high)
			continue;
		uint8_t byte = (uint8_t)(pptp_call_translated(call, side) >> 8);

		if (half == PPTP_HALF_CERTAIN && byte != *translated)
			return PPTP_HALF_AMBIGUOUS;
		*translated = byte;
		half = PPTP_HALF_CERTAIN;
	}
	return half;
}

bool pptp_halves_apart(const struct pptp_call *calls, uint8_t inside_high, uint8_t external_high)
{
	for (const struct pptp_call *call = calls; call < calls + PPTP_CALLS; call++)
		if (call_goes_by(call, PPTP_INSIDE) &&
		    (call->inside_id >> 8 == inside_high) !=
			    (call->external_id >> 8 == external_high))
			return false;
	return true;
}
