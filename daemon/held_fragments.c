/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/held_fragments.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/fragment.h"
#include "core/session.h"
#include "daemon/expiry.h"

struct piece {
	uint8_t *frame; /* NULL: free */
	size_t length;
	struct record_key key; /* of the record, which may be reused for something else */
	uint32_t index;
	__be32 sender;
	uint32_t since; /* tick */
	uint64_t order; /* of arrival */
};

struct held_fragments {
	struct piece piece[HELD_FRAGMENTS];
	unsigned int count;
	size_t bytes;
	uint64_t arrivals;
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

/* How many of @sender wait, and the one that has waited longest. */
static unsigned int pieces_of(struct held_fragments *held, __be32 sender, struct piece **oldest)
{
	unsigned int count = 0;

	*oldest = NULL;
	for (unsigned int i = 0; i < HELD_FRAGMENTS; i++) {
		struct piece *piece = &held->piece[i];

		if (!piece->frame || piece->sender != sender)
			continue;
		count++;
		if (!*oldest || piece->order < (*oldest)->order)
			*oldest = piece;
	}
	return count;
}

/* Of whoever has most, and more than @count: the oldest, which goes. False: nobody has. */
static bool place_make(struct held_fragments *held, unsigned int count)
{
	struct piece *victim = NULL, *oldest;

	for (unsigned int i = 0; i < HELD_FRAGMENTS; i++) {
		unsigned int his =
			held->piece[i].frame ? pieces_of(held, held->piece[i].sender, &oldest) : 0;

		if (his <= count)
			continue;
		count = his;
		victim = oldest;
	}
	if (victim)
		piece_free(held, victim);
	return victim;
}

/* A place for one more of @sender, and room for @length bytes; NULL: there is none. */
static struct piece *place_take(struct held_fragments *held, __be32 sender, size_t length)
{
	struct piece *oldest;
	unsigned int count = pieces_of(held, sender, &oldest);

	if (count >= HELD_FRAGMENTS_EACH) {
		piece_free(held, oldest);
		count--;
	}
	while (held->count == HELD_FRAGMENTS || held->bytes + length > HELD_FRAGMENTS_BYTES)
		if (!place_make(held, count))
			return NULL;
	return piece_place(held);
}

/* Nothing, where there is no room for it. */
static void piece_keep(struct held_fragments *held, const uint8_t *frame, size_t length,
		       uint32_t now)
{
	const struct record *r;
	struct piece *piece;
	struct punt punt;

	memcpy(&punt, frame, sizeof(punt));
	r = record_at(punt.index);
	piece = r ? place_take(held, fragment_sender(&r->key), length) : NULL;
	if (!piece)
		return;
	piece->frame = malloc(length);
	if (!piece->frame)
		return;
	memcpy(piece->frame, frame, length);
	piece->length = length;
	piece->key = r->key;
	piece->index = punt.index;
	piece->sender = fragment_sender(&r->key);
	piece->since = now;
	piece->order = held->arrivals++;
	held->count++;
	held->bytes += length;
}

unsigned int held_fragments_add(struct held_fragments *held, const uint8_t *frame, size_t length,
				uint32_t now)
{
	unsigned int before = held->count;

	piece_keep(held, frame, length, now);
	if (held->timer && held->count && !evtimer_pending(held->timer, NULL))
		event_add(held->timer, &look_again);
	return before + 1 - held->count;
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
		if (READ_ONCE(r->fragments.state) == FRAGMENT_WAITING)
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
