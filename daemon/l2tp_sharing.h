/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which L2TP flows share external port 1701 (l2tp_ports.h), which go back to a port of
 * their own, and what is learned of servers by that (pairing/port_habits.h).
 *
 * A flow is moved to the shared port where its server is known to insist on it, or
 * answers others there and not this one. It goes back where that does not help, where
 * its tunnel id cannot be read, and where it does harm: another's tunnel there, which
 * had answers, has none any more or was ended by the server since the newcomer came.
 * Only newcomers go back, within two minutes: nobody gets a neighbour off that has been
 * there for long.
 *
 * Works on the core's arena. Times are ticks. Context: daemon, one thread.
 */
#ifndef WAYLEAVE_DAEMON_L2TP_SHARING_H
#define WAYLEAVE_DAEMON_L2TP_SHARING_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/connections.h"
#include "pairing/port_habits.h"

struct l2tp_sharing;

/* With what an earlier run has learned. NULL without memory. */
struct l2tp_sharing *l2tp_sharing_new(struct gateway *gateway, struct connections *connections);
void l2tp_sharing_free(struct l2tp_sharing *sharing);

/*
 * A control message of the inside host's, ORIG its session. True: the session has ended,
 * and begins anew with this message.
 */
bool l2tp_sharing_asked(struct l2tp_sharing *sharing, struct record *orig, uint32_t now);

/* A control message of the server's. */
void l2tp_sharing_answered(struct l2tp_sharing *sharing, const struct record *orig, uint32_t now);

/* The flow has come to the shared port. */
void l2tp_sharing_joined(struct connection *flow, uint32_t now);

/* It goes back to a port of its own, whatever is known of the server. */
void l2tp_sharing_leave(struct l2tp_sharing *sharing, struct connection *flow, uint32_t now);

/* The server has ended a tunnel of the flow. */
void l2tp_sharing_stopped(struct l2tp_sharing *sharing, struct connection *flow, uint32_t now);

/* Once a second for each flow over UDP. */
void l2tp_sharing_watch(struct l2tp_sharing *sharing, struct connection *flow, uint32_t now);

/* Once a second: the file. */
void l2tp_sharing_tend(struct l2tp_sharing *sharing, uint32_t now);

/* What is known of a server. */
enum port_habit l2tp_sharing_habit(const struct l2tp_sharing *sharing, __be32 server);

#endif
