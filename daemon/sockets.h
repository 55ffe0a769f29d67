/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This machine's TCP and UDP sockets, read by sock_diag(7). */
#ifndef WAYLEAVE_DAEMON_SOCKETS_H
#define WAYLEAVE_DAEMON_SOCKETS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

/* Network byte order. */
struct socket_seen {
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	bool listens;	  /* TCP: waits for connections */
	bool connected;	  /* has a remote */
	__be32 local, remote;
	__be16 local_port, remote_port;
};

/*
 * Calls EACH for every socket of IPv4, and of IPv6 that speaks IPv4 as well, but for what is
 * over (TIME-WAIT). 0 or -errno.
 */
int sockets_read(void (*each)(void *context, const struct socket_seen *seen), void *context);

#endif
