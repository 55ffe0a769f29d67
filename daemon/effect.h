/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a change of settings leads to: whether it fits the machine (conf/outlook.h), what
 * has to be said about it, and whom it would cut off. Context: the daemon's loop.
 */
#ifndef WAYLEAVE_DAEMON_EFFECT_H
#define WAYLEAVE_DAEMON_EFFECT_H

#include <jansson.h>

#include "ctl/provider.h"

struct gateway;

/*
 * ctl_check_fn: 0, and the sentences about the change wait for effect_notes(); or -EINVAL and
 * *ERROR. DAEMON is the struct gateway.
 */
int effect_check(void *daemon, const struct settings *present, const struct settings *wanted,
		 struct settings_error *error);

/* Logs what does not fit the machine at a start, which it does not keep from starting. */
void effect_log(const struct settings *settings);

/* ctl_provider.notes and .effect; DAEMON is the struct gateway. */
json_t *effect_notes(void *daemon);
int effect_tell(void *daemon, const struct ctl_rehearsal *rehearsal, json_t **result,
		struct settings_error *error);

#endif
