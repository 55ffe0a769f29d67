/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/forwards.h"

#include "core/memory.h"
#include "core/port_owner.h"
#include "daemon/expiry.h"

/* Of a protocol without ports all of it goes to one host, whatever ids it has. */
static uint8_t id_type_of(const struct port_forward_settings *settings)
{
	return forward_has_ports(settings->protocol) ? ID_PORTS : ID_NONE;
}

/* One external port of a forward, in the table's terms. */
struct forward {
	struct record_key external, inside;
};

static struct forward forward_at(const struct port_forward_settings *settings, uint32_t offset)
{
	bool ports = forward_has_ports(settings->protocol);
	uint16_t to_first = settings->to_port ? settings->to_port : settings->port;
	struct forward forward;

	mapping_external_key(&forward.external, settings->protocol, arena.config->external,
			     ports ? host_to_be16(settings->port + offset) : 0);
	mapping_inside_key(&forward.inside, settings->protocol, settings->to.s_addr,
			   ports ? host_to_be16(to_first + offset) : 0);
	forward.external.id_type = forward.inside.id_type = id_type_of(settings);
	return forward;
}

static uint32_t forward_ports(const struct port_forward_settings *settings)
{
	if (!forward_has_ports(settings->protocol) || settings->port_last < settings->port)
		return 1;
	return settings->port_last - settings->port + 1u;
}

/* --- making ---------------------------------------------------------------------------- */

static bool leads_to(const struct record *external, const struct forward *forward)
{
	return external->mapping.flags & MAPPING_STATIC &&
	       external->mapping.new_local == forward->inside.local &&
	       external->mapping.new_id == forward->inside.local_id;
}

static void halves_fill(struct record *external, struct record *inside,
			const struct forward *forward, uint32_t now)
{
	external->mapping = (struct mapping){.new_local = forward->inside.local,
					     .new_id = forward->inside.local_id,
					     .flags = MAPPING_STATIC | MAPPING_OPEN,
					     .last_seen = now,
					     .created = now};
	if (!inside)
		return;
	inside->mapping = external->mapping;
	inside->mapping.new_local = forward->external.local;
	inside->mapping.new_id = forward->external.local_id;
}

/*
 * The inside half makes what the server itself begins come from the forwarded
 * port. When the inside socket has a mapping already (two forwards to one server,
 * or its own), the external half alone does.
 */
static bool forward_insert(const struct forward *forward, uint32_t now)
{
	uint32_t external_at, inside_at;
	struct record *external, *inside = NULL;

	if (table_claim(&forward->external, &external_at) != CLAIM_OK)
		return false;
	external = record_at(external_at);
	if (table_claim(&forward->inside, &inside_at) == CLAIM_OK)
		inside = record_at(inside_at);
	halves_fill(external, inside, forward, now);
	if (inside) {
		external->partner = inside_at;
		inside->partner = external_at;
	}
	table_publish(external);
	if (inside)
		table_publish(inside);
	return true;
}

/* Another forward's, a listener's, or a mapping that nobody uses at the moment makes room. */
static void idle_holder_end(struct record *external)
{
	bool listens = external->mapping.flags & MAPPING_LISTENS;
	enum port_owner owner = port_owner_of(external);

	if (owner == PORT_FORWARDS || (owner == PORT_GATEWAYS && listens) ||
	    (owner == PORT_HOSTS && !record_references(external)))
		mapping_end(arena.config, external);
}

static bool forward_make(const struct forward *forward, uint32_t now)
{
	struct record *present = table_find(arena.config, &forward->external);

	if (present && leads_to(present, forward))
		return true;
	if (present)
		idle_holder_end(present);
	return forward_insert(forward, now);
}

unsigned int forwards_make(const struct settings *settings, uint32_t now)
{
	unsigned int missing = 0;

	if (!arena.config->external)
		return 0;
	for (unsigned int i = 0; i < settings->port_forwards_count; i++)
		for (uint32_t n = 0; n < forward_ports(&settings->port_forwards[i]); n++) {
			struct forward forward = forward_at(&settings->port_forwards[i], n);

			missing += !forward_make(&forward, now);
		}
	return missing;
}

bool forwards_missing_nth(const struct settings *settings, unsigned int n,
			  struct forward_missing *missing)
{
	for (unsigned int i = 0; i < settings->port_forwards_count; i++)
		for (uint32_t k = 0; k < forward_ports(&settings->port_forwards[i]); k++) {
			struct forward forward = forward_at(&settings->port_forwards[i], k);
			const struct record *present = table_find(arena.config, &forward.external);

			if (present && leads_to(present, &forward))
				continue;
			if (n--)
				continue;
			*missing = (struct forward_missing){
				.forward = &settings->port_forwards[i],
				.port = be16_to_host(forward.external.local_id),
				.owner = port_owner_of(present),
				.holder = present ? present->mapping.new_local : 0,
			};
			return true;
		}
	return false;
}

/* --- taking away ------------------------------------------------------------------------- */

static bool covers(const struct port_forward_settings *settings, const struct record *external)
{
	uint32_t port = be16_to_host(external->key.local_id), offset = 0;
	struct forward forward;

	if (settings->protocol != external->key.protocol ||
	    id_type_of(settings) != external->key.id_type)
		return false;
	if (forward_has_ports(settings->protocol)) {
		if (port < settings->port || port >= settings->port + forward_ports(settings))
			return false;
		offset = port - settings->port;
	}
	forward = forward_at(settings, offset);
	return leads_to(external, &forward);
}

static bool is_wanted(const struct settings *settings, const struct record *external)
{
	if (external->key.local != arena.config->external)
		return false;
	for (unsigned int i = 0; i < settings->port_forwards_count; i++)
		if (covers(&settings->port_forwards[i], external))
			return true;
	return false;
}

static void forward_drop(const struct forward *forward, const struct settings *wanted)
{
	struct record *r = table_find(arena.config, &forward->external);

	if (r && leads_to(r, forward) && !is_wanted(wanted, r))
		mapping_end(arena.config, r);
}

void forwards_drop(const struct settings *present, const struct settings *wanted)
{
	for (unsigned int i = 0; i < present->port_forwards_count; i++)
		for (uint32_t n = 0; n < forward_ports(&present->port_forwards[i]); n++) {
			struct forward forward = forward_at(&present->port_forwards[i], n);

			forward_drop(&forward, wanted);
		}
}

void forwards_clean(const struct settings *settings)
{
	uint32_t records = (arena.config->set_mask + 1) * RECORDS_A_SET;

	for (uint32_t i = 0; i < records; i++) {
		struct record *r = record_at(i);

		if (r->key.kind == KIND_MAPPING_EXTERNAL && record_state(r) == SLOT_LIVE &&
		    r->mapping.flags & MAPPING_STATIC && !is_wanted(settings, r))
			mapping_end(arena.config, r);
	}
}
