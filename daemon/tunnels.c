/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/tunnels.h"

#include <errno.h>

#include "daemon/expiry.h"

static struct record_key half_key(uint8_t protocol, __be32 remote, __be32 local, uint32_t id,
				  uint8_t kind)
{
	struct record_key key = {
		.remote = remote, .local = local, .protocol = protocol, .kind = kind};

	if (protocol == PROTOCOL_ESP) {
		key.id_type = ID_SPI;
		key.id = host_to_be32(id);
	} else {
		key.id_type = ID_CALL;
		key.local_id = host_to_be16(id);
	}
	return key;
}

static struct record_key inbound_key(const struct tunnel *tunnel)
{
	return half_key(tunnel->protocol, tunnel->remote, arena.config->external,
			tunnel->external_id, KIND_SESSION_REPLY);
}

static struct record_key outbound_key(const struct tunnel *tunnel)
{
	return half_key(tunnel->protocol, tunnel->remote, tunnel->inside, tunnel->remote_id,
			KIND_SESSION_ORIG);
}

/* ICMP errors quote what we sent, with the id that the remote chose (RFC 5508 REQ-4). */
static struct record_key quoted_key(const struct tunnel *tunnel)
{
	return half_key(tunnel->protocol, tunnel->remote, arena.config->external, tunnel->remote_id,
			KIND_QUOTED);
}

bool tunnel_id_in_use(uint8_t protocol, __be32 remote, uint32_t external_id)
{
	struct record_key key =
		half_key(protocol, remote, arena.config->external, external_id, KIND_SESSION_REPLY);

	return table_find(arena.config, &key) != NULL;
}

/* --- arming -------------------------------------------------------------------------- */

static void half_fill(struct record *r, const struct tunnel *tunnel, __be32 new_local,
		      __be16 new_id, uint16_t next_hop, uint32_t now)
{
	r->session = (struct session){
		.new_local = new_local,
		.new_id = new_id,
		.next_hop = next_hop,
		.address_delta = delta_of_32(r->key.local, new_local),
		.class = tunnel->protocol == PROTOCOL_GRE ? CLASS_PPTP : CLASS_IPSEC,
		.timeout = timeout_of(tunnel->protocol),
		.flags = SESSION_STATIC,
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
	return table_publish(r) ? 0 : -EEXIST;
}

int tunnel_arm_inbound(const struct tunnel *tunnel, uint32_t now)
{
	struct record_key key = inbound_key(tunnel);
	struct record *present = table_find(arena.config, &key);
	__be16 id = host_to_be16(tunnel->inside_id);

	if (!present)
		return half_insert(tunnel, &key, tunnel->inside, id, tunnel->next_hop_in, now);
	if (present->session.new_local != tunnel->inside)
		return -EEXIST;
	WRITE_ONCE(present->session.new_id, id);
	return 0;
}

/* The halves name each other, so that `show` and the timers see one tunnel. */
static void halves_join(struct record *orig, struct record *reply)
{
	if (!orig || !reply || orig->session.new_local != reply->key.local)
		return;
	WRITE_ONCE(orig->partner, table_index(reply));
	WRITE_ONCE(reply->partner, table_index(orig));
}

int tunnel_arm_outbound(const struct tunnel *tunnel, uint32_t now)
{
	struct record_key orig = outbound_key(tunnel), reply = inbound_key(tunnel);
	struct record_key quoted = quoted_key(tunnel);
	int err = half_insert(tunnel, &orig, arena.config->external,
			      host_to_be16(tunnel->external_id), tunnel->next_hop_out, now);

	if (!err) /* without it only the errors about this tunnel would be lost */
		half_insert(tunnel, &quoted, tunnel->inside, 0, tunnel->next_hop_in, now);
	if (!err || err == -EEXIST) /* a server that says its id twice */
		halves_join(table_find(arena.config, &orig), table_find(arena.config, &reply));
	return err == -EEXIST ? 0 : err;
}

static void quoted_end(const struct tunnel *tunnel)
{
	struct record_key key = quoted_key(tunnel);
	struct record *r = table_find(arena.config, &key);

	if (r && r->session.new_local == tunnel->inside)
		table_kill(r);
}

static void half_end(const struct record_key *key, uint32_t now)
{
	struct record *r = table_find(arena.config, key);
	struct traffic ignored = {0};

	if (r && r->session.flags & SESSION_STATIC)
		session_end(arena.config, r, now, &ignored);
}

void tunnel_disarm(const struct tunnel *tunnel, uint32_t now)
{
	struct record_key orig = outbound_key(tunnel), reply = inbound_key(tunnel);
	struct record *r = table_find(arena.config, &reply);

	/* the id may be another host's by now */
	if (r && r->session.new_local == tunnel->inside)
		half_end(&reply, now);
	if (tunnel->remote_id) {
		half_end(&orig, now);
		quoted_end(tunnel);
	}
}

static bool is_session(const struct record *r)
{
	return r->key.kind == KIND_SESSION_ORIG || r->key.kind == KIND_SESSION_REPLY;
}

void tunnels_forsake(uint8_t protocol)
{
	uint32_t records = (arena.config->set_mask + 1) * RECORDS_A_SET;

	for (uint32_t i = 0; i < records; i++) {
		struct record *r = record_at(i);

		if (record_state(r) == SLOT_LIVE && is_session(r) && r->key.protocol == protocol)
			__sync_fetch_and_and(&r->session.flags, (uint8_t)~SESSION_STATIC);
	}
}
