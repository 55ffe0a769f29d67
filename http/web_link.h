/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon hands to the web process, which can open nothing itself: its
 * connection to the control socket's server, and the sockets that it listens on.
 * One message a datagram, each with at most one descriptor, over the socket that
 * the keeper gives to every web process in turn.
 */
#ifndef WAYLEAVE_HTTP_WEB_LINK_H
#define WAYLEAVE_HTTP_WEB_LINK_H

#include <linux/types.h>
#include <stdint.h>

enum web_link_kind {
	WEB_LINK_CONTROL = 1, /* descriptor: a stream; whatever came before is void */
	WEB_LINK_LISTEN,      /* descriptor: bound to ADDRESS, listening, non-blocking */
	WEB_LINK_CLOSE,	      /* the listening sockets of ADDRESS */
	WEB_LINK_RELOAD,      /* ask for the state again: it has changed */
	WEB_LINK_FORGET,      /* the same, and every session and lock-out ends */
	WEB_LINK_UNLOCK,      /* every lock-out ends */
};

struct web_link_message {
	uint32_t kind;
	__be32 address;
	uint16_t tls;	     /* LISTEN: speak TLS */
	uint16_t https_port; /* LISTEN without TLS: where to send the browser */
};

/* FD: -1 for none; stays the caller's. 0 or -errno (-EAGAIN: the queue is full). */
int web_link_send(int socket, const struct web_link_message *message, int fd);

/* *FD: -1 or the caller's. 0 or -errno: -EAGAIN: none waits, -EPIPE: the daemon is gone. */
int web_link_receive(int socket, struct web_link_message *message, int *fd);

#endif
