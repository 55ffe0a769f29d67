/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port forwards that cannot be made yet are said: in the log when that changes,
 * in `status` and in the answer to the change that wanted them.
 */
#ifndef WAYLEAVE_DAEMON_FORWARD_REPORT_H
#define WAYLEAVE_DAEMON_FORWARD_REPORT_H

#include <jansson.h>

#include "daemon/gateway.h"

/* Makes what is missing of the present settings' forwards, and logs what changed. Each second, and
 * at each change. */
void forwards_tend(struct gateway *gateway, uint32_t now);

/* Appends a sentence for each that is missing, the first few of them. */
void forwards_warn(const struct gateway *gateway, json_t *list);

/* Logs what forwards of SETTINGS cannot do: once, after they have changed. */
void forwards_advise(const struct settings *settings);

#endif
