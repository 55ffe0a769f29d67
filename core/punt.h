/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which budget (core/budget.h) a packet for the daemon is charged to, and to
 * whose share. Context: TC, memory.
 */
#ifndef WAYLEAVE_CORE_PUNT_H
#define WAYLEAVE_CORE_PUNT_H

#include "core/budget.h"
#include "core/host.h"
#include "core/packet.h"
#include "core/verdict.h"

/* Has the inside host a session? One who invents addresses has none. */
SEPARATE __u32 host_is_known(__be32 inside)
{
	struct record_key key;
	const struct record *r;

	host_key(&key, inside);
	r = record_at(table_search(&key));
	return r && READ_ONCE(r->host.sessions);
}

static __always_inline enum budget_purpose punt_purpose(enum reason reason, __u32 index, bool out)
{
	switch (reason) {
	case REASON_to_helper:
	case REASON_to_watch:
		return BUDGET_CONTROL;
	case REASON_to_pairing:
		if (index != NO_RECORD)
			return BUDGET_CONTROL; /* a bound tunnel whose numbers begin anew */
		return out ? BUDGET_TUNNEL_OUT : BUDGET_TUNNEL_IN;
	default:
		return out ? BUDGET_ERROR_INSIDE : BUDGET_ERROR_REMOTE;
	}
}

/*
 * May the packet @p, which came from the inside if @out, be handed to the daemon? @index: the
 * session of a control message, or NO_RECORD. Early pieces have paid already, before anything
 * was kept of them (core/fragment.h).
 */
static __always_inline bool punt_admit(struct packet *p, enum reason reason, __u32 index, bool out)
{
	const struct ipv4_header *ip = packet_at(p, 0, sizeof(*ip));
	enum budget_purpose purpose = punt_purpose(reason, index, out);
	bool known;

	if (reason == REASON_fragment_early)
		return true;
	if (!ip)
		return false;
	if (purpose == BUDGET_CONTROL)
		return budget_take(purpose, index, true);
	known = purpose == BUDGET_ERROR_REMOTE || purpose == BUDGET_TUNNEL_IN ||
		host_is_known(ip->source);
	ip = packet_at(p, 0, sizeof(*ip));
	return ip && budget_take(purpose, ip->source, known);
}

#endif
