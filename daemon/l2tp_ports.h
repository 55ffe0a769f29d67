/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * L2TP servers that answer to port 1701 only (RFC 2661 section 8.1 lets a client
 * use any port; some servers do not know), and several inside hosts that dial
 * one of them from port 1701 (RFC 3715 section 2.3 tells the same of IKE).
 *
 * The first host has external port 1701. A second one gets another port, as the
 * core gives it; if a server that answers the first one does not answer there,
 * the second is moved to 1701 too, once, before it has ever been answered: a live
 * flow never changes its port. What comes in is told apart by the tunnel id.
 * What works with a server is remembered, and whether it does any harm is watched
 * (l2tp_sharing.h).
 *
 * Works on the core's arena. Pure but for it. Times are ticks.
 */
#ifndef WAYLEAVE_DAEMON_L2TP_PORTS_H
#define WAYLEAVE_DAEMON_L2TP_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/memory.h"
#include "core/session.h"
#include "pairing/port_habits.h"

/* Has the flow's reply a place behind a port that it shares? */
bool l2tp_port_is_shared(const struct record *orig);

/* Does an unanswered flow wait behind the wrong port, as far as one can know? */
bool l2tp_port_is_to_blame(enum port_habit habit, const struct record *orig, uint32_t now);

/*
 * Moves an unanswered flow to external port 1701. 0: it shares the port now; 1: it
 * has the port alone, from its next packet on; -errno: nothing has changed.
 */
int l2tp_port_share(struct record *orig, uint32_t now);

/*
 * Back to the port of its own mapping, at once. 0; 1: that is gone, and its session has
 * ended to begin anew with its next packet.
 */
int l2tp_port_unshare(struct record *orig, uint32_t now);

/* The reply of the session with these ports (network order), NULL: none. */
struct record *l2tp_port_session(__be32 remote, __be16 remote_port, __be16 port);

/* The reply of the host that has the port towards REMOTE, NULL: nobody. */
struct record *l2tp_port_owner(__be32 remote);

/* The reply that ORIG's arrivals are found by, where that takes their tunnel id; else NO_RECORD. */
uint32_t l2tp_port_reply(const struct record *orig);

/* Arrivals at a flow's own port are looked up by their tunnel id from now on, or no longer. */
void l2tp_port_translate(struct record *orig);
void l2tp_port_leave_alone(struct record *orig);

/* The owner's session lasts while others share its port, and as any other afterwards. */
void l2tp_port_hold(struct record *owner);
void l2tp_port_release(struct record *owner);

/*
 * Inbound packets of tunnel EXTERNAL_ID (host order) go to the session of REPLY, as
 * tunnel INSIDE_ID. 0, -EEXIST: another inside host holds the id; or -errno.
 */
int l2tp_tunnel_arm(const struct record *reply, uint16_t external_id, uint16_t inside_id,
		    uint32_t now);

/* Does no host hold the id there, named by a message or not? */
bool l2tp_tunnel_is_spare(__be32 remote, uint16_t external_id);
void l2tp_tunnel_disarm(__be32 remote, uint16_t external_id, __be32 inside);

#endif
