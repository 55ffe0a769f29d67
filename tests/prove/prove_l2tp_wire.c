/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes of any length up to 1500 decoded, and any message encoded into any room. */
#include "helper/l2tp_wire.c"

#include "tests/prove/any.h"

static uint8_t bytes[1500];

int main(void)
{
	struct l2tp_message message;

	any_bytes(bytes, sizeof(bytes));
	l2tp_message_decode(bytes, any_length(sizeof(bytes)), &message);
	any_bytes((uint8_t *)&message, sizeof(message));
	message.digest = any_length(1);
	l2tp_message_encode(bytes, any_length(sizeof(bytes)), &message);
	return 0;
}
