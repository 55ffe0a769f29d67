/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last ICMP error from outside about each tunnel, for the daemon to tell people: that
 * nobody listens there, that a firewall forbids it, that there is no way. It changes
 * nothing for the tunnel (RFC 5508 REQ-6), since anybody can forge one who knows its ends.
 *
 * A place for each tunnel's hash; a later tunnel of the same place takes it. Readers
 * compare whose it is: what two processors write at once is of no tunnel, or mixed.
 *
 * Context: TC, memory; translated errors only.
 */
#ifndef WAYLEAVE_CORE_COMPLAINT_H
#define WAYLEAVE_CORE_COMPLAINT_H

#include "core/session.h"

static __always_inline struct complaint *complaint_place(const struct config *c, __u8 class,
							 __be32 inside, __be32 remote)
{
	return complaint_at(
		secret_slot(~c->hash_key[0], ((__u64)inside << 32 | remote) + class, COMPLAINTS));
}

/* Not about the size of a packet: what is too big is not refused (RFC 1191). */
static __always_inline bool is_complaint(__u8 type, __u8 code)
{
	if (type == ICMP_UNREACHABLE)
		return code != ICMP_CODE_FRAGMENTATION;
	return type == ICMP_TIME_EXCEEDED && code == ICMP_CODE_TTL_EXCEEDED;
}

/* @from complains of an outbound packet; @record: the inbound half, or what is quoted. */
SEPARATE __u32 complaint_note(__u32 record, __be32 from, __u32 type, __u32 code)
{
	const struct config *c = config_get();
	const struct record *r = record_at(record);
	struct complaint *complaint;

	if (!c || !r || r->session.class == CLASS_PLAIN || !is_complaint(type, code))
		return false;
	complaint = complaint_place(c, r->session.class, r->session.new_local, r->key.remote);
	if (!complaint)
		return false;
	complaint->inside = r->session.new_local;
	complaint->remote = r->key.remote;
	complaint->from = from;
	complaint->at = clock_ticks(c);
	complaint->class = r->session.class;
	complaint->type = type;
	complaint->code = code;
	return true;
}

#endif
