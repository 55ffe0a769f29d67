/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files, whole: read, replaced and removed so that a power cut leaves old or new. */
#ifndef WAYLEAVE_CONF_FILE_H
#define WAYLEAVE_CONF_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* *TEXT ends with a NUL beyond LENGTH and is the caller's; -EFBIG over SETTINGS_FILE_MAX_BYTES. */
int file_read(const char *path, char **text, size_t *length);

/*
 * Puts TEXT in the place of PATH: a temporary file beside it, fsync, rename, fsync
 * of the directory. A symbolic link at PATH is followed, its target is replaced. Keeps
 * owner and mode of a file that is there, else gives MODE. On failure PATH is as it was.
 */
int file_replace(const char *path, const char *text, size_t length, mode_t mode);

/* Removes PATH for good; -ENOENT when it is not there. */
int file_remove(const char *path);

#endif
