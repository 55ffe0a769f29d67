/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "daemon/addresses.h"
#include "daemon/gateway.h"
#include "daemon/log.h"
#include "daemon/package.h"
#include "daemon/restart.h"
#include "daemon/web_store.h"
#include "helper/keeper.h"
#include "http/process.h"

#define USER		   "wayleave-web"
#define REST_S		   60
#define BACKLOG		   128
#define ADDRESSES_PER_LINK 8
#define LISTENERS	   64

struct listener {
	char interface[IFNAMSIZ];
	__be32 address;
	uint16_t port;
	bool tls;
	int fd;
};

struct web_process {
	struct kept kept;
	struct gateway *gateway; /* NULL: not begun */
	struct event *news;
	bool started; /* the keeper was told to */
	pid_t pid;    /* 0: none runs */
	struct listener listener[LISTENERS];
	unsigned int listeners;
	int refusal; /* -errno of the last socket that could not be opened, said once */
};

int web_process_fork(struct web_process **made)
{
	const struct keeper_options options = {
		.run = web_run, .waits = true, .rest_s = REST_S, .rules = web_rules};
	struct web_process *web = calloc(1, sizeof(*web));

	tzset(); /* mktime(3) does it where no file can be read any more */
	int err = web ? kept_start(&web->kept, USER, false, &options) : -ENOMEM;

	if (err && web) {
		kept_stop(&web->kept);
		free(web);
	}
	if (!err)
		*made = web;
	return err;
}

/* --- what is said to it ----------------------------------------------------------------- */

static void message_send(struct web_process *web, const struct web_link_message *message, int fd)
{
	int err = web->pid ? web_link_send(web->kept.socket, message, fd) : 0;

	if (err)
		log_warning("the web process does not listen: %s", strerror(-err));
}

void web_process_say(struct web_process *web, enum web_link_kind kind)
{
	const struct web_link_message message = {.kind = kind};

	if (web)
		message_send(web, &message, -1);
}

static void listener_send(struct web_process *web, const struct listener *listener)
{
	const struct web_link_message message = {
		.kind = WEB_LINK_LISTEN,
		.address = listener->address,
		.tls = listener->tls,
		.https_port = web->gateway->settings->web.https_port,
	};

	message_send(web, &message, listener->fd);
}

static void order_send(const struct web_process *web, char order)
{
	(void)!send(web->kept.news, &order, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* --- sockets ------------------------------------------------------------------------------ */

/* Bound to the interface too: a packet for this address from elsewhere finds nobody. */
static int socket_open(const struct listener *listener)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = listener->address,
				      .sin_port = htons(listener->port)};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	if (!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, listener->interface,
			strlen(listener->interface)) &&
	    !bind(fd, (struct sockaddr *)&address, sizeof(address)) && !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static void refusal_say(struct web_process *web, const struct listener *listener, int err)
{
	char address[INET_ADDRSTRLEN];

	if (web->refusal == err)
		return;
	web->refusal = err;
	inet_ntop(AF_INET, &listener->address, address, sizeof(address));
	log_warning("the page cannot be served at %s port %u: %s%s", address, listener->port,
		    strerror(-err),
		    err == -EADDRINUSE ? "; another program is there, see web.http_port and "
					 "web.https_port"
				       : "");
}

static bool listener_same(const struct listener *a, const struct listener *b)
{
	return a->address == b->address && a->port == b->port && a->tls == b->tls &&
	       !strcmp(a->interface, b->interface);
}

static bool listener_in(const struct listener *list, unsigned int count,
			const struct listener *listener)
{
	for (unsigned int i = 0; i < count; i++)
		if (listener_same(&list[i], listener))
			return true;
	return false;
}

static void listener_open(struct web_process *web, const struct listener *wanted)
{
	struct listener *listener = &web->listener[web->listeners];
	int fd = socket_open(wanted);

	if (fd < 0) {
		refusal_say(web, wanted, fd);
		return;
	}
	*listener = *wanted;
	listener->fd = fd;
	web->listeners++;
	listener_send(web, listener);
}

/* The web process has the socket too: only this makes the port free at once. */
static void socket_close(int fd)
{
	shutdown(fd, SHUT_RDWR);
	close(fd);
}

/* It closes all of the address, for it knows no ports; what stays is handed over again. */
static void listener_close(struct web_process *web, unsigned int place)
{
	const struct web_link_message message = {.kind = WEB_LINK_CLOSE,
						 .address = web->listener[place].address};

	socket_close(web->listener[place].fd);
	web->listener[place] = web->listener[--web->listeners];
	message_send(web, &message, -1);
	for (unsigned int i = 0; i < web->listeners; i++)
		if (web->listener[i].address == message.address)
			listener_send(web, &web->listener[i]);
}

/* --- what is wanted ------------------------------------------------------------------------ */

static unsigned int wanted_add(struct listener *list, unsigned int count, const struct link *link,
			       __be32 address, const struct web_settings *settings)
{
	struct listener listener = {.address = address};

	if (count + 2 > LISTENERS)
		return count;
	memcpy(listener.interface, link->name, sizeof(listener.interface));
	listener.port = settings->https_port;
	listener.tls = true;
	list[count++] = listener;
	listener.port = settings->http_port;
	listener.tls = false;
	list[count++] = listener;
	return count;
}

/* NAME is one of LIST, "lan0,lan1", or there is no list. */
static bool is_listed(const char *list, const char *name)
{
	size_t length = strlen(name);

	if (!list)
		return true;
	for (; *list; list += strcspn(list, ","), list += *list == ',')
		if (strcspn(list, ",") == length && memcmp(list, name, length) == 0)
			return true;
	return false;
}

static unsigned int wanted_find(struct gateway *gateway, struct listener *list)
{
	const char *interfaces = gateway->settings->web.interfaces;
	unsigned int count = 0;

	for (unsigned int i = 1; i < gateway->links.count; i++) {
		const struct link *link = &gateway->links.link[i];
		__be32 addresses[ADDRESSES_PER_LINK];
		unsigned int found = link->ifindex && is_listed(interfaces, link->name)
					     ? addresses_list(&gateway->netlink, link->ifindex,
							      addresses, ADDRESSES_PER_LINK)
					     : 0;

		for (unsigned int k = 0; k < found; k++)
			count = wanted_add(list, count, link, addresses[k],
					   &gateway->settings->web);
	}
	return count;
}

static void places_say(const struct web_process *web)
{
	json_t *places = web_process_places(web), *place;
	size_t i;

	json_array_foreach (places, i, place)
		log_notice("the page is at %s", json_string_value(place));
	json_decref(places);
}

static void listeners_follow(struct web_process *web)
{
	struct listener wanted[LISTENERS];
	bool enabled = web->gateway->settings->web.enabled == SWITCH_ON;
	unsigned int count = enabled ? wanted_find(web->gateway, wanted) : 0;
	unsigned int before = web->listeners;

	for (unsigned int i = 0; i < web->listeners;)
		if (listener_in(wanted, count, &web->listener[i]))
			i++;
		else
			listener_close(web, i);
	bool same = web->listeners == before;
	for (unsigned int i = 0; i < count; i++)
		if (!listener_in(web->listener, web->listeners, &wanted[i]))
			listener_open(web, &wanted[i]);
	if (!same || web->listeners != before)
		places_say(web);
}

static void enabled_follow(struct web_process *web)
{
	bool enabled = web->gateway->settings->web.enabled == SWITCH_ON;

	if (enabled == web->started)
		return;
	web->started = enabled;
	order_send(web, enabled ? KEEPER_START : KEEPER_STOP);
	if (!enabled)
		return;
	web_store_code_say(web->gateway);
	/* apt-cache takes a while: what it says is there when the page asks */
	json_decref(package_json(web->gateway->package));
}

void web_process_follow(struct web_process *web)
{
	if (!web || !web->gateway)
		return;
	listeners_follow(web);
	enabled_follow(web);
	web_store_screen_follow(web->gateway);
}

/* --- news of it ------------------------------------------------------------------------------- */

/* A connection of its own: the last process may have died in the middle of a request. */
static int control_hand_over(struct web_process *web)
{
	const struct web_link_message message = {.kind = WEB_LINK_CONTROL};
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	err = ctl_server_adopt_web(web->gateway->server, pair[0]);
	if (!err)
		message_send(web, &message, pair[1]);
	close(pair[1]);
	return err;
}

static void process_started(struct web_process *web, pid_t pid)
{
	web->pid = pid;
	if (control_hand_over(web))
		return;
	for (unsigned int i = 0; i < web->listeners; i++)
		listener_send(web, &web->listener[i]);
}

static void news_ended(struct web_process *web)
{
	int killed_by = kept_killed_by(&web->kept);

	web->pid = 0;
	event_del(web->news);
	if (killed_by)
		restart_for_keeper(web->gateway, "web process", killed_by);
	else
		log_error("the web process cannot be started any more until the next start");
}

static void news_came(evutil_socket_t fd, short what, void *context)
{
	struct web_process *web = context;
	struct keeper_news news;
	ssize_t bytes = recv(fd, &news, sizeof(news), MSG_DONTWAIT);

	if (bytes == 0)
		news_ended(web);
	if (bytes != sizeof(news))
		return;
	if (news.kind == KEEPER_STARTED) {
		process_started(web, news.pid);
		return;
	}
	web->pid = 0;
	if (news.kind == KEEPER_GAVE_UP)
		log_error("the web process does not stay up: it is started again in %d s", REST_S);
	else if (web->started)
		log_warning("the web process ended and is started again (status %#x)",
			    (unsigned int)news.status);
}

/* --- life --------------------------------------------------------------------------- */

int web_process_begin(struct web_process *web, struct gateway *gateway)
{
	web->gateway = gateway;
	web->news = event_new(gateway->base, web->kept.news, EV_READ | EV_PERSIST, news_came, web);
	if (!web->news || event_add(web->news, NULL))
		return -ENOMEM;
	web_process_follow(web);
	return 0;
}

static json_t *address_text(__be32 address)
{
	char text[INET_ADDRSTRLEN];

	return json_string(inet_ntop(AF_INET, &address, text, sizeof(text)));
}

json_t *web_process_addresses(const struct web_process *web)
{
	json_t *list = json_array();

	for (unsigned int i = 0; web && i < web->listeners; i++)
		if (web->listener[i].tls)
			json_array_append_new(list, address_text(web->listener[i].address));
	return list;
}

json_t *web_process_places(const struct web_process *web)
{
	json_t *addresses = web_process_addresses(web), *list = json_array(), *address;
	uint16_t port = web && web->gateway ? web->gateway->settings->web.https_port : 443;
	size_t i;

	json_array_foreach (addresses, i, address) {
		const char *text = json_string_value(address);

		json_array_append_new(list, port == 443
						    ? json_sprintf("https://%s", text)
						    : json_sprintf("https://%s:%u", text, port));
	}
	json_decref(addresses);
	return list;
}

void web_process_end(struct web_process *web)
{
	if (!web)
		return;
	if (web->news)
		event_free(web->news);
	for (unsigned int i = 0; i < web->listeners; i++)
		socket_close(web->listener[i].fd);
	kept_stop(&web->kept);
	free(web);
}
