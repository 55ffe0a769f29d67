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

/* The connection over TCP that sets the tunnel up, or that is the tunnel. */
enum tunnel_control {
	CONTROL_NONE, /* it has none */
	CONTROL_OPEN,
	CONTROL_REFUSED, /* a reset was the answer to its first segment */
	CONTROL_CLOSED,	 /* by either side */
};

/* What is sent with nothing coming back; `since` and `last` are ticks of passes. */
struct unanswered {
	bool is;
	uint32_t since, last; /* first and latest of it */
};

struct roster_tunnel {
	uint8_t class; /* enum flow_class */
	__be32 inside, remote;
	uint32_t created, last_seen; /* ticks: first session, last packet */
	uint32_t sessions;
	uint32_t index[ROSTER_SESSIONS]; /* SESSION_ORIG records */
	bool replied;			 /* the server has answered on any session */
	uint32_t last_out, last_in;	 /* ticks: last packet each way; `last_in` if `replied` */
	uint8_t control;		 /* enum tunnel_control, of the newest */
	uint32_t control_created;	 /* tick */
	bool data_out, data_in;		 /* data has passed this way since it was last set up */
	bool is_studied;		 /* where set-up passes too: what moves is known apart */
	bool moved_out, moved_in;	 /* is_studied: data has, since the last pass */
	struct traffic data;		 /* those packets alone */
	uint32_t unanswered_since;	 /* tick of the last pass that saw one come in */
	uint64_t unanswered_bytes;	 /* sent since, keepalives of NAT-T not counted */
	struct traffic traffic;
	/* carried on from pass to pass: daemon/tunnel_follow.h */
	bool was_up;	      /* data has passed both ways, by this set-up */
	bool was_up_before;   /* by an earlier one */
	bool from_before;     /* this daemon has not seen all of it */
	uint32_t tried_since; /* tick: since when there is no long pause */
	uint32_t last_data;   /* tick, if was_up: the last pass that saw data */
	struct unanswered packets, data_alone;
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
void roster_note(struct roster *roster, struct record *r, uint32_t index);

/* The pass is over at NOW (tick): readers see what it has found, and what the last one knew. */
void roster_turn(struct roster *roster, uint32_t now);

/* Valid until the next roster_turn(). */
const struct roster_tunnel *roster_tunnels(const struct roster *roster, size_t *count);
const struct roster_device *roster_devices(const struct roster *roster, size_t *count);

#endif
