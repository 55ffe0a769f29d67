/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/reserved.h"

#include "core/memory.h"
#include "core/port_owner.h"
#include "daemon/sockets.h"

/* The WAN reaches no listener but those that wan.allow names, which no forward may have, so that a
 * forward of its port takes nothing away from it. */
static void listener_mark(uint8_t protocol, __be16 port, bool listens)
{
	struct record *r = port_record(protocol, arena.config->external, port);

	if (port_owner_of(r) == PORT_GATEWAYS)
		WRITE_ONCE(r->mapping.flags, MAPPING_LOCAL | (listens ? MAPPING_LISTENS : 0));
}

void reserved_port(uint8_t protocol, __be16 port, bool listens)
{
	port_take(protocol, arena.config->external, port);
	listener_mark(protocol, port, listens);
}

/* Sockets on other addresses (loopback, LAN) cannot be reached at the WAN's. */
static void socket_take(void *context, const struct socket_seen *seen)
{
	int *count = context;

	if (seen->local && seen->local != arena.config->external)
		return;
	reserved_port(seen->protocol, seen->local_port, seen->listens);
	++*count;
}

int reserved_refresh(void)
{
	int count = 0, err;

	if (!arena.config->external)
		return 0;
	err = sockets_read(socket_take, &count);
	return err ? err : count;
}
