/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's routing table, asked by netlink for what the daemon itself sends. */
#ifndef WAYLEAVE_DAEMON_ROUTES_H
#define WAYLEAVE_DAEMON_ROUTES_H

#include "core/backend.h"
#include "daemon/links.h"
#include "daemon/netlink.h"

/*
 * The way of what QUERY asks: of a packet that is forwarded, or of one of the gateway's
 * own where it has no interface. ROUTE_UNRESOLVED with ROUTE filled (no MAC addresses: the
 * data plane finds them; no priority: the kernel does not say it here), or ROUTE_STACK:
 * local, none, or over none of LINKS.
 */
enum route_result routes_lookup(struct netlink *netlink, struct links *links,
				const struct query *query, struct route *route);

#endif
