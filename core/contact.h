/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With whom anybody here has a session, or had one lately: asked before a lone
 * piece of a datagram, which names no session, costs a token or a record.
 *
 * Kept as a filter: of each remote the tick, in one cell of each of two rows that
 * its address and a secret lead to. It errs to one side only: who has no session
 * passes when both cells are in use by others, with 1,000 remotes 1 of 270, and
 * then his budget counts (core/budget.h). A hit notes its remote when an era
 * begins (is_new_era()), so nothing is written for most packets.
 *
 * Context: TC, XDP, memory; new flows, and the first packet of an era.
 */
#ifndef WAYLEAVE_CORE_CONTACT_H
#define WAYLEAVE_CORE_CONTACT_H

#include "core/backend.h"

#define CONTACT_SECONDS 600 /* longer than an era, and than two keepalives are apart */

static __always_inline __u32 *contact_cell(const struct config *c, __be32 remote, __u32 row)
{
	return contact_at(row * CONTACT_SLOTS +
			  secret_slot(~c->hash_key[row & 1], remote, CONTACT_SLOTS));
}

/* A session with @remote begins or goes on. */
SEPARATE __u32 contact_note(__be32 remote)
{
	const struct config *c = config_get();
	__u32 now;

	if (!c)
		return false;
	now = clock_ticks(c);
	UNROLLED
	for (__u32 row = 0; row < CONTACT_ROWS; row++) {
		__u32 *cell = contact_cell(c, remote, row);

		if (cell)
			WRITE_ONCE(*cell, now ? now : 1); /* 0: never */
	}
	return true;
}

SEPARATE __u32 is_contact(__be32 remote)
{
	const struct config *c = config_get();
	bool all = true;

	if (!c)
		return false;
	UNROLLED
	for (__u32 row = 0; row < CONTACT_ROWS; row++) {
		const __u32 *cell = contact_cell(c, remote, row);
		__u32 seen = cell ? READ_ONCE(*cell) : 0;

		all &= seen && ticks_since(clock_ticks(c), seen) <= CONTACT_SECONDS * c->hz;
	}
	return all;
}

#endif
