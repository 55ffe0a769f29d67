/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record of one of the gateway's own flows (core/local.h).
 * Context: TC egress of the WAN; the daemon, for connections older than the data plane.
 */
#ifndef WAYLEAVE_CORE_LOCAL_FLOW_H
#define WAYLEAVE_CORE_LOCAL_FLOW_H

#include "core/classify.h"
#include "core/table.h"

static __always_inline __u8 local_timeout(__u8 protocol, __u8 class)
{
	return protocol == PROTOCOL_TCP ? TIMEOUT_TCP_ESTABLISHED : timeout_of(protocol, class);
}

static __noinline void local_add(const struct config *c, const struct record_key *key, __u8 class,
				 __u32 now)
{
	struct record *r;
	__u32 index;

	if (table_claim(key, &index) != CLAIM_OK)
		return;
	r = record_at(index);
	if (!r)
		return;
	r->session = (struct session){
		.new_local = key->local,
		.new_id = key->local_id,
		.class = class,
		.timeout = local_timeout(key->protocol, class),
		.flags = SESSION_LOCAL,
		.route_generation = c->route_generation,
		.last_seen = now,
		.created = now,
	};
	table_publish(r);
}

#endif
