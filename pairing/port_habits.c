/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pairing/port_habits.h"

#include <stdlib.h>

#define SERVERS 256
#define DAY_MS	(24ll * 3600 * 1000)

struct habit {
	uint32_t server; /* 0: free */
	struct learned fact;
};

struct port_habits {
	bool changed;
	struct habit of[SERVERS];
};

static const struct learned_rule rules[HABITS] = {
	[HABIT_ANY_PORT] = {.lasts_ms = 30 * DAY_MS, .contradictions = 2},
	[HABIT_INSISTS] = {.lasts_ms = DAY_MS, .contradictions = 2},
	[HABIT_ONE_CLIENT] = {.lasts_ms = DAY_MS, .contradictions = 1},
};

struct port_habits *port_habits_new(void)
{
	return calloc(1, sizeof(struct port_habits));
}

void port_habits_free(struct port_habits *habits)
{
	free(habits);
}

static struct habit *habit_find(const struct port_habits *habits, uint32_t server)
{
	for (unsigned i = 0; i < SERVERS; i++)
		if (habits->of[i].server == server)
			return (struct habit *)&habits->of[i];
	return NULL;
}

static struct habit *habit_get(struct port_habits *habits, uint32_t server)
{
	struct habit *habit = habit_find(habits, server), *oldest = habits->of;

	if (habit)
		return habit;
	habit = habit_find(habits, 0);
	for (unsigned i = 0; !habit && i < SERVERS; i++)
		if (habits->of[i].fact.confirmed_ms < oldest->fact.confirmed_ms)
			oldest = &habits->of[i];
	if (!habit)
		habit = oldest;
	*habit = (struct habit){.server = server};
	return habit;
}

enum port_habit port_habit_of(const struct port_habits *habits, uint32_t server, int64_t now_ms)
{
	const struct habit *habit = server ? habit_find(habits, server) : NULL;

	return habit ? learned_value(&habit->fact, &rules[habit->fact.value], now_ms)
		     : HABIT_UNKNOWN;
}

void port_habit_confirm(struct port_habits *habits, uint32_t server, enum port_habit habit,
			int64_t now_ms)
{
	struct learned *fact;

	if (!server)
		return;
	fact = &habit_get(habits, server)->fact;
	/* that it goes on is not worth a file each time */
	if (fact->value != habit || fact->contradicted ||
	    learned_age_ms(fact->confirmed_ms, now_ms) > DAY_MS / 24)
		habits->changed = true;
	learned_confirm(fact, habit, now_ms);
}

void port_habit_contradict(struct port_habits *habits, uint32_t server, enum port_habit habit,
			   uint32_t weight)
{
	struct habit *known = server ? habit_find(habits, server) : NULL;

	if (!known || known->fact.value != habit)
		return;
	learned_contradict(&known->fact, weight);
	habits->changed = true;
}

const char *port_habit_name(enum port_habit habit)
{
	static const char *const names[HABITS] = {"unknown", "any", "insists", "one-client"};

	return names[habit];
}

void port_habits_each(const struct port_habits *habits,
		      bool (*visit)(void *context, uint32_t server, const struct learned *fact),
		      void *context)
{
	for (unsigned i = 0; i < SERVERS; i++)
		if (habits->of[i].server && habits->of[i].fact.value &&
		    !visit(context, habits->of[i].server, &habits->of[i].fact))
			return;
}

void port_habit_restore(struct port_habits *habits, uint32_t server, const struct learned *fact)
{
	if (server && fact->value && fact->value < HABITS && !habit_find(habits, server) &&
	    habit_find(habits, 0))
		habit_get(habits, server)->fact = *fact;
}

bool port_habits_take_changed(struct port_habits *habits)
{
	bool changed = habits->changed;

	habits->changed = false;
	return changed;
}
