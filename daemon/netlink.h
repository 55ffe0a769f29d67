/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two rtnetlink sockets: one hears what changes, the other asks. When the
 * kernel drops events (ENOBUFS) the caller dumps everything again.
 */
#ifndef WAYLEAVE_DAEMON_NETLINK_H
#define WAYLEAVE_DAEMON_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdint.h>

struct netlink {
	struct mnl_socket *events;
	struct mnl_socket *requests;
	uint32_t sequence;
};

/* Opens both and subscribes to links, IPv4 addresses, routes and rules, and neighbours. 0 or -errno. */
int netlink_open(struct netlink *netlink);
void netlink_close(struct netlink *netlink);
int netlink_events_fd(const struct netlink *netlink);

/* Reads what waits, without blocking. 0, -ENOBUFS: events were lost, or -errno. */
int netlink_events_read(struct netlink *netlink, mnl_cb_t each, void *context);

/*
 * Sends REQUEST (flags and sequence are added) and waits for the kernel's answer.
 * 0 or the kernel's -errno.
 */
int netlink_request(struct netlink *netlink, struct nlmsghdr *request);

/* The same for a question with one answer, which EACH gets. */
int netlink_ask(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each, void *context);

/* Calls EACH for every object of TYPE (RTM_GETLINK, ...). 0 or -errno. */
int netlink_dump(struct netlink *netlink, uint16_t type, uint8_t family, mnl_cb_t each,
		 void *context);

/* The same with the whole REQUEST given (flags and sequence are added). */
int netlink_dump_request(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each,
			 void *context);

#endif
