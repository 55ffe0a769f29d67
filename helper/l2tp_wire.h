/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * L2TP control messages on the wire: version 2 (RFC 2661 sections 3.1 and 4) and
 * version 3 (RFC 3931 sections 3.2.1 and 5), bytes to host order and back. Pure.
 * Only what a translator needs: header, message type, the ids that the peers
 * choose, and whether somebody would notice a change of them.
 *
 * A "control connection" is what version 2 calls a tunnel.
 */
#ifndef WAYLEAVE_HELPER_L2TP_WIRE_H
#define WAYLEAVE_HELPER_L2TP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helper/protocol.h"

#define L2TP_HEADER_BYTES     12   /* of a control message, both versions */
#define L2TP_AVP_HEADER_BYTES 6	   /* RFC 2661 section 4.1 */
#define L2TP_AVP_BYTES_MAX    1023 /* a length of 10 bits */
#define L2TP_AVPS_MAX	      128  /* in one message; the rest is not looked at */

enum l2tp_type {
	L2TP_EMPTY = 0, /* version 2: a header alone, acknowledges (RFC 2661 section 5.8) */
	L2TP_SCCRQ = 1,
	L2TP_SCCRP = 2,
	L2TP_SCCCN = 3,
	L2TP_STOPCCN = 4,
	L2TP_HELLO = 6,
	L2TP_OCRQ = 7,
	L2TP_OCRP = 8,
	L2TP_OCCN = 9,
	L2TP_ICRQ = 10,
	L2TP_ICRP = 11,
	L2TP_ICCN = 12,
	L2TP_CDN = 14,
	L2TP_WEN = 15,
	L2TP_SLI = 16,
	L2TP_ACK = 20, /* version 3 */
	L2TP_TYPES,
};

/* Ids in AVPs, by what they name. Version 2 has 16 bits, version 3 has 32. */
enum l2tp_id {
	L2TP_CONNECTION_ID, /* AVP 9 Assigned Tunnel ID, AVP 61 Assigned Control Connection ID */
	L2TP_SESSION_ID,    /* AVP 14 Assigned Session ID, AVP 63 Local Session ID */
	L2TP_REMOTE_SESSION_ID, /* AVP 64 */
	L2TP_IDS,
};

struct l2tp_message {
	uint8_t version;	    /* 2 or 3 */
	uint16_t length;	    /* of the whole message, bytes */
	uint32_t connection_id;	    /* of the header: the receiver's; 0: not known yet */
	uint16_t session_id;	    /* of a version 2 header; 0 in version 3 */
	uint16_t type;		    /* enum l2tp_type */
	uint8_t found;		    /* bit n: enum l2tp_id n is there, in clear */
	uint8_t hidden;		    /* bit n: it is there, hidden (RFC 2661 section 4.3) */
	bool digest;		    /* AVP 59 signs the message (RFC 3931 section 4.3) */
	uint32_t ids[L2TP_IDS];	    /* 0 where not found */
	uint16_t offsets[L2TP_IDS]; /* of the value, from the message's start; as ids */
};

/* The bytes that an id has on the wire. */
static inline size_t l2tp_id_bytes(uint8_t version)
{
	return version == 2 ? 2 : 4;
}

static inline bool l2tp_has(const struct l2tp_message *message, enum l2tp_id id)
{
	return message->found >> id & 1;
}

/*
 * A control message of `length` bytes from its flags on (over IP: behind the four
 * zero bytes). HELPER_REASON_none, or why it is none; what lies behind the
 * message's own length is not looked at. Nothing of `message` counts on failure.
 */
enum helper_reason l2tp_message_decode(const uint8_t *bytes, size_t length,
				       struct l2tp_message *message);

/*
 * Writes header, message type and the ids of `found`, in the order of enum
 * l2tp_id, with a digest of zeros where `digest`. `length` and `offsets` are not
 * looked at. Returns the bytes written, 0: no room, or no such version.
 */
size_t l2tp_message_encode(uint8_t *bytes, size_t room, const struct l2tp_message *message);

#endif
