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

/*
 * Hands OBJECT, which is borrowed, to the writer beside the event loop (state_writer.h): it is on
 * the disk within a few seconds, and at the daemon's end. What is lost with a power cut before that
 * is learned again. 0 or -errno.
 */
int state_write(const struct settings *settings, const char *name, const json_t *object);

/*
 * The same, on the disk when it returns: for the page's password and sessions, whose
 * change is a person's, rare, and not done before it is safe. 0 or -errno, said.
 */
int state_write_now(const struct settings *settings, const char *name, const json_t *object);

/* An address (network byte order) as its text: a new string; and back: false if there is none. */
json_t *state_address(uint32_t address);
bool state_address_read(const json_t *object, const char *name, uint32_t *address);

#endif
