/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes to a PPTP message and back: what decodes, encodes to the same ids, type and length. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "helper/pptp_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pptp_message message = {0}, again = {0};
	uint8_t bytes[PPTP_MESSAGE_BYTES_MAX];

	if (pptp_message_decode(data, size, &message))
		return 0;
	if (pptp_message_encode(bytes, sizeof(bytes), &message) != message.length)
		abort();
	if (pptp_message_decode(bytes, message.length, &again) ||
	    memcmp(&message, &again, sizeof(message)))
		abort();
	return 0;
}
