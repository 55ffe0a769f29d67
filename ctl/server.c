/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/peer.h"
#include "ctl/request.h"

/* After accept(2) failed for want of descriptors it would fail again at once. */
#define ACCEPT_RETRY_SECONDS 1

struct client {
	LIST_ENTRY(client) entry;
	struct ctl_server *server;
	struct bufferevent *stream;
	struct event *next; /* the next line's turn */
	struct peer peer;
	size_t request_max_bytes;
	bool ending; /* no more requests; close once all is sent */
};

struct ctl_server {
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *accept_again;
	struct ctl_server_options options;
	char *path;
	gid_t group;
	LIST_HEAD(, client) clients;
	unsigned int clients_count;
};

/* --- one client ------------------------------------------------------------------------ */

static void client_free(struct client *client)
{
	LIST_REMOVE(client, entry);
	client->server->clients_count--;
	event_free(client->next);
	bufferevent_free(client->stream);
	free(client);
}

static void answer_send(struct client *client, json_t *answer)
{
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	json_decref(answer);
	if (!text || bufferevent_write(client->stream, text, strlen(text)) != 0 ||
	    bufferevent_write(client->stream, "\n", 1) != 0)
		client->ending = true;
	free(text);
}

static void line_serve(struct client *client, const char *line, size_t length)
{
	const struct ctl_server_options *options = &client->server->options;
	struct request_context context = {
		.provider = options->provider,
		.change = options->change,
		.daemon = options->daemon,
		.audit = options->audit,
		.peer = client->peer,
	};

	answer_send(client, request_answer(&context, line, length));
}

/* The line is too long to be taken whole, so where the next one starts is not known. */
static void line_refuse(struct client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->stream);

	client->ending = true;
	bufferevent_disable(client->stream, EV_READ);
	evbuffer_drain(input, evbuffer_get_length(input));
	answer_send(client, request_refusal("too-long", NULL, "a request is at most 65536 bytes"));
}

static bool answer_unsent(const struct client *client)
{
	return evbuffer_get_length(bufferevent_get_output(client->stream)) > 0;
}

/* One line at most; the rest waits for the answer to be sent and for everybody else's turn. */
static void client_turn(struct client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->stream);
	size_t length;

	if (answer_unsent(client))
		return;
	char *line = evbuffer_readln(input, &length, EVBUFFER_EOL_LF);
	if (line && length <= client->request_max_bytes)
		line_serve(client, line, length);
	else if (line || evbuffer_get_length(input) > client->request_max_bytes)
		line_refuse(client);
	else if (client->ending)
		client_free(client);
	free(line);
}

static void turn_came(evutil_socket_t fd, short events, void *data)
{
	client_turn(data);
}

static void client_readable(struct bufferevent *stream, void *data)
{
	struct client *client = data;

	if (!evtimer_pending(client->next, NULL))
		client_turn(client);
}

/*
 * All is sent. A timer of no time gives the other descriptors of the loop their turn
 * before the next line, which an event made active here would not.
 */
static void client_drained(struct bufferevent *stream, void *data)
{
	struct client *client = data;
	struct timeval at_once = {0};

	evtimer_add(client->next, &at_once);
}

/* Whoever sends requests and shuts down still gets the answers. */
static void client_event(struct bufferevent *stream, short what, void *data)
{
	struct client *client = data;

	if (!(what & BEV_EVENT_EOF) || (what & BEV_EVENT_WRITING)) {
		client_free(client);
		return;
	}
	client->ending = true;
	if (!evtimer_pending(client->next, NULL))
		client_turn(client);
}

/* --- accepting ------------------------------------------------------------------------------ */

static bool room_for(const struct ctl_server *server, const struct peer *peer)
{
	unsigned int reserved = peer->uid == 0 ? 0 : CTL_CLIENTS_ROOT_ONLY;
	return server->clients_count + reserved < CTL_CLIENTS_MAX;
}

static void turn_away(evutil_socket_t fd)
{
	static const char busy[] = "{\"ok\":false,\"error\":{\"code\":\"busy\","
				   "\"message\":\"too many clients\"}}\n";

	send(fd, busy, sizeof(busy) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static bool client_start(struct client *client, evutil_socket_t fd)
{
	struct timeval idle = {.tv_sec = CTL_IDLE_SECONDS};
	struct timeval unread = {.tv_sec = CTL_UNREAD_SECONDS};

	client->next = evtimer_new(client->server->base, turn_came, client);
	client->stream = bufferevent_socket_new(client->server->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!client->next || !client->stream)
		return false;
	bufferevent_setcb(client->stream, client_readable, client_drained, client_event, client);
	bufferevent_set_timeouts(client->stream, client->peer.web ? NULL : &idle, &unread);
	bufferevent_setwatermark(client->stream, EV_READ, 0, client->request_max_bytes + 1);
	return bufferevent_enable(client->stream, EV_READ | EV_WRITE) == 0;
}

/* Takes FD. 0 or -ENOMEM. */
static int client_add(struct ctl_server *server, evutil_socket_t fd, const struct peer *peer)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client) {
		close(fd);
		return -ENOMEM;
	}
	client->server = server;
	client->peer = *peer;
	client->request_max_bytes = peer->web ? CTL_WEB_REQUEST_MAX_BYTES : CTL_REQUEST_MAX_BYTES;
	LIST_INSERT_HEAD(&server->clients, client, entry);
	server->clients_count++;
	if (client_start(client, fd))
		return 0;
	LIST_REMOVE(client, entry);
	server->clients_count--;
	if (client->next)
		event_free(client->next);
	if (client->stream)
		bufferevent_free(client->stream);
	else
		close(fd);
	free(client);
	return -ENOMEM;
}

static void client_accepted(struct evconnlistener *listener, evutil_socket_t fd,
			    struct sockaddr *address, int length, void *data)
{
	struct ctl_server *server = data;
	struct peer peer;

	if (peer_read(fd, server->group, &peer) != 0 || !room_for(server, &peer)) {
		turn_away(fd);
		return;
	}
	client_add(server, fd, &peer);
}

int ctl_server_adopt_web(struct ctl_server *server, int fd)
{
	/* -1: nobody's id, should a check forget to look at `web` */
	const struct peer peer = {.uid = (uid_t)-1, .web = true};

	return client_add(server, fd, &peer);
}

static void accept_failed(struct evconnlistener *listener, void *data)
{
	struct ctl_server *server = data;
	struct timeval later = {.tv_sec = ACCEPT_RETRY_SECONDS};

	evconnlistener_disable(listener);
	evtimer_add(server->accept_again, &later);
}

static void accept_resumed(evutil_socket_t fd, short events, void *data)
{
	evconnlistener_enable(((struct ctl_server *)data)->listener);
}

/* --- the socket --------------------------------------------------------------------- */

static int address_make(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	strcpy(address->sun_path, path);
	return 0;
}

/* Removes the socket that a dead daemon left; -EADDRINUSE when somebody answers. */
static int stale_remove(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	int rc = connect(fd, (const struct sockaddr *)address, sizeof(*address)) ? errno : 0;
	close(fd);
	if (rc == ENOENT)
		return 0;
	/* EAGAIN: a full backlog, so there is somebody who does not get to it */
	if (rc == 0 || rc == EAGAIN)
		return -EADDRINUSE;
	if (rc != ECONNREFUSED)
		return -rc;
	return unlink(address->sun_path) ? -errno : 0;
}

/* Nobody may connect before owner and mode are right, hence the mask. */
static int socket_bind(int fd, const struct sockaddr_un *address, gid_t group)
{
	mode_t mask = umask(0177);
	int rc = bind(fd, (const struct sockaddr *)address, sizeof(*address)) ? -errno : 0;

	umask(mask);
	if (!rc && chown(address->sun_path, (uid_t)-1, group) != 0)
		rc = -errno;
	if (!rc && chmod(address->sun_path, 0660) != 0)
		rc = -errno;
	return rc;
}

static int socket_open(const char *path, gid_t group)
{
	struct sockaddr_un address;

	int rc = address_make(path, &address);
	if (!rc)
		rc = stale_remove(&address);
	if (rc)
		return rc;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	rc = socket_bind(fd, &address, group);
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}

static int group_find(const char *name, gid_t *group)
{
	*group = (gid_t)-1;
	if (!name)
		return 0;
	errno = 0;
	const struct group *entry = getgrnam(name);
	if (!entry)
		return errno ? -errno : -ENOENT;
	*group = entry->gr_gid;
	return 0;
}

/* --- life --------------------------------------------------------------------------- */

static int server_listen(struct ctl_server *server)
{
	int fd = socket_open(server->path, server->group);
	if (fd < 0)
		return fd;
	server->accept_again = evtimer_new(server->base, accept_resumed, server);
	server->listener =
		evconnlistener_new(server->base, client_accepted, server,
				   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 32, fd);
	if (!server->listener)
		close(fd);
	if (!server->listener || !server->accept_again) {
		unlink(server->path);
		return -ENOMEM;
	}
	evconnlistener_set_error_cb(server->listener, accept_failed);
	return 0;
}

static void server_free(struct ctl_server *server)
{
	if (server->listener)
		evconnlistener_free(server->listener);
	if (server->accept_again)
		event_free(server->accept_again);
	free(server->path);
	free(server);
}

int ctl_server_start(struct event_base *base, const struct ctl_server_options *options,
		     struct ctl_server **result)
{
	struct ctl_server *server = calloc(1, sizeof(*server));

	if (!server)
		return -ENOMEM;
	/* a client that goes away in the middle of an answer must not end the daemon */
	signal(SIGPIPE, SIG_IGN);
	server->base = base;
	server->options = *options;
	LIST_INIT(&server->clients);
	int rc = asprintf(&server->path, "%s/" CTL_SOCKET_NAME, options->run_dir);
	if (rc < 0)
		server->path = NULL;
	rc = rc < 0 ? -ENOMEM : group_find(options->control_group, &server->group);
	if (!rc)
		rc = server_listen(server);
	if (rc) {
		server_free(server);
		return rc;
	}
	*result = server;
	return 0;
}

void ctl_server_stop(struct ctl_server *server)
{
	if (!server)
		return;
	while (!LIST_EMPTY(&server->clients))
		client_free(LIST_FIRST(&server->clients));
	unlink(server->path);
	server_free(server);
}
