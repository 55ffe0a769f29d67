/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The settings file on disk: atomic save, older generations, and a change that
 * waits for confirmation.
 *
 * Beside FILE lives the directory FILE.d (mode 0700) with
 *   <number>.yaml  older contents of FILE byte for byte, 0600; higher is newer
 *   started        conf/started.h
 *   pending        present while a change waits for confirmation: the number of
 *                  the generation to go back to
 *
 * FILE is only ever replaced by rename(2) of a complete and synced file, so a
 * reader or a power cut sees the old or the new content, nothing between.
 *
 * All functions return 0 or -errno and fill *ERROR on failure.
 */
#ifndef WAYLEAVE_CONF_STORE_H
#define WAYLEAVE_CONF_STORE_H

#include <stdbool.h>
#include <time.h>

#include "conf/error.h"
#include "conf/settings.h"

/* Older generations that are kept. */
#define SETTINGS_GENERATIONS	 10
#define SETTINGS_CONFIRM_SECONDS 60

struct settings_generation {
	unsigned int number; /* as in the file's name; what is shown to people */
	time_t saved_at;     /* when it was FILE's content last, seconds since the epoch */
};

/*
 * Saves SETTINGS as FILE, whose text is changed in place (conf/edit.h) or, where that is
 * not safe, written anew; what FILE held becomes the newest generation. With
 * CONFIRM the change is pending until settings_store_confirm(); a second pending
 * change keeps the first one's way back. The new text is read back first: -EINVAL
 * and FILE as it was when that fails or gives other settings.
 */
int settings_store_save(const char *path, const struct settings *settings, bool confirm,
			struct settings_error *error);

/* True while a change waits for confirmation. */
bool settings_store_pending(const char *path);

/* Ends the wait and keeps the change; -ENOENT: nothing waits. */
int settings_store_confirm(const char *path, struct settings_error *error);

/*
 * Takes an unconfirmed change back, as the 60 seconds' end does and as every
 * start must, before settings_load(): a daemon that died while a change waited
 * may have died of it. *UNDONE tells whether there was one.
 */
int settings_store_resolve(const char *path, bool *undone, struct settings_error *error);

/* What settings_store_resolve() would make the present content, checked; changes nothing.
 * -ENOENT: nothing waits. */
int settings_store_waiting(const char *path, struct settings **settings,
			   struct settings_error *error);

/*
 * Loads the STEPS-th older content (1: the one before the present), checked; the
 * caller frees *SETTINGS and saves it with settings_store_save() to make it the
 * present one. -ENOENT: there are not so many.
 */
int settings_store_older(const char *path, unsigned int steps, struct settings **settings,
			 struct settings_error *error);

/* At most SIZE generations, newest first; returns how many or -errno. */
int settings_store_list(const char *path, struct settings_generation *list, size_t size);

#endif
