/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames that the data plane hands to the daemon through the tap, and what
 * becomes of each: to the helper, an ICMP error for its sender, or fragments.
 */
#ifndef WAYLEAVE_DAEMON_SLOW_PATH_H
#define WAYLEAVE_DAEMON_SLOW_PATH_H

#include <stddef.h>

#include "daemon/gateway.h"

struct slow_path *slow_path_new(struct gateway *gateway);
void slow_path_free(struct slow_path *slow_path);

/* Takes the frames that wait on the tap, a bounded number at a time. */
void slow_path_read(struct slow_path *slow_path);

#endif
