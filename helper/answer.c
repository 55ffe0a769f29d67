/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon lets a helper do. Every answer is taken for hostile: it may
 * change bytes of the one segment that it was asked about, and claim ids that
 * the daemon has set aside for that segment's flow. Nothing else has effect.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "helper/helper.h"

#define TCP_CHECKSUM_OFFSET 16
#define TCP_HEADER_BYTES    20
#define UDP_CHECKSUM_OFFSET 6
#define UDP_HEADER_BYTES    8

/* The bytes in front of the payload; more than the frame has: it is cut short. */
static size_t header_bytes(const struct helper_frame *frame)
{
	size_t bytes;

	if (frame->carrier == HELPER_OVER_IP)
		return 0;
	if (frame->carrier == HELPER_OVER_UDP)
		return UDP_HEADER_BYTES;
	if (frame->tcp_bytes < TCP_HEADER_BYTES)
		return TCP_HEADER_BYTES;
	bytes = (size_t)(frame->bytes[frame->tcp_offset + 12] >> 4) * 4;
	return bytes < TCP_HEADER_BYTES ? SIZE_MAX : bytes;
}

/* Payload of the frame; *bytes is 0 if the header leaves none. */
static uint8_t *frame_payload(const struct helper_frame *frame, size_t *bytes)
{
	size_t header = header_bytes(frame);

	*bytes = header < frame->tcp_bytes ? frame->tcp_bytes - header : 0;
	return frame->bytes + frame->tcp_offset + (*bytes ? header : 0);
}

static int form_check(const struct helper_answer *answer, size_t bytes)
{
	const uint8_t flags = HELPER_ENDED | HELPER_PLAIN;

	if (bytes != sizeof(*answer) || answer->magic != HELPER_PROTOCOL_MAGIC || answer->zero)
		return -EPROTO;
	if (answer->verdict > HELPER_DROP || answer->reason >= HELPER_REASONS ||
	    (answer->verdict == HELPER_DROP) != (answer->reason != HELPER_REASON_none))
		return -EPROTO;
	if (answer->flags & ~flags || answer->flags == HELPER_PLAIN ||
	    answer->notes >> HELPER_REASONS)
		return -EPROTO;
	if (answer->edit_count > HELPER_EDITS || answer->claim_count > HELPER_CLAIMS ||
	    (answer->verdict == HELPER_DROP && answer->edit_count))
		return -EPROTO;
	return 0;
}

/* `next` is the first payload byte that the edits before have left alone. */
static int edit_check(const struct helper_edit *edit, const uint8_t *payload, size_t payload_bytes,
		      size_t *next)
{
	if (edit->length == 0 || edit->length > HELPER_EDIT_BYTES || edit->zero)
		return -EPROTO;
	if (edit->offset < *next || (size_t)edit->offset + edit->length > payload_bytes)
		return -ERANGE;
	if (memcmp(payload + edit->offset, edit->old_bytes, edit->length))
		return -ERANGE;
	*next = (size_t)edit->offset + edit->length;
	return 0;
}

static int edits_check(const struct helper_frame *frame, const struct helper_answer *answer)
{
	size_t payload_bytes, next = 0;
	const uint8_t *payload = frame_payload(frame, &payload_bytes);
	int error = 0;

	for (size_t i = 0; i < answer->edit_count && !error; i++)
		error = edit_check(&answer->edits[i], payload, payload_bytes, &next);
	return error;
}

static struct helper_id *id_find(struct helper_flow *flow, const struct helper_claim *claim)
{
	for (size_t i = 0; i < flow->id_count; i++)
		if (flow->ids[i].external_id == claim->external_id &&
		    flow->ids[i].space == claim->space)
			return &flow->ids[i];
	return NULL;
}

/* An id of the inside host's own choice; helper_options.allowed sees whether another has it. */
static int id_take(struct helper_flow *flow, const struct helper_claim *claim)
{
	bool chooses = flow->protocol == HELPER_L2TP_IP || flow->protocol == HELPER_L2TP_OWN;

	if (!chooses || id_find(flow, claim))
		return -EPERM;
	if (flow->id_count == HELPER_FLOW_IDS)
		return -EDQUOT;
	flow->ids[flow->id_count++] =
		(struct helper_id){.external_id = claim->external_id, .space = claim->space};
	return 0;
}

static int id_reserve(struct helper_flow *flow, uint32_t external_id)
{
	size_t i = 0;

	while (i < flow->spare_count && flow->spare[i] != external_id)
		i++;
	if (i == flow->spare_count)
		return -EPERM;
	if (flow->id_count == HELPER_FLOW_IDS)
		return -EDQUOT;
	flow->spare_count--;
	memmove(&flow->spare[i], &flow->spare[i + 1],
		(flow->spare_count - i) * sizeof(flow->spare[0]));
	flow->ids[flow->id_count++] = (struct helper_id){.external_id = external_id};
	return 0;
}

static void id_release(struct helper_flow *flow, struct helper_id *id)
{
	*id = flow->ids[--flow->id_count];
}

/* A claim on an id that the flow holds. */
static int held_claim(struct helper_flow *flow, const struct helper_claim *claim)
{
	struct helper_id *id = id_find(flow, claim);

	if (!id)
		return -EPERM;
	if (claim->kind == HELPER_CLAIM_RELEASE) {
		id_release(flow, id);
	} else if (claim->kind == HELPER_CLAIM_ARM) {
		id->inside_id = claim->inside_id;
		id->armed = 1;
	} else {
		id->remote_id = claim->remote_id;
		id->has_remote = 1;
	}
	return 0;
}

/* Call ids and tunnel ids have 16 bits; only version 3 of L2TP has more, and sessions. */
static bool claim_is_formed(const struct helper_flow *flow, const struct helper_claim *claim)
{
	bool wide = flow->protocol == HELPER_L2TP_IP;

	if (claim->kind < HELPER_CLAIM_RESERVE || claim->kind > HELPER_CLAIM_TAKE || claim->zero ||
	    claim->space > (wide ? HELPER_ID_SESSION : HELPER_ID_CALL))
		return false;
	return wide || (claim->inside_id <= UINT16_MAX && claim->remote_id <= UINT16_MAX);
}

/* After the end of assistance ids can only be given back. */
static int claim_apply(struct helper_flow *flow, const struct helper_claim *claim)
{
	bool gives_back =
		claim->kind == HELPER_CLAIM_RELEASE || claim->kind == HELPER_CLAIM_RELEASE_ALL;

	if (!claim_is_formed(flow, claim))
		return -EPROTO;
	if (flow->flags & HELPER_ENDED && !gives_back)
		return -EPERM;
	switch (claim->kind) {
	case HELPER_CLAIM_RELEASE_ALL:
		flow->id_count = 0;
		return 0;
	case HELPER_CLAIM_RESERVE:
		return id_reserve(flow, claim->external_id);
	case HELPER_CLAIM_TAKE:
		return id_take(flow, claim);
	default:
		return held_claim(flow, claim);
	}
}

static int claims_apply(struct helper_flow *flow, const struct helper_answer *answer)
{
	int error = 0;

	for (size_t i = 0; i < answer->claim_count && !error; i++)
		error = claim_apply(flow, &answer->claims[i]);
	return error;
}

int helper_validate_answer(const struct helper_flow *flow, const struct helper_frame *frame,
			   const struct helper_answer *answer, size_t bytes)
{
	struct helper_flow after = *flow;
	int error = form_check(answer, bytes);

	if (!error && flow->flags & HELPER_ENDED && !(answer->flags & HELPER_ENDED))
		error = -EPROTO;
	if (!error)
		error = edits_check(frame, answer);
	return error ? error : claims_apply(&after, answer);
}

void helper_flow_update(struct helper_flow *flow, const struct helper_answer *answer)
{
	claims_apply(flow, answer);
	flow->flags = answer->flags;
	memcpy(flow->state, answer->state, sizeof(flow->state));
}

/* RFC 1624 equation 3 for one byte, whose place in its 16-bit word is `offset` modulo 2. */
static uint16_t checksum_adjust(uint16_t checksum, size_t offset, uint8_t old_byte,
				uint8_t new_byte)
{
	unsigned int shift = offset & 1 ? 0 : 8;
	uint32_t sum = (uint16_t)~checksum;

	sum += (uint16_t) ~(old_byte << shift);
	sum += (uint32_t)new_byte << shift;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Writes the edits; what they make of @checksum. */
static uint16_t edits_write(uint8_t *payload, uint16_t checksum, const struct helper_edit *edits,
			    size_t count)
{
	for (const struct helper_edit *edit = edits; edit < edits + count; edit++)
		for (size_t i = 0; i < edit->length; i++) {
			checksum = checksum_adjust(checksum, edit->offset + i, edit->old_bytes[i],
						   edit->new_bytes[i]);
			payload[edit->offset + i] = edit->new_bytes[i];
		}
	return checksum;
}

/* The carrier's checksum; NULL: it has none. */
static uint8_t *checksum_field(const struct helper_frame *frame)
{
	uint8_t *header = frame->bytes + frame->tcp_offset;

	if (frame->carrier == HELPER_OVER_TCP)
		return header + TCP_CHECKSUM_OFFSET;
	if (frame->carrier == HELPER_OVER_IP)
		return NULL;
	header += UDP_CHECKSUM_OFFSET;
	return header[0] || header[1] ? header : NULL;
}

void helper_edits_apply(const struct helper_frame *frame, const struct helper_edit *edits,
			size_t count)
{
	size_t payload_bytes;
	uint8_t *payload = frame_payload(frame, &payload_bytes), *field = NULL;
	uint16_t checksum = 0;

	if (count && !frame->partial_checksum)
		field = checksum_field(frame);
	if (field)
		checksum = (uint16_t)(field[0] << 8 | field[1]);
	checksum = edits_write(payload, checksum, edits, count);
	if (!field)
		return;
	if (frame->carrier == HELPER_OVER_UDP && !checksum)
		checksum = UINT16_MAX; /* RFC 768: 0 would mean none */
	field[0] = (uint8_t)(checksum >> 8);
	field[1] = (uint8_t)checksum;
}
