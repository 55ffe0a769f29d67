/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a pass of the sweeper makes of a tunnel with what the last pass knew: since when
 * it is tried, whether it was up, how long it has sent with nothing coming back. Times
 * are ticks. Context: daemon, tests; works on the core's arena for its clock's rate.
 */
#ifndef WAYLEAVE_DAEMON_TUNNEL_FOLLOW_H
#define WAYLEAVE_DAEMON_TUNNEL_FOLLOW_H

#include <stdint.h>

#include "daemon/roster.h"

/* A pause of this length ends an attempt; the next packet begins another. */
#define ATTEMPT_PAUSE_SECONDS 30

/* TUNNEL is what the pass that ends at NOW has found, BEFORE the same tunnel a pass ago. */
void tunnel_follow(struct roster_tunnel *tunnel, const struct roster_tunnel *before, uint32_t now);

/* The same of one that the last pass did not have. */
void tunnel_follow_first(struct roster_tunnel *tunnel, uint32_t now);

#endif
