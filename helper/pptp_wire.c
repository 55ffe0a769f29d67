/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "helper/pptp_wire.h"

#include <stdbool.h>
#include <string.h>

#include "helper/cursor.h"

#define NONE   PPTP_NO_ID
#define OWN    PPTP_SENDERS_ID
#define PEER   PPTP_RECEIVERS_ID
#define EITHER PPTP_EITHER
#define PNS    PPTP_PNS
#define PAC    PPTP_PAC

/*
 * Set-Link-Info goes from PNS to PAC (2.15), but Windows servers send it to
 * their clients too: either may.
 * Call-Disconnect-Notify names the PAC's own id ("used instead of the Peer's
 * Call ID", 2.13), so it is the sender's.
 */
static const struct pptp_layout layouts[PPTP_TYPES] = {
	/* bytes, sender, ids at 12 and 14, offset of the result, introduces, section */
	[PPTP_START_REQUEST] = {156, EITHER, {NONE, NONE}, 0, 0, "2.1"},
	[PPTP_START_REPLY] = {156, EITHER, {NONE, NONE}, 14, 0, "2.2"},
	[PPTP_STOP_REQUEST] = {16, EITHER, {NONE, NONE}, 0, 0, "2.3"},
	[PPTP_STOP_REPLY] = {16, EITHER, {NONE, NONE}, 12, 0, "2.4"},
	[PPTP_ECHO_REQUEST] = {16, EITHER, {NONE, NONE}, 0, 0, "2.5"},
	[PPTP_ECHO_REPLY] = {20, EITHER, {NONE, NONE}, 16, 0, "2.6"},
	[PPTP_OUTGOING_CALL_REQUEST] = {168, PNS, {OWN, NONE}, 0, 1, "2.7"},
	[PPTP_OUTGOING_CALL_REPLY] = {32, PAC, {OWN, PEER}, 16, 1, "2.8"},
	[PPTP_INCOMING_CALL_REQUEST] = {220, PAC, {OWN, NONE}, 0, 1, "2.9"},
	[PPTP_INCOMING_CALL_REPLY] = {24, PNS, {OWN, PEER}, 16, 1, "2.10"},
	[PPTP_INCOMING_CALL_CONNECTED] = {28, PAC, {PEER, NONE}, 0, 0, "2.11"},
	[PPTP_CALL_CLEAR_REQUEST] = {16, PNS, {OWN, NONE}, 0, 0, "2.12"},
	[PPTP_CALL_DISCONNECT_NOTIFY] = {148, PAC, {OWN, NONE}, 14, 0, "2.13"},
	[PPTP_WAN_ERROR_NOTIFY] = {40, PAC, {PEER, NONE}, 0, 0, "2.14"},
	[PPTP_SET_LINK_INFO] = {24, EITHER, {PEER, NONE}, 0, 0, "2.15"},
};

const struct pptp_layout *pptp_layout(uint16_t type)
{
	if (type == 0 || type >= PPTP_TYPES)
		return NULL;
	return &layouts[type];
}

enum helper_reason pptp_header_decode(const uint8_t *bytes, size_t length,
				      struct pptp_message *message)
{
	struct cursor c = cursor_over(bytes, length);
	const struct pptp_layout *layout;
	uint16_t message_type;
	uint32_t magic;

	message->length = cursor_u16(&c);
	message_type = cursor_u16(&c);
	magic = cursor_u32(&c);
	message->type = cursor_u16(&c);
	cursor_u16(&c); /* Reserved0 */
	if (c.failed || message_type != PPTP_CONTROL_MESSAGE || magic != PPTP_MAGIC)
		return HELPER_REASON_not_pptp;
	layout = pptp_layout(message->type);
	if (!layout)
		return HELPER_REASON_unknown_message;
	/* RFC 2637 gives each message one length */
	return message->length == layout->length ? HELPER_REASON_none : HELPER_REASON_bad_length;
}

static bool fields_decode(struct cursor c, const struct pptp_layout *layout,
			  struct pptp_message *message)
{
	for (size_t i = 0; i < PPTP_ID_FIELDS; i++) {
		uint16_t id = cursor_u16(&c);

		message->ids[i] = layout->ids[i] == PPTP_NO_ID ? 0 : id;
	}
	return !c.failed;
}

enum helper_reason pptp_message_decode(const uint8_t *bytes, size_t length,
				       struct pptp_message *message)
{
	enum helper_reason reason = pptp_header_decode(bytes, length, message);
	const struct pptp_layout *layout;

	if (reason)
		return reason;
	layout = pptp_layout(message->type);
	struct cursor body = cursor_over(bytes, length), result = body;

	cursor_skip(&body, PPTP_HEADER_BYTES);
	cursor_skip(&result, layout->result_offset);
	message->result = layout->result_offset ? cursor_u8(&result) : 0;
	if (!fields_decode(body, layout, message) || result.failed)
		return HELPER_REASON_bad_length;
	return HELPER_REASON_none;
}

static void put_u16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

size_t pptp_message_encode(uint8_t *bytes, size_t room, const struct pptp_message *message)
{
	const struct pptp_layout *layout = pptp_layout(message->type);

	if (!layout || room < layout->length)
		return 0;
	memset(bytes, 0, layout->length);
	put_u16(bytes, message->length ? message->length : layout->length);
	put_u16(bytes + 2, PPTP_CONTROL_MESSAGE);
	put_u16(bytes + 4, PPTP_MAGIC >> 16);
	put_u16(bytes + 6, PPTP_MAGIC & 0xffff);
	put_u16(bytes + 8, message->type);
	for (size_t i = 0; i < PPTP_ID_FIELDS; i++)
		if (layout->ids[i] != PPTP_NO_ID)
			put_u16(bytes + pptp_id_offset(i), message->ids[i]);
	if (layout->result_offset)
		bytes[layout->result_offset] = message->result;
	return layout->length;
}
