/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/lockout.h"

#include <stddef.h>

static const struct lockout_source *source_find(const struct lockouts *lockouts, __be32 address)
{
	for (unsigned int i = 0; i < LOCKOUT_SOURCES; i++)
		if (lockouts->source[i].address == address)
			return &lockouts->source[i];
	return NULL;
}

/* The one whose last try is longest ago makes room, one that has logged in after the others. */
static bool goes_before(const struct lockout_source *a, const struct lockout_source *b)
{
	if (!a->address || !b->address)
		return !a->address && b->address;
	if (a->known != b->known)
		return b->known;
	return a->lockout.last_s < b->lockout.last_s;
}

static struct lockout_source *source_take(struct lockouts *lockouts, __be32 address)
{
	struct lockout_source *place = (struct lockout_source *)source_find(lockouts, address);

	if (place)
		return place;
	place = &lockouts->source[0];
	for (unsigned int i = 1; i < LOCKOUT_SOURCES; i++)
		if (goes_before(&lockouts->source[i], place))
			place = &lockouts->source[i];
	*place = (struct lockout_source){.address = address};
	return place;
}

static uint64_t left_s(const struct lockout *lockout, uint64_t now_s)
{
	return lockout->until_s > now_s ? lockout->until_s - now_s : 0;
}

uint64_t lockout_wait_s(const struct lockouts *lockouts, enum lockout_secret secret, __be32 address,
			uint64_t now_s)
{
	const struct lockout_source *source = source_find(lockouts, address);
	bool apart = secret == LOCKOUT_CODE || (source && source->known);
	uint64_t own = source ? left_s(&source->lockout, now_s) : 0;
	uint64_t account = apart ? 0 : left_s(&lockouts->account, now_s);

	return own > account ? own : account;
}

static void wrong_count(struct lockout *lockout, uint64_t now_s)
{
	uint64_t wait_s = LOCKOUT_FIRST_S;

	if (now_s - lockout->last_s > LOCKOUT_FORGET_S)
		lockout->wrong = 0;
	lockout->last_s = now_s;
	lockout->wrong++;
	if (lockout->wrong < LOCKOUT_TRIES)
		return;
	for (uint32_t n = LOCKOUT_TRIES; n < lockout->wrong && wait_s < LOCKOUT_MOST_S; n++)
		wait_s *= 2;
	lockout->until_s = now_s + (wait_s < LOCKOUT_MOST_S ? wait_s : LOCKOUT_MOST_S);
}

void lockout_wrong(struct lockouts *lockouts, enum lockout_secret secret, __be32 address,
		   uint64_t now_s)
{
	wrong_count(&source_take(lockouts, address)->lockout, now_s);
	if (secret == LOCKOUT_PASSWORD)
		wrong_count(&lockouts->account, now_s);
}

void lockout_right(struct lockouts *lockouts, __be32 address, uint64_t now_s)
{
	struct lockout_source *source = source_take(lockouts, address);

	source->known = true;
	source->lockout = (struct lockout){.last_s = now_s};
	lockouts->account = (struct lockout){0};
}

void lockout_end_all(struct lockouts *lockouts)
{
	lockouts->account = (struct lockout){0};
	for (unsigned int i = 0; i < LOCKOUT_SOURCES; i++)
		lockouts->source[i].lockout = (struct lockout){0};
}
