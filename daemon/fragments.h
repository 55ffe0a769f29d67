/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cutting an IPv4 packet into fragments (RFC 791 section 3.2). Pure. */
#ifndef WAYLEAVE_DAEMON_FRAGMENTS_H
#define WAYLEAVE_DAEMON_FRAGMENTS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Calls EACH for every fragment of PACKET (from its IP header on), none longer than
 * MTU bytes. How many; 0: it cannot be cut (DF, options, broken, MTU below 68).
 * FRAGMENT is valid during the call only.
 */
unsigned int fragments_cut(const uint8_t *packet, size_t length, uint16_t mtu,
			   void (*each)(void *context, const uint8_t *fragment, size_t bytes),
			   void *context);

#endif
