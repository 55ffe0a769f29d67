/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's IPv4 routes of all tables, read by netlink. */
#ifndef WAYLEAVE_DAEMON_ROUTE_TABLE_H
#define WAYLEAVE_DAEMON_ROUTE_TABLE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/netlink.h"

/* Addresses in network byte order. */
struct table_route {
	uint32_t table;
	__be32 prefix;
	uint8_t length;
	uint8_t type;	  /* RTN_* */
	uint32_t ifindex; /* 0: none */
	__be32 gateway;	  /* 0: on the link */
	uint32_t priority;
	uint16_t mtu; /* its own; 0: none */
	bool many;    /* one of several ways of a route */
};

/* Takes an RTM_NEWROUTE apart; of several ways the first. False: it is none of IPv4's tables. */
bool table_route_decode(const struct nlmsghdr *message, struct table_route *route);

/* Calls EACH for every way of every route. 0 or -errno. */
int table_routes_read(struct netlink *netlink,
		      void (*each)(void *context, const struct table_route *route), void *context);

#endif
