/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's routing rules and routes ask for beyond what its look-up tells the data
 * plane, carried into the data plane's memory: which parts of a packet tell two queries
 * apart, MTUs that belong to routes, and rules by firewall mark (docs/install.md).
 */
#ifndef WAYLEAVE_DAEMON_POLICY_H
#define WAYLEAVE_DAEMON_POLICY_H

#include <linux/netlink.h>
#include <stdbool.h>

#include "core/abi.h"
#include "daemon/dataplane.h"
#include "daemon/links.h"

#define POLICY_SENTENCES      8
#define POLICY_SENTENCE_BYTES 512

/* All zero: nothing read yet. */
struct policy {
	bool routes_matter; /* a change of any route may change what is here */
	bool by_tos;	    /* a rule asks for TOS or DSCP */
	bool many_mtus;	    /* more routes with an MTU of their own than there is room for */
	unsigned int sentences;
	char sentence[POLICY_SENTENCES][POLICY_SENTENCE_BYTES]; /* what is refused, for a person */
};

/*
 * Reads rules and routes anew into the memory of PLANE. Whoever calls it begins a new
 * generation of routes afterwards. 0 or -errno: what was read before still counts.
 */
int policy_read(struct policy *policy, struct netlink *netlink, struct links *links,
		struct plane *plane);

/* Does this message about a route (RTM_NEWROUTE, RTM_DELROUTE) ask for another reading? */
bool policy_concerns(const struct policy *policy, const struct nlmsghdr *message);

#endif
