/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gateway's own flows (its updates, its DNS, its own VPN): noted on their
 * way out, so that their answers, and nothing else, reach its stack.
 *
 * A flow is one SESSION_REPLY record without partner. The port is claimed as
 * well, so that no LAN host is given it (CVE-2021-3773, port shadow).
 * Context: TC egress of the WAN.
 */
#ifndef WAYLEAVE_CORE_LOCAL_H
#define WAYLEAVE_CORE_LOCAL_H

#include "core/parse.h"
#include "core/filter.h"
#include "core/session.h"

static __noinline void local_claim_port(const struct config *c, const struct facts *f, __u32 now)
{
	struct record_key key;
	struct record *r;
	__u32 index;

	mapping_external_key(&key, f->protocol, f->source, f->source_id);
	r = record_at(table_search(&key));
	if (r) {
		if (r->mapping.flags & MAPPING_LOCAL)
			r->mapping.last_seen = now;
		return;
	}
	if (table_claim(&key, &index) != CLAIM_OK)
		return;
	r = record_at(index);
	if (!r)
		return;
	r->mapping = (struct mapping){
		.flags = MAPPING_LOCAL,
		.last_seen = now,
		.created = now,
	};
	table_publish(r);
}

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

static __always_inline void local_refresh(struct session *s, const struct facts *f, __u32 now)
{
	s->last_seen = now;
	if (f->protocol == PROTOCOL_TCP)
		s->timeout = f->tcp_flags & (TCP_FIN | TCP_RST) ? TIMEOUT_TCP_CLOSING
								: TIMEOUT_TCP_ESTABLISHED;
}

/* A packet that this machine itself sends through the WAN. It is never changed or held up. */
static __noinline void local_note(struct packet *p)
{
	const struct config *c = config_get();
	struct record_key key;
	struct record *r;
	struct facts f, spare;
	__u32 now;

	if (!c || parse_packet(p, &f, &spare) != REASON_forwarded || !has_transport(&f) ||
	    f.icmp_error || is_multicast_or_broadcast(f.destination))
		return;
	session_key(&key, &f, DIRECTION_OUT);
	key.kind = KIND_SESSION_REPLY;
	if (f.id_type != ID_PORTS) { /* what comes back has ids of our own choice */
		key.id = 0;
		key.id_type = ID_NONE;
	}
	now = clock_ticks(c);
	r = record_at(table_search(&key));
	if (r) {
		/* the flow lives as long as we speak; a tap frame of the daemon is not ours */
		if (r->session.flags & SESSION_LOCAL) {
			if (is_new_era(&r->session, now))
				contact_note(f.destination);
			local_refresh(&r->session, &f, now);
		}
		return;
	}
	contact_note(f.destination);
	local_add(c, &key, classify(p, &f, f.destination_id, f.source_id), now);
	if (f.id_type == ID_PORTS && f.protocol != PROTOCOL_ICMP)
		local_claim_port(c, &f, now);
}

#endif
