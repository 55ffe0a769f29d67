/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts a session's translation into a packet: address, id, TTL and the
 * checksums over them (RFC 3022 section 4.1, RFC 1624). Nothing else of the
 * packet is touched. Context: any; pointers into the packet are void afterwards.
 */
#ifndef WAYLEAVE_CORE_REWRITE_H
#define WAYLEAVE_CORE_REWRITE_H

#include "core/session.h"

/* Address, TTL and the header's own checksum. @hop: 1 to count a router on the way, else 0. */
static __always_inline bool rewrite_ip(struct packet *p, __be32 address, __u16 address_delta,
				       bool out, __u8 hop)
{
	struct ipv4_header *ip = packet_at(p, 0, sizeof(*ip));
	__u16 before, after;

	if (!ip)
		return false;
	if (out)
		ip->source = address;
	else
		ip->destination = address;
	/* as one word: read back right after a store of one byte it would stall */
	before = *(__u16 *)&ip->ttl;
	after = before - host_to_be16(hop << 8);
	*(__u16 *)&ip->ttl = after;
	ip->check = checksum_adjust(ip->check, (__u32)address_delta + delta_of_16(before, after));
	return true;
}

/* Writes @id at @offset; answers what the checksum has to take, or 0. */
static __always_inline __u16 rewrite_id(struct packet *p, __u32 offset, __be16 id)
{
	__be16 *field = packet_at(p, offset, 2);
	__u16 delta;

	if (!field)
		return 0;
	delta = delta_of_16(*field, id);
	*field = id;
	return delta;
}

static __always_inline void rewrite_transport(struct packet *p, const struct facts *f, __be16 id,
					      __u16 address_delta, bool out, __u32 l4)
{
	__u32 port = l4 + (out ? 0 : 2);

	switch (f->protocol) {
	case PROTOCOL_UDP:
		packet_fix_l4_sum(p, l4 + 6, address_delta, rewrite_id(p, port, id), true);
		break;
	case PROTOCOL_TCP:
		packet_fix_l4_sum(p, l4 + 16, address_delta, rewrite_id(p, port, id), false);
		break;
	case PROTOCOL_ICMP:
		packet_fix_l4_sum(p, l4 + 2, 0, rewrite_id(p, l4 + 4, id), false);
		break;
	case PROTOCOL_GRE:
		/* RFC 2637: outbound data carries the server's own call id */
		if (f->id_type == ID_CALL && !out)
			rewrite_id(p, l4 + offsetof(struct enhanced_gre_header, call_id), id);
		break;
	}
}

static __always_inline bool rewrite(struct packet *p, const struct facts *f, const struct record *r,
				    bool out, __u8 hop)
{
	/* read before anything that the verifier takes for a change of the packet */
	__u16 delta = r->session.address_delta;
	__be16 id = r->session.new_id;

	if (!rewrite_ip(p, r->session.new_local, delta, out, hop))
		return false;
	if (r->key.id_type == ID_NONE || !has_transport(f))
		return true;
	if (likely(f->l4 == IPV4_HEADER))
		rewrite_transport(p, f, id, delta, out, IPV4_HEADER);
	else
		rewrite_transport(p, f, id, delta, out, f->l4);
	return true;
}

#endif
