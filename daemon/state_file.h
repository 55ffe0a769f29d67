/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What outlives a reboot, as one JSON object a file in state_dir. Writing is
 * atomic: the old content or the new one, whatever fails.
 */
#ifndef WAYLEAVE_DAEMON_STATE_FILE_H
#define WAYLEAVE_DAEMON_STATE_FILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/settings.h"

/* state_dir, or systemd's, or run_dir. Borrowed. */
const char *state_dir(const struct settings *settings);

/*
 * A new reference to the object in state_dir/NAME; NULL: there is none, or it is
 * broken, which is said and counts as none.
 */
json_t *state_read(const struct settings *settings, const char *name);

/* 0 or -errno; a failure is said once until a write has passed. OBJECT is borrowed. */
int state_write(const struct settings *settings, const char *name, const json_t *object);

/* An address (network byte order) as its text: a new string; and back: false if there is none. */
json_t *state_address(uint32_t address);
bool state_address_read(const json_t *object, const char *name, uint32_t *address);

#endif
