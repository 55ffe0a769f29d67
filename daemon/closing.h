/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Closing the machine to the WAN: connections of its own are kept, the firewall's table is
 * raised, forwarding switched on, the data plane attached; in this order, so that nothing is
 * open in between.
 *
 * The very first start may be somebody's at the other end of an SSH session that comes by
 * the WAN, with a mistyped LAN: it closes nothing before every LAN interface is there. Each
 * later start closes before everything else. Context: the daemon's loop.
 */
#ifndef WAYLEAVE_DAEMON_CLOSING_H
#define WAYLEAVE_DAEMON_CLOSING_H

#include <stdbool.h>

struct gateway;

/* Is this a first start whose LAN is not there? Then gateway->held is set and the log says so. */
void closing_judge(struct gateway *gateway);

/* The table and forwarding; not while held. 0, or -errno after a sentence. */
int closing_wall(struct gateway *gateway);

/* All is closed: the next start is not the first any more. */
void closing_note(struct gateway *gateway);

/* Closes what was held as soon as the LANs are there. */
void closing_follow(struct gateway *gateway);

/* The table follows the present settings. 0, or -errno after a sentence. */
int closing_settings(struct gateway *gateway);

/* The LAN interface that is missing, by name; NULL: none. */
const char *closing_missing(const struct gateway *gateway);

#endif
