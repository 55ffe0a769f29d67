/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A running gateway takes other settings: all of them or, with a sentence why,
 * none.
 */
#ifndef WAYLEAVE_DAEMON_CHANGE_H
#define WAYLEAVE_DAEMON_CHANGE_H

#include "daemon/gateway.h"

/* ctl_apply_fn: GATEWAY is the struct gateway. */
int gateway_change(void *gateway, const struct settings *present, const struct settings *wanted,
		   struct settings_error *error);

#endif
