/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data plane's parser over any packet of any length up to 128 bytes. */
#include "core/memory.h"
#include "core/parse.h"

#include "tests/prove/any.h"

static __u8 frame[128];

int main(void)
{
	packet_context context = {.data = frame};
	struct packet packet = {.context = &context};
	struct facts facts, spare;

	any_bytes(frame, sizeof(frame));
	context.length = any_length(sizeof(frame));
	parse_packet(&packet, &facts, &spare);
	return 0;
}
