/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PPTP control messages on the wire (RFC 2637 section 2): layout of each type,
 * decoding to host order, encoding. Pure. Only what a translator needs: header,
 * call ids and result code, all within the first PPTP_PREFIX_BYTES.
 */
#ifndef WAYLEAVE_HELPER_PPTP_WIRE_H
#define WAYLEAVE_HELPER_PPTP_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "helper/protocol.h"

#define PPTP_HEADER_BYTES      12
#define PPTP_PREFIX_BYTES      18
#define PPTP_MESSAGE_BYTES_MAX 220 /* Incoming-Call-Request */
#define PPTP_MAGIC	       0x1A2B3C4Du
#define PPTP_CONTROL_MESSAGE   1 /* the only "PPTP Message Type" there is */

#define PPTP_RESULT_OK 1 /* in all replies */

enum pptp_type {
	PPTP_START_REQUEST = 1,
	PPTP_START_REPLY,
	PPTP_STOP_REQUEST,
	PPTP_STOP_REPLY,
	PPTP_ECHO_REQUEST,
	PPTP_ECHO_REPLY,
	PPTP_OUTGOING_CALL_REQUEST,
	PPTP_OUTGOING_CALL_REPLY,
	PPTP_INCOMING_CALL_REQUEST,
	PPTP_INCOMING_CALL_REPLY,
	PPTP_INCOMING_CALL_CONNECTED,
	PPTP_CALL_CLEAR_REQUEST,
	PPTP_CALL_DISCONNECT_NOTIFY,
	PPTP_WAN_ERROR_NOTIFY,
	PPTP_SET_LINK_INFO,
	PPTP_TYPES
};

/* Who may send a message of a call. */
enum pptp_role { PPTP_EITHER, PPTP_PNS, PPTP_PAC };

/* Whose number a 16-bit field is: who chose it. */
enum pptp_id_kind {
	PPTP_NO_ID,
	PPTP_SENDERS_ID,   /* "Call ID" */
	PPTP_RECEIVERS_ID, /* "Peer's Call ID" */
};

#define PPTP_ID_FIELDS 2 /* at offsets 12 and 14 */

struct pptp_layout {
	uint16_t length;	     /* of the whole message, bytes */
	uint8_t sender;		     /* enum pptp_role */
	uint8_t ids[PPTP_ID_FIELDS]; /* enum pptp_id_kind */
	uint8_t result_offset;	     /* 0: no result code */
	uint8_t introduces;	     /* 1: the sender's id is new with this message */
	const char *section;	     /* of RFC 2637 */
};

struct pptp_message {
	uint16_t length;
	uint16_t type;		      /* enum pptp_type */
	uint16_t ids[PPTP_ID_FIELDS]; /* 0 where the type has none */
	uint8_t result;		      /* 0 where the type has none */
};

static inline size_t pptp_id_offset(size_t field)
{
	return PPTP_HEADER_BYTES + 2 * field;
}

/* Static; NULL for types that RFC 2637 does not know. */
const struct pptp_layout *pptp_layout(uint16_t type);

/*
 * Header alone, from PPTP_HEADER_BYTES bytes. HELPER_REASON_none or why this is no
 * PPTP message. Reserved0 is not looked at: "MUST be 0" binds the sender only.
 */
enum helper_reason pptp_header_decode(const uint8_t *bytes, size_t length,
				      struct pptp_message *message);

/* Header and fields; `length` >= min(message length, PPTP_PREFIX_BYTES). */
enum helper_reason pptp_message_decode(const uint8_t *bytes, size_t length,
				       struct pptp_message *message);

/*
 * Writes the whole message, what is not in struct pptp_message as zero. `length` 0
 * stands for the type's own. Returns the bytes written, 0 if there is no room or
 * no such type.
 */
size_t pptp_message_encode(uint8_t *bytes, size_t room, const struct pptp_message *message);

#endif
