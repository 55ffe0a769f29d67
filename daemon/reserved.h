/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports that the gateway's own sockets hold: no LAN host may be given one, or it
 * could pose as the gateway's service (port shadow, CVE-2021-3773).
 */
#ifndef WAYLEAVE_DAEMON_RESERVED_H
#define WAYLEAVE_DAEMON_RESERVED_H

#include <stdint.h>

/*
 * Looks at all TCP and UDP sockets of this network namespace (sock_diag) and
 * reserves their ports at the WAN address in the core's arena. A reservation ends
 * by itself some time after its socket. How many there are, or -errno.
 */
int reserved_refresh(uint32_t now);

/* Reserves one port, PROTOCOL tcp or udp, port in network byte order. */
void reserved_port(uint8_t protocol, uint16_t port, uint32_t now);

#endif
