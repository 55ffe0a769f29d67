/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One external port for several inside sockets, towards a server that answers
 * only the port that its protocol names (RFC 3715 section 2.3 on IKE, RFC 2661
 * section 8.1 on L2TP). Which socket an arrival is for says an id in its
 * payload that the daemon has seen before: KIND_SHARED records. A port of one socket's
 * own is looked up so too while one of its tunnels goes by another id outside.
 *
 * Context: any; packets of sessions with SESSION_SHARED only.
 */
#ifndef WAYLEAVE_CORE_SHARED_H
#define WAYLEAVE_CORE_SHARED_H

#include "core/classify.h"
#include "core/session.h"

/* RFC 2661 section 3.1 */
#define L2TP_LENGTH_PRESENT 0x4000
#define L2TP_VERSION_MASK   0x000f

static __always_inline void shared_key(struct record_key *key, __be32 remote, __be32 external,
				       __u8 id_type, __be32 id)
{
	*key = (struct record_key){
		.remote = remote,
		.local = external,
		.id = id,
		.protocol = PROTOCOL_UDP,
		.kind = KIND_SHARED,
		.id_type = id_type,
	};
}

/* Offset of the tunnel id from the start of the IP header; 0: not L2TPv2. */
static __always_inline __u32 l2tp_tunnel_at(struct packet *p, __u32 l4)
{
	const __be16 *flags = packet_at(p, l4 + sizeof(struct udp_header), 2);
	__u16 host;

	if (!flags)
		return 0;
	host = be16_to_host(*flags);
	if ((host & L2TP_VERSION_MASK) != 2)
		return 0;
	return l4 + sizeof(struct udp_header) + (host & L2TP_LENGTH_PRESENT ? 4 : 2);
}

/* The id word of an IKE message: RFC 7296 section 3.1, RFC 2408 section 3.1. */
static __always_inline __be32 ike_id(const __be32 *initiator)
{
	return initiator[0] ^ initiator[1];
}

/* Fills @key; false: the payload says nothing. */
static __always_inline bool shared_key_of(struct packet *p, const struct facts *f,
					  struct record_key *key)
{
	const __be32 *initiator;
	const __be16 *tunnel;
	__u32 at;

	if (f->source_id == host_to_be16(PORT_IKE)) {
		initiator = packet_at(p, f->l4 + sizeof(struct udp_header), 8);
		if (!initiator)
			return false;
		shared_key(key, f->source, f->destination, ID_IKE, ike_id(initiator));
		return true;
	}
	at = l2tp_tunnel_at(p, f->l4);
	tunnel = at ? packet_at(p, at, 2) : NULL;
	if (!tunnel)
		return false;
	shared_key(key, f->source, f->destination, ID_TUNNEL, id_word(0, *tunnel));
	return true;
}

/*
 * Two hosts may have chosen one number: outside each goes by another. Written
 * before the other checks, alone of all changes: whoever reads the packet next,
 * the daemon too, shall see it as its receiver will.
 */
static __always_inline void tunnel_id_rewrite(struct packet *p, __u32 l4, __be16 id)
{
	__u32 at = l2tp_tunnel_at(p, l4);
	__be16 *field = at ? packet_at(p, at, 2) : NULL;
	__u16 delta;

	if (!field)
		return;
	delta = delta_of_16(*field, id);
	*field = id;
	packet_fix_l4_sum(p, l4 + 6, 0, delta, true);
}

/*
 * Index of the reply that an arrival is for, or NO_RECORD: ask the daemon. @own: the one
 * that its port leads to, where nobody shares that and only some ids go by another number
 * outside; NO_RECORD else. Of another session's tunnel the port knows better than the id.
 */
SEPARATE __u32 BACKEND_NAME(shared_find)(packet_context *context, __u32 base, const struct facts *f,
					 __u32 own)
{
	struct packet packet = {.context = context, .base = base}, *p = &packet;
	const struct config *c = config_get();
	struct record_key key;
	struct record *r, *reply;
	__u32 index;

	if (!f || !c || !packet_make_readable(p, f->l4 + sizeof(struct udp_header) + 8) ||
	    !shared_key_of(p, f, &key))
		return own;
	r = record_at(table_search(&key));
	if (!r)
		return own;
	index = r->shared.session;
	if (own != NO_RECORD && index != own)
		return own;
	r->shared.last_seen = clock_ticks(c);
	reply = record_at(index);
	if (!reply || record_state(reply) != SLOT_LIVE || reply->key.kind != KIND_SESSION_REPLY ||
	    reply->key.remote != f->source || reply->session.new_local != r->shared.inside)
		return NO_RECORD;
	if (key.id_type == ID_TUNNEL && r->shared.new_id)
		tunnel_id_rewrite(p, f->l4, r->shared.new_id);
	return index;
}

#endif
