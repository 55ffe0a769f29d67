/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Further MAC addresses of this machine on the interfaces of the settings: those of
 * macvlan devices in this network namespace, as VRRP has one (RFC 9568 section 7.3). The
 * data plane forwards frames for them as it does for the interface's own address. A
 * macvlan device of another namespace is another station. Context: daemon.
 */
#ifndef WAYLEAVE_DAEMON_VIRTUAL_MACS_H
#define WAYLEAVE_DAEMON_VIRTUAL_MACS_H

#include <libmnl/libmnl.h>
#include <stdbool.h>

#include "core/abi.h"
#include "daemon/links.h"
#include "daemon/netlink.h"

/* Is an RTM_NEWLINK or RTM_DELLINK about such a device? Then they have to be read again. */
bool virtual_macs_concerns(const struct nlmsghdr *message);

/*
 * Asks the kernel for all of them and writes them into CONFIG. 0 or -errno with CONFIG as
 * it was. There is room for FURTHER_MACS; a sentence in the log says where more are up.
 */
int virtual_macs_read(struct netlink *netlink, const struct links *links, struct config *config);

#endif
