/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/reserved.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

#include "core/memory.h"
#include "core/port_owner.h"

#define READ_BYTES     16384
#define TCP_TIME_WAIT_ 6 /* net/tcp_states.h is the kernel's own */
#define TCP_LISTEN_    10

/* The WAN reaches no listener, so that a forward of its port takes nothing away from it. */
static void listener_mark(uint8_t protocol, __be16 port, bool listens)
{
	struct record *r = port_record(protocol, arena.config->external, port);

	if (port_owner_of(r) == PORT_GATEWAYS)
		WRITE_ONCE(r->mapping.flags, MAPPING_LOCAL | (listens ? MAPPING_LISTENS : 0));
}

void reserved_port(uint8_t protocol, __be16 port, bool listens)
{
	port_take(protocol, arena.config->external, port);
	listener_mark(protocol, port, listens);
}

struct scan {
	uint8_t protocol;
	int count;
};

/* Sockets on other addresses (loopback, LAN) cannot be reached at the WAN's. */
static bool is_reachable(const struct inet_diag_msg *socket)
{
	__be32 address = socket->id.idiag_src[0];

	if (socket->idiag_family == AF_INET6) /* ::, or an IPv4 address in IPv6 form */
		address = socket->id.idiag_src[3];
	return !address || address == arena.config->external;
}

static int socket_take(const struct nlmsghdr *message, void *context)
{
	const struct inet_diag_msg *socket = mnl_nlmsg_get_payload(message);
	struct scan *scan = context;

	if (!socket->id.idiag_sport || socket->idiag_state == TCP_TIME_WAIT_ ||
	    !is_reachable(socket))
		return MNL_CB_OK;
	reserved_port(scan->protocol, socket->id.idiag_sport,
		      scan->protocol == IPPROTO_TCP && socket->idiag_state == TCP_LISTEN_);
	scan->count++;
	return MNL_CB_OK;
}

static int sockets_dump(struct mnl_socket *netlink, uint8_t family, struct scan *scan)
{
	_Alignas(struct nlmsghdr) char buffer[READ_BYTES];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *filter;
	int more = MNL_CB_OK;

	request->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	filter = mnl_nlmsg_put_extra_header(request, sizeof(*filter));
	filter->sdiag_family = family;
	filter->sdiag_protocol = scan->protocol;
	filter->idiag_states = -1;
	if (mnl_socket_sendto(netlink, request, request->nlmsg_len) < 0)
		return -errno;
	while (more > MNL_CB_STOP) {
		ssize_t length = mnl_socket_recvfrom(netlink, buffer, sizeof(buffer));

		if (length < 0)
			return -errno;
		more = mnl_cb_run(buffer, length, 0, 0, socket_take, scan);
	}
	return more < 0 ? -errno : 0;
}

static int sockets_scan(struct mnl_socket *netlink, struct scan *scan)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	int err = 0;

	for (unsigned int i = 0; i < 2 && !err; i++) {
		scan->protocol = protocols[i];
		err = sockets_dump(netlink, AF_INET, scan);
		if (!err)
			err = sockets_dump(netlink, AF_INET6, scan);
		if (err == -ENOENT) /* a kernel without this protocol's sock_diag */
			err = 0;
	}
	return err;
}

int reserved_refresh(void)
{
	struct scan scan = {0};
	struct mnl_socket *netlink;
	int err;

	if (!arena.config->external)
		return 0;
	netlink = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	if (!netlink)
		return -errno;
	err = sockets_scan(netlink, &scan);
	mnl_socket_close(netlink);
	return err ? err : scan.count;
}
