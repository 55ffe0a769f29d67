/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The slow path's device: a persistent tap without addresses. Frames that the
 * data plane hands to the daemon are read here, and what is written goes
 * through tc_tap on its ingress. Being persistent it keeps its ifindex when the
 * daemon dies, so the data plane's redirect stays valid.
 */
#ifndef WAYLEAVE_DAEMON_TAP_H
#define WAYLEAVE_DAEMON_TAP_H

#include <stdint.h>
#include <sys/types.h>

#include "core/bytes.h"
#include "daemon/instance.h"
#include "daemon/netlink.h"

/* Frames of up to 9000 bytes of IP, and the Ethernet header. */
#define TAP_MTU		9200
#define TAP_FRAME_BYTES (TAP_MTU + 14)
#define TAP_QUEUE                                                                                  \
	4096 /* frames that wait for the daemon: the bursts of all budgets (core/budget.h) */

struct tap {
	int fd; /* non-blocking; -1: closed */
	uint32_t ifindex;
};

/* Makes or takes over the instance's tap and sets it up. 0, or -errno after a sentence. */
int tap_open(struct tap *tap, const struct instance *instance, struct netlink *netlink);
void tap_close(struct tap *tap);

/* One frame; its length, -EAGAIN: none waits, or -errno. */
ssize_t tap_read(const struct tap *tap, void *frame, size_t size);

/* 0 or -errno. */
MUST_CHECK int tap_write(const struct tap *tap, const void *frame, size_t length);

/*
 * Sends the IP packet of LENGTH bytes as it is to a next hop of the data plane.
 * 0, -EMSGSIZE or -errno.
 */
MUST_CHECK int tap_transmit(const struct tap *tap, const void *packet, size_t length,
			    uint32_t next_hop);

/* Deletes the device. 0 or -errno; -ENODEV: there is none. */
int tap_delete(const struct instance *instance, struct netlink *netlink);

#endif
