/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/reinject.h"

#include "daemon/gateway.h"

void frame_again(struct gateway *gateway, uint8_t *frame, size_t length)
{
	struct punt *punt = (struct punt *)frame;

	punt->action = PUNT_TRANSLATE;
	tap_write(&gateway->tap, frame, length);
}

void frame_as(struct gateway *gateway, uint8_t *frame, size_t length, uint32_t session)
{
	struct punt *punt = (struct punt *)frame;

	punt->action = PUNT_SESSION;
	punt->index = session;
	tap_write(&gateway->tap, frame, length);
}
