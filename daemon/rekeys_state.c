/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/rekeys_state.h"

#include <errno.h>
#include <string.h>

#include "core/memory.h"

#include "core/session.h"
#include "daemon/habit_state.h"
#include "daemon/show_words.h"
#include "daemon/state_file.h"

#define FILE_NAME    "rekeys.json"
#define FILE_VERSION 1

/* --- writing --------------------------------------------------------------------------- */

static bool interval_append(void *context, const struct rekey_interval *interval)
{
	json_t *item = json_pack(
		"{s:s, s:o, s:o, s:I, s:I}", "class", show_class(interval->class), "inside",
		state_address(interval->inside), "remote", state_address(interval->remote),
		"interval_s", (json_int_t)interval->seconds, "age_s", (json_int_t)interval->age_s);

	return item && !json_array_append_new(context, item);
}

int rekeys_state_save(const struct settings *settings, const struct rekeys *rekeys, uint32_t now)
{
	json_t *tunnels = json_array(), *object;
	int err;

	if (!tunnels)
		return -ENOMEM;
	rekeys_each(rekeys, interval_append, tunnels, now);
	object = json_pack("{s:i, s:I, s:o}", "version", FILE_VERSION, "saved",
			   (json_int_t)habits_saved_at(), "tunnels", tunnels);
	if (!object)
		return -ENOMEM;
	err = state_write(settings, FILE_NAME, object);
	json_decref(object);
	return err;
}

/* Whether it could be written or not: a full disk is not asked every second. */
void rekeys_state_tend(const struct settings *settings, struct rekeys *rekeys, uint32_t now)
{
	if (rekeys_take_changed(rekeys, REKEYS_STATE_SECONDS, now))
		rekeys_state_save(settings, rekeys, now);
}

/* --- reading ----------------------------------------------------------------------------- */

/* CLASS_PLAIN: none that renews keys. */
static uint8_t class_of(const char *name)
{
	for (uint8_t class = CLASS_PLAIN + 1; name && class < CLASS_COUNT; class ++)
		if (!strcmp(name, show_class(class)))
			return class;
	return CLASS_PLAIN;
}

/* AWAY_S: since the file was written. Older files say no age. */
static bool interval_read(const json_t *item, struct rekey_interval *interval, int64_t away_s)
{
	json_int_t seconds = json_integer_value(json_object_get(item, "interval_s"));
	json_int_t age_s = json_integer_value(json_object_get(item, "age_s"));

	*interval = (struct rekey_interval){
		.class = class_of(json_string_value(json_object_get(item, "class"))),
		.seconds = seconds,
	};
	if (age_s < 0 || age_s > REKEY_LASTS_SECONDS - away_s)
		return false;
	interval->age_s = (uint32_t)(age_s + away_s);
	return interval->class != CLASS_PLAIN && seconds >= REKEY_REPEAT_SECONDS &&
	       seconds <= REKEY_MAX_SECONDS &&
	       state_address_read(item, "inside", &interval->inside) &&
	       state_address_read(item, "remote", &interval->remote);
}

unsigned rekeys_state_load(const struct settings *settings, struct rekeys *rekeys, uint32_t now)
{
	json_t *object = state_read(settings, FILE_NAME), *item;
	struct rekey_interval interval;
	unsigned count = 0;
	size_t i;

	if (!object)
		return 0;
	if (json_integer_value(json_object_get(object, "version")) == FILE_VERSION)
		json_array_foreach (json_object_get(object, "tunnels"), i, item)
			if (interval_read(item, &interval, habits_away_s(object))) {
				rekeys_restore(rekeys, &interval, now);
				count++;
			}
	json_decref(object);
	return count;
}
