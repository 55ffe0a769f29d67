/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/refusals.h"

#include "core/memory.h"
#include "core/session.h"

static bool is_same(const struct refusal *refusal, const struct facts *facts)
{
	return refusal->protocol == facts->protocol && refusal->inside == facts->source &&
	       refusal->remote == facts->destination && refusal->id_type == facts->id_type &&
	       (refusal->id_type != ID_KEY || refusal->id == facts->spi);
}

/* The entry like it, or the one to write it to. */
static struct refusal *refusal_place(struct refusals *refusals, const struct facts *facts,
				     uint32_t now)
{
	struct refusal *oldest = &refusals->entry[0];

	for (unsigned int i = 0; i < REFUSALS; i++) {
		struct refusal *refusal = &refusals->entry[i];

		if (is_same(refusal, facts))
			return refusal;
		if (!refusal->protocol)
			oldest = refusal;
		else if (oldest->protocol &&
			 ticks_since(now, refusal->last) > ticks_since(now, oldest->last))
			oldest = refusal;
	}
	return oldest;
}

void refusals_note(struct refusals *refusals, const struct facts *facts, uint32_t now)
{
	struct refusal *refusal = refusal_place(refusals, facts, now);

	if (!is_same(refusal, facts))
		*refusal = (struct refusal){.inside = facts->source,
					    .remote = facts->destination,
					    .protocol = facts->protocol,
					    .id_type = facts->id_type,
					    .id = facts->spi,
					    .first = now};
	refusal->last = now;
	refusal->count++;
}

const struct refusal *refusals_nth(const struct refusals *refusals, size_t n, uint32_t now)
{
	for (unsigned int i = 0; i < REFUSALS; i++) {
		const struct refusal *refusal = &refusals->entry[i];

		if (refusal->protocol &&
		    ticks_since(now, refusal->last) <= REFUSAL_SECONDS * arena.config->hz && !n--)
			return refusal;
	}
	return NULL;
}

__be32 refusal_holder(const struct refusal *refusal)
{
	bool keyed = refusal->id_type == ID_KEY;
	struct record_key key = {.remote = refusal->remote,
				 .local = arena.config->external,
				 .id = keyed ? refusal->id : 0,
				 .protocol = refusal->protocol,
				 .kind = KIND_SESSION_REPLY,
				 .id_type = keyed ? ID_KEY : ID_NONE};
	const struct record *r = table_find(arena.config, &key);

	return r ? r->session.new_local : 0;
}
