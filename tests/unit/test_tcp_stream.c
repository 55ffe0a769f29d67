/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One direction of an edited TCP stream: order, repetition, acknowledgement, wrap-around. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "helper/tcp_stream.h"

static uint8_t payload[64];

static struct tcp_segment segment(uint32_t seq, size_t bytes)
{
	return (struct tcp_segment){.seq = seq, .payload = payload, .payload_bytes = bytes};
}

static void header_cut_short(void **state)
{
	uint8_t bytes[60] = {[12] = 5 << 4, [13] = TCP_SYN, [7] = 9};
	struct tcp_segment s;

	for (size_t n = 0; n < 20; n++) {
		uint8_t exact[20];

		memcpy(exact, bytes, n);
		assert_false(tcp_segment_decode(exact, n, &s));
	}
	assert_true(tcp_segment_decode(bytes, 20, &s));
	assert_int_equal(s.seq, 10); /* a SYN takes one sequence number */
	bytes[12] = 4 << 4;
	assert_false(tcp_segment_decode(bytes, 60, &s));
	bytes[12] = 15 << 4;
	assert_false(tcp_segment_decode(bytes, 59, &s));
	assert_true(tcp_segment_decode(bytes, 60, &s));
	assert_int_equal(s.payload_bytes, 0);
}

/* What of a segment is new, for a stream that is at `next`. */
static void fresh_bytes(void **state)
{
	static const struct {
		uint32_t next, seq;
		size_t bytes;
		ssize_t fresh;
		const char *what;
	} rows[] = {
		{100, 100, 10, 0, "in order"},
		{100, 101, 10, -1, "a byte is missing"},
		{100, 90, 10, 10, "repeated"},
		{100, 90, 15, 10, "repeated and more"},
		{100, 99, 1, 1, "window probe with an old byte"},
		{100, 99, 0, 0, "keepalive without a byte"},
		{100, 100, 0, 0, "ACK"},
		{5, 0xfffffffb, 20, 10, "repeated over the wrap"},
		{0xfffffffb, 0xfffffffb, 20, 0, "in order over the wrap"},
		{0xfffffffb, 3, 20, -1, "missing over the wrap"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tcp_stream stream;
		struct tcp_segment s = segment(rows[i].seq, rows[i].bytes);

		tcp_stream_start(&stream, rows[i].next);
		if (tcp_stream_fresh(&stream, &s) != rows[i].fresh)
			print_error("%s\n", rows[i].what);
		assert_int_equal(tcp_stream_fresh(&stream, &s), rows[i].fresh);
	}
}

static void nothing_after_fin(void **state)
{
	struct tcp_stream stream;
	struct tcp_segment s = segment(100, 1);

	tcp_stream_start(&stream, 100);
	stream.seen |= TCP_STREAM_FIN;
	assert_int_equal(tcp_stream_fresh(&stream, &s), -1);
	s.payload_bytes = 0;
	assert_int_equal(tcp_stream_fresh(&stream, &s), 0);
}

static void edits_are_repeated_and_merged(void **state)
{
	struct tcp_stream stream;
	struct helper_edit edits[HELPER_EDITS];
	struct tcp_segment s = segment(0xfffffff0, 64);
	uint16_t count;

	memset(payload, 0, sizeof(payload));
	tcp_stream_start(&stream, 0xfffffff0);
	for (uint32_t i = 14; i < 19; i++) /* five neighbours over the wrap: 4 + 1 */
		assert_true(tcp_stream_remember(&stream, 0xfffffff0 + i, 0, (uint8_t)i));
	assert_true(tcp_stream_remember(&stream, 40, 7, 7)); /* nothing to remember */
	assert_true(tcp_stream_edits(&stream, &s, edits, &count));
	assert_int_equal(count, 2);
	assert_int_equal(edits[0].offset, 14);
	assert_int_equal(edits[0].length, 4);
	assert_memory_equal(edits[0].new_bytes, "\16\17\20\21", 4);
	assert_int_equal(edits[1].offset, 18);
	assert_int_equal(edits[1].length, 1);
	s = segment(0xfffffff0 + 15, 2); /* other boundaries */
	assert_true(tcp_stream_edits(&stream, &s, edits, &count));
	assert_int_equal(count, 1);
	assert_int_equal(edits[0].length, 2);
	payload[0] = 1;
	assert_false(tcp_stream_edits(&stream, &s, edits, &count));
	payload[0] = 0;
}

static void acknowledged_edits_go(void **state)
{
	struct tcp_stream stream;

	tcp_stream_start(&stream, 1000);
	for (uint32_t i = 0; i < 10; i++)
		tcp_stream_remember(&stream, 1000 + i, 0, 1);
	stream.next_seq = 1010;
	tcp_stream_acked(&stream, 1011); /* not sent yet */
	tcp_stream_acked(&stream, 999);	 /* old */
	assert_int_equal(stream.edit_count, 10);
	tcp_stream_acked(&stream, 1004);
	assert_int_equal(stream.edit_count, 6);
	assert_int_equal(stream.edits[0].seq, 1004);
	tcp_stream_acked(&stream, 1010);
	assert_int_equal(stream.edit_count, 0);
}

static void full_and_invalid(void **state)
{
	struct tcp_stream stream;

	tcp_stream_start(&stream, 0);
	for (uint32_t i = 0; i < TCP_STREAM_EDITS; i++)
		assert_true(tcp_stream_remember(&stream, i, 0, 1));
	assert_false(tcp_stream_remember(&stream, 999, 0, 1));
	assert_true(tcp_stream_valid(&stream));
	stream.edits[7].seq = stream.edits[6].seq;
	assert_false(tcp_stream_valid(&stream));
	stream.edit_count++;
	assert_false(tcp_stream_valid(&stream));
}

static void unread_stream_moves_on(void **state)
{
	struct tcp_stream stream;
	struct tcp_segment s = segment(200, 10);

	tcp_stream_start(&stream, 100);
	tcp_stream_pass(&stream, &s);
	assert_int_equal(stream.next_seq, 210);
	s.seq = 100;
	tcp_stream_pass(&stream, &s);
	assert_int_equal(stream.next_seq, 210);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_cut_short),
		cmocka_unit_test(fresh_bytes),
		cmocka_unit_test(nothing_after_fin),
		cmocka_unit_test(edits_are_repeated_and_merged),
		cmocka_unit_test(acknowledged_edits_go),
		cmocka_unit_test(full_and_invalid),
		cmocka_unit_test(unread_stream_moves_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
