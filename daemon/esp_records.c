/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/esp_records.h"

#include <errno.h>

#include "core/memory.h"
#include "core/session.h"
#include "daemon/expiry.h"
#include "daemon/owner.h"
#include "daemon/tunnels.h"

static struct record_key key_of(__be32 server, __be32 local, uint32_t spi, uint8_t kind)
{
	return (struct record_key){
		.remote = server,
		.local = local,
		.id = host_to_be32(spi),
		.protocol = PROTOCOL_ESP,
		.kind = kind,
		.id_type = ID_SPI,
	};
}

static struct record_key inbound_key(__be32 server, uint32_t spi)
{
	return key_of(server, arena.config->external, spi, KIND_SESSION_REPLY);
}

static struct record *inbound_find(__be32 server, uint32_t spi, __be32 inside)
{
	struct record_key key = inbound_key(server, spi);

	return owner_record(&key, inside);
}

static struct record *outbound_find(__be32 server, uint32_t spi, __be32 inside)
{
	struct record_key key = key_of(server, inside, spi, KIND_SESSION_ORIG);

	return table_find(arena.config, &key);
}

/* --- arming -------------------------------------------------------------------------- */

static void half_fill(struct record *r, __be32 new_local, uint16_t next_hop, uint8_t flags,
		      uint32_t now)
{
	r->session = (struct session){
		.new_local = new_local,
		.next_hop = next_hop,
		.address_delta = delta_of_32(r->key.local, new_local),
		.class = CLASS_IPSEC,
		.timeout = TIMEOUT_ESP,
		.flags = flags,
		.route_generation = arena.config->route_generation,
		.last_seen = now,
		.created = now,
	};
}

/* Makes the record, or has a present one live on as ours. */
static int half_arm(const struct record_key *key, __be32 new_local, __be32 way, uint8_t flags,
		    uint32_t now)
{
	struct record *r = table_find(arena.config, key);
	bool out = way == key->remote;
	uint16_t next_hop;
	uint32_t index;

	if (r) {
		session_set(&r->session, flags);
		return 0;
	}
	next_hop = tunnel_next_hop(PROTOCOL_ESP, key->remote, out ? key->local : new_local, out);
	if (!next_hop)
		return -EHOSTUNREACH;
	if (table_claim(key, &index) != CLAIM_OK)
		return -ENOSPC;
	r = record_at(index);
	half_fill(r, new_local, next_hop, flags, now);
	table_publish(r);
	return 0;
}

/* Without it only the errors about the tunnel would be lost. */
static void quoted_arm(__be32 server, __be32 local, uint32_t spi, __be32 new_local, __be32 way,
		       uint32_t now)
{
	struct record_key key = key_of(server, local, spi, KIND_QUOTED);

	half_arm(&key, new_local, way, SESSION_STATIC, now);
}

/* Two hosts may send on one SPI of the server's: the record is whose it was first. */
static void quoted_end(__be32 server, __be32 local, uint32_t spi, __be32 inside)
{
	struct record_key key = key_of(server, local, spi, KIND_QUOTED);
	struct record *r = owner_record(&key, inside);

	if (r)
		table_kill(r);
}

/* What an earlier run has left, and nothing is known of any more (tunnels_forsake()). */
static bool is_forsaken(const struct record *r)
{
	return !(r->session.flags & (SESSION_STATIC | SESSION_LOCAL));
}

int esp_inbound_arm(__be32 server, uint32_t spi, __be32 inside, uint32_t now)
{
	struct record_key key = inbound_key(server, spi);
	struct record *present = table_find(arena.config, &key);

	if (owner_of(&key, inside) == OWNER_OTHER) {
		if (!is_forsaken(present))
			return -EEXIST;
		esp_inbound_end(server, spi, present->session.new_local);
	}
	quoted_arm(server, inside, spi, arena.config->external, server, now);
	return half_arm(&key, inside, inside, SESSION_STATIC | SESSION_WATCHED, now);
}

int esp_outbound_arm(__be32 server, uint32_t spi, __be32 inside, uint32_t now)
{
	struct record_key key = key_of(server, inside, spi, KIND_SESSION_ORIG);

	quoted_arm(server, arena.config->external, spi, inside, inside, now);
	return half_arm(&key, arena.config->external, server, SESSION_STATIC, now);
}

void esp_halves_join(__be32 server, __be32 inside, uint32_t spi_in, uint32_t spi_out)
{
	struct record *reply = inbound_find(server, spi_in, inside);
	struct record *orig = outbound_find(server, spi_out, inside);

	if (!reply || !orig)
		return;
	WRITE_ONCE(orig->partner, table_index(reply));
	WRITE_ONCE(reply->partner, table_index(orig));
}

/* --- the end ----------------------------------------------------------------------------- */

/* The other half lives on by itself. */
static void half_end(struct record *r)
{
	struct record *partner = r->partner == NO_RECORD ? NULL : record_at(r->partner);

	if (partner && partner->partner == table_index(r))
		WRITE_ONCE(partner->partner, NO_RECORD);
	record_end(r);
}

void esp_inbound_end(__be32 server, uint32_t spi, __be32 inside)
{
	struct record *r = inbound_find(server, spi, inside);

	if (!r)
		return;
	half_end(r);
	quoted_end(server, inside, spi, inside);
}

void esp_outbound_end(__be32 server, uint32_t spi, __be32 inside)
{
	struct record *r = outbound_find(server, spi, inside);

	if (!r)
		return;
	half_end(r);
	quoted_end(server, arena.config->external, spi, inside);
}

void esp_records_forsake(void)
{
	tunnels_forsake(PROTOCOL_ESP);
}

/* --- looking ------------------------------------------------------------------------------- */

static bool half_read(const struct record *r, struct esp_half *half)
{
	if (!r)
		return false;
	half->packets = session_packets(r);
	half->last_seen = READ_ONCE(r->session.last_seen);
	return true;
}

bool esp_inbound_read(__be32 server, uint32_t spi, __be32 inside, struct esp_half *half)
{
	return half_read(inbound_find(server, spi, inside), half);
}

bool esp_outbound_read(__be32 server, uint32_t spi, __be32 inside, struct esp_half *half)
{
	return half_read(outbound_find(server, spi, inside), half);
}
