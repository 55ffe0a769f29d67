/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From YAML text to struct settings and back, and the checks between.
 *
 * All functions return 0 or -errno. -EINVAL: the text is wrong and *ERROR says
 * where (file, line, field). -ENOENT, -EACCES, ...: the file could not be read.
 */
#ifndef WAYLEAVE_CONF_LOAD_H
#define WAYLEAVE_CONF_LOAD_H

#include "conf/error.h"
#include "conf/settings.h"

#define SETTINGS_FILE_MAX_BYTES (1024 * 1024)

/*
 * Reads, fills the defaults in and checks. *SETTINGS is the caller's to free
 * with settings_free() and NULL on failure. Does not look at a change that waits
 * for confirmation: a daemon calls settings_store_resolve() (conf/store.h) first.
 */
int settings_load(const char *path, struct settings **settings, struct settings_error *error);

/* The same from memory; NAME stands for the file in *ERROR. */
int settings_parse(const char *text, size_t length, const char *name, struct settings **settings,
		   struct settings_error *error);

/*
 * YAML text of SETTINGS, every field spelt out; no NUL at its end;
 * the caller frees *TEXT with free().
 */
int settings_format(const struct settings *settings, char **text, size_t *length);

/* A deep copy, to be freed with settings_free(); NULL without memory. */
struct settings *settings_copy(const struct settings *settings);

void settings_free(struct settings *settings);

/* What each field may be and what must hold between fields; no file or line in *ERROR. */
int settings_check(const struct settings *settings, struct settings_error *error);

#endif
