/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/tunnels.h"

#include <errno.h>

#include "daemon/expiry.h"
#include "daemon/owner.h"

static struct record_key half_key(uint8_t protocol, __be32 remote, __be32 local, uint32_t id,
				  uint8_t kind)
{
	struct record_key key = {
		.remote = remote, .local = local, .protocol = protocol, .kind = kind};

	if (protocol == PROTOCOL_GRE) {
		key.id_type = ID_CALL;
		key.local_id = host_to_be16(id);
	} else {
		key.id_type = ID_SESSION;
		key.id = host_to_be32(id);
	}
	return key;
}

/* L2TP has two kinds of ids, which may be equal. */
static struct record_key tunnel_key(const struct tunnel *tunnel, __be32 local, uint32_t id,
				    uint8_t kind)
{
	struct record_key key = half_key(tunnel->protocol, tunnel->remote, local, id, kind);

	if (tunnel->is_control)
		key.id_type = ID_CONTROL;
	return key;
}

static struct record_key inbound_key(const struct tunnel *tunnel)
{
	return tunnel_key(tunnel, arena.config->external, tunnel->external_id, KIND_SESSION_REPLY);
}

static struct record_key outbound_key(const struct tunnel *tunnel)
{
	return tunnel_key(tunnel, tunnel->inside, tunnel->remote_id, KIND_SESSION_ORIG);
}

/*
 * ICMP errors quote a packet as it was delivered, with the id that its receiver
 * chose (RFC 5508 REQ-4): from outside the remote's, from inside the inside host's.
 */
static struct record_key quoted_outside_key(const struct tunnel *tunnel)
{
	return tunnel_key(tunnel, arena.config->external, tunnel->remote_id, KIND_QUOTED);
}

static struct record_key quoted_inside_key(const struct tunnel *tunnel, uint32_t inside_id)
{
	return tunnel_key(tunnel, tunnel->inside, inside_id, KIND_QUOTED);
}

bool tunnel_id_in_use(uint8_t protocol, __be32 remote, uint32_t external_id)
{
	struct record_key key =
		half_key(protocol, remote, arena.config->external, external_id, KIND_SESSION_REPLY);

	return table_find(arena.config, &key) != NULL;
}

static uint16_t next_hop_out(const struct flow_ends *ends, uint32_t ifindex)
{
	const struct config *config = arena.config;
	struct packet nothing = {0};
	struct route route = {0};
	struct query query;
	enum route_result result;

	query_out(&query, ends, ifindex);
	result = route_ask(&nothing, config, &query, &route);
	if (result == ROUTE_STACK || route.ifindex != config->wan_ifindex ||
	    (config->marked_routes && is_marked_elsewhere(&query)))
		return NO_NEXT_HOP;
	return next_hop_for(&route, result);
}

uint16_t flow_next_hop(const struct flow_ends *ends, bool out)
{
	struct packet nothing = {0};
	struct route route = {0};
	struct query query;
	enum route_result result;

	query_in(&query, ends, arena.config->wan_ifindex);
	result = route_ask(&nothing, arena.config, &query, &route);
	if (result == ROUTE_STACK)
		return NO_NEXT_HOP;
	return out ? next_hop_out(ends, route.ifindex) : next_hop_for(&route, result);
}

uint16_t tunnel_next_hop(uint8_t protocol, __be32 remote, __be32 inside, bool out)
{
	const struct flow_ends ends = {.remote = remote, .inside = inside, .protocol = protocol};

	return flow_next_hop(&ends, out);
}

/* --- arming -------------------------------------------------------------------------- */

static enum flow_class tunnel_class(const struct tunnel *tunnel)
{
	return tunnel->protocol == PROTOCOL_L2TP ? CLASS_L2TP : CLASS_PPTP;
}

static uint8_t half_flags(const struct tunnel *tunnel)
{
	return SESSION_STATIC | (tunnel->is_control ? SESSION_WATCHED : 0) |
	       (tunnel->protocol == PROTOCOL_GRE ? SESSION_STUDIED : 0) |
	       (tunnel->remote == arena.config->external ? SESSION_HAIRPIN : 0);
}

static void half_fill(struct record *r, const struct tunnel *tunnel, __be32 new_local,
		      __be16 new_id, uint16_t next_hop, uint32_t now)
{
	r->session = (struct session){
		.new_local = new_local,
		.new_id = new_id,
		.next_hop = next_hop,
		.address_delta = delta_of_32(r->key.local, new_local),
		.class = tunnel_class(tunnel),
		.timeout = timeout_of(tunnel->protocol, tunnel_class(tunnel)),
		.flags = half_flags(tunnel),
		.route_generation = arena.config->route_generation,
		.last_seen = now,
		.created = now,
	};
}

static int half_insert(const struct tunnel *tunnel, const struct record_key *key, __be32 new_local,
		       __be16 new_id, uint16_t next_hop, uint32_t now)
{
	uint32_t index;
	struct record *r;

	switch (table_claim(key, &index)) {
	case CLAIM_FULL:
		return -ENOSPC;
	case CLAIM_EXISTS:
		return -EEXIST;
	case CLAIM_OK:
		break;
	}
	r = record_at(index);
	half_fill(r, tunnel, new_local, new_id, next_hop, now);
	table_publish(r);
	return 0;
}

/* --- quoted: without them only the errors about a tunnel would be lost ------------------- */

static void quoted_arm(const struct tunnel *tunnel, const struct record_key *key, __be32 new_local,
		       uint16_t next_hop, uint32_t now)
{
	enum owner owner = owner_of(key, tunnel->inside);
	struct record *present = owner_record(key, tunnel->inside);
	__be16 id = host_to_be16(tunnel->external_id);

	if (owner == OWNER_OTHER) /* a server that gives an id twice: errors are the first one's */
		return;
	if (present)
		half_fill(present, tunnel, new_local, id, next_hop, now);
	else
		half_insert(tunnel, key, new_local, id, next_hop, now);
}

/* The id may be a later tunnel's by now; what a record stands for tells its external id. */
static void quoted_end(const struct tunnel *tunnel, const struct record_key *key)
{
	struct record *r = owner_record(key, tunnel->inside);

	if (r && r->session.new_id == host_to_be16(tunnel->external_id))
		table_kill(r);
}

static void quoted_inside_end(const struct tunnel *tunnel, uint32_t inside_id)
{
	struct record_key key = quoted_inside_key(tunnel, inside_id);

	quoted_end(tunnel, &key);
}

static void quoted_inside_arm(const struct tunnel *tunnel, uint32_t now)
{
	struct record_key key = quoted_inside_key(tunnel, tunnel->inside_id);

	quoted_arm(tunnel, &key, arena.config->external, tunnel->next_hop_out, now);
}

/* --- inbound --------------------------------------------------------------------------- */

int tunnel_arm_inbound(const struct tunnel *tunnel, uint32_t now)
{
	struct record_key key = inbound_key(tunnel);
	struct record *present = owner_record(&key, tunnel->inside);
	__be16 id = host_to_be16(tunnel->inside_id);
	int err = 0;

	if (owner_of(&key, tunnel->inside) == OWNER_OTHER)
		return -EEXIST;
	if (present && present->session.new_id != id)
		quoted_inside_end(tunnel, be16_to_host(present->session.new_id));
	if (present)
		WRITE_ONCE(present->session.new_id, id);
	else
		err = half_insert(tunnel, &key, tunnel->inside, id, tunnel->next_hop_in, now);
	if (!err)
		quoted_inside_arm(tunnel, now);
	return err;
}

/* --- outbound -------------------------------------------------------------------------- */

/* The halves name each other, so that `show` and the timers see one tunnel. */
static void halves_join(const struct tunnel *tunnel, struct record *orig, struct record *reply)
{
	if (!orig || !reply || orig->session.new_local != reply->key.local)
		return;
	WRITE_ONCE(orig->session.new_id, host_to_be16(tunnel->external_id));
	WRITE_ONCE(orig->partner, table_index(reply));
	WRITE_ONCE(reply->partner, table_index(orig));
}

int tunnel_arm_outbound(const struct tunnel *tunnel, uint32_t now)
{
	struct record_key orig = outbound_key(tunnel), reply = inbound_key(tunnel);
	struct record_key quoted = quoted_outside_key(tunnel);
	int err = half_insert(tunnel, &orig, arena.config->external,
			      host_to_be16(tunnel->external_id), tunnel->next_hop_out, now);

	if (err && err != -EEXIST)
		return err;
	quoted_arm(tunnel, &quoted, tunnel->inside, tunnel->next_hop_in, now);
	halves_join(tunnel, table_find(arena.config, &orig), owner_record(&reply, tunnel->inside));
	return 0;
}

/* --- the end ----------------------------------------------------------------------------- */

static void half_end(struct record *r, uint32_t now)
{
	struct traffic ignored = {0};

	if (r->session.flags & SESSION_STATIC)
		session_end(arena.config, r, now, &ignored);
}

/* A remote that gave its id away again has joined it to another inbound half. */
static bool is_of(const struct record *orig, const struct record *reply)
{
	return orig->partner == NO_RECORD || (reply && orig->partner == table_index(reply));
}

static void outbound_end(const struct tunnel *tunnel, const struct record *reply, uint32_t now)
{
	struct record_key key = outbound_key(tunnel), quoted = quoted_outside_key(tunnel);
	struct record *orig = table_find(arena.config, &key);

	if (orig && is_of(orig, reply))
		half_end(orig, now);
	quoted_end(tunnel, &quoted);
}

void tunnel_disarm(const struct tunnel *tunnel, uint32_t now)
{
	struct record_key key = inbound_key(tunnel);
	struct record *reply = owner_record(&key, tunnel->inside);

	if (!tunnel->inbound_only)
		outbound_end(tunnel, reply, now);
	if (reply)
		half_end(reply, now);
	quoted_inside_end(tunnel, tunnel->inside_id);
}

static uint32_t half_last_seen(const struct record_key *key, uint32_t last)
{
	const struct record *r = table_find(arena.config, key);
	uint32_t seen = r ? READ_ONCE(r->session.last_seen) : last;

	return ticks_is_later(seen, last) ? seen : last;
}

uint32_t tunnel_last_seen(const struct tunnel *tunnel, uint32_t last)
{
	struct record_key orig = outbound_key(tunnel), reply = inbound_key(tunnel);

	last = half_last_seen(&reply, last);
	return tunnel->inbound_only ? last : half_last_seen(&orig, last);
}

static bool is_session(const struct record *r)
{
	return r->key.kind == KIND_SESSION_ORIG || r->key.kind == KIND_SESSION_REPLY ||
	       r->key.kind == KIND_QUOTED;
}

void tunnels_forsake(uint8_t protocol)
{
	uint32_t records = (arena.config->set_mask + 1) * RECORDS_A_SET;

	for (uint32_t i = 0; i < records; i++) {
		struct record *r = record_at(i);

		if (record_state(r) == SLOT_LIVE && is_session(r) && r->key.protocol == protocol)
			session_clear(&r->session, SESSION_STATIC);
	}
}
