/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Features of a network device by the kernel's own names for them, such as
 * "rx-vlan-hw-parse" (which ethtool prints as rx-vlan-offload). Context: daemon, teardown.
 */
#ifndef WAYLEAVE_DAEMON_ETHTOOL_H
#define WAYLEAVE_DAEMON_ETHTOOL_H

#include <stdbool.h>

/* Is FEATURE on? 0; -ENOENT: this kernel has no such feature; or another -errno. */
int ethtool_feature(const char *interface, const char *feature, bool *on);

/* 0, or -errno and nothing has changed; -EOPNOTSUPP: the driver refuses. */
int ethtool_feature_set(const char *interface, const char *feature, bool on);

#endif
