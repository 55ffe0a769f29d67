/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known about one PPTP control connection: the opaque state that the
 * daemon keeps and sends along with each segment. Plain data, versioned; all
 * zero is a connection of which nothing was seen.
 */
#ifndef WAYLEAVE_HELPER_PPTP_STATE_H
#define WAYLEAVE_HELPER_PPTP_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/pptp_calls.h"
#include "helper/pptp_wire.h"
#include "helper/tcp_stream.h"

#define PPTP_STATE_VERSION 1

/* The first byte of an id stood at the end of a segment. */
enum pptp_reader_half {
	PPTP_READER_WHOLE,   /* no: no id is in two halves */
	PPTP_READER_DECIDED, /* its segment was passed on with a translation of it */
	PPTP_READER_HELD,    /* its segment was dropped: the second byte has to tell */
};

/* Where one direction stands in its message, and the beginning of it. */
struct pptp_reader {
	uint16_t position;    /* bytes of the message read */
	uint16_t length;      /* of the message; valid from PPTP_HEADER_BYTES on */
	uint8_t type;	      /* enum pptp_type; as length */
	uint8_t half;	      /* enum pptp_reader_half */
	uint8_t has_reserved; /* an external id was taken for the id in this message */
	uint16_t reserved_id;
	uint8_t prefix[PPTP_PREFIX_BYTES];
};

struct pptp_stream_state {
	uint16_t version;   /* PPTP_STATE_VERSION */
	uint8_t control;    /* enum pptp_control_state */
	uint8_t originator; /* enum helper_direction of the first SYN */
	uint8_t ended;	    /* assistance is over, for ever */
	uint8_t reset; /* an exact RST was seen, and nothing since: a SYN is a new connection */
	uint16_t zero;
	struct tcp_stream streams[2]; /* by enum helper_direction */
	struct pptp_reader readers[2];
	struct pptp_call calls[PPTP_CALLS];
};
static_assert(sizeof(struct pptp_stream_state) <= HELPER_STATE_BYTES, "state fits its datagram");

/*
 * From the bytes of a request; all zero gives a new state. False: not written by
 * this version (or by somebody who lies), `state` is then a new one, ended.
 */
bool pptp_state_load(struct pptp_stream_state *state, const uint8_t *bytes);

/* Into HELPER_STATE_BYTES bytes. */
void pptp_state_store(const struct pptp_stream_state *state, uint8_t *bytes);

#endif
