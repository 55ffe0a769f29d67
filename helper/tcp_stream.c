/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "helper/tcp_stream.h"

#include <string.h>

#include "helper/cursor.h"

#define TCP_HEADER_BYTES 20

bool tcp_segment_decode(const uint8_t *bytes, size_t length, struct tcp_segment *segment)
{
	struct cursor c = cursor_over(bytes, length);
	size_t header_bytes;

	cursor_u32(&c); /* ports */
	segment->seq = cursor_u32(&c);
	segment->ack = cursor_u32(&c);
	header_bytes = (size_t)(cursor_u8(&c) >> 4) * 4;
	segment->flags = cursor_u8(&c);
	if (c.failed || header_bytes < TCP_HEADER_BYTES || header_bytes > length)
		return false;
	if (segment->flags & TCP_SYN)
		segment->seq++;
	segment->payload = bytes + header_bytes;
	segment->payload_bytes = length - header_bytes;
	return true;
}

bool tcp_stream_valid(const struct tcp_stream *stream)
{
	if (stream->edit_count > TCP_STREAM_EDITS)
		return false;
	for (size_t i = 1; i < stream->edit_count; i++)
		if (!tcp_seq_before(stream->edits[i - 1].seq, stream->edits[i].seq))
			return false;
	return true;
}

void tcp_stream_start(struct tcp_stream *stream, uint32_t seq)
{
	memset(stream, 0, sizeof(*stream));
	stream->seen = TCP_STREAM_SYN;
	stream->next_seq = stream->acked_seq = seq;
}

ssize_t tcp_stream_fresh(const struct tcp_stream *stream, const struct tcp_segment *segment)
{
	uint32_t old_bytes = stream->next_seq - segment->seq;

	if (tcp_seq_before(stream->next_seq, segment->seq))
		return -1;
	if (old_bytes >= segment->payload_bytes)
		return (ssize_t)segment->payload_bytes;
	return stream->seen & TCP_STREAM_FIN ? -1 : (ssize_t)old_bytes;
}

void tcp_stream_pass(struct tcp_stream *stream, const struct tcp_segment *segment)
{
	uint32_t end = segment->seq + (uint32_t)segment->payload_bytes;

	if (tcp_seq_before(stream->next_seq, end))
		stream->next_seq = end;
}

void tcp_stream_acked(struct tcp_stream *stream, uint32_t ack)
{
	size_t gone = 0;

	if (!tcp_seq_before(stream->acked_seq, ack) || tcp_seq_before(stream->next_seq, ack))
		return;
	stream->acked_seq = ack;
	while (gone < stream->edit_count && tcp_seq_before(stream->edits[gone].seq, ack))
		gone++;
	stream->edit_count -= (uint16_t)gone;
	memmove(stream->edits, stream->edits + gone, stream->edit_count * sizeof(stream->edits[0]));
}

bool tcp_stream_remember(struct tcp_stream *stream, uint32_t seq, uint8_t old_byte,
			 uint8_t new_byte)
{
	if (old_byte == new_byte)
		return true;
	if (stream->edit_count == TCP_STREAM_EDITS)
		return false;
	stream->edits[stream->edit_count++] =
		(struct tcp_edit){.seq = seq, .old_byte = old_byte, .new_byte = new_byte};
	return true;
}

static bool edit_extends(const struct helper_edit *edit, size_t offset)
{
	return edit->length < HELPER_EDIT_BYTES && (size_t)edit->offset + edit->length == offset;
}

static void edit_append(struct helper_edit *edits, uint16_t *count, size_t offset,
			const struct tcp_edit *byte)
{
	struct helper_edit *edit = *count ? &edits[*count - 1] : NULL;

	if (!edit || !edit_extends(edit, offset)) {
		edit = &edits[(*count)++];
		*edit = (struct helper_edit){.offset = (uint16_t)offset};
	}
	edit->old_bytes[edit->length] = byte->old_byte;
	edit->new_bytes[edit->length++] = byte->new_byte;
}

bool tcp_stream_edits(const struct tcp_stream *stream, const struct tcp_segment *segment,
		      struct helper_edit *edits, uint16_t *count)
{
	*count = 0;
	for (size_t i = 0; i < stream->edit_count; i++) {
		const struct tcp_edit *byte = &stream->edits[i];
		uint32_t offset = byte->seq - segment->seq;

		if (offset >= segment->payload_bytes)
			continue;
		if (segment->payload[offset] != byte->old_byte)
			return false;
		edit_append(edits, count, offset, byte);
	}
	return true;
}
