/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel says about links, addresses, routes and neighbours, carried
 * into the data plane's memory as it changes.
 */
#ifndef WAYLEAVE_DAEMON_SURROUNDINGS_H
#define WAYLEAVE_DAEMON_SURROUNDINGS_H

#include "daemon/gateway.h"

/*
 * Writes all present interfaces and the WAN address into the data plane. Before
 * attaching. 0 or -errno.
 */
int surroundings_read(struct gateway *gateway);

/* Attaches to every interface that is there. 0, or -errno after a sentence. */
int surroundings_attach(struct gateway *gateway);

/* Reads the events that wait; reads everything anew when some were lost. */
void surroundings_follow(struct gateway *gateway);

/* Every few seconds: neighbours kept alive, XDP abilities asked again. */
void surroundings_keep(struct gateway *gateway);

/* One interface's slot of the data plane. */
void surroundings_link_write(struct gateway *gateway, const struct link *link);

#endif
