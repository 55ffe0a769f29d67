/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/l2tp_ports.h"

#include <errno.h>

#include "core/shared.h"
#include "daemon/expiry.h"
#include "daemon/owner.h"

/* RFC 2661 section 5.8: a request comes again after 1 s, then after 2 more. */
#define ATTEMPTS	 2
#define PATIENCE_SECONDS 2

#define L2TP_PORT host_to_be16(PORT_L2TP)

/* --- whose port --------------------------------------------------------------------------- */

struct record *l2tp_port_session(__be32 remote, __be16 remote_port, __be16 port)
{
	struct record_key key = {.remote = remote,
				 .local = arena.config->external,
				 .remote_id = remote_port,
				 .local_id = port,
				 .protocol = PROTOCOL_UDP,
				 .kind = KIND_SESSION_REPLY,
				 .id_type = ID_PORTS};

	return table_find(arena.config, &key);
}

struct record *l2tp_port_owner(__be32 remote)
{
	return l2tp_port_session(remote, L2TP_PORT, L2TP_PORT);
}

bool l2tp_port_is_shared(const struct record *orig)
{
	const struct record *reply = record_partner(orig);

	return reply && reply->key.id_type == ID_TUNNEL;
}

bool l2tp_port_is_to_blame(enum port_habit habit, const struct record *orig, uint32_t now)
{
	const struct record *owner = l2tp_port_owner(orig->key.remote);

	if (orig->key.local_id != L2TP_PORT || orig->session.new_id == L2TP_PORT ||
	    orig->session.flags & SESSION_HAIRPIN ||
	    orig->session.new_local != arena.config->external || habit == HABIT_ANY_PORT)
		return false;
	if (habit == HABIT_INSISTS)
		return true;
	if (habit == HABIT_ONE_CLIENT)
		return !owner;
	/* a server that answers nobody says nothing about ports */
	return owner && owner->session.flags & SESSION_REPLIED &&
	       session_packets(orig) >= ATTEMPTS &&
	       ticks_since(now, orig->session.created) >= PATIENCE_SECONDS * arena.config->hz;
}

/* --- moving ------------------------------------------------------------------------------- */

static struct record *mapping_of(__be16 port)
{
	struct record_key key;

	mapping_external_key(&key, PROTOCOL_UDP, arena.config->external, port);
	return table_find(arena.config, &key);
}

/* The mapping stays for the host's other servers; this session has no part in it any more. */
static void mapping_leave(__be16 port, uint32_t now)
{
	struct record *mapping = mapping_of(port);

	if (!mapping || !record_references(mapping))
		return;
	mapping->mapping.last_seen = mapping->mapping.released = now;
	record_release(mapping);
}

/* A host has one flow from port 1701 to one server, so its address names the reply. */
static struct record_key shared_reply_key(const struct record *orig)
{
	return (struct record_key){.remote = orig->key.remote,
				   .local = arena.config->external,
				   .id = orig->key.local,
				   .protocol = PROTOCOL_UDP,
				   .kind = KIND_SESSION_REPLY,
				   .id_type = ID_TUNNEL};
}

static int reply_make(const struct record_key *key, const struct record *former, uint32_t *index)
{
	const uint8_t not_yet = SESSION_REPLIED | SESSION_SHARED;
	struct record *r;

	if (table_claim(key, index) != CLAIM_OK)
		return -ENOSPC;
	r = record_at(*index);
	r->session = former->session;
	r->session.flags = (former->session.flags & (uint8_t)~not_yet) | SESSION_WATCHED;
	r->session.address_delta = delta_of_32(key->local, former->session.new_local);
	r->partner = former->partner;
	table_publish(r);
	return 0;
}

/* Its arrivals are found by @index now; whether it is answered there is not known yet. */
static void reply_change(struct record *orig, uint32_t index, __be16 port)
{
	struct record *former = record_at(orig->partner);

	WRITE_ONCE(orig->partner, index);
	WRITE_ONCE(orig->session.new_id, port);
	session_clear(&orig->session, SESSION_REPLIED);
	record_end(former);
}

/* The port's mapping is nobody's: without it the host gets the port as the first one does. */
static int port_vacate(struct record *orig, struct record *mapping, uint32_t now)
{
	struct traffic ignored = {0};
	struct record *own = mapping_of(orig->session.new_id);

	mapping_end(arena.config, mapping);
	session_end(arena.config, orig, now, &ignored);
	if (own && !record_references(own))
		mapping_end(arena.config, own);
	return 1;
}

int l2tp_port_share(struct record *orig, uint32_t now)
{
	struct record *former = record_partner(orig), *owner = l2tp_port_owner(orig->key.remote);
	struct record *mapping = mapping_of(L2TP_PORT);
	struct record_key key = shared_reply_key(orig);
	uint32_t index;
	int err;

	if (!former)
		return -ESTALE;
	if (!owner)
		return mapping && !record_references(mapping) &&
				       !(mapping->mapping.flags & (MAPPING_STATIC | MAPPING_LOCAL))
			       ? port_vacate(orig, mapping, now)
			       : -EBUSY;
	if (owner->session.flags & SESSION_LOCAL)
		return -EBUSY;
	if (owner_of(&key, orig->key.local) != OWNER_NOBODY) {
		record_end(table_find(arena.config, &key)); /* of an earlier flow of its own */
		return -EAGAIN;
	}
	err = reply_make(&key, former, &index);
	if (err)
		return err;
	mapping_leave(orig->session.new_id, now);
	reply_change(orig, index, L2TP_PORT);
	l2tp_port_hold(owner);
	return 0;
}

int l2tp_port_unshare(struct record *orig, uint32_t now)
{
	uint32_t index, mapping = mapping_find(arena.config, PROTOCOL_UDP, orig->key.local,
					       orig->key.local_id);
	struct record *own = record_at(mapping), *former = record_partner(orig);
	struct traffic ignored = {0};
	struct record_key key;

	if (own && former) {
		key = former->key;
		key.id = id_word(L2TP_PORT, own->key.local_id);
		key.id_type = ID_PORTS;
		if (!reply_make(&key, former, &index)) {
			reply_change(orig, index, key.local_id);
			return 0;
		}
	}
	if (own)
		record_release(own);
	session_end(arena.config, orig, now, &ignored);
	return 1;
}

void l2tp_port_hold(struct record *owner)
{
	struct record *orig = record_partner(owner);
	uint8_t flags = SESSION_SHARED | SESSION_STATIC;

	session_set(&owner->session, flags);
	if (orig)
		session_set(&orig->session, flags);
}

void l2tp_port_release(struct record *owner)
{
	struct record *orig = record_partner(owner);
	uint8_t flags = SESSION_SHARED | SESSION_STATIC;

	session_clear(&owner->session, flags);
	if (orig)
		session_clear(&orig->session, flags);
}

uint32_t l2tp_port_reply(const struct record *orig)
{
	const struct record *reply = record_partner(orig);
	bool by_tunnel =
		reply && (reply->key.id_type == ID_TUNNEL || reply->session.flags & SESSION_SHARED);

	return by_tunnel ? orig->partner : NO_RECORD;
}

void l2tp_port_translate(struct record *orig)
{
	struct record *reply = record_partner(orig);

	if (reply)
		session_set(&reply->session, SESSION_SHARED);
}

/* One that is held for others (l2tp_port_hold()) goes on by tunnel ids. */
void l2tp_port_leave_alone(struct record *orig)
{
	struct record *reply = record_partner(orig);

	if (reply && !(reply->session.flags & SESSION_STATIC))
		session_clear(&reply->session, SESSION_SHARED);
}

/* --- tunnels behind the port ---------------------------------------------------------------- */

static struct record_key tunnel_key(__be32 remote, uint16_t external_id)
{
	struct record_key key;

	shared_key(&key, remote, arena.config->external, ID_TUNNEL,
		   id_word(0, host_to_be16(external_id)));
	return key;
}

static int tunnel_make(const struct record_key *key, const struct record *reply, uint16_t inside_id,
		       uint32_t now)
{
	struct record *r;
	uint32_t index;

	if (table_claim(key, &index) != CLAIM_OK)
		return -ENOSPC;
	r = record_at(index);
	r->shared = (struct shared){.session = table_index(reply),
				    .last_seen = now,
				    .inside = reply->session.new_local,
				    .new_id = host_to_be16(inside_id)};
	table_publish(r);
	return 0;
}

/* What it led to has ended: the next visit of the sweeper frees the place. */
static void tunnel_clear(const struct record_key *key)
{
	struct record *r = table_find(arena.config, key);

	if (r)
		record_end(r);
}

int l2tp_tunnel_arm(const struct record *reply, uint16_t external_id, uint16_t inside_id,
		    uint32_t now)
{
	struct record_key key = tunnel_key(reply->key.remote, external_id);
	struct record *r = owner_record(&key, reply->session.new_local);

	if (owner_of(&key, reply->session.new_local) == OWNER_OTHER)
		return -EEXIST;
	if (!r) {
		tunnel_clear(&key);
		return tunnel_make(&key, reply, inside_id, now);
	}
	WRITE_ONCE(r->shared.new_id, host_to_be16(inside_id));
	WRITE_ONCE(r->shared.session, table_index(reply));
	return 0;
}

bool l2tp_tunnel_is_spare(__be32 remote, uint16_t external_id)
{
	struct record_key key = tunnel_key(remote, external_id);

	return owner_of(&key, 0) == OWNER_NOBODY;
}

void l2tp_tunnel_disarm(__be32 remote, uint16_t external_id, __be32 inside)
{
	struct record_key key = tunnel_key(remote, external_id);
	struct record *r = owner_record(&key, inside);

	if (r)
		record_end(r);
}
