/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections that this machine itself has by the WAN when the daemon starts: an SSH session
 * that is setting the gateway up goes on, although nothing has noted how it began.
 */
#ifndef WAYLEAVE_DAEMON_KEPT_H
#define WAYLEAVE_DAEMON_KEPT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/allow.h"

#define KEPT_MAX 1024 /* further ones are not kept; the log says so */

/* Network byte order. */
struct kept_flow {
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	bool inbound;	  /* came to a port that listens here */
	__be32 local, remote;
	__be16 local_port, remote_port;
};

struct kept_flows {
	struct kept_flow flow[KEPT_MAX];
	unsigned int count;
};

/* Reads those with one of COUNT ADDRESSES, the WAN's. 0, or -errno with none. */
int kept_read(struct kept_flows *kept, const __be32 *addresses, unsigned int count);

/* Makes them the gateway's own flows in the core's arena. */
void kept_enter(const struct kept_flows *kept);

/*
 * Logs who is connected to a service of this machine by WAN, an interface, and will not be
 * able to connect again for not being in ALLOWS.
 */
void kept_warn(const struct kept_flows *kept, const struct allows *allows, const char *wan);

#endif
