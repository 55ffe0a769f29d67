/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From settings to the data plane's configuration: durations to ticks, switches
 * to masks. Pure; what needs the kernel is gateway_apply().
 */
#ifndef WAYLEAVE_DAEMON_APPLY_H
#define WAYLEAVE_DAEMON_APPLY_H

#include "conf/settings.h"
#include "core/abi.h"

/*
 * Writes all that SETTINGS decide into CONFIG, which packets read meanwhile.
 * SESSIONS_ROOM: how many sessions the table was made for. config->hz is there
 * already.
 */
void apply_settings(struct config *config, const struct settings *settings, uint32_t sessions_room);

/*
 * A configuration before any packet: secret, instance, table size and clock. The
 * rest is 0. 0 or -errno (no random numbers).
 */
int apply_initial(struct config *config, uint64_t instance, uint32_t sets_count, uint32_t hz);

#endif
