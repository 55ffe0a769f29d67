/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State as a file that is mapped into memory, so that it outlives a daemon that is killed. */
#ifndef WAYLEAVE_DAEMON_MAPPED_FILE_H
#define WAYLEAVE_DAEMON_MAPPED_FILE_H

#include <stddef.h>

/*
 * DIRECTORY/NAME as BYTES of shared memory, made or lengthened with zeros; only root
 * may read it. NULL with errno. The caller looks whether the content is its own.
 */
void *mapped_file_open(const char *directory, const char *name, size_t bytes);

/* NULL is fine. */
void mapped_file_close(void *file, size_t bytes);

#endif
