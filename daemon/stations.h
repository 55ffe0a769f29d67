/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups for the daemon's lists (pairing/share.h): the station that the data plane
 * has found behind an inside address (core/station.h). Context: daemon, tests.
 */
#ifndef WAYLEAVE_DAEMON_STATIONS_H
#define WAYLEAVE_DAEMON_STATIONS_H

#include "pairing/share.h"

/*
 * INSIDE is in network byte order. 0: of none, behind a router or on a device without
 * MAC addresses. An address that the data plane does not know is of the group of all
 * such.
 */
uint32_t stations_group(void *context, uint32_t inside, bool *known);

static const struct share_groups stations = {.group = stations_group};

#endif
