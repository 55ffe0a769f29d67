/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose is a record? Many ids of tunnels are chosen by inside hosts, and some by
 * hostile ones: before the daemon makes, moves or ends what packets of an id are
 * found by, it asks here. What another host holds stays as it is; the caller
 * finds another id (RFC 2661 and RFC 2637 let it) or refuses.
 *
 * Ids that are held before they have a record, or longer, are connections.h's:
 * connection_owner().
 *
 * Works on the core's arena. Addresses in network byte order.
 */
#ifndef WAYLEAVE_DAEMON_OWNER_H
#define WAYLEAVE_DAEMON_OWNER_H

#include <stdbool.h>

#include "core/memory.h"

enum owner {
	OWNER_NOBODY, /* there is no such record, or what it led to has ended */
	OWNER_SELF,
	OWNER_OTHER, /* another inside host, or the gateway itself */
};

/* Who holds the record of KEY, as INSIDE sees it? */
enum owner owner_of(const struct record_key *key, __be32 inside);

/* The live record of KEY if it is INSIDE's own, else NULL: what INSIDE may change or end. */
struct record *owner_record(const struct record_key *key, __be32 inside);

#endif
