/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes of any length up to 256 decoded, and any message encoded into any room. */
#include "helper/pptp_wire.c"

#include "tests/prove/any.h"

static void decode(void)
{
	uint8_t bytes[256];
	size_t length = any_length(sizeof(bytes));
	struct pptp_message message;

	any_bytes(bytes, sizeof(bytes));
	pptp_header_decode(bytes, length, &message);
	if (pptp_header_decode(bytes, length, &message) == HELPER_REASON_none &&
	    length >= PPTP_PREFIX_BYTES)
		pptp_message_decode(bytes, length, &message);
}

static void encode(void)
{
	struct pptp_message message;
	uint8_t bytes[256];

	any_bytes((uint8_t *)&message, sizeof(message));
	pptp_message_encode(bytes, any_length(sizeof(bytes)), &message);
}

int main(void)
{
	decode();
	encode();
	return 0;
}
