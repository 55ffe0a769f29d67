/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A queue of what will happen: a binary heap by time; equal times in the order they were put. */
#ifndef WAYLEAVE_SIMULATION_EVENTS_H
#define WAYLEAVE_SIMULATION_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event {
	uint64_t at_us, order;
	int what;
	int a, b, c; /* mean what `what` says */
	uint32_t number;
	void *thing;
};

struct events {
	struct event *heap;
	size_t count, room;
	uint64_t order;
};

void events_put(struct events *events, struct event event);
/* The earliest one; false when there is none. */
bool events_take(struct events *events, struct event *event);
void events_free(struct events *events);

#endif
