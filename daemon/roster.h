/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VPN tunnels and devices, gathered from the sessions that the sweeper walks over:
 * what belongs to one device, one server and one kind of VPN is one tunnel (IKE,
 * NAT-T and ESP together). Readers see the last whole pass.
 */
#ifndef WAYLEAVE_DAEMON_ROSTER_H
#define WAYLEAVE_DAEMON_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/abi.h"
#include "daemon/expiry.h"

#define ROSTER_SESSIONS 8 /* of one tunnel, by index; the rest is only counted */

struct roster_tunnel {
	uint8_t class; /* enum flow_class */
	__be32 inside, remote;
	uint32_t created, last_seen; /* ticks: first session, last packet */
	uint32_t sessions;
	uint32_t index[ROSTER_SESSIONS]; /* SESSION_ORIG records */
	bool replied;			 /* the server has answered on any session */
	bool data_out, data_in;		 /* packets of the tunnel itself: GRE, ESP, NAT-T... */
	struct traffic data;		 /* those packets alone */
	uint32_t unanswered_since;	 /* tick of the last pass that saw one come in */
	uint64_t unanswered_bytes;	 /* sent since, keepalives of NAT-T not counted */
	struct traffic traffic;
};

struct roster_device {
	__be32 address;
	uint32_t sessions, mappings, tunnels;
	struct traffic traffic;
};

struct roster;

struct roster *roster_new(void);
void roster_free(struct roster *roster);

/* A living record, INDEX in the table, on the sweeper's way. */
void roster_note(struct roster *roster, const struct record *r, uint32_t index);

/* The pass is over at NOW (tick): readers see what it has found. */
void roster_turn(struct roster *roster, uint32_t now);

/* Valid until the next roster_turn(). */
const struct roster_tunnel *roster_tunnels(const struct roster *roster, size_t *count);
const struct roster_device *roster_devices(const struct roster *roster, size_t *count);

#endif
