/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

#define READ_BYTES 16384
/* net/tcp_states.h is the kernel's own */
#define TCP_TIME_WAIT_ 6
#define TCP_CLOSE_     7 /* UDP: not connected */
#define TCP_LISTEN_    10
#define MAPPED_PREFIX  htonl(0xffff) /* RFC 4291 section 2.5.5.2, third word */

struct dump {
	uint8_t protocol;
	void (*each)(void *context, const struct socket_seen *seen);
	void *context;
};

/* Of 16 bytes: IPv4 in IPv6's form, or none at all. */
static bool is_ipv4(const __be32 *address)
{
	return !address[0] && !address[1] &&
	       (address[2] == MAPPED_PREFIX || (!address[2] && !address[3]));
}

static int socket_take(const struct nlmsghdr *message, void *context)
{
	const struct inet_diag_msg *socket = mnl_nlmsg_get_payload(message);
	bool six = socket->idiag_family == AF_INET6;
	const struct dump *dump = context;
	struct socket_seen seen = {
		.protocol = dump->protocol,
		.listens = dump->protocol == IPPROTO_TCP && socket->idiag_state == TCP_LISTEN_,
		.connected = socket->idiag_state != TCP_LISTEN_ &&
			     socket->idiag_state != TCP_CLOSE_ && socket->id.idiag_dport,
		.local = socket->id.idiag_src[six ? 3 : 0],
		.remote = socket->id.idiag_dst[six ? 3 : 0],
		.local_port = socket->id.idiag_sport,
		.remote_port = socket->id.idiag_dport,
	};

	if (!seen.local_port || socket->idiag_state == TCP_TIME_WAIT_)
		return MNL_CB_OK;
	if (six && (!is_ipv4(socket->id.idiag_src) || !is_ipv4(socket->id.idiag_dst)))
		return MNL_CB_OK;
	dump->each(dump->context, &seen);
	return MNL_CB_OK;
}

static int dump_read(struct mnl_socket *netlink, uint8_t family, struct dump *dump)
{
	_Alignas(struct nlmsghdr) char buffer[READ_BYTES];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *filter;
	int more = MNL_CB_OK;

	request->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	filter = mnl_nlmsg_put_extra_header(request, sizeof(*filter));
	filter->sdiag_family = family;
	filter->sdiag_protocol = dump->protocol;
	filter->idiag_states = -1;
	if (mnl_socket_sendto(netlink, request, request->nlmsg_len) < 0)
		return -errno;
	while (more > MNL_CB_STOP) {
		ssize_t length = mnl_socket_recvfrom(netlink, buffer, sizeof(buffer));

		if (length < 0)
			return -errno;
		more = mnl_cb_run(buffer, length, 0, 0, socket_take, dump);
	}
	return more < 0 ? -errno : 0;
}

static int both_read(struct mnl_socket *netlink, struct dump *dump)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	int err = 0;

	for (unsigned int i = 0; i < 2 && !err; i++) {
		dump->protocol = protocols[i];
		err = dump_read(netlink, AF_INET, dump);
		if (!err)
			err = dump_read(netlink, AF_INET6, dump);
		if (err == -ENOENT) /* a kernel without this protocol's sock_diag */
			err = 0;
	}
	return err;
}

int sockets_read(void (*each)(void *context, const struct socket_seen *seen), void *context)
{
	struct mnl_socket *netlink = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	struct dump dump = {.each = each, .context = context};
	int err;

	if (!netlink)
		return -errno;
	err = both_read(netlink, &dump);
	mnl_socket_close(netlink);
	return err;
}
