/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of servers (pairing/port_habits.h), over restarts: an array in a JSON
 * file, with its age. Files without ages, of earlier versions, are taken as new.
 */
#ifndef WAYLEAVE_DAEMON_HABIT_STATE_H
#define WAYLEAVE_DAEMON_HABIT_STATE_H

#include <jansson.h>
#include <stdint.h>

#include "conf/settings.h"
#include "pairing/port_habits.h"

/*
 * For an object that is saved now: an array, the caller's; NULL without memory. NOW_MS as
 * in port_habits.h.
 */
json_t *habits_json(const struct port_habits *habits, int64_t now_ms);

/* OBJECT's array "servers" as of the time "saved" in it, by the wall clock. */
void habits_read(const json_t *object, struct port_habits *habits, int64_t now_ms);

/* Seconds of the wall clock, for "saved". */
int64_t habits_saved_at(void);

/* Since OBJECT was saved, seconds; 0 where it does not say. */
int64_t habits_away_s(const json_t *object);

/* The whole file where there is nothing else in it. 0 or -errno after a sentence. */
int habits_save(const struct settings *settings, const char *file_name,
		const struct port_habits *habits, int64_t now_ms);
void habits_load(const struct settings *settings, const char *file_name, struct port_habits *habits,
		 int64_t now_ms);

#endif
