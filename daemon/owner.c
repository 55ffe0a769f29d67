/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/owner.h"

#include "core/session.h"

/* The session that an id behind a port leads to may have ended, and its place be another's. */
static bool leads_somewhere(const struct record *r)
{
	const struct record *reply = record_at(r->shared.session);

	return reply && record_state(reply) == SLOT_LIVE && reply->key.kind == KIND_SESSION_REPLY &&
	       reply->key.remote == r->key.remote && reply->session.new_local == r->shared.inside;
}

/* What ICMP errors quote has the external address outside, and the host's inside. */
static __be32 quoted_holder(const struct record *r)
{
	return r->key.local == arena.config->external ? r->session.new_local : r->key.local;
}

/* The inside host; the external address: the gateway itself; 0: nobody. */
static __be32 holder(const struct record *r)
{
	switch (r->key.kind) {
	case KIND_SESSION_ORIG:
	case KIND_MAPPING_INSIDE:
		return r->key.local;
	case KIND_SESSION_REPLY:
		return r->session.flags & SESSION_LOCAL ? r->key.local : r->session.new_local;
	case KIND_MAPPING_EXTERNAL:
		return r->mapping.flags & MAPPING_LOCAL ? r->key.local : r->mapping.new_local;
	case KIND_QUOTED:
		return quoted_holder(r);
	case KIND_SHARED:
		return leads_somewhere(r) ? r->shared.inside : 0;
	default:
		return 0;
	}
}

enum owner owner_of(const struct record_key *key, __be32 inside)
{
	const struct record *r = table_find(arena.config, key);
	__be32 present = r ? holder(r) : 0;

	if (!present)
		return OWNER_NOBODY;
	return present == inside ? OWNER_SELF : OWNER_OTHER;
}

struct record *owner_record(const struct record_key *key, __be32 inside)
{
	return owner_of(key, inside) == OWNER_SELF ? table_find(arena.config, key) : NULL;
}
