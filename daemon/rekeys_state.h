/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The learned rekey intervals in state_dir, so that a tunnel that is silent between
 * two rekeys survives a restart or a reboot of the gateway as it does without one.
 */
#ifndef WAYLEAVE_DAEMON_REKEYS_STATE_H
#define WAYLEAVE_DAEMON_REKEYS_STATE_H

#include <stdint.h>

#include "conf/settings.h"
#include "daemon/rekeys.h"

/* Takes over what an earlier run has learned; NOW is the tick. Answers how many. */
unsigned rekeys_state_load(const struct settings *settings, struct rekeys *rekeys, uint32_t now);

/* Writes what is known. 0 or -errno. */
int rekeys_state_save(const struct settings *settings, const struct rekeys *rekeys, uint32_t now);

/* Writes it if an interval has changed, at most once in REKEYS_STATE_SECONDS; each second. */
#define REKEYS_STATE_SECONDS 60
void rekeys_state_tend(const struct settings *settings, struct rekeys *rekeys, uint32_t now);

#endif
