/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What connections.c (the table, frames) and connection_ids.c (ids, claims) share. */
#ifndef WAYLEAVE_DAEMON_CONNECTIONS_TABLE_H
#define WAYLEAVE_DAEMON_CONNECTIONS_TABLE_H

#include "daemon/connections.h"

struct call_ids;

struct file_header {
	uint32_t magic, size;
};

struct connections {
	struct gateway *gateway;
	const struct connections_kind *kind;
	struct file_header *file; /* behind it the connections */
	struct connection *connection;
	struct call_ids *ids; /* external ones that are ours to give */
};

/* Over IP ids are followed and never changed: they are the inside host's own. */
static inline bool connection_has_our_ids(const struct connection *connection)
{
	return connection->helper.protocol != HELPER_L2TP_IP;
}

/* The id works no longer and is free. */
void connection_id_end(struct connections *all, struct connection *connection,
		       struct connection_id *id, uint32_t now);

/*
 * What the file says of a connection: ids and spare ones that another one before it in
 * the table holds are left out.
 */
void connection_ids_recall(struct connections *all, struct connection *connection);

#endif
