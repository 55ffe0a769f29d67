/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/connections_table.h"

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
#include "daemon/stations.h"
#include "daemon/tunnels.h"

#define ETHERNET 14

/* --- the file ------------------------------------------------------------------------ */

static size_t file_bytes(const struct connections_kind *kind)
{
	return sizeof(struct file_header) + kind->room * sizeof(struct connection);
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

static void file_begin(struct connections *all)
{
	struct connection *connection = NULL;

	all->connection = (struct connection *)(all->file + 1);
	file_check(all);
	while ((connection = connections_next(all, connection)))
		connection_ids_recall(all, connection);
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

struct connection *connections_next(const struct connections *all, const struct connection *present)
{
	size_t i = present ? (size_t)(present - all->connection) + 1 : 0;

	for (; i < all->kind->room; i++)
		if (is_used(&all->connection[i]))
			return &all->connection[i];
	return NULL;
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

/* A free place, while this host and its group have not more than their shares of them. */
static struct connection *place_find(const struct connections *all, __be32 inside)
{
	struct share share = share_of(&stations, inside, all->kind->room);
	struct connection *free_one = NULL;
	unsigned int of_host = 0;

	for (unsigned int i = 0; i < all->kind->room; i++) {
		struct connection *connection = &all->connection[i];

		if (!is_used(connection)) {
			free_one = free_one ? free_one : connection;
			continue;
		}
		of_host += connection->key.local == inside;
		share_count(&share, connection->group, 1);
	}
	if (of_host >= all->kind->of_host || !share_admits(&share) || !free_one)
		return NULL;
	free_one->group = share.group;
	return free_one;
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

static void ids_end(struct connections *all, struct connection *connection, uint32_t now)
{
	for (unsigned int i = 0; i < CONNECTION_IDS; i++)
		if (connection->ids[i].state != ID_FREE)
			connection_id_end(all, connection, &connection->ids[i], now);
}

void connection_free(struct connections *all, struct connection *connection, uint32_t now)
{
	const struct helper_flow *helper = &connection->helper;

	helper_forget(all->gateway->helper, &connection->helper);
	for (unsigned int i = 0; i < helper->spare_count && i < HELPER_SPARE_IDS; i++)
		call_ids_give_back(all->ids, connection->key.remote, helper->spare[i]);
	ids_end(all, connection, now);
	memset(connection, 0, sizeof(*connection));
}

/* What waits for the helper is gone with it: L2TP sends it again. */
void connection_restart(struct connections *all, struct connection *connection,
			enum helper_protocol protocol, uint32_t now)
{
	struct helper_flow *helper = &connection->helper;

	helper_forget(all->gateway->helper, helper);
	ids_end(all, connection, now);
	helper->id_count = 0;
	helper->flags = 0;
	helper->protocol = protocol;
	memset(helper->state, 0, sizeof(helper->state));
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

/* What is the helper's own to say stands in its counters (helper/reason.def). */
void connections_drop_answered(struct connections *all, enum helper_reason reason)
{
	switch (reason) {
	case HELPER_REASON_id_held:
		connections_drop(all, REASON_id_held);
		break;
	case HELPER_REASON_no_answer:
		connections_drop(all, REASON_helper_absent);
		break;
	case HELPER_REASON_bad_answer:
		connections_drop(all, REASON_helper_refused);
		break;
	default:
		connections_drop(all, REASON_helper_dropped);
	}
}

void connections_drop_unread(struct connections *all, int err)
{
	switch (err) {
	case 0:
		break;
	case -ENOTCONN:
		connections_drop(all, REASON_helper_absent);
		break;
	case -ENOBUFS:
		connections_drop(all, REASON_helper_busy);
		break;
	case -ENOSPC:
		connections_drop(all, REASON_helper_full);
		break;
	default:
		connections_drop(all, REASON_helper_unread);
	}
}

json_t *connections_met_json(const struct connections *all, __be32 inside, __be32 remote)
{
	const struct connection *connection = NULL;
	json_t *list = json_array();
	uint32_t met = 0;

	while ((connection = connections_next(all, connection)))
		if (connection->key.local == inside && connection->key.remote == remote)
			met |= connection->met;
	for (unsigned int i = HELPER_REASON_none + 1; i < HELPER_REASONS; i++)
		if (met >> i & 1)
			json_array_append_new(list, json_string(helper_reason_text(i)));
	return list;
}

/* A server may know a tunnel by its id alone: whichever port the one goes by that has it. */
static bool is_anybodys(const struct connections *all, __be32 remote, uint16_t external_id)
{
	const struct connection *connection = NULL;

	while ((connection = connections_next(all, connection)))
		if (connection->key.remote == remote &&
		    connection_holds(connection, HELPER_ID_CALL, external_id))
			return true;
	return false;
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
		if (is_anybodys(all, remote, helper->spare[i]))
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

/* Does the id stand where those of other connections do? */
static bool is_common(const struct connections *all, const struct connection *connection,
		      const struct connection_id *id)
{
	return !all->kind->is_apart || !all->kind->is_apart(connection, id);
}

/* The ids of OTHER that are COMMON, or those that are not. */
static void taken_of(const struct connections *all, const struct connection *other, bool common,
		     struct helper_frame *request)
{
	for (unsigned int i = 0; i < CONNECTION_IDS; i++) {
		const struct connection_id *id = &other->ids[i];

		if (id->state != ID_FREE && is_common(all, other, id) == common &&
		    request->taken_count < HELPER_TAKEN_IDS)
			request->taken[request->taken_count++] = (uint16_t)id->external;
	}
}

static void taken_list_of(const struct connections *all, const struct connection *connection,
			  bool common, struct helper_frame *request)
{
	const struct connection *other = NULL;

	while ((other = connections_next(all, other)))
		if (other->key.remote == connection->key.remote &&
		    other->key.local != connection->key.local && connection_has_our_ids(other))
			taken_of(all, other, common, request);
}

/* What other hosts' tunnels with the same server go by, in their grace too: held ones first. */
static void taken_list(const struct connections *all, const struct connection *connection,
		       struct helper_frame *request)
{
	const struct connection_id own_number = {.state = ID_HELD};

	taken_list_of(all, connection, true, request);
	if (is_common(all, connection, &own_number))
		request->held_count = request->taken_count;
	taken_list_of(all, connection, false, request);
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
	if (connection_has_our_ids(connection))
		spares_fill(all, connection);
	if (connection->helper.protocol == HELPER_L2TP_OWN)
		taken_list(all, connection, &request);
	return helper_submit(all->gateway->helper, &connection->helper, &request, monotonic_ns());
}
