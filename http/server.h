/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections: accepts them on the sockets that the daemon has opened, speaks TLS and
 * HTTP (libmicrohttpd), and hands whole requests to guard and routes.
 */
#ifndef WAYLEAVE_HTTP_SERVER_H
#define WAYLEAVE_HTTP_SERVER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

struct web;
struct server;

#define SERVER_LISTENERS_MAX 64
/* What has been sent has to be acknowledged within it. */
#define SERVER_SILENT_MS 20000

/* Follows LINK too: server_wait() says when there is something. NULL without memory. */
struct server *server_new(struct web *web, int link);

/* Both in PEM; every connection with another certificate is closed. 0 or -errno. */
int server_secure(struct server *server, const char *certificate, const char *key);

/* Takes FD. */
void server_listen(struct server *server, int fd, __be32 address, bool tls, uint16_t https_port);
void server_close(struct server *server, __be32 address);
void server_close_all(struct server *server);

/*
 * Waits. True: the link has something to read, and that comes before server_serve(), which takes
 * connections and answers: what one request has changed holds for the next one.
 */
bool server_wait(struct server *server);
void server_serve(struct server *server);

#endif
