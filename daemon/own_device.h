/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon's own devices (tap.h, cutter.h) have in common. */
#ifndef WAYLEAVE_DAEMON_OWN_DEVICE_H
#define WAYLEAVE_DAEMON_OWN_DEVICE_H

#include "daemon/netlink.h"

/* Switches IPv6 off on the device NAME, so that the kernel sends nothing of its own on it. */
void own_device_quiet(const char *name);

/*
 * Lets the kernel take from the device NAME what comes from anywhere and is for this
 * machine: pieces of answers to it that the daemon has held. net.ipv4.conf.all.rp_filter
 * must be 0 for that.
 */
void own_device_delivers(const char *name);

/* Deletes the device NAME. 0 or -errno; -ENODEV: there is none. */
int own_device_delete(const char *name, struct netlink *netlink);

#endif
