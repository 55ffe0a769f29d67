/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/connections.h"
#include "http/events.h"
#include "http/guard.h"
#include "http/reply.h"
#include "http/route.h"

#define TICK_MS		    1000
#define ACCEPTS_PER_TURN    64
#define HEADERS_MAX_BYTES   (32 * 1024)
#define IDLE_SECONDS	    15
#define BODY_READ_MAX_BYTES (8 * 1024 * 1024)
#define PRIORITIES	    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct listener {
	int fd;
	__be32 address;
	bool tls;
	uint16_t https_port;
};

struct server {
	struct web *web;
	int epoll, link;
	struct MHD_Daemon *secure, *plain;
	uint16_t https_port; /* where the plain one sends browsers */
	struct listener listener[SERVER_LISTENERS_MAX];
	unsigned int listeners;
	struct connections connections;
	uint64_t next_tick_ms;
};

/* --- one request --------------------------------------------------------------------- */

static struct exchange *exchange_new(struct server *server, struct MHD_Connection *connection,
				     bool tls, const char *method, const char *path)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return NULL;
	exchange->web = server->web;
	exchange->connection = connection;
	exchange->tls = tls;
	exchange->https_port = server->https_port;
	exchange->method = method;
	exchange->path = strdup(path);
	exchange->body_max = BODY_MAX_BYTES;
	if (info && info->client_addr->sa_family == AF_INET)
		exchange->address =
			((const struct sockaddr_in *)info->client_addr)->sin_addr.s_addr;
	inet_ntop(AF_INET, &exchange->address, exchange->source, sizeof(exchange->source));
	if (exchange->path)
		return exchange;
	free(exchange);
	return NULL;
}

static void exchange_free(struct exchange *exchange)
{
	if (!exchange)
		return;
	json_decref(exchange->answer.json);
	free(exchange->answer.location);
	free(exchange->answer.text);
	free(exchange->answer.html);
	if (exchange->body) /* a password may have been in it */
		explicit_bzero(exchange->body, exchange->body_bytes);
	free(exchange->body);
	free(exchange->path);
	free(exchange);
}

static void body_append(struct exchange *exchange, const char *bytes, size_t count)
{
	char *longer = NULL;

	if (exchange->refused || exchange->body_too_long)
		return;
	if (exchange->body_bytes + count <= exchange->body_max)
		longer = realloc(exchange->body, exchange->body_bytes + count);
	if (!longer) {
		exchange->body_too_long = true;
		return;
	}
	memcpy(longer + exchange->body_bytes, bytes, count);
	exchange->body = longer;
	exchange->body_bytes += count;
}

static unsigned long long body_announced(const struct exchange *exchange)
{
	const char *length = exchange_header(exchange, "Content-Length");

	return length ? strtoull(length, NULL, 10) : 0;
}

static enum MHD_Result exchange_end(struct exchange *exchange)
{
	if (exchange->body_too_long && !exchange->refused)
		exchange->answer = answer_error(413, "too-long", NULL, "the body is too long");
	else if (exchange->route && !exchange->refused)
		exchange->answer = exchange->route->serve(exchange);
	connection_phase_set(exchange->connection,
			     exchange->answer.events ? PHASE_STREAM : PHASE_ANSWER);
	return reply_send(exchange);
}

/* The headers are there, of the body nothing yet. */
static enum MHD_Result exchange_begin(struct exchange *exchange)
{
	exchange->refused = !guard_admit(exchange);
	exchange->body_too_long = body_announced(exchange) > exchange->body_max;
	/* a browser that is still sending does not see an answer: what is not huge is read */
	if (exchange->answer.last || body_announced(exchange) > BODY_READ_MAX_BYTES)
		return exchange_end(exchange);
	return MHD_YES;
}

static enum MHD_Result request_came(struct server *server, struct MHD_Connection *connection,
				    bool tls, const char *path, const char *method,
				    const char *upload, size_t *upload_bytes, void **context)
{
	struct exchange *exchange = *context;

	if (!exchange) {
		*context = exchange_new(server, connection, tls, method, path);
		return *context ? exchange_begin(*context) : MHD_NO;
	}
	if (!*upload_bytes)
		return exchange_end(exchange);
	body_append(exchange, upload, *upload_bytes);
	*upload_bytes = 0;
	return MHD_YES;
}

static enum MHD_Result secure_came(void *server, struct MHD_Connection *connection,
				   const char *path, const char *method, const char *version,
				   const char *upload, size_t *upload_bytes, void **context)
{
	return request_came(server, connection, true, path, method, upload, upload_bytes, context);
}

static enum MHD_Result plain_came(void *server, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_bytes, void **context)
{
	return request_came(server, connection, false, path, method, upload, upload_bytes, context);
}

static void request_completed(void *server, struct MHD_Connection *connection, void **context,
			      enum MHD_RequestTerminationCode how)
{
	exchange_free(*context);
	*context = NULL;
	connection_phase_set(connection, PHASE_REQUEST);
}

/* A NUL would end the path before its end: it becomes a byte that no path has. */
static size_t path_unescape(void *context, struct MHD_Connection *connection, char *text)
{
	for (char *c = strstr(text, "%00"); c; c = strstr(c, "%00"))
		c[2] = '1';
	return MHD_http_unescape(text);
}

/* --- accepting ---------------------------------------------------------------------------- */

/* A phone that has left the Wi-Fi must not keep its stream of events. */
static void silence_limit(int fd)
{
	unsigned int timeout_ms = SERVER_SILENT_MS;

	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
}

static void accept_some(struct server *server, const struct listener *listener)
{
	for (unsigned int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_in peer;
		socklen_t size = sizeof(peer);
		int fd = accept4(listener->fd, (struct sockaddr *)&peer, &size,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		silence_limit(fd);
		server->https_port =
			listener->https_port ? listener->https_port : server->https_port;
		if (!connections_room_make(&server->connections, peer.sin_addr.s_addr))
			close(fd);
		else /* closes it on failure */
			MHD_add_connection(listener->tls ? server->secure : server->plain, fd,
					   (struct sockaddr *)&peer, size);
	}
}

/* --- listening ---------------------------------------------------------------------------- */

static void watch(struct server *server, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event);
}

void server_listen(struct server *server, int fd, __be32 address, bool tls, uint16_t https_port)
{
	if (server->listeners == SERVER_LISTENERS_MAX) {
		close(fd);
		return;
	}
	server->listener[server->listeners++] = (struct listener){
		.fd = fd, .address = address, .tls = tls, .https_port = https_port};
	watch(server, fd);
}

void server_close(struct server *server, __be32 address)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < server->listeners; i++)
		if (server->listener[i].address == address)
			close(server->listener[i].fd);
		else
			server->listener[kept++] = server->listener[i];
	server->listeners = kept;
}

void server_close_all(struct server *server)
{
	for (unsigned int i = 0; i < server->listeners; i++)
		close(server->listener[i].fd);
	server->listeners = 0;
}

/* --- life ---------------------------------------------------------------------------------- */

#define FLAGS (MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME)

/* NULL is fine. */
static void daemon_watch(struct server *server, struct MHD_Daemon *daemon)
{
	if (daemon)
		watch(server, MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
}

static struct MHD_Daemon *daemon_start(struct server *server, unsigned int flags,
				       MHD_AccessHandlerCallback came,
				       const struct MHD_OptionItem *more)
{
	struct MHD_Daemon *daemon = MHD_start_daemon(
		FLAGS | flags, 0, NULL, NULL, came, server, MHD_OPTION_NOTIFY_COMPLETED,
		request_completed, server, MHD_OPTION_NOTIFY_CONNECTION, connections_noticed,
		&server->connections, MHD_OPTION_CONNECTION_LIMIT, 2 * CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)HEADERS_MAX_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_UNESCAPE_CALLBACK, path_unescape, NULL, MHD_OPTION_ARRAY, more,
		MHD_OPTION_END);

	daemon_watch(server, daemon);
	return daemon;
}

/* libmicrohttpd cannot close a connection that sleeps. */
static void secure_stop(struct server *server)
{
	if (!server->secure)
		return;
	events_end_all(server->web->events);
	MHD_run(server->secure);
	MHD_stop_daemon(server->secure);
	server->secure = NULL;
}

int server_secure(struct server *server, const char *certificate, const char *key)
{
	const struct MHD_OptionItem secrets[] = {
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key},
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)certificate},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)PRIORITIES},
		{MHD_OPTION_END, 0, NULL},
	};

	secure_stop(server);
	server->secure = daemon_start(server, MHD_USE_TLS, secure_came, secrets);
	return server->secure ? 0 : -EINVAL;
}

struct server *server_new(struct web *web, int link)
{
	static const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	struct server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->web = web;
	server->link = link;
	server->https_port = 443;
	connections_begin(&server->connections);
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(server, link);
	server->plain = daemon_start(server, 0, plain_came, none);
	if (server->plain)
		return server;
	free(server);
	return NULL;
}

/* --- the loop ------------------------------------------------------------------------------- */

static void tick(struct server *server)
{
	uint64_t now_ms = web_now_ms();

	if (now_ms < server->next_tick_ms && !events_hurried(server->web->events))
		return;
	server->next_tick_ms = now_ms + TICK_MS;
	connections_slow_cut(&server->connections);
	events_tick(server->web->events);
}

static int timeout_shorten(struct MHD_Daemon *daemon, int timeout_ms)
{
	MHD_UNSIGNED_LONG_LONG wanted_ms;

	if (daemon && MHD_get_timeout(daemon, &wanted_ms) == MHD_YES &&
	    wanted_ms < (unsigned int)timeout_ms)
		return (int)wanted_ms;
	return timeout_ms;
}

static int timeout_ms(const struct server *server)
{
	uint64_t now_ms = web_now_ms();
	int timeout = now_ms < server->next_tick_ms ? (int)(server->next_tick_ms - now_ms) : 0;

	return timeout_shorten(server->secure, timeout_shorten(server->plain, timeout));
}

bool server_wait(struct server *server)
{
	struct epoll_event events[16];
	int count = epoll_wait(server->epoll, events, 16, timeout_ms(server));
	bool link = false;

	for (int i = 0; i < count; i++)
		link |= events[i].data.fd == server->link;
	return link;
}

static void accept_all(struct server *server)
{
	for (unsigned int i = 0; i < server->listeners; i++)
		if (!server->listener[i].tls || server->secure)
			accept_some(server, &server->listener[i]);
}

void server_serve(struct server *server)
{
	accept_all(server);
	MHD_run(server->plain);
	if (server->secure)
		MHD_run(server->secure);
	tick(server);
}
