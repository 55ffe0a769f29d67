/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gateway's own flows (its updates, its DNS, its own VPN): noted on their
 * way out, so that their answers, and nothing else, reach its stack. They are
 * not the passthrough's business: no switch, helper or pairing concerns them.
 *
 * A flow is one SESSION_REPLY record without partner. Where the receiver chooses
 * the id (ESP, PPTP's GRE, L2TPv3) or there is none, the flow has the protocol
 * with the remote, but for what is known by its own id to be an inside host's.
 * A GRE key, which both ends know, has a record of its own beside that. The port
 * or identifier becomes the gateway's (core/port_owner.h, CVE-2021-3773), and an inside
 * host's session that stands in the way ends.
 *
 * Context: TC egress of the WAN.
 */
#ifndef WAYLEAVE_CORE_LOCAL_H
#define WAYLEAVE_CORE_LOCAL_H

#include "core/local_flow.h"
#include "core/port_owner.h"
#include "core/parse.h"
#include "core/filter.h"

static __always_inline void local_refresh(struct session *s, const struct facts *f, __u32 now)
{
	s->last_seen = now;
	if (f->protocol == PROTOCOL_TCP)
		s->timeout = f->tcp_flags & (TCP_FIN | TCP_RST) ? TIMEOUT_TCP_CLOSING
								: TIMEOUT_TCP_ESTABLISHED;
}

/*
 * The flow lives as long as we speak. Answers whether its id is to be taken: it
 * is new, or an era has begun (is_new_era()) since that was last done.
 */
static __always_inline bool local_keep(const struct config *c, const struct record_key *key,
				       const struct facts *f, __u32 now)
{
	__u32 index = table_search(key);
	struct record *r = record_at(index);
	bool is_due = true;

	if (r && r->session.flags & SESSION_LOCAL) {
		is_due = is_new_era(&r->session, now);
		local_refresh(&r->session, f, now);
		return is_due;
	}
	if (r)
		session_give_way(index);
	local_add(c, key, f->class, now);
	return is_due;
}

/* An answer to a ping is nobody's flow, and an error is no flow's. */
static __always_inline bool is_local_flow(const struct facts *f)
{
	return has_transport(f) && !f->icmp_error && !is_multicast_or_broadcast(f->destination) &&
	       is_wanted_query(f, DIRECTION_OUT);
}

/* A packet that this machine itself sends through the WAN. It is never changed or held up. */
static __noinline void local_note(struct packet *p)
{
	const struct config *c = config_get();
	struct record_key key;
	struct facts f, spare;
	__u32 now;

	if (!c || parse_packet(p, &f, &spare) != REASON_forwarded || !is_local_flow(&f))
		return;
	f.class = classify(p, &f, f.destination_id, f.source_id);
	now = clock_ticks(c);
	session_key(&key, &f, DIRECTION_OUT);
	key.kind = KIND_SESSION_REPLY;
	if (f.id_type == ID_KEY)
		local_keep(c, &key, &f, now);
	if (f.id_type != ID_PORTS) { /* what comes back has ids of our own choice */
		key.id = 0;
		key.id_type = ID_NONE;
	}
	if (!local_keep(c, &key, &f, now))
		return;
	contact_note(f.destination);
	if (f.id_type == ID_PORTS)
		port_take(f.protocol, f.source, local_id(&f, DIRECTION_OUT));
}

#endif
