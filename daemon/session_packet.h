/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets that the daemon sends in the name of one end of a session, as the other
 * end expects them. Whole IPv4 packets, checksums filled in. Pure.
 */
#ifndef WAYLEAVE_DAEMON_SESSION_PACKET_H
#define WAYLEAVE_DAEMON_SESSION_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "core/abi.h"

#define SESSION_PACKET_MAX 40 /* bytes of the longest */
#define KEEPALIVE_BYTE	   0xff

/*
 * An RST from the remote to the inside host, exactly in sequence (RFC 9293 section
 * 3.10.7, RFC 5961 section 3.2), or as an answer to its SYN. 40 bytes, or 0: not TCP,
 * or a connection that is over.
 */
size_t session_packet_reset(uint8_t packet[SESSION_PACKET_MAX], const struct record *orig,
			    const struct record *reply);

/*
 * RFC 3948 section 2.3, NAT-keepalive: one byte 0xFF from the external port to the
 * remote, without UDP checksum. ORIG: a UDP session's first half. 29 bytes.
 */
size_t session_packet_keepalive(uint8_t packet[SESSION_PACKET_MAX], const struct record *orig);

#endif
