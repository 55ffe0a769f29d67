/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way to tc_cut (bpf/tc_cut.h): a pair of veth devices without addresses. The
 * data plane sends packets that are to be cut into the near end; the program
 * sits at the ingress of the far end. Transmit checksums are switched off and
 * super-packets are not allowed on the near end, so that what arrives is what a
 * wire would carry. The pair outlives the daemon, and the program too.
 */
#ifndef WAYLEAVE_DAEMON_CUTTER_H
#define WAYLEAVE_DAEMON_CUTTER_H

#include <stdint.h>

#include "daemon/instance.h"
#include "daemon/netlink.h"

struct cutter {
	uint32_t near, far; /* ifindex */
};

/* Makes the instance's pair or takes it over, and sets it up. 0, or -errno after a sentence. */
int cutter_open(struct cutter *cutter, const struct instance *instance, struct netlink *netlink);

/* Deletes both devices. 0 or -errno; -ENODEV: there are none. */
int cutter_delete(const struct instance *instance, struct netlink *netlink);

#endif
