/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From bytes to messages. A message begins at stream offset 0 or right behind
 * a whole one; the reader never searches for one, so nothing that a web page
 * can make a browser send on this port reads as PPTP (NAT slipstreaming).
 *
 * Ids are translated as their bytes pass. If a segment ends between the two
 * bytes of an id, the first has to leave before the second is seen. That works
 * when all ids that begin so are translated to the same first byte; a new
 * external id is chosen on the spot. Where ids differ the segment is dropped but
 * remembered as read: the other half, which follows, settles it, and TCP's
 * retransmission of the first then gets its edit.
 */
#include <string.h>

#include "helper/pptp_work.h"

/* Id field whose first byte was the last one read, or -1. */
static int half_field(const struct pptp_reader *reader)
{
	for (size_t i = 0; i < PPTP_ID_FIELDS; i++)
		if (reader->position == pptp_id_offset(i) + 1)
			return (int)i;
	return -1;
}

static int whole_field(const struct pptp_reader *reader)
{
	for (size_t i = 0; i < PPTP_ID_FIELDS; i++)
		if (reader->position == pptp_id_offset(i) + 2)
			return (int)i;
	return -1;
}

/* False: there is no such id in this message, or it is one that passes unchanged. */
static bool field_translated(const struct pptp_work *work, const struct pptp_layout *layout,
			     int field, enum pptp_side *side)
{
	if (field < 0 || layout->ids[field] == PPTP_NO_ID)
		return false;
	*side = pptp_side(work->direction, layout->ids[field]);
	return pptp_side_translated(*side);
}

/* The inside host names an id for the first time: there is none outside yet. */
static bool field_introduces(const struct pptp_layout *layout, enum pptp_side side)
{
	return layout->introduces && side == PPTP_INSIDE;
}

static bool reserved(struct pptp_work *work, uint8_t inside_high)
{
	if (pptp_work_reader(work)->has_reserved || pptp_session_reserve(work, inside_high, NULL))
		return true;
	work->failed = HELPER_REASON_no_spare_id;
	return false;
}

static uint16_t id_translate(struct pptp_work *work, const struct pptp_layout *layout,
			     enum pptp_side side, uint16_t id)
{
	struct pptp_call *call = pptp_call_find(work->state->calls, side, id);

	if (call)
		return pptp_call_translated(call, side);
	if (!field_introduces(layout, side)) {
		pptp_work_note(work, HELPER_REASON_unknown_call);
		return id;
	}
	return reserved(work, (uint8_t)(id >> 8)) ? pptp_work_reader(work)->reserved_id : id;
}

static void byte_remember(struct pptp_work *work, uint32_t seq, uint8_t old_byte, uint8_t new_byte)
{
	if (!tcp_stream_remember(pptp_work_stream(work), seq, old_byte, new_byte))
		work->failed = HELPER_REASON_edits_full;
}

/* `seq` is that of the id's second byte. */
static void field_read(struct pptp_work *work, const struct pptp_layout *layout, int field,
		       uint32_t seq)
{
	struct pptp_reader *reader = pptp_work_reader(work);
	const uint8_t *bytes = reader->prefix + pptp_id_offset((size_t)field);
	enum pptp_side side;
	uint16_t id;

	if (!field_translated(work, layout, field, &side))
		return;
	id = id_translate(work, layout, side, (uint16_t)(bytes[0] << 8 | bytes[1]));
	if (reader->half != PPTP_READER_DECIDED)
		byte_remember(work, seq - 1, bytes[0], (uint8_t)(id >> 8));
	byte_remember(work, seq, bytes[1], (uint8_t)id);
	reader->half = PPTP_READER_WHOLE;
}

/* A new id may be one that is known already (then illegal, but translated): both must agree. */
static bool half_reserve(struct pptp_work *work, enum pptp_half half, uint8_t inside_high,
			 uint8_t *high)
{
	if (half == PPTP_HALF_CERTAIN)
		return pptp_session_reserve(work, inside_high, high);
	if (half == PPTP_HALF_AMBIGUOUS || !reserved(work, inside_high))
		return false;
	*high = (uint8_t)(pptp_work_reader(work)->reserved_id >> 8);
	return true;
}

static bool half_decide(struct pptp_work *work, const struct pptp_layout *layout,
			enum pptp_side side, uint8_t *high)
{
	uint8_t inside_high = *high;
	enum pptp_half half = pptp_half_translate(work->state->calls, side, *high, high);

	if (field_introduces(layout, side))
		return half_reserve(work, half, inside_high, high);
	return half != PPTP_HALF_AMBIGUOUS;
}

/* The segment ended; `seq` is that of its last byte. */
static void half_read(struct pptp_work *work, uint32_t seq)
{
	struct pptp_reader *reader = pptp_work_reader(work);
	const struct pptp_layout *layout = pptp_layout(reader->type);
	enum pptp_side side;
	int field = reader->position < PPTP_HEADER_BYTES ? -1 : half_field(reader);
	uint8_t old_byte, high;

	if (!layout || !field_translated(work, layout, field, &side))
		return;
	old_byte = high = reader->prefix[pptp_id_offset((size_t)field)];
	if (!half_decide(work, layout, side, &high)) {
		reader->half = PPTP_READER_HELD;
		return;
	}
	byte_remember(work, seq, old_byte, high);
	reader->half = PPTP_READER_DECIDED;
}

static void header_read(struct pptp_work *work)
{
	struct pptp_reader *reader = pptp_work_reader(work);
	struct pptp_message message = {0};
	enum helper_reason reason = pptp_header_decode(reader->prefix, PPTP_HEADER_BYTES, &message);

	if (!reason && !pptp_session_expects(work, &message))
		reason = HELPER_REASON_no_session;
	if (reason) {
		pptp_session_end(work, reason);
		return;
	}
	reader->type = (uint8_t)message.type;
	reader->length = message.length;
}

static void message_read(struct pptp_work *work)
{
	struct pptp_reader *reader = pptp_work_reader(work);
	struct pptp_message message = {0};
	size_t have = reader->length < PPTP_PREFIX_BYTES ? reader->length : PPTP_PREFIX_BYTES;
	enum helper_reason reason = pptp_message_decode(reader->prefix, have, &message);

	if (reason)
		pptp_session_end(work, reason);
	else
		pptp_session_received(work, &message);
	memset(reader, 0, sizeof(*reader));
}

/* One byte of the part that is looked at. */
static void prefix_read(struct pptp_work *work, uint8_t byte, uint32_t seq)
{
	struct pptp_reader *reader = pptp_work_reader(work);
	int field;

	reader->prefix[reader->position++] = byte;
	if (reader->position < PPTP_HEADER_BYTES)
		return;
	if (reader->position == PPTP_HEADER_BYTES) {
		header_read(work);
		return;
	}
	field = whole_field(reader);
	if (field >= 0)
		field_read(work, pptp_layout(reader->type), field, seq);
}

/* Bytes of the message that nobody looks at; how many of `count` belong to it. */
static size_t rest_skip(struct pptp_reader *reader, size_t count)
{
	size_t rest = (size_t)(reader->length - reader->position);
	size_t skipped = count < rest ? count : rest;

	reader->position += (uint16_t)skipped;
	return skipped;
}

void pptp_read(struct pptp_work *work, const uint8_t *bytes, size_t count, uint32_t seq)
{
	struct pptp_reader *reader = pptp_work_reader(work);
	size_t done = 0;

	while (done < count && !work->failed && !work->state->ended) {
		if (reader->position < PPTP_PREFIX_BYTES) {
			prefix_read(work, bytes[done], seq + (uint32_t)done);
			done++;
		} else {
			done += rest_skip(reader, count - done);
		}
		if (reader->position > PPTP_HEADER_BYTES && reader->position == reader->length)
			message_read(work);
	}
	if (count && !work->failed && !work->state->ended)
		half_read(work, seq + (uint32_t)count - 1);
}
