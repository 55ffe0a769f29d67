/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names that people have typed, {"aa:bb:cc:dd:ee:ff" or "10.0.0.2": name}, kept in
 * state_dir/names.json: by MAC address where that is known, else by address. Printable, at most
 * NAMER_NAME_BYTES - 1 bytes. Addresses in network byte order; MAC is NULL where it is not known.
 */
#ifndef WAYLEAVE_DAEMON_TYPED_NAMES_H
#define WAYLEAVE_DAEMON_TYPED_NAMES_H

#include <jansson.h>
#include <linux/types.h>
#include <stdint.h>

#include "conf/settings.h"

/* A new reference; NULL: no memory. */
json_t *typed_names_read(const struct settings *settings);

/* Valid until the next typed_name_set(); NULL: none was typed. */
const char *typed_name(const json_t *typed, const uint8_t *mac, __be32 address);

/*
 * Writes the file and replaces *TYPED; "": takes the name away. 0, -EINVAL: too long or not
 * printable; -ENOSPC: more than NAMES_TYPED; -errno: not written.
 */
int typed_name_set(json_t **typed, const struct settings *settings, const uint8_t *mac,
		   __be32 address, const char *name);

#endif
