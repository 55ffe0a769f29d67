/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/claims.h"

#include "core/memory.h"
#include "core/claim.h"
#include "core/contact.h"

static struct record *claim_get(uint8_t protocol, __be32 remote, uint32_t now)
{
	struct record_key key;
	struct record *r;
	uint32_t index;

	contact_note(remote);
	claim_key(&key, protocol, arena.config->external, remote);
	r = table_find(arena.config, &key);
	if (r) {
		WRITE_ONCE(r->claim.last_seen, now);
		return r;
	}
	if (table_claim(&key, &index) != CLAIM_OK)
		return NULL; /* full: the next sign of life tries again */
	r = record_at(index);
	r->claim = (struct claim){.last_seen = now};
	table_publish(r);
	return r;
}

void claims_refresh(uint8_t protocol, __be32 remote, uint32_t now)
{
	claim_get(protocol, remote, now);
}

void claims_refresh_by(uint8_t protocol, __be32 remote, __be32 inside, uint32_t now)
{
	struct record *r = claim_get(protocol, remote, now);

	if (!r || r->claim.several || r->claim.inside == inside)
		return;
	r->claim.several = r->claim.inside != 0;
	WRITE_ONCE(r->claim.inside, r->claim.several ? 0 : inside);
}
