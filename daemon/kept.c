/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/kept.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
/* what it gives the core comes first */
#include "core/contact.h"
#include "core/local_flow.h"
#include "daemon/log.h"
#include "daemon/sockets.h"

#define PORTS	   65536
#define WARNED_MAX 8 /* the log shall not grow with the number of clients */

/* --- reading --------------------------------------------------------------------------- */

struct reading {
	struct kept_flows *kept;
	const __be32 *addresses;
	unsigned int count, missed;
	bool listens[PORTS];
};

static bool is_wans(const struct reading *reading, __be32 address)
{
	for (unsigned int i = 0; i < reading->count; i++)
		if (reading->addresses[i] == address)
			return true;
	return false;
}

static void socket_take(void *context, const struct socket_seen *seen)
{
	struct reading *reading = context;
	struct kept_flows *kept = reading->kept;

	if (seen->listens)
		reading->listens[ntohs(seen->local_port)] = true;
	if (!seen->connected || !is_wans(reading, seen->local))
		return;
	if (kept->count == KEPT_MAX) {
		reading->missed++;
		return;
	}
	kept->flow[kept->count++] = (struct kept_flow){
		.protocol = seen->protocol,
		.local = seen->local,
		.remote = seen->remote,
		.local_port = seen->local_port,
		.remote_port = seen->remote_port,
	};
}

int kept_read(struct kept_flows *kept, const __be32 *addresses, unsigned int count)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	int err;

	kept->count = 0;
	if (!reading)
		return -ENOMEM;
	reading->kept = kept;
	reading->addresses = addresses;
	reading->count = count;
	err = sockets_read(socket_take, reading);
	for (unsigned int i = 0; i < kept->count; i++)
		kept->flow[i].inbound = kept->flow[i].protocol == IPPROTO_TCP &&
					reading->listens[ntohs(kept->flow[i].local_port)];
	if (reading->missed)
		log_warning("%u connections of this machine are not kept: there are more than %d",
			    reading->missed, KEPT_MAX);
	free(reading);
	return err;
}

/* --- the table ----------------------------------------------------------------------------- */

void kept_enter(const struct kept_flows *kept)
{
	const struct config *config = arena.config;
	uint32_t now = clock_ticks(config);

	for (unsigned int i = 0; i < kept->count; i++) {
		const struct kept_flow *flow = &kept->flow[i];
		struct record_key key = {
			.remote = flow->remote,
			.local = flow->local,
			.remote_id = flow->remote_port,
			.local_id = flow->local_port,
			.protocol = flow->protocol,
			.kind = KIND_SESSION_REPLY,
			.id_type = ID_PORTS,
		};

		/* an earlier run's own record stays, and so does a LAN host's session */
		if (table_search(&key) != NO_RECORD)
			continue;
		local_add(config, &key, CLASS_PLAIN, now);
		contact_note(flow->remote);
	}
}

/* --- who should know -------------------------------------------------------------------------- */

/* The same client and service once, however many connections there are. */
static bool is_warned(const struct kept_flows *kept, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (kept->flow[i].inbound && kept->flow[i].remote == kept->flow[n].remote &&
		    kept->flow[i].local_port == kept->flow[n].local_port)
			return true;
	return false;
}

static void flow_warn(const struct kept_flow *flow, const char *wan)
{
	char remote[INET_ADDRSTRLEN], ports[16] = "ssh";
	unsigned int port = ntohs(flow->local_port);

	inet_ntop(AF_INET, &flow->remote, remote, sizeof(remote));
	if (port != 22)
		snprintf(ports, sizeof(ports), "tcp:%u", port);
	log_warning("%s is connected to port %u of this machine by the WAN (%s): the connection "
		    "goes on, but a new one is refused. To allow it: wayleave set wan.allow \"%s "
		    "from %s\"",
		    remote, port, wan, ports, remote);
}

void kept_warn(const struct kept_flows *kept, const struct allows *allows, const char *wan)
{
	unsigned int warned = 0;

	for (unsigned int i = 0; i < kept->count && warned < WARNED_MAX; i++) {
		const struct kept_flow *flow = &kept->flow[i];
		struct in_addr remote = {.s_addr = flow->remote};

		if (!flow->inbound || is_warned(kept, i) ||
		    allows_port(allows, remote, false, ntohs(flow->local_port)))
			continue;
		flow_warn(flow, wan);
		warned++;
	}
}
