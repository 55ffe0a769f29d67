/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket's server: RUN_DIR/control.sock, one JSON object per line
 * (docs/control-protocol.md). Runs in the daemon's event loop.
 *
 * Hostile clients are bounded: request length, number of clients (some places are
 * for root only), idle time; one request per client and turn of the loop, and the
 * next one only when the kernel has taken the whole answer.
 */
#ifndef WAYLEAVE_CTL_SERVER_H
#define WAYLEAVE_CTL_SERVER_H

#include <event2/event.h>

#include "ctl/audit.h"
#include "ctl/change.h"
#include "ctl/provider.h"

#define CTL_SOCKET_NAME "control.sock"

#define CTL_REQUEST_MAX_BYTES (64 * 1024)
/* A backup with all the port forwards that there can be is about half of this. */
#define CTL_WEB_REQUEST_MAX_BYTES (1024 * 1024)
#define CTL_UNREAD_MAX_BYTES	  (2 * 1024 * 1024)
#define CTL_CLIENTS_MAX		  64
#define CTL_CLIENTS_ROOT_ONLY	  8
#define CTL_IDLE_SECONDS	  120
/* A client that takes nothing of its answer for so long is cut off. */
#define CTL_UNREAD_SECONDS 30

struct ctl_server;

struct ctl_server_options {
	const char *run_dir; /* exists already; the group needs to get into it (0755 or 0750) */
	const char *control_group;	     /* NULL: root only */
	const struct ctl_provider *provider; /* outlives the server */
	struct ctl_change *change;	     /* NULL: no change is possible; outlives the server */
	struct ctl_audit *audit;	     /* NULL: none is kept; outlives the server */
	void *daemon;			     /* handed to the provider */
};

/*
 * Listens. Returns 0 or -errno: -EADDRINUSE when another daemon answers on the
 * socket (a dead one's is replaced), -ENOENT when the group does not exist. Ignores SIGPIPE for the
 * whole process.
 */
int ctl_server_start(struct event_base *base, const struct ctl_server_options *options,
		     struct ctl_server **server);

/*
 * Serves FD, one end of a stream socket pair, as the web process (peer.web): its requests may be
 * longer, it is never idle for too long, and it may ask what ctl/request.c allows it. Takes FD.
 * 0 or -errno.
 */
int ctl_server_adopt_web(struct ctl_server *server, int fd);

/* Closes every client and removes the socket. NULL is fine. */
void ctl_server_stop(struct ctl_server *server);

#endif
