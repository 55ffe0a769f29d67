/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/habit_state.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "daemon/state_file.h"

#define FILE_VERSION 1
#define AGE_MOST_S   (10ll * 365 * 24 * 3600) /* older is not believed of any clock */

int64_t habits_saved_at(void)
{
	return time(NULL);
}

/* --- writing --------------------------------------------------------------------------- */

struct writing {
	json_t *array;
	int64_t now_ms;
};

static json_int_t age_s(int64_t then_ms, int64_t now_ms)
{
	return learned_age_ms(then_ms, now_ms) / 1000;
}

static bool habit_append(void *context, uint32_t server, const struct learned *fact)
{
	const struct writing *writing = context;
	json_t *item = json_pack("{s:o, s:s, s:I, s:I, s:I}", "server", state_address(server),
				 "strategy", port_habit_name(fact->value), "known_s",
				 age_s(fact->since_ms, writing->now_ms), "confirmed_s",
				 age_s(fact->confirmed_ms, writing->now_ms), "contradicted",
				 (json_int_t)fact->contradicted);

	return item && !json_array_append_new(writing->array, item);
}

json_t *habits_json(const struct port_habits *habits, int64_t now_ms)
{
	struct writing writing = {json_array(), now_ms};

	if (writing.array)
		port_habits_each(habits, habit_append, &writing);
	return writing.array;
}

/* --- reading ----------------------------------------------------------------------------- */

static int64_t number(const json_t *item, const char *name, int64_t most)
{
	json_int_t value = json_integer_value(json_object_get(item, name));

	return value < 0 ? 0 : value > most ? most : value;
}

/* Since it was written; a clock that was put back since counts nothing. */
int64_t habits_away_s(const json_t *object)
{
	const json_t *saved = json_object_get(object, "saved");
	int64_t now = habits_saved_at(), then = json_integer_value(saved);

	if (!json_is_integer(saved) || then > now || then < 0)
		return 0;
	return now - then < AGE_MOST_S ? now - then : AGE_MOST_S;
}

static uint32_t habit_named(const char *name)
{
	for (uint32_t habit = HABIT_UNKNOWN + 1; name && habit < HABITS; habit++)
		if (!strcmp(name, port_habit_name(habit)))
			return habit;
	return HABIT_UNKNOWN;
}

static void habit_read(const json_t *item, struct port_habits *habits, int64_t now_ms, int64_t away)
{
	struct learned fact = {
		.value = habit_named(json_string_value(json_object_get(item, "strategy"))),
		.contradicted = (uint32_t)number(item, "contradicted", 1000),
		.since_ms = now_ms - (number(item, "known_s", AGE_MOST_S) + away) * 1000,
		.confirmed_ms = now_ms - (number(item, "confirmed_s", AGE_MOST_S) + away) * 1000,
	};
	uint32_t server;

	if (state_address_read(item, "server", &server))
		port_habit_restore(habits, server, &fact);
}

void habits_read(const json_t *object, struct port_habits *habits, int64_t now_ms)
{
	const json_t *item;
	size_t i;

	json_array_foreach (json_object_get(object, "servers"), i, item)
		habit_read(item, habits, now_ms, habits_away_s(object));
}

/* --- a file of their own ------------------------------------------------------------------ */

int habits_save(const struct settings *settings, const char *file_name,
		const struct port_habits *habits, int64_t now_ms)
{
	json_t *object =
		json_pack("{s:i, s:I, s:o}", "version", FILE_VERSION, "saved",
			  (json_int_t)habits_saved_at(), "servers", habits_json(habits, now_ms));
	int err = object ? state_write(settings, file_name, object) : -ENOMEM;

	json_decref(object);
	return err;
}

void habits_load(const struct settings *settings, const char *file_name, struct port_habits *habits,
		 int64_t now_ms)
{
	json_t *object = state_read(settings, file_name);

	habits_read(object, habits, now_ms);
	json_decref(object);
}
