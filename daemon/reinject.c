/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/reinject.h"

#include "core/memory.h"
#include "core/next_hop.h"
#include "daemon/gateway.h"

/* Whoever sent the packet hears nothing: the counter is what is left of it. */
static bool sent(const struct gateway *gateway, int err)
{
	if (err)
		plane_count(&gateway->plane, REASON_slow_path_full, 1);
	return !err;
}

void frame_again(struct gateway *gateway, uint8_t *frame, size_t length)
{
	struct punt *punt = (struct punt *)frame;

	punt->action = PUNT_TRANSLATE;
	sent(gateway, tap_write(&gateway->tap, frame, length));
}

void frame_as(struct gateway *gateway, uint8_t *frame, size_t length, uint32_t session)
{
	struct punt *punt = (struct punt *)frame;

	punt->action = PUNT_SESSION;
	punt->index = session;
	sent(gateway, tap_write(&gateway->tap, frame, length));
}

bool packet_transmit(struct gateway *gateway, const void *packet, size_t length, uint32_t next_hop)
{
	if (next_hop != NO_NEXT_HOP)
		return sent(gateway, tap_transmit(&gateway->tap, packet, length, next_hop));
	plane_count(&gateway->plane, REASON_next_hops_full, 1);
	return false;
}
