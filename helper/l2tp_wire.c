/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "helper/l2tp_wire.h"

#include <string.h>

#include "helper/cursor.h"

/* RFC 2661 section 3.1: T, L, S, O, P and Ver; the x bits are not looked at. */
#define FLAG_CONTROL  0x8000
#define FLAG_LENGTH   0x4000
#define FLAG_SEQUENCE 0x0800
#define FLAG_OFFSET   0x0200
#define FLAG_PRIORITY 0x0100
#define VERSION_MASK  0x000f

/* RFC 2661 section 4.1 */
#define AVP_MANDATORY	0x8000
#define AVP_HIDDEN	0x4000
#define AVP_LENGTH_MASK 0x03ff

enum avp_type {
	AVP_MESSAGE_TYPE = 0,
	AVP_ASSIGNED_TUNNEL_ID = 9,
	AVP_ASSIGNED_SESSION_ID = 14,
	AVP_MESSAGE_DIGEST = 59,
	AVP_ASSIGNED_CONNECTION_ID = 61,
	AVP_LOCAL_SESSION_ID = 63,
	AVP_REMOTE_SESSION_ID = 64,
};

#define DIGEST_BYTES 17 /* type and MD5, RFC 3931 section 5.4.1 */

/* Where each version has an id; 0: nowhere (type 0 is the message type). */
static const uint16_t avp_of_id[2][L2TP_IDS] = {
	{AVP_ASSIGNED_TUNNEL_ID, AVP_ASSIGNED_SESSION_ID, 0},
	{AVP_ASSIGNED_CONNECTION_ID, AVP_LOCAL_SESSION_ID, AVP_REMOTE_SESSION_ID},
};

struct avp {
	uint16_t flags; /* and length */
	uint16_t vendor, type;
	struct cursor value;
};

/* --- decoding -------------------------------------------------------------------- */

static bool header_decode(struct cursor *c, size_t given, struct l2tp_message *message)
{
	uint16_t flags = cursor_u16(c);

	message->version = flags & VERSION_MASK;
	message->length = cursor_u16(c);
	if (message->version == 2) {
		message->connection_id = cursor_u16(c);
		message->session_id = cursor_u16(c);
	} else {
		message->connection_id = cursor_u32(c);
	}
	cursor_u32(c); /* Ns, Nr */
	if (c->failed || message->length < L2TP_HEADER_BYTES || message->length > given)
		return false;
	c->end = message->length;
	return (message->version == 2 || message->version == 3) && flags & FLAG_CONTROL &&
	       flags & FLAG_LENGTH && flags & FLAG_SEQUENCE &&
	       !(flags & (FLAG_OFFSET | FLAG_PRIORITY));
}

/* The next AVP; false: the message is broken. */
static bool avp_decode(struct cursor *c, struct avp *avp)
{
	size_t length;

	avp->flags = cursor_u16(c);
	avp->vendor = cursor_u16(c);
	avp->type = cursor_u16(c);
	length = avp->flags & AVP_LENGTH_MASK;
	if (c->failed || length < L2TP_AVP_HEADER_BYTES)
		return false;
	avp->value = cursor_part(c, length - L2TP_AVP_HEADER_BYTES);
	return !c->failed;
}

/* RFC 2661 section 4.4.1: the first one, never hidden. */
static bool type_decode(struct cursor *c, struct l2tp_message *message)
{
	struct avp avp;

	if (!avp_decode(c, &avp) || avp.vendor || avp.type != AVP_MESSAGE_TYPE ||
	    avp.flags & AVP_HIDDEN || cursor_left(&avp.value) != 2)
		return false;
	message->type = cursor_u16(&avp.value);
	return message->type != L2TP_EMPTY; /* reserved */
}

static bool id_decode(struct l2tp_message *message, enum l2tp_id id, struct avp *avp)
{
	uint8_t bit = (uint8_t)(1u << id);

	if ((message->found | message->hidden) & bit)
		return false; /* twice: which one would the peer believe? */
	if (avp->flags & AVP_HIDDEN) {
		message->hidden |= bit;
		return true;
	}
	if (cursor_left(&avp->value) != l2tp_id_bytes(message->version))
		return false;
	message->found |= bit;
	message->offsets[id] = (uint16_t)avp->value.at;
	message->ids[id] =
		message->version == 2 ? cursor_u16(&avp->value) : cursor_u32(&avp->value);
	return true;
}

static bool avp_note(struct l2tp_message *message, struct avp *avp)
{
	const uint16_t *types = avp_of_id[message->version - 2];

	if (avp->vendor)
		return true;
	if (avp->type == AVP_MESSAGE_DIGEST)
		message->digest = true; /* in version 2 too: RFC 3931 section 4.7.3 */
	for (enum l2tp_id id = 0; id < L2TP_IDS; id++)
		if (types[id] && avp->type == types[id])
			return id_decode(message, id, avp);
	return true;
}

enum helper_reason l2tp_message_decode(const uint8_t *bytes, size_t length,
				       struct l2tp_message *message)
{
	struct cursor c = cursor_over(bytes, length);
	struct avp avp;

	memset(message, 0, sizeof(*message));
	if (!header_decode(&c, length, message))
		return HELPER_REASON_not_l2tp;
	if (!cursor_left(&c)) /* version 3 has a message of its own for this */
		return message->version == 2 ? HELPER_REASON_none : HELPER_REASON_bad_avp;
	if (!type_decode(&c, message))
		return HELPER_REASON_bad_avp;
	for (int i = 1; cursor_left(&c) && i < L2TP_AVPS_MAX; i++)
		if (!avp_decode(&c, &avp) || !avp_note(message, &avp))
			return HELPER_REASON_bad_avp;
	return cursor_left(&c) ? HELPER_REASON_bad_avp : HELPER_REASON_none;
}

/* --- encoding -------------------------------------------------------------------- */

static uint8_t *put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
	return put_u16(put_u16(at, (uint16_t)(value >> 16)), (uint16_t)value);
}

static uint8_t *put_avp(uint8_t *at, uint16_t type, size_t value_bytes)
{
	at = put_u16(at, (uint16_t)(AVP_MANDATORY | (L2TP_AVP_HEADER_BYTES + value_bytes)));
	return put_u16(put_u16(at, 0), type);
}

static uint8_t *put_ids(uint8_t *at, const struct l2tp_message *message)
{
	const uint16_t *types = avp_of_id[message->version - 2];
	size_t bytes = l2tp_id_bytes(message->version);

	for (enum l2tp_id id = 0; id < L2TP_IDS; id++) {
		if (!types[id] || !l2tp_has(message, id))
			continue;
		at = put_avp(at, types[id], bytes);
		at = message->version == 2 ? put_u16(at, (uint16_t)message->ids[id])
					   : put_u32(at, message->ids[id]);
	}
	return at;
}

static uint8_t *put_header(uint8_t *at, const struct l2tp_message *message, size_t length)
{
	at = put_u16(at, FLAG_CONTROL | FLAG_LENGTH | FLAG_SEQUENCE | message->version);
	at = put_u16(at, (uint16_t)length);
	if (message->version == 2)
		at = put_u16(put_u16(at, (uint16_t)message->connection_id), message->session_id);
	else
		at = put_u32(at, message->connection_id);
	return put_u32(at, 0);
}

size_t l2tp_message_encode(uint8_t *bytes, size_t room, const struct l2tp_message *message)
{
	uint8_t longest[L2TP_HEADER_BYTES + L2TP_AVP_HEADER_BYTES + 2 +
			L2TP_IDS * (L2TP_AVP_HEADER_BYTES + 4) + L2TP_AVP_HEADER_BYTES +
			DIGEST_BYTES] = {0};
	uint8_t *at = longest + L2TP_HEADER_BYTES;
	size_t length;

	if (message->version != 2 && message->version != 3)
		return 0;
	if (message->type != L2TP_EMPTY) {
		at = put_u16(put_avp(at, AVP_MESSAGE_TYPE, 2), message->type);
		at = put_ids(at, message);
		if (message->digest)
			at = put_avp(at, AVP_MESSAGE_DIGEST, DIGEST_BYTES) + DIGEST_BYTES;
	}
	length = (size_t)(at - longest);
	if (length > room)
		return 0;
	put_header(longest, message, length);
	memcpy(bytes, longest, length);
	return length;
}
