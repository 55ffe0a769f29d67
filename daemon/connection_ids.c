/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ids that control connections hold: who owns them, and what the helper asks for. */
#include <errno.h>
#include <string.h>

#include "core/memory.h"

#include "core/gateway.h"
#include "daemon/call_ids.h"
#include "daemon/connections_table.h"
#include "daemon/gateway.h"
#include "daemon/log.h"

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

void connection_id_end(struct connections *all, struct connection *connection,
		       struct connection_id *id, uint32_t now)
{
	all->kind->disarm(connection, id, now);
	if (connection_has_our_ids(connection) && !id->own)
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
		connection_id_end(all, connection, oldest, now);
	return oldest;
}

/* --- whose they are -------------------------------------------------------------------- */

static bool is_held(const struct connection_id *id, uint8_t space, uint32_t external_id)
{
	return id->state != ID_FREE && id->space == space && id->external == external_id;
}

/* Behind a port of the connection's own no other's arrivals can be taken for the id's. */
static bool is_apart(const struct connections *all, const struct connection *connection,
		     const struct connection_id *id)
{
	return all->kind->is_apart && all->kind->is_apart(connection, id);
}

bool connection_holds(const struct connection *connection, uint8_t space, uint32_t external_id)
{
	for (unsigned int i = 0; i < CONNECTION_IDS; i++)
		if (is_held(&connection->ids[i], space, external_id))
			return true;
	return false;
}

static bool owns(const struct connections *all, const struct connection *connection, uint8_t space,
		 uint32_t external_id)
{
	for (unsigned int i = 0; i < CONNECTION_IDS; i++) {
		const struct connection_id *id = &connection->ids[i];

		if (is_held(id, space, external_id) && !is_apart(all, connection, id))
			return true;
	}
	return false;
}

/* The next one behind PRESENT that is not EXCEPT and owns the id; NULL: none. */
static struct connection *owner_next(const struct connections *all, __be32 remote, uint8_t space,
				     uint32_t external_id, const struct connection *except)
{
	struct connection *connection = NULL;

	while ((connection = connections_next(all, connection)))
		if (connection != except && connection->key.remote == remote &&
		    owns(all, connection, space, external_id))
			return connection;
	return NULL;
}

struct connection *connection_owner(const struct connections *all, __be32 remote, uint8_t space,
				    uint32_t external_id)
{
	return owner_next(all, remote, space, external_id, NULL);
}

bool connection_is_anothers(const struct connections *all, const struct connection *connection,
			    const struct helper_claim *claim)
{
	/* one that the inside host chose is its own number, one of ours stands for another */
	struct connection_id id = {.state = ID_HELD,
				   .space = claim->space,
				   .external = claim->external_id,
				   .inside = claim->external_id};

	if (claim->kind != HELPER_CLAIM_TAKE)
		id.inside = ~claim->external_id;
	return !is_apart(all, connection, &id) &&
	       owner_next(all, connection->key.remote, claim->space, claim->external_id,
			  connection);
}

static bool has_remote_id(const struct connection *connection, uint32_t remote_id)
{
	for (unsigned int i = 0; i < CONNECTION_IDS; i++) {
		const struct connection_id *id = &connection->ids[i];

		if (id->state != ID_FREE && id->space == HELPER_ID_CALL && id->has_remote &&
		    id->remote == remote_id)
			return true;
	}
	return false;
}

bool connection_names_anothers(const struct connections *all, const struct connection *connection,
			       uint32_t remote_id)
{
	const struct connection *other = NULL;

	if (has_remote_id(connection, remote_id))
		return false;
	while ((other = connections_next(all, other)))
		if (other != connection && other->key.remote == connection->key.remote &&
		    has_remote_id(other, remote_id))
			return true;
	return false;
}

/* --- the file's ------------------------------------------------------------------------ */

static void helper_id_forget(struct helper_flow *helper, const struct connection_id *id)
{
	for (unsigned int i = 0; i < helper->id_count; i++)
		if (helper->ids[i].external_id == id->external &&
		    helper->ids[i].space == id->space) {
			helper->ids[i] = helper->ids[--helper->id_count];
			return;
		}
}

static bool id_recall(struct connections *all, const struct connection *connection,
		      const struct connection_id *id)
{
	__be32 remote = connection->key.remote;

	if (connection_has_our_ids(connection) && !id->own)
		return !call_ids_take_this(all->ids, remote, id->external);
	return is_apart(all, connection, id) ||
	       owner_next(all, remote, id->space, id->external, connection) == NULL;
}

static void spares_recall(struct connections *all, struct connection *connection)
{
	struct helper_flow *helper = &connection->helper;
	uint8_t count = helper->spare_count, kept = 0;

	for (unsigned int i = 0; i < count && i < HELPER_SPARE_IDS; i++)
		if (!call_ids_take_this(all->ids, connection->key.remote, helper->spare[i]))
			helper->spare[kept++] = helper->spare[i];
	helper->spare_count = kept;
}

void connection_ids_recall(struct connections *all, struct connection *connection)
{
	struct helper_flow *helper = &connection->helper;

	helper->waiting = 0; /* died with the daemon that waited; peers send again */
	if (helper->id_count > HELPER_FLOW_IDS)
		helper->id_count = 0;
	for (unsigned int i = 0; i < CONNECTION_IDS; i++) {
		struct connection_id *id = &connection->ids[i];

		if (id->state == ID_FREE || id_recall(all, connection, id))
			continue;
		log_warning("%s: an id that two connections hold is the first one's",
			    all->kind->protocol);
		helper_id_forget(helper, id);
		*id = (struct connection_id){0};
	}
	if (connection_has_our_ids(connection))
		spares_recall(all, connection);
}

/* --- all of a connection's --------------------------------------------------------------- */

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
			connection_id_end(all, connection, id, now);
		any |= id->state != ID_FREE;
	}
	return any;
}

/* --- claims ---------------------------------------------------------------------------- */

/* Asked again although the helper's answer was (connections_answer_check()): of the writers one. */
static int claim_hold(struct connections *all, struct connection *connection,
		      const struct helper_claim *claim, uint32_t now)
{
	bool own = claim->kind == HELPER_CLAIM_TAKE;
	struct connection_id *id;

	if (connection_is_anothers(all, connection, claim))
		return -EEXIST;
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

bool connections_answer_check(const struct connections *all, const struct connection *connection,
			      const struct helper_answer *answer)
{
	for (size_t i = 0; i < answer->claim_count; i++) {
		const struct helper_claim *claim = &answer->claims[i];

		if ((claim->kind == HELPER_CLAIM_TAKE || claim->kind == HELPER_CLAIM_RESERVE) &&
		    connection_is_anothers(all, connection, claim))
			return false;
	}
	return true;
}

static bool is_active(const struct connection *connection)
{
	for (unsigned int i = 0; i < CONNECTION_IDS; i++)
		if (connection->ids[i].state == ID_HELD || connection->ids[i].state == ID_ARMED)
			return true;
	return false;
}

static bool has_release(const struct helper_result *result)
{
	for (size_t i = 0; i < result->claim_count; i++)
		if (result->claims[i].kind == HELPER_CLAIM_RELEASE ||
		    result->claims[i].kind == HELPER_CLAIM_RELEASE_ALL)
			return true;
	return false;
}

/* The helper giving the connection up says nothing of its peers. */
static void hang_up_note(struct connection *connection, const struct helper_result *result)
{
	if (is_active(connection))
		connection->hung_up = false;
	else if (has_release(result) && !(connection->helper.flags & HELPER_PLAIN))
		connection->hung_up = true;
}

bool connections_hung_up(const struct connections *all, __be32 inside, __be32 remote)
{
	const struct connection *connection = NULL, *newest = NULL;

	while ((connection = connections_next(all, connection)))
		if (connection->key.local == inside && connection->key.remote == remote &&
		    (!newest || ticks_is_later(connection->created, newest->created)))
			newest = connection;
	return newest && newest->hung_up;
}

bool connection_claims_do(struct connections *all, struct connection *connection,
			  const struct helper_result *result, uint32_t now)
{
	bool done = true;

	connection->met |= result->notes;
	if (result->verdict == HELPER_DROP)
		connection->met |= 1u << result->reason;
	for (size_t i = 0; i < result->claim_count; i++) {
		int err = claim_do(all, connection, &result->claims[i], now);

		done &= err != -EEXIST;
		if (err && done)
			log_warning("%s: a tunnel gets no data path: %s", all->kind->protocol,
				    err == -ENOSPC ? "the session table is full" : strerror(-err));
	}
	hang_up_note(connection, result);
	return done;
}
