/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any header of up to 128 bytes, and any segment on any stream. Not here: what forgets and
 * gives edits, whose bounds depend on each other; that is fuzz_pptp's.
 */
#include "helper/tcp_stream.c"

#include "tests/prove/any.h"

static uint8_t bytes[128];
static struct tcp_stream stream;

int main(void)
{
	struct tcp_segment segment;

	any_bytes(bytes, sizeof(bytes));
	tcp_segment_decode(bytes, any_length(sizeof(bytes)), &segment);

	any_bytes((uint8_t *)&stream, sizeof(stream));
	stream.edit_count = any_length(TCP_STREAM_EDITS);
	any_bytes((uint8_t *)&segment, sizeof(segment));
	segment.payload = bytes;
	segment.payload_bytes = any_length(sizeof(bytes));
	tcp_stream_valid(&stream);
	tcp_stream_fresh(&stream, &segment);
	tcp_stream_pass(&stream, &segment);
	tcp_stream_remember(&stream, segment.seq, bytes[0], bytes[1]);
	tcp_stream_start(&stream, segment.seq);
	return 0;
}
