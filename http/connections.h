/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connections that the page's server has, from their acceptance to their end: what each one
 * waits for, who is cut off for being slow, and who goes when somebody else needs the room.
 */
#ifndef WAYLEAVE_HTTP_CONNECTIONS_H
#define WAYLEAVE_HTTP_CONNECTIONS_H

#include <linux/types.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <sys/queue.h>

#define CONNECTIONS_MAX 512
/* Of one address: the oldest that has no request yet, or has not taken its answer, goes for a new
 * one. */
#define CONNECTIONS_UNFINISHED_MAX 48
/* A connection may take so long for a request, and for taking its answer. */
#define CONNECTION_REQUEST_MS 10000
#define CONNECTION_ANSWER_MS  60000

enum connection_phase { PHASE_REQUEST, PHASE_ANSWER, PHASE_STREAM };

struct connection;
struct connections {
	TAILQ_HEAD(, connection) list;
	unsigned int count;
};

void connections_begin(struct connections *connections);

/* libmicrohttpd's MHD_NotifyConnectionCallback; CONTEXT is a struct connections. */
void connections_noticed(void *context, struct MHD_Connection *connection, void **socket_context,
			 enum MHD_ConnectionNotificationCode what);

/* The time for PHASE begins. */
void connection_phase_set(struct MHD_Connection *connection, enum connection_phase phase);

/* For a new one of ADDRESS. False: nobody can be made to go. */
bool connections_room_make(struct connections *connections, __be32 address);

/* Whoever has had a request's or an answer's time and is not done. Once a second or so. */
void connections_slow_cut(struct connections *connections);

#endif
