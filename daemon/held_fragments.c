/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/held_fragments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/session.h"
#include "daemon/expiry.h"

struct piece {
	uint8_t *frame; /* NULL: free */
	size_t length;
	struct record_key key; /* of the record, which may be reused for something else */
	uint32_t index;
	uint32_t since; /* tick */
};

struct held_fragments {
	struct piece piece[HELD_FRAGMENTS];
	unsigned int count;
	size_t bytes;
	struct event *timer;
	void (*send)(void *context, uint8_t *frame, size_t length);
	void *context;
};

static const struct timeval look_again = {0, 10000};

static void look_due(evutil_socket_t fd, short what, void *context)
{
	struct held_fragments *held = context;

	if (held_fragments_look(held, clock_ticks(arena.config)))
		event_add(held->timer, &look_again);
}

struct held_fragments *
held_fragments_new(struct event_base *base,
		   void (*send)(void *context, uint8_t *frame, size_t length), void *context)
{
	struct held_fragments *held = calloc(1, sizeof(*held));

	if (!held)
		return NULL;
	held->send = send;
	held->context = context;
	if (!base)
		return held;
	held->timer = evtimer_new(base, look_due, held);
	if (held->timer)
		return held;
	free(held);
	return NULL;
}

static void piece_free(struct held_fragments *held, struct piece *piece)
{
	held->bytes -= piece->length;
	held->count--;
	free(piece->frame);
	*piece = (struct piece){0};
}

void held_fragments_free(struct held_fragments *held)
{
	if (!held)
		return;
	for (unsigned int i = 0; i < HELD_FRAGMENTS; i++)
		if (held->piece[i].frame)
			piece_free(held, &held->piece[i]);
	if (held->timer)
		event_free(held->timer);
	free(held);
}

static struct piece *piece_place(struct held_fragments *held)
{
	for (unsigned int i = 0; i < HELD_FRAGMENTS; i++)
		if (!held->piece[i].frame)
			return &held->piece[i];
	return NULL;
}

int held_fragments_add(struct held_fragments *held, const uint8_t *frame, size_t length,
		       uint32_t now)
{
	struct piece *piece = piece_place(held);
	const struct record *r;
	struct punt punt;

	memcpy(&punt, frame, sizeof(punt));
	r = record_at(punt.index);
	if (!piece || !r || held->bytes + length > HELD_FRAGMENTS_BYTES)
		return -ENOBUFS;
	piece->frame = malloc(length);
	if (!piece->frame)
		return -ENOMEM;
	memcpy(piece->frame, frame, length);
	piece->length = length;
	piece->key = r->key;
	piece->index = punt.index;
	piece->since = now;
	held->count++;
	held->bytes += length;
	if (held->timer && !evtimer_pending(held->timer, NULL))
		event_add(held->timer, &look_again);
	return 0;
}

/* Nothing to wait for: the record is another's by now, or the datagram is an attack. */
static bool is_lost(const struct piece *piece, const struct record *r, uint32_t now)
{
	return ticks_since(now, piece->since) > FRAGMENT_SECONDS * arena.config->hz ||
	       record_state(r) != SLOT_LIVE || !key_equal(&r->key, &piece->key) ||
	       READ_ONCE(r->fragments.state) == FRAGMENT_POISONED;
}

static void piece_look(struct held_fragments *held, struct piece *piece, uint32_t now)
{
	const struct record *r = record_at(piece->index);

	if (!is_lost(piece, r, now)) {
		if (READ_ONCE(r->fragments.state) != FRAGMENT_KNOWN)
			return;
		held->send(held->context, piece->frame, piece->length);
	}
	piece_free(held, piece);
}

unsigned int held_fragments_look(struct held_fragments *held, uint32_t now)
{
	for (unsigned int i = 0; i < HELD_FRAGMENTS; i++)
		if (held->piece[i].frame)
			piece_look(held, &held->piece[i], now);
	return held->count;
}
