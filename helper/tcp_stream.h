/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One direction of a TCP connection whose bytes are read in order and edited
 * in place. Nothing is buffered: a segment past the next expected byte is
 * dropped and TCP brings it again; a byte that was edited is remembered until
 * the other side has acknowledged it, so that a retransmission, whatever its
 * boundaries, carries the same bytes as the first time.
 *
 * Plain data, part of the state that travels with each request. Sequence
 * numbers are host order and compared modulo 2^32 (RFC 9293 3.4). Pure.
 */
#ifndef WAYLEAVE_HELPER_TCP_STREAM_H
#define WAYLEAVE_HELPER_TCP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "helper/protocol.h"

#define TCP_STREAM_EDITS HELPER_EDITS /* bytes edited and not yet acknowledged */

enum tcp_flags { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_ACK = 0x10 };

struct tcp_segment {
	uint32_t seq;  /* of the first payload byte: after a SYN, one more than in the header */
	uint32_t ack;  /* valid with TCP_ACK */
	uint8_t flags; /* enum tcp_flags */
	const uint8_t *payload;
	size_t payload_bytes;
};

struct tcp_edit {
	uint32_t seq;
	uint8_t old_byte;
	uint8_t new_byte;
	uint16_t zero;
};

enum tcp_stream_seen { TCP_STREAM_SYN = 1, TCP_STREAM_FIN = 2 };

struct tcp_stream {
	uint32_t next_seq;  /* first byte not yet read */
	uint32_t acked_seq; /* first byte not yet acknowledged */
	uint16_t seen;	    /* enum tcp_stream_seen; 0: the direction has not started */
	uint16_t edit_count;
	struct tcp_edit edits[TCP_STREAM_EDITS]; /* ascending by seq */
};

/* True if seq `a` comes before `b`. */
static inline bool tcp_seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* From TCP header on. False: cut short or bad data offset (RFC 9293 3.1). Options are skipped. */
bool tcp_segment_decode(const uint8_t *bytes, size_t length, struct tcp_segment *segment);

/* False: not something that this file has written. */
bool tcp_stream_valid(const struct tcp_stream *stream);

/* `seq` of the first byte after the SYN. */
void tcp_stream_start(struct tcp_stream *stream, uint32_t seq);

/*
 * Where in the payload the unread bytes begin: payload_bytes if all are old.
 * -1 if bytes before them are missing, or if they come after the FIN.
 */
ssize_t tcp_stream_fresh(const struct tcp_stream *stream, const struct tcp_segment *segment);

/* Nobody reads the stream any more: its end moves on, gaps or not, so that edits are forgotten. */
void tcp_stream_pass(struct tcp_stream *stream, const struct tcp_segment *segment);

/* The other direction acknowledges up to `ack`; what lies outside of the stream is ignored. */
void tcp_stream_acked(struct tcp_stream *stream, uint32_t ack);

/* Remembers an edited byte; ascending by seq. False: TCP_STREAM_EDITS are in flight. */
bool tcp_stream_remember(struct tcp_stream *stream, uint32_t seq, uint8_t old_byte,
			 uint8_t new_byte);

/*
 * All remembered edits that touch the segment, neighbours merged. `edits` has
 * HELPER_EDITS entries, enough for all. False: a byte that was edited came
 * again with another value.
 */
bool tcp_stream_edits(const struct tcp_stream *stream, const struct tcp_segment *segment,
		      struct helper_edit *edits, uint16_t *count);

#endif
