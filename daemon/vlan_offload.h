/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cards that take VLAN tags off a frame and tell the kernel beside it. XDP sees such a
 * frame without its tag, so another VLAN's looks like one of this device; with the feature
 * off the tag stays in the frame. Both kinds of tag, IEEE 802.1Q's and 802.1ad's.
 */
#ifndef WAYLEAVE_DAEMON_VLAN_OFFLOAD_H
#define WAYLEAVE_DAEMON_VLAN_OFFLOAD_H

#include "daemon/instance.h"
#include "daemon/links.h"

/*
 * Switches it off on LINK, where XDP is to be or already is, and remembers that it was
 * on. 0, also where it was off; -errno after a sentence where that cannot be found out,
 * remembered or changed: XDP must not be there.
 */
int vlan_offload_stop(const struct link *link, const struct instance *instance);

/* Switches on again what vlan_offload_stop() has switched off. */
void vlan_offload_restore(const struct link *link, const struct instance *instance);

#endif
