/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of the slow path that go back to the data plane, as they came down. */
#ifndef WAYLEAVE_DAEMON_REINJECT_H
#define WAYLEAVE_DAEMON_REINJECT_H

#include <stddef.h>
#include <stdint.h>

struct gateway;

/* To be translated now; FRAME still begins with its struct punt. */
void frame_again(struct gateway *gateway, uint8_t *frame, size_t length);

/* The same, from the WAN, by the SESSION_REPLY record SESSION. */
void frame_as(struct gateway *gateway, uint8_t *frame, size_t length, uint32_t session);

#endif
