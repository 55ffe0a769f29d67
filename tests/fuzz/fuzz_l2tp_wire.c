/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes to an L2TP control message and back: what decodes, encodes to the same type and ids. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "helper/l2tp_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_or_abort(const struct l2tp_message *a, const struct l2tp_message *b)
{
	if (a->version != b->version || a->type != b->type ||
	    a->connection_id != b->connection_id || a->session_id != b->session_id ||
	    a->found != b->found || a->digest != b->digest ||
	    memcmp(a->ids, b->ids, sizeof(a->ids)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct l2tp_message message, again;
	uint8_t bytes[256];
	size_t length;

	if (l2tp_message_decode(data, size, &message))
		return 0;
	for (int id = 0; id < L2TP_IDS; id++)
		if (l2tp_has(&message, id) &&
		    message.offsets[id] + l2tp_id_bytes(message.version) > message.length)
			abort();
	length = l2tp_message_encode(bytes, sizeof(bytes), &message);
	if (!length || l2tp_message_decode(bytes, length, &again))
		abort();
	same_or_abort(&message, &again);
	return 0;
}
