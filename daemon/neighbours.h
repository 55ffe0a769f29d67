/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's neighbours behind the data plane's next hops. The data plane finds
 * a next hop by itself; from then on this keeps its MAC address true, and keeps
 * the kernel's neighbour alive, for redirected packets do not refresh it.
 */
#ifndef WAYLEAVE_DAEMON_NEIGHBOURS_H
#define WAYLEAVE_DAEMON_NEIGHBOURS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/abi.h"
#include "daemon/line.h"
#include "daemon/links.h"
#include "daemon/netlink.h"

struct neighbour {
	uint32_t ifindex;
	__be32 address;
	bool resolved; /* mac is known and not failed */
	bool settled;  /* permanent or managed: never ages */
	bool managed;
	uint8_t mac[6];
};

/* What an RTM_NEWNEIGH or RTM_DELNEIGH says; false: not about an IPv4 neighbour. */
bool neighbour_decode(const struct nlmsghdr *message, struct neighbour *neighbour);

/* Changes every next hop that stands for NEIGHBOUR; how many there are. */
unsigned int neighbour_apply(struct next_hop *next_hops, const struct neighbour *neighbour);

/* Applies every neighbour that the kernel has. 0 or -errno. */
int neighbours_read(struct netlink *netlink, struct next_hop *next_hops);

/* All that are resolved; the caller frees the list, which may be NULL. */
struct neighbour *neighbours_list(struct netlink *netlink, size_t *count);

/* The MAC address of a neighbour on IFINDEX (0: on any interface). -ENOENT: not known. */
int neighbour_find(struct netlink *netlink, uint32_t ifindex, __be32 address,
		   struct neighbour *neighbour);

/* Source MAC, MTU and XDP of LINK into every next hop that leaves through it. */
void neighbours_link_changed(struct next_hop *next_hops, const struct link *link);

/*
 * Interface IFINDEX is gone for us: its next hops are not resolved any more. Where it still
 * exists, its neighbours that were kept age as all others do.
 */
void neighbours_link_gone(struct netlink *netlink, struct next_hop *next_hops, uint32_t ifindex);

/*
 * Asks the kernel to keep the neighbours of all next hops with USED[index] set
 * resolved (NTF_EXT_MANAGED, or a probe by NTF_USE where the kernel has no such
 * flag), and applies what it knows. Entries set by hand are left alone. 0 or -errno.
 */
int neighbours_keep(struct netlink *netlink, struct next_hop *next_hops,
		    const bool used[NEXT_HOPS]);

/* Gives a neighbour back to the kernel's own ageing, if it was kept. */
void neighbour_release(struct netlink *netlink, const struct next_hop *hop);

/* What the kernel has of ADDRESS; a state of 0 where it has nothing. */
void neighbour_entry(struct netlink *netlink, uint32_t ifindex, __be32 address,
		     struct line_entry *entry);

/* Has the kernel ask it by ARP now, whatever it believes; ENTRY is what it has. 0 or -errno. */
int neighbour_probe(struct netlink *netlink, uint32_t ifindex, __be32 address,
		    const struct line_entry *entry);

#endif
