/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One L2TP control connection in the data plane: behind a shared port 1701
 * (l2tp_ports.h) its tunnels are told apart by their id, over IP (RFC 3931
 * section 4.1.1) all that its data carries is ids that their receiver chose.
 *
 * Works on the core's arena. Times are ticks.
 */
#ifndef WAYLEAVE_DAEMON_L2TP_FLOW_H
#define WAYLEAVE_DAEMON_L2TP_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/connections.h"

bool l2tp_flow_is_over_ip(const struct connection *flow);

/* Does an id stand outside for one that the inside host chose? Over UDP. */
bool l2tp_flow_is_translated(const struct connection *flow);

/* The reply record that its arrivals are translated by; NO_RECORD: by their ids. */
uint32_t l2tp_flow_reply(const struct connection *flow);

/*
 * Its own number at a port of its own: found by the port. What stands for another, or
 * behind port 1701, is found by its number alone. connections_kind's.
 */
bool l2tp_flow_is_apart(const struct connection *flow, const struct connection_id *id);

/*
 * connections_kind's callbacks. -ESTALE: its session is gone; -EEXIST: another inside
 * host has the id; -ENOSPC: the table is full.
 */
int l2tp_flow_arm(const struct connection *flow, const struct connection_id *id, uint32_t now);
int l2tp_flow_peer(const struct connection *flow, const struct connection_id *id, uint32_t now);
void l2tp_flow_disarm(const struct connection *flow, const struct connection_id *id, uint32_t now);

/* Has its session ended, or (over IP) has no packet of any of its tunnels come for long? */
bool l2tp_flow_is_over(const struct connection *flow, uint32_t now);

/*
 * Ids that cannot be read (RFC 3931 section 4.3 hides them): the protocol's only
 * session with this server, if nobody has it. Over IP. Done, or why not.
 */
struct outcome l2tp_flow_begin_alone(const struct connection *flow, uint32_t now);

#endif
