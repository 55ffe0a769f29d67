/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fact that was learned from what others did, and need not stay true. It ages: when
 * it was confirmed too long ago it is put to the test again. It can be contradicted:
 * after enough signs against it nobody goes by it any more. And what then proves true
 * takes its place. All of it is kept over restarts.
 *
 * Times are milliseconds of any clock that does not go back; they may lie before its
 * zero. Pure.
 */
#ifndef WAYLEAVE_PAIRING_LEARNED_H
#define WAYLEAVE_PAIRING_LEARNED_H

#include <stdbool.h>
#include <stdint.h>

struct learned {
	uint32_t value;	       /* the caller's; 0: nothing was learned */
	uint32_t contradicted; /* signs against it since it last proved true */
	int64_t since_ms;      /* when it was learned */
	int64_t confirmed_ms;  /* when it last proved true */
};

/* How long one kind of fact is believed without being confirmed, and despite how many signs. */
struct learned_rule {
	int64_t lasts_ms;
	uint32_t contradictions; /* so many end it */
};

/* VALUE proved true; another one is a new fact. */
static inline void learned_confirm(struct learned *fact, uint32_t value, int64_t now_ms)
{
	if (fact->value != value)
		*fact = (struct learned){.value = value, .since_ms = now_ms};
	fact->contradicted = 0;
	fact->confirmed_ms = now_ms;
}

/* WEIGHT signs against it; UINT32_MAX is the most. */
static inline void learned_contradict(struct learned *fact, uint32_t weight)
{
	if (fact->value && fact->contradicted <= UINT32_MAX - weight)
		fact->contradicted += weight;
}

/* Since it last proved true, or since it was learned; a later time is no time ago. */
static inline int64_t learned_age_ms(int64_t then_ms, int64_t now_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 0;
}

/* The value to go by; 0: none. */
static inline uint32_t learned_value(const struct learned *fact, const struct learned_rule *rule,
				     int64_t now_ms)
{
	bool holds = fact->contradicted < rule->contradictions &&
		     learned_age_ms(fact->confirmed_ms, now_ms) <= rule->lasts_ms;

	return holds ? fact->value : 0;
}

#endif
