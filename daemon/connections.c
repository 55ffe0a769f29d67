/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/connections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

#include "core/gateway.h"
#include "daemon/call_ids.h"
#include "daemon/gateway.h"
#include "daemon/log.h"
#include "daemon/mapped_file.h"
#include "daemon/monotonic.h"
#include "daemon/tunnels.h"

#define ETHERNET 14

struct file_header {
	uint32_t magic, size;
};

struct connections {
	struct gateway *gateway;
	const struct connections_kind *kind;
	struct file_header *file; /* behind it the connections, then what is the kind's own */
	struct connection *connection;
	struct call_ids *ids; /* external ones that are ours to give */
};

/* --- the file ------------------------------------------------------------------------ */

static size_t file_bytes(const struct connections_kind *kind)
{
	return sizeof(struct file_header) + kind->room * sizeof(struct connection) +
	       kind->extra_bytes;
}

/* Another version's, or a data plane that is not the one the connections were of. */
static void file_check(const struct connections *all)
{
	size_t size = file_bytes(all->kind);
	bool adopted = all->gateway->plane.adopted;

	if (adopted && all->file->magic == all->kind->magic && all->file->size == size)
		return;
	if (adopted)
		tunnels_forsake(all->kind->tunnels);
	memset(all->file, 0, size);
	*all->file = (struct file_header){.magic = all->kind->magic, .size = size};
}

static bool is_used(const struct connection *connection)
{
	return connection->key.protocol != 0;
}

/* Over IP ids are followed and never changed: they are the inside host's own. */
static bool has_our_ids(const struct connection *connection)
{
	return connection->helper.protocol != HELPER_L2TP_IP;
}

static void ids_recall(struct connections *all, struct connection *connection)
{
	const struct helper_flow *helper = &connection->helper;
	__be32 remote = connection->key.remote;

	connection->helper.waiting = 0; /* died with the daemon that waited; peers send again */
	if (!has_our_ids(connection))
		return;
	for (unsigned int i = 0; i < helper->spare_count && i < HELPER_SPARE_IDS; i++)
		call_ids_take_this(all->ids, remote, helper->spare[i]);
	for (unsigned int i = 0; i < CONNECTION_IDS; i++)
		if (connection->ids[i].state != ID_FREE && !connection->ids[i].own)
			call_ids_take_this(all->ids, remote, connection->ids[i].external);
}

static void file_begin(struct connections *all)
{
	struct connection *connection = NULL;

	all->connection = (struct connection *)(all->file + 1);
	file_check(all);
	while ((connection = connections_next(all, connection)))
		ids_recall(all, connection);
}

struct connections *connections_open(struct gateway *gateway, const struct connections_kind *kind)
{
	struct connections *all = calloc(1, sizeof(*all));
	const char *run_dir = gateway->instance.run_dir;

	if (!all)
		return NULL;
	all->gateway = gateway;
	all->kind = kind;
	all->ids = call_ids_new();
	all->file = mapped_file_open(run_dir, kind->file_name, file_bytes(kind));
	if (!all->file || !all->ids) {
		log_error("the list of %s connections in %s cannot be opened: %s", kind->protocol,
			  run_dir, strerror(errno));
		connections_close(all);
		return NULL;
	}
	file_begin(all);
	return all;
}

void connections_close(struct connections *all)
{
	if (!all)
		return;
	mapped_file_close(all->file, file_bytes(all->kind));
	call_ids_free(all->ids);
	free(all);
}

void *connections_extra(const struct connections *all)
{
	return all->connection + all->kind->room;
}

struct connection *connections_next(const struct connections *all, const struct connection *present)
{
	size_t i = present ? (size_t)(present - all->connection) + 1 : 0;

	for (; i < all->kind->room; i++)
		if (is_used(&all->connection[i]))
			return &all->connection[i];
	return NULL;
}

/* --- ids ------------------------------------------------------------------------------- */

static struct connection_id *id_find(struct connection *connection,
				     const struct helper_claim *claim)
{
	for (unsigned int i = 0; i < CONNECTION_IDS; i++) {
		struct connection_id *id = &connection->ids[i];

		if ((id->state == ID_HELD || id->state == ID_ARMED) && id->space == claim->space &&
		    id->external == claim->external_id)
			return id;
	}
	return NULL;
}

static void id_end(struct connections *all, struct connection *connection, struct connection_id *id,
		   uint32_t now)
{
	all->kind->disarm(connection, id, now);
	if (has_our_ids(connection) && !id->own)
		call_ids_give_back(all->ids, connection->key.remote, id->external);
	*id = (struct connection_id){0};
}

static void id_release(struct connection_id *id, uint32_t now)
{
	if (id->state != ID_HELD && id->state != ID_ARMED)
		return;
	id->state = ID_RELEASED;
	id->released = now;
}

/* An id of the host's own that was released comes again: it is the new one's now. */
static void id_forget_former(struct connection *connection, const struct helper_claim *claim)
{
	for (unsigned int i = 0; i < CONNECTION_IDS; i++) {
		struct connection_id *id = &connection->ids[i];

		if (id->state == ID_RELEASED && id->space == claim->space &&
		    id->external == claim->external_id)
			*id = (struct connection_id){0};
	}
}

/* A place for a new id; the one that was released first makes room. */
static struct connection_id *id_place(struct connections *all, struct connection *connection,
				      uint32_t now)
{
	struct connection_id *oldest = NULL;

	for (unsigned int i = 0; i < CONNECTION_IDS; i++) {
		struct connection_id *id = &connection->ids[i];

		if (id->state == ID_FREE)
			return id;
		if (id->state == ID_RELEASED &&
		    (!oldest || ticks_is_later(oldest->released, id->released)))
			oldest = id;
	}
	if (oldest)
		id_end(all, connection, oldest, now);
	return oldest;
}

static bool holds(const struct connection *connection, uint32_t external_id)
{
	for (unsigned int i = 0; i < CONNECTION_IDS; i++)
		if (connection->ids[i].state != ID_FREE &&
		    connection->ids[i].space == HELPER_ID_CALL &&
		    connection->ids[i].external == external_id)
			return true;
	return false;
}

struct connection *connection_holder(const struct connections *all, __be32 remote,
				     uint32_t external_id)
{
	struct connection *connection = NULL;

	while ((connection = connections_next(all, connection)))
		if (connection->key.remote == remote && holds(connection, external_id))
			return connection;
	return NULL;
}

int connection_rearm(struct connections *all, const struct connection *connection, uint32_t now)
{
	int err = 0, last = 0;

	for (unsigned int i = 0; i < CONNECTION_IDS; i++) {
		if (connection->ids[i].state == ID_ARMED)
			err = all->kind->arm(connection, &connection->ids[i], now);
		last = err ? err : last;
	}
	return last;
}

void connection_release_all(struct connection *connection, uint32_t now)
{
	for (unsigned int i = 0; i < CONNECTION_IDS; i++)
		id_release(&connection->ids[i], now);
}

bool connection_ids_tend(struct connections *all, struct connection *connection, uint32_t now)
{
	uint32_t grace = all->kind->grace_seconds * arena.config->hz;
	bool any = false;

	for (unsigned int i = 0; i < CONNECTION_IDS; i++) {
		struct connection_id *id = &connection->ids[i];

		if (id->state == ID_RELEASED && ticks_since(now, id->released) > grace)
			id_end(all, connection, id, now);
		any |= id->state != ID_FREE;
	}
	return any;
}

/* --- claims ---------------------------------------------------------------------------- */

static int claim_hold(struct connections *all, struct connection *connection,
		      const struct helper_claim *claim, uint32_t now)
{
	bool own = claim->kind == HELPER_CLAIM_TAKE;
	struct connection_id *id;

	if (own)
		id_forget_former(connection, claim);
	id = id_place(all, connection, now);
	if (id)
		*id = (struct connection_id){.state = ID_HELD,
					     .space = claim->space,
					     .own = own,
					     .external = claim->external_id};
	return 0;
}

static int claim_arm(struct connections *all, struct connection *connection,
		     const struct helper_claim *claim, uint32_t now)
{
	struct connection_id *id = id_find(connection, claim);
	int err;

	if (!id)
		return -ENOENT;
	id->inside = claim->inside_id;
	err = all->kind->arm(connection, id, now);
	if (!err)
		id->state = ID_ARMED;
	return err;
}

static int claim_peer(struct connections *all, struct connection *connection,
		      const struct helper_claim *claim, uint32_t now)
{
	struct connection_id *id = id_find(connection, claim);

	if (!id)
		return -ENOENT;
	id->remote = claim->remote_id;
	id->has_remote = 1;
	return all->kind->peer(connection, id, now);
}

static int claim_release(struct connection *connection, const struct helper_claim *claim,
			 uint32_t now)
{
	struct connection_id *id = id_find(connection, claim);

	if (id)
		id_release(id, now);
	return 0;
}

static int claim_do(struct connections *all, struct connection *connection,
		    const struct helper_claim *claim, uint32_t now)
{
	switch (claim->kind) {
	case HELPER_CLAIM_RESERVE:
	case HELPER_CLAIM_TAKE:
		return claim_hold(all, connection, claim, now);
	case HELPER_CLAIM_ARM:
		return claim_arm(all, connection, claim, now);
	case HELPER_CLAIM_PEER:
		return claim_peer(all, connection, claim, now);
	case HELPER_CLAIM_RELEASE:
		return claim_release(connection, claim, now);
	default:
		connection_release_all(connection, now);
		return 0;
	}
}

void connection_claims_do(struct connections *all, struct connection *connection,
			  const struct helper_result *result, uint32_t now)
{
	for (size_t i = 0; i < result->claim_count; i++) {
		int err = claim_do(all, connection, &result->claims[i], now);

		if (err == -EEXIST)
			connections_drop(all, REASON_server_taken);
		else if (err)
			log_warning("%s: a tunnel gets no data path: %s", all->kind->protocol,
				    err == -ENOSPC ? "the session table is full" : strerror(-err));
	}
}

/* --- connections ----------------------------------------------------------------------- */

struct connection *connection_find(const struct connections *all, const struct record_key *key)
{
	struct connection *connection = NULL;

	while ((connection = connections_next(all, connection)))
		if (key_equal(&connection->key, key))
			return connection;
	return NULL;
}

/* A free place, while this host has not more than its share of them. */
static struct connection *place_find(const struct connections *all, __be32 inside)
{
	struct connection *free_one = NULL;
	unsigned int of_host = 0;

	for (unsigned int i = 0; i < all->kind->room; i++) {
		struct connection *connection = &all->connection[i];

		if (!is_used(connection))
			free_one = free_one ? free_one : connection;
		else
			of_host += connection->key.local == inside;
	}
	return of_host < all->kind->of_host ? free_one : NULL;
}

struct connection *connection_get(struct connections *all, const struct record_key *key,
				  uint32_t created, enum helper_protocol protocol, uint32_t now)
{
	struct connection *connection = connection_find(all, key);

	if (connection && connection->created == created)
		return connection;
	if (connection)
		connection_free(all, connection, now);
	connection = place_find(all, key->local);
	if (!connection)
		return NULL;
	connection->key = *key;
	connection->created = created;
	connection->helper.protocol = protocol;
	return connection;
}

void connection_free(struct connections *all, struct connection *connection, uint32_t now)
{
	const struct helper_flow *helper = &connection->helper;

	helper_forget(all->gateway->helper, &connection->helper);
	for (unsigned int i = 0; i < helper->spare_count && i < HELPER_SPARE_IDS; i++)
		call_ids_give_back(all->ids, connection->key.remote, helper->spare[i]);
	for (unsigned int i = 0; i < CONNECTION_IDS; i++)
		if (connection->ids[i].state != ID_FREE)
			id_end(all, connection, &connection->ids[i], now);
	memset(connection, 0, sizeof(*connection));
}

struct connection *connection_of(struct helper_flow *helper)
{
	return (struct connection *)((char *)helper - offsetof(struct connection, helper));
}

/* --- frames ---------------------------------------------------------------------------- */

void connections_drop(struct connections *all, enum reason reason)
{
	plane_count(&all->gateway->plane, reason, 1);
}

void connections_drop_answered(struct connections *all, enum helper_reason reason)
{
	switch (reason) {
	case HELPER_REASON_out_of_order:
		connections_drop(all, REASON_helper_out_of_order);
		break;
	case HELPER_REASON_no_spare_id:
		connections_drop(all, REASON_helper_ids_exhausted);
		break;
	case HELPER_REASON_no_answer:
		connections_drop(all, REASON_helper_absent);
		break;
	default:
		connections_drop(all, REASON_helper_refused);
	}
}

void connections_drop_unread(struct connections *all, int err)
{
	if (err)
		connections_drop(all,
				 err == -ENOTCONN ? REASON_helper_absent : REASON_helper_refused);
}

/*
 * A spare one that a host has chosen meanwhile is none any more. Not while the helper
 * has the list: what it answers is checked against it.
 */
static void spares_check(struct connections *all, struct connection *connection)
{
	struct helper_flow *helper = &connection->helper;
	__be32 remote = connection->key.remote;
	uint8_t kept = 0;

	if (helper->waiting)
		return;
	for (uint8_t i = 0; i < helper->spare_count; i++)
		if (connection_holder(all, remote, helper->spare[i]))
			call_ids_give_back(all->ids, remote, helper->spare[i]);
		else
			helper->spare[kept++] = helper->spare[i];
	helper->spare_count = kept;
}

/* Ids that the data plane has from before this daemon's file are passed over. */
static void spares_fill(struct connections *all, struct connection *connection)
{
	struct helper_flow *helper = &connection->helper;
	__be32 remote = connection->key.remote;
	unsigned int tries = 2 * HELPER_SPARE_IDS;

	if (connection->helper.protocol != HELPER_PPTP)
		spares_check(all, connection);
	while (helper->spare_count < HELPER_SPARE_IDS && tries--) {
		uint16_t id = call_ids_take(all->ids, remote);

		if (!id)
			return;
		if (!all->kind->is_spare || all->kind->is_spare(remote, id))
			helper->spare[helper->spare_count++] = id;
	}
}

static enum helper_carrier carrier_of(const struct connection *connection)
{
	switch (connection->helper.protocol) {
	case HELPER_PPTP:
		return HELPER_OVER_TCP;
	case HELPER_L2TP:
	case HELPER_L2TP_OWN:
		return HELPER_OVER_UDP;
	default:
		return HELPER_OVER_IP;
	}
}

static void taken_add(struct helper_frame *request, const struct connection *other)
{
	for (unsigned int i = 0; i < CONNECTION_IDS; i++)
		if (other->ids[i].state != ID_FREE && request->taken_count < HELPER_TAKEN_IDS)
			request->taken[request->taken_count++] = (uint16_t)other->ids[i].external;
}

/* What other hosts' tunnels with the same server go by, in their grace too. */
static void taken_list(const struct connections *all, const struct connection *connection,
		       struct helper_frame *request)
{
	const struct connection *other = NULL;

	while ((other = connections_next(all, other)))
		if (other->key.remote == connection->key.remote &&
		    other->key.local != connection->key.local && has_our_ids(other))
			taken_add(request, other);
}

int connection_submit(struct connections *all, struct connection *connection, uint8_t *frame,
		      size_t length, const struct facts *facts, enum helper_direction direction)
{
	struct helper_frame request = {
		.bytes = frame,
		.frame_bytes = length,
		.tcp_offset = ETHERNET + facts->l4,
		.tcp_bytes = facts->length - facts->l4,
		.carrier = carrier_of(connection),
		.direction = direction,
	};

	connection->last_seen = clock_ticks(arena.config);
	if (has_our_ids(connection))
		spares_fill(all, connection);
	if (connection->helper.protocol == HELPER_L2TP_OWN)
		taken_list(all, connection, &request);
	return helper_submit(all->gateway->helper, &connection->helper, &request, monotonic_ns());
}
