/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between two settings, for the audit log. Pure. */
#ifndef WAYLEAVE_CTL_DIFFERENCE_H
#define WAYLEAVE_CTL_DIFFERENCE_H

#include <jansson.h>

#include "conf/settings.h"

/* More are not listed. */
#define DIFFERENCE_MAX 40

/*
 * [{"name": "passthrough.pptp", "before": "on", "after": "off"}, ...], empty where nothing
 * differs; of port_forwards one for each that came ("before" is "") or went ("after" is "").
 * A new reference, NULL without memory.
 */
json_t *ctl_difference_json(const struct settings *before, const struct settings *after);

/* The same as "passthrough.pptp: on -> off, timeouts.udp: 300 -> 400"; the caller frees it. */
char *ctl_difference(const struct settings *before, const struct settings *after);
char *ctl_difference_text(const json_t *changes);

/* "tcp 80-89 -> 10.0.0.2:8080 (web)", of a forward as settings_forward_json() gives it; the
 * caller frees it. */
char *ctl_forward_text(const json_t *forward);

#endif
