/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IPv4 address at the WAN interface. With several the one in use stays as
 * long as it is there; otherwise the first global one counts.
 */
#ifndef WAYLEAVE_DAEMON_ADDRESSES_H
#define WAYLEAVE_DAEMON_ADDRESSES_H

#include <linux/types.h>
#include <stdbool.h>

#include "daemon/netlink.h"

/*
 * Asks the kernel for the address of interface IFINDEX. *ADDRESS: the one in use
 * before (or 0) in, the one to use now out; 0: none. 0 or -errno.
 */
int addresses_choose(struct netlink *netlink, uint32_t ifindex, __be32 *address);

/*
 * The IPv4 addresses of interface IFINDEX but those of the link alone, at most MAX, into
 * ADDRESSES. How many; 0 too when the kernel cannot be asked.
 */
unsigned int addresses_list(struct netlink *netlink, uint32_t ifindex, __be32 *addresses,
			    unsigned int max);

/*
 * Have interfaces A and B addresses of prefixes that overlap (RFC 4787 REQ-7)? False too when
 * the kernel cannot be asked.
 */
bool addresses_overlap(struct netlink *netlink, uint32_t a, uint32_t b);

#endif
