/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second wall: an nftables table that keeps the LAN and the gateway closed
 * should the data plane ever be missing. The data plane drops by itself what
 * nobody asked for; nothing that is translated passes these hooks.
 *
 *   input    from the WAN: answers and DHCP, whom wan.allow names, and connections that
 *            were there before the daemon
 *   forward  between LAN and WAN, either way, and from the WAN anywhere: nothing
 *   IPv6     from and to our interfaces: not forwarded
 */
#ifndef WAYLEAVE_DAEMON_WALL_H
#define WAYLEAVE_DAEMON_WALL_H

#include <nftables/libnftables.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/allow.h"
#include "daemon/instance.h"
#include "daemon/kept.h"
#include "daemon/links.h"

struct wall {
	struct nft_ctx *nft;
	char table[32];
	struct allows allows;	/* who may reach the gateway from the WAN */
	struct kept_flows kept; /* connections older than the table */
	char *expected;		/* the table as it looked right after we had built it */
	uint64_t restored;
	bool by_tos; /* a routing rule asks for TOS or DSCP */
};

/* Opens libnftables; no table yet. 0, or -errno after a sentence. */
int wall_open(struct wall *wall, const struct instance *instance);
void wall_close(struct wall *wall);

/* (Re)builds the table for these interfaces, in one transaction. 0, or -errno after a sentence. */
int wall_build(struct wall *wall, const struct links *links);

/* Builds it again when somebody has changed or removed it, and says so. */
void wall_check(struct wall *wall, const struct links *links);

/* Builds it again when @by_tos is news. */
void wall_follow_rules(struct wall *wall, const struct links *links, bool by_tos);

/* Removes the table. 0 or -errno. */
int wall_remove(struct wall *wall);

/* The ruleset's text for these interfaces, for wall_build() and tests. 0 or -ENOMEM. */
int wall_text(const struct wall *wall, const struct links *links, char **text);

#endif
