/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/simulation/events.h"

#include <stdlib.h>

static bool before(const struct event *a, const struct event *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

static void grow(struct events *e)
{
	e->room = e->room ? e->room * 2 : 1024;
	e->heap = realloc(e->heap, e->room * sizeof(*e->heap));
	if (!e->heap)
		abort();
}

void events_put(struct events *e, struct event event)
{
	size_t at = e->count++;

	if (e->count > e->room)
		grow(e);
	event.order = e->order++;
	for (; at && before(&event, &e->heap[(at - 1) / 2]); at = (at - 1) / 2)
		e->heap[at] = e->heap[(at - 1) / 2];
	e->heap[at] = event;
}

bool events_take(struct events *e, struct event *event)
{
	size_t at = 0, child;

	if (!e->count)
		return false;
	*event = e->heap[0];
	struct event last = e->heap[--e->count];
	while ((child = 2 * at + 1) < e->count) {
		if (child + 1 < e->count && before(&e->heap[child + 1], &e->heap[child]))
			child++;
		if (!before(&e->heap[child], &last))
			break;
		e->heap[at] = e->heap[child];
		at = child;
	}
	e->heap[at] = last;
	return true;
}

void events_free(struct events *e)
{
	free(e->heap);
	*e = (struct events){0};
}
