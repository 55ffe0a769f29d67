/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keepalives towards a NAT between us and the Internet, for IPsec in UDP (RFC 3948
 * section 2.3): one byte 0xFF from the external port of a session whose inside host
 * is silent, so that the provider's NAT does not forget it before we do.
 *
 * Off unless the settings say so. Only to port 4500, whose owner ignores the byte by
 * that RFC; docs/staying-up.md says why to nobody else. They do not refresh our own
 * timers, and end with the inside host: it has to answer ARP.
 */
#ifndef WAYLEAVE_DAEMON_KEEPALIVES_H
#define WAYLEAVE_DAEMON_KEEPALIVES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/abi.h"

struct gateway;

/*
 * Is a keepalive due for the session whose first half is ORIG? INTERVAL in ticks;
 * asked every ELAPSED ticks. Works on the core's arena.
 */
bool keepalive_is_due(const struct record *orig, uint32_t interval, uint32_t now, uint32_t elapsed);

/* Sends those that are due; each second. */
void keepalives_tend(struct gateway *gateway, uint32_t now);

#endif
