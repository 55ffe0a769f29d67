/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interfaces that the settings name, as the kernel has them now. One that
 * does not exist yet is waited for; one that is made again under its name has a
 * new ifindex and counts as gone and appeared. A port of a bridge or bond counts
 * as gone: its frames, addresses and routes are the bridge's.
 */
#ifndef WAYLEAVE_DAEMON_LINKS_H
#define WAYLEAVE_DAEMON_LINKS_H

#include <libmnl/libmnl.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/settings.h"
#include "core/abi.h"
#include "daemon/netlink.h"

/* What hangs on an interface; attach.h fills it. */
struct attachment {
	bool ingress, egress, xdp; /* attached */
	bool adopted;		   /* an earlier run had attached there already */
	uint8_t pause;		   /* rounds of upkeep until the next try, after a refusal */
};

struct link {
	char name[IFNAMSIZ];
	bool wan;
	/* as the kernel says; ifindex 0: not there */
	uint32_t ifindex;
	uint32_t
		port_of; /* not there for us: ifindex of the bridge or bond that takes its frames */
	uint16_t mtu;
	uint16_t arphrd; /* ARPHRD_* */
	bool up;
	char kind[16]; /* IFLA_INFO_KIND; empty: hardware */
	uint8_t mac[6];
	/* XDP, from the netdev family or the driver's name */
	bool xdp_native; /* has native XDP */
	bool xdp_takes;	 /* takes frames that XDP redirects */
	struct attachment attachment;
};

struct links {
	struct link link[INTERFACES]; /* link[0] is the WAN */
	unsigned int count;
};

/* What a message has changed, as bits. */
#define LINK_APPEARED 0x1
#define LINK_GONE     0x2 /* before APPEARED when both are set */
#define LINK_CHANGED  0x4 /* MAC, MTU, up or down */

/* Takes the names. 0, or -E2BIG: more interfaces than the data plane's table has slots. */
int links_name(struct links *links, const struct settings *settings);

/* Asks the kernel for all of them; nothing is reported. 0 or -errno. */
int links_read(struct links *links, struct netlink *netlink);

/* What one message has changed at one of LINKS. */
struct link_change {
	struct link *link;
	struct link old;      /* before the change */
	unsigned int changes; /* LINK_... */
	uint32_t elsewhere; /* its ifindex in the network namespace that it was moved to; 0: it was
			       not */
};

/*
 * Take an RTM_NEWLINK or RTM_DELLINK in, in this order: first the link that had this
 * ifindex under another name is gone, then the link that has the name follows. False:
 * none of ours, nothing new, or a message that describes only a part of an interface
 * (of a bridge's port, or a wireless event).
 */
bool links_renamed(struct links *links, const struct nlmsghdr *message, struct link_change *change);
bool links_update(struct links *links, const struct nlmsghdr *message, struct link_change *change);

#define LINK_ABSENCE 128

/* Why LINK is not there, as in "waiting for ...". Returns TEXT. */
const char *link_absence(const struct link *link, char text[LINK_ABSENCE]);

/* The link with this ifindex or name; NULL: none of ours. */
struct link *links_by_ifindex(const struct links *links, uint32_t ifindex);
struct link *links_by_name(struct links *links, const char *name);

/* Without Ethernet header: tun, PPP. */
bool link_is_bare(const struct link *link);

/* Hardware: frames arrive with complete checksums and redirects are not lost. */
bool link_is_hardware(const struct link *link);

#endif
