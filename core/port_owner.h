/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who owns an external port or id, in one place. What says so is the id's
 * MAPPING_EXTERNAL record; whoever wants an id asks here, or claims the record,
 * which of several only one can.
 *
 *   PORT_GATEWAYS  a socket of this machine: comes before an inside host
 *   PORT_FORWARDS  a port forward: the settings' word, nobody takes it away
 *   PORT_HOSTS     an inside host's mapping: gives way to the gateway's socket
 *
 * A host that gives way loses the port for what it begins from now on, not what
 * it has: its other sessions stay. Only the session that the gateway's own flow
 * collides with, the same remote and port on both sides, ends, and the host's
 * next packet begins another one, from another port.
 *
 * Context: TC egress of the WAN, daemon; first packets and new sockets only.
 */
#ifndef WAYLEAVE_CORE_PORT_OWNER_H
#define WAYLEAVE_CORE_PORT_OWNER_H

#include "core/remote.h"
#include "core/session.h"

enum port_owner { PORT_NOBODYS, PORT_GATEWAYS, PORT_FORWARDS, PORT_HOSTS };

/* @external: a LIVE MAPPING_EXTERNAL record, or NULL. */
static __always_inline enum port_owner port_owner_of(const struct record *external)
{
	if (!external)
		return PORT_NOBODYS;
	if (external->mapping.flags & MAPPING_LOCAL)
		return PORT_GATEWAYS;
	return external->mapping.flags & MAPPING_STATIC ? PORT_FORWARDS : PORT_HOSTS;
}

/* The record of an external id, by PROTOCOL_* and what the protocol calls it. NULL: nobody's. */
static __always_inline struct record *port_record(__u8 protocol, __be32 external, __be16 id)
{
	struct record_key key;

	mapping_external_key(&key, protocol, external, id);
	return record_at(table_search(&key));
}

static __always_inline struct host *port_host(__be32 inside)
{
	struct record_key key;
	struct record *r;

	host_key(&key, inside);
	r = record_at(table_search(&key));
	return r ? &r->host : NULL;
}

/* --- giving way ------------------------------------------------------------------------ */

/* What a remote began (core/remote.h): whoever paid for it, and its mapping, have one less. */
static __always_inline void inbound_give_back(struct config *c, const struct record *reply)
{
	struct record *external, *remote;
	struct record_key key;

	count_less(&c->inbound_used);
	remote_key(&key, reply->key.remote);
	remote = record_at(table_search(&key));
	if (remote && reply->key.remote != reply->key.local) /* a hairpin is its sender's */
		count_less(&remote->host.sessions);
	external = port_record(reply->key.protocol, reply->key.local, reply->key.local_id);
	if (external && reply->key.id_type == ID_PORTS && READ_ONCE(external->mapping.inbound))
		mapping_inbound_add(&external->mapping, -1);
}

/* What a session gives back when the data plane ends it: daemon/expiry.c pair_end() for the daemon.
 */
static __always_inline void session_give_back(struct config *c, const struct record *orig,
					      const struct record *reply, __u32 now)
{
	struct host *host = port_host(orig->key.local);
	struct record *external;

	if (orig->session.flags & SESSION_STATIC && !(orig->session.flags & SESSION_SHARED))
		return; /* armed: counted nowhere */
	count_less(&c->sessions_used);
	if (orig->session.inbound) /* never the inside host's */
		inbound_give_back(c, reply);
	else if (host)
		host_loses_session(host);
	if (reply->key.id_type != ID_PORTS)
		return;
	external = port_record(reply->key.protocol, reply->key.local, reply->key.local_id);
	if (!external || !record_references(external))
		return;
	external->mapping.released = now;
	record_release(external);
}

/*
 * Ends the session whose inbound half, at @index, stands where an answer to the
 * gateway itself has to be found. An outbound half that shares a port with others
 * (core/shared.h) has an inbound half of its own and stays.
 */
SEPARATE __u32 session_give_way(__u32 index)
{
	struct record *reply = record_at(index), *orig;
	struct config *c = config_get();

	if (!reply || !c || !table_kill(reply))
		return false;
	count(REASON_session_gave_way, 0);
	orig = record_at(reply->partner);
	if (!orig || orig->key.kind != KIND_SESSION_ORIG || orig->partner != index ||
	    !table_kill(orig))
		return true;
	orig->session.taken_over = 1;
	session_give_back(c, orig, reply, clock_ticks(c));
	return true;
}

/* An inside host's mapping becomes the gateway's reservation; its sessions keep their references.
 */
static __always_inline void mapping_give_way(struct config *c, struct record *external, __u32 index,
					     __u32 now)
{
	struct record *inside = record_at(external->partner);
	struct host *host;

	external->partner = NO_RECORD;
	external->mapping.flags = MAPPING_LOCAL;
	external->mapping.last_seen = now;
	count(REASON_port_gave_way, 0);
	if (!inside || inside->key.kind != KIND_MAPPING_INSIDE || inside->partner != index)
		return;
	host = port_host(inside->key.local);
	if (!table_kill(inside))
		return;
	count_less(&c->mappings_used);
	if (host)
		host_loses_mapping(host);
}

static __always_inline void port_reserve(const struct record_key *key, __u32 now)
{
	struct record *r;
	__u32 index;

	if (table_claim(key, &index) != CLAIM_OK)
		return;
	r = record_at(index);
	if (!r)
		return;
	r->mapping = (struct mapping){
		.flags = MAPPING_LOCAL,
		.last_seen = now,
		.created = now,
	};
	table_publish(r);
}

/*
 * A socket of the gateway's own uses external id @id: it is its own from now on,
 * unless the settings forward it. Answers the enum port_owner that was there before.
 */
SEPARATE __u32 port_take(__u32 protocol, __be32 external, __be16 id)
{
	struct config *c = config_get();
	struct record_key key;
	enum port_owner owner;
	struct record *r;
	__u32 index, now;

	if (!c)
		return PORT_NOBODYS;
	now = clock_ticks(c);
	mapping_external_key(&key, protocol, external, id);
	index = table_search(&key);
	r = record_at(index);
	owner = port_owner_of(r);
	if (!r)
		port_reserve(&key, now);
	else if (owner == PORT_GATEWAYS)
		r->mapping.last_seen = now;
	else if (owner == PORT_HOSTS)
		mapping_give_way(c, r, index, now);
	return owner;
}

#endif
