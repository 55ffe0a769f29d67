/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of netsetup/files.h on disk: what is there, written as a whole, put back. Touches
 * no path but those. ROOT goes before each path: "" but for images and tests.
 */
#ifndef WAYLEAVE_NETSETUP_STORE_H
#define WAYLEAVE_NETSETUP_STORE_H

#include <jansson.h>

#include "conf/error.h"
#include "netsetup/files.h"

#define STORE_FILE_MAX_BYTES (64 * 1024)

/*
 * What PLACE holds: *TEXT is the caller's, NULL where nothing is. 0; -EFBIG, -EINVAL (it holds a
 * NUL or is no regular file) or another -errno.
 */
int store_read(const char *root, enum files_place place, char **text, mode_t *mode);

/*
 * What all of them hold, for store_restore(): {"/etc/...": {"text", "mode"} or null}; with
 * secrets. NULL: *ERROR says which cannot be read.
 */
json_t *store_keep(const char *root, struct settings_error *error);

/*
 * Writes or removes all of them, each by a temporary file, fsync and rename. 0; -errno with
 * *ERROR, and what had been changed is put back.
 */
int store_write(const char *root, const struct files *files, struct settings_error *error);

/* Puts back what store_keep() gave; goes on after a failure, the first one is returned. */
int store_restore(const char *root, const json_t *kept, struct settings_error *error);

#endif
