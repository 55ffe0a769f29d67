/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define READ_BYTES	    32768
#define EVENTS_BUFFER_BYTES (4 * 1024 * 1024)

static const int event_groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE,
				   RTNLGRP_IPV4_RULE, RTNLGRP_NEIGH};

static int events_subscribe(struct mnl_socket *socket)
{
	int bytes = EVENTS_BUFFER_BYTES;

	for (size_t i = 0; i < sizeof(event_groups) / sizeof(event_groups[0]); i++) {
		int group = event_groups[i];

		if (mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) <
		    0)
			return -errno;
	}
	/* a router that learns a full table floods this socket */
	setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	return 0;
}

static struct mnl_socket *socket_open(int flags)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | flags);

	if (socket && mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(socket);
		return NULL;
	}
	return socket;
}

int netlink_open(struct netlink *netlink)
{
	int err;

	*netlink =
		(struct netlink){.events = socket_open(SOCK_NONBLOCK), .requests = socket_open(0)};
	if (!netlink->events || !netlink->requests)
		err = -errno;
	else
		err = events_subscribe(netlink->events);
	if (err)
		netlink_close(netlink);
	return err;
}

void netlink_close(struct netlink *netlink)
{
	if (netlink->events)
		mnl_socket_close(netlink->events);
	if (netlink->requests)
		mnl_socket_close(netlink->requests);
	netlink->events = netlink->requests = NULL;
}

int netlink_events_fd(const struct netlink *netlink)
{
	return mnl_socket_get_fd(netlink->events);
}

int netlink_events_read(struct netlink *netlink, mnl_cb_t each, void *context)
{
	_Alignas(struct nlmsghdr) char buffer[READ_BYTES];
	ssize_t length;

	for (;;) {
		length = mnl_socket_recvfrom(netlink->events, buffer, sizeof(buffer));
		if (length < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (mnl_cb_run(buffer, length, 0, 0, each, context) < 0)
			return -errno;
	}
}

/* Reads the answers to SEQUENCE up to the last one. */
static int answers_read(struct netlink *netlink, uint32_t sequence, mnl_cb_t each, void *context)
{
	_Alignas(struct nlmsghdr) char buffer[READ_BYTES];
	unsigned int port = mnl_socket_get_portid(netlink->requests);
	int more = MNL_CB_OK;

	while (more > MNL_CB_STOP) {
		ssize_t length = mnl_socket_recvfrom(netlink->requests, buffer, sizeof(buffer));

		if (length < 0)
			return -errno;
		more = mnl_cb_run(buffer, length, sequence, port, each, context);
		/* ESRCH and EPROTO: an answer to an older request; read on */
		if (more < 0 && (errno == ESRCH || errno == EPROTO))
			more = MNL_CB_OK;
	}
	return more < 0 ? -errno : 0;
}

static int exchange(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each, void *context)
{
	request->nlmsg_seq = ++netlink->sequence;
	if (mnl_socket_sendto(netlink->requests, request, request->nlmsg_len) < 0)
		return -errno;
	return answers_read(netlink, request->nlmsg_seq, each, context);
}

int netlink_request(struct netlink *netlink, struct nlmsghdr *request)
{
	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	return exchange(netlink, request, NULL, NULL);
}

int netlink_ask(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each, void *context)
{
	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	return exchange(netlink, request, each, context);
}

/* Interrupted dumps (EINTR) have holes: again, a few times. */
int netlink_dump_request(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each,
			 void *context)
{
	int err = -EINTR;

	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	for (int tries = 0; tries < 5 && err == -EINTR; tries++)
		err = exchange(netlink, request, each, context);
	return err;
}

/* The kernel takes what is longer than the type's own header for attributes, and complains. */
static size_t dump_header_bytes(uint16_t type)
{
	switch (type) {
	case RTM_GETADDR:
		return sizeof(struct ifaddrmsg);
	case RTM_GETNEIGH:
		return sizeof(struct ndmsg);
	case RTM_GETROUTE:
		return sizeof(struct rtmsg);
	case RTM_GETRULE:
		return sizeof(struct fib_rule_hdr);
	}
	return sizeof(struct ifinfomsg);
}

int netlink_dump(struct netlink *netlink, uint16_t type, uint8_t family, mnl_cb_t each,
		 void *context)
{
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct rtgenmsg *body; /* all dump headers start with the family */

	request->nlmsg_type = type;
	body = mnl_nlmsg_put_extra_header(request, dump_header_bytes(type));
	body->rtgen_family = family;
	return netlink_dump_request(netlink, request, each, context);
}
