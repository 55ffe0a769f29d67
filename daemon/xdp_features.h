/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device can do with XDP. Kernels from 6.3 on answer by generic netlink
 * (family netdev); before that the driver's name has to do.
 */
#ifndef WAYLEAVE_DAEMON_XDP_FEATURES_H
#define WAYLEAVE_DAEMON_XDP_FEATURES_H

#include <stdint.h>

/* enum netdev_xdp_act of linux/netdev.h (6.3), which Debian 12's headers lack */
#define XDP_FEATURE_BASIC    0x1
#define XDP_FEATURE_REDIRECT 0x2
#define XDP_FEATURE_NDO_XMIT 0x4 /* takes frames that XDP redirects */

/* Mask of the above; 0 also when nothing can be found out. */
uint64_t xdp_features(uint32_t ifindex, const char *name);

#endif
