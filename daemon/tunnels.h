/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data plane's records for tunnels whose ids the receiver chooses, put there
 * by the daemon: PPTP's GRE (RFC 2637 section 4.1) and L2TP over IP (RFC 3931
 * section 4.1.1). ESP's are daemon/esp_records.h.
 *
 *   inbound   {remote, external address, external id} -> inside host, its own id
 *   outbound  {remote, inside host, remote's id}      -> external address
 *   quoted    what ICMP errors about each of the two quote (RFC 5508 REQ-4)
 *
 * They are SESSION_STATIC: only the daemon ends them. Works on the core's arena.
 * Addresses in network byte order, ids in host byte order.
 */
#ifndef WAYLEAVE_DAEMON_TUNNELS_H
#define WAYLEAVE_DAEMON_TUNNELS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/memory.h"
#include "core/session.h"

struct tunnel {
	uint8_t protocol; /* PROTOCOL_GRE: ids are call ids; _L2TP: session ids */
	__be32 inside, remote;
	uint32_t inside_id;   /* what the inside host expects */
	uint32_t external_id; /* what the remote sends in its place */
	uint32_t remote_id;   /* what the remote expects */
	uint16_t next_hop_in, next_hop_out;
	bool inbound_only; /* the remote has not named its id yet */
	bool is_control;   /* L2TP: ids are control connections'; the daemon sees each message */
};

/*
 * Inbound packets pass from now on; a present record gets the new inside id. 0,
 * -EEXIST: another inside host has this id; -ENOSPC: the table is full.
 */
int tunnel_arm_inbound(const struct tunnel *tunnel, uint32_t now);

/*
 * Outbound ones; call after the inbound half. An id that the remote gives to the
 * same host again is the new tunnel's from now on. 0 or -errno as above.
 */
int tunnel_arm_outbound(const struct tunnel *tunnel, uint32_t now);

/* Ends both halves, whichever are there and still this tunnel's. */
void tunnel_disarm(const struct tunnel *tunnel, uint32_t now);

/* The tick of the last packet of either direction; LAST if there was none after it. */
uint32_t tunnel_last_seen(const struct tunnel *tunnel, uint32_t last);

/*
 * Nobody knows any more what these tunnels belong to: their own timers end them
 * from now on. Walks the whole table, for the start.
 */
void tunnels_forsake(uint8_t protocol);

/* Is the external id towards this remote in the table, whoever's it is? */
bool tunnel_id_in_use(uint8_t protocol, __be32 remote, uint32_t external_id);

/*
 * Next hop of a flow's packets: OUT by the WAN, else inside, by the routing table and its
 * rules, as the data plane asks them. NO_NEXT_HOP: no way there, or another one.
 */
uint16_t flow_next_hop(const struct flow_ends *ends, bool out);

/* The same for a protocol without ports. */
uint16_t tunnel_next_hop(uint8_t protocol, __be32 remote, __be32 inside, bool out);

#endif
