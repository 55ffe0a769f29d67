/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run of the gateway has in the kernel: data plane, tap, cutter, wall, programs on
 * interfaces, and the objects of the daemon that work on it. Context: daemon, start and end.
 */
#ifndef WAYLEAVE_DAEMON_KERNEL_H
#define WAYLEAVE_DAEMON_KERNEL_H

#include "daemon/gateway.h"

/* Opens netlink and reads the interfaces, those of the settings if there are any. 0 or -errno. */
int kernel_links(struct gateway *gateway);

/* Takes over what an earlier run has left, or makes all of it. 0, or -errno after a sentence. */
int kernel_start(struct gateway *gateway);

/* Takes away everything that a run leaves in the kernel. */
void kernel_undo(struct gateway *gateway);

#endif
