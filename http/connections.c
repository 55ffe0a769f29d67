/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/connections.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "http/web.h"

struct connection {
	TAILQ_ENTRY(connection) entry; /* oldest first */
	int fd;
	__be32 address;
	enum connection_phase phase;
	uint64_t since_ms;
};

void connections_begin(struct connections *connections)
{
	TAILQ_INIT(&connections->list);
}

static struct connection *connection_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void phase_set(struct connection *connection, enum connection_phase phase)
{
	connection->phase = phase;
	connection->since_ms = web_now_ms();
}

void connection_phase_set(struct MHD_Connection *connection, enum connection_phase phase)
{
	struct connection *known = connection_of(connection);

	if (known)
		phase_set(known, phase);
}

static struct connection *connection_new(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct connection *new = calloc(1, sizeof(*new));
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);

	if (!new || !info) {
		free(new);
		return NULL;
	}
	new->fd = info->connect_fd;
	if (!getpeername(new->fd, (struct sockaddr *)&peer, &size))
		new->address = peer.sin_addr.s_addr;
	phase_set(new, PHASE_REQUEST);
	return new;
}

void connections_noticed(void *context, struct MHD_Connection *connection, void **socket_context,
			 enum MHD_ConnectionNotificationCode what)
{
	struct connections *connections = context;
	struct connection *known = *socket_context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		known = *socket_context = connection_new(connection);
		if (!known)
			return;
		TAILQ_INSERT_TAIL(&connections->list, known, entry);
		connections->count++;
	} else if (known) {
		TAILQ_REMOVE(&connections->list, known, entry);
		connections->count--;
		free(known);
		*socket_context = NULL;
	}
}

/* libmicrohttpd sees the end of the stream in its next turn. */
static void connection_cut(struct connection *connection)
{
	connection->phase = PHASE_STREAM; /* once is enough */
	shutdown(connection->fd, SHUT_RDWR);
}

/*
 * The oldest that has no request yet or has not taken its answer, of ADDRESS or (0) of all;
 * *COUNT are all of these.
 */
static struct connection *unfinished_find(const struct connections *connections, __be32 address,
					  unsigned int *count)
{
	struct connection *connection, *oldest = NULL;

	*count = 0;
	TAILQ_FOREACH(connection, &connections->list, entry)
	{
		if (connection->phase == PHASE_STREAM ||
		    (address && connection->address != address))
			continue;
		if (!oldest || connection->since_ms < oldest->since_ms)
			oldest = connection;
		++*count;
	}
	return oldest;
}

bool connections_room_make(struct connections *connections, __be32 address)
{
	unsigned int count;
	struct connection *oldest = unfinished_find(connections, address, &count);

	if (count >= CONNECTIONS_UNFINISHED_MAX)
		connection_cut(oldest);
	if (connections->count < CONNECTIONS_MAX)
		return true;
	oldest = unfinished_find(connections, 0, &count);
	if (oldest)
		connection_cut(oldest);
	return oldest;
}

void connections_slow_cut(struct connections *connections)
{
	uint64_t now_ms = web_now_ms();
	struct connection *connection;

	TAILQ_FOREACH(connection, &connections->list, entry)
	{
		uint64_t spent_ms = now_ms - connection->since_ms;

		if ((connection->phase == PHASE_REQUEST && spent_ms > CONNECTION_REQUEST_MS) ||
		    (connection->phase == PHASE_ANSWER && spent_ms > CONNECTION_ANSWER_MS))
			connection_cut(connection);
	}
}
