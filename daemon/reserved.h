/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports that the gateway's own sockets hold: no LAN host may be given one, or it
 * could pose as the gateway's service (port shadow, CVE-2021-3773).
 */
#ifndef WAYLEAVE_DAEMON_RESERVED_H
#define WAYLEAVE_DAEMON_RESERVED_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"

/*
 * Looks at all TCP and UDP sockets of this network namespace (sock_diag) and
 * takes their ports at the WAN address in the core's arena (core/port_owner.h): a LAN
 * host's mapping there gives way. A reservation ends by itself some time after its
 * socket. A socket newer than the last look is noticed by its first packet
 * (core/local.h). How many there are, or -errno.
 */
int reserved_refresh(void);

/* Takes one port. PROTOCOL: tcp or udp; LISTENS: a TCP socket that only listens. */
void reserved_port(uint8_t protocol, __be16 port, bool listens);

#endif
