/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon gives to the data plane: frames of the slow path as they came down,
 * and packets of its own. One that the tap does not take is counted (slow_path_full).
 */
#ifndef WAYLEAVE_DAEMON_REINJECT_H
#define WAYLEAVE_DAEMON_REINJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gateway;

/* To be translated now; FRAME still begins with its struct punt. */
void frame_again(struct gateway *gateway, uint8_t *frame, size_t length);

/* The same, from the WAN, by the SESSION_REPLY record SESSION. */
void frame_as(struct gateway *gateway, uint8_t *frame, size_t length, uint32_t session);

/*
 * Sends the IP packet of LENGTH bytes, as it is, to a next hop of the data plane. False: it
 * is lost, and counted; NO_NEXT_HOP as next_hops_full.
 */
bool packet_transmit(struct gateway *gateway, const void *packet, size_t length, uint32_t next_hop);

#endif
