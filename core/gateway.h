/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gateway's two ways, outbound (from a LAN) and inbound (from the WAN):
 * parse, find the session, check, rewrite; a miss makes the session where the
 * rules allow it.
 *
 * Theory of operation. A hit is all inlined and reads two records at most. All
 * that is rare is a function of its own. The packet is changed, and anything of
 * it is noted, only after every check, so a verdict other than FORWARD, CUT or
 * HAIRPIN leaves it as it arrived: XDP can still leave it to TC, the stack can
 * still answer it, and the daemon can still hand it in again.
 *
 * Context: XDP, TC, memory.
 */
#ifndef WAYLEAVE_CORE_GATEWAY_H
#define WAYLEAVE_CORE_GATEWAY_H

#include "core/begin.h"
#include "core/fragment.h"
#include "core/icmp_error.h"
#include "core/mss.h"
#include "core/parse.h"
#include "core/shared.h"
#include "core/study.h"

/* How the packet came here. */
enum origin {
	ORIGIN_WIRE,
	ORIGIN_DAEMON, /* handed in again: is not handed out a second time */
	ORIGIN_TURNED, /* hairpinned, inbound now: @as is the record that translated it outbound */
	ORIGIN_TURNED_DAEMON, /* the same, handed in again */
};

static __always_inline bool is_from_daemon(enum origin origin)
{
	return origin == ORIGIN_DAEMON || origin == ORIGIN_TURNED_DAEMON;
}

/* --- hits ------------------------------------------------------------------------- */

/*
 * Would the kernel, given an outbound packet of the session, tell its sender @mtu? Not
 * where it has learned less of the path, which is not the sender's affair, or where it does
 * not say: then the daemon tells. A dead one tells nobody, and the kernel at least may.
 */
SEPARATE __u32 BACKEND_NAME(stack_tells)(packet_context *context, __u32 base, __u32 ifindex,
					 __u32 record, __u32 mtu)
{
	struct packet p = {.context = context, .base = base, .ifindex = ifindex};
	const struct config *c = config_get();
	const struct record *r = record_at(record);
	struct query q;

	if (!c || !r || !daemon_lives(c))
		return true;
	session_query(&p, &q, r, true);
	return stack_mtu(&p, &q) == mtu;
}

/*
 * What is longer than its next hop's MTU, @mtu, and may be cut, is cut; the rest is an
 * error. What the daemon hands in again cannot go up the stack.
 */
static __always_inline verdict_t too_big(struct packet *p, const struct facts *f,
					 const struct record *r, bool out, enum origin origin,
					 __u32 mtu)
{
	if (!BACKEND_FINISHES)
		return leave();
	if (!dont_fragment(f))
		return 0;
	if (!out)
		return verdict(ACTION_PUNT, REASON_too_big_inbound, NO_RECORD);
	if (origin == ORIGIN_WIRE &&
	    BACKEND_NAME(stack_tells)(p->context, p->base, p->ifindex, table_index(r), mtu))
		return to_stack(REASON_too_big_outbound);
	return verdict(ACTION_PUNT, REASON_too_big_outbound, NO_RECORD);
}

/* Answers an enum reason. */
SEPARATE __u32 BACKEND_NAME(session_reroute_at)(packet_context *context, __u32 base, __u32 ifindex,
						__u32 record, __u32 out)
{
	struct packet p = {.context = context, .base = base, .ifindex = ifindex};
	const struct config *c = config_get();
	struct record *r = record_at(record);

	if (interface_is_elsewhere(ifindex))
		return REASON_interface_elsewhere;
	return c && r ? session_reroute(&p, c, r, out) : REASON_no_route;
}

/* Of a stranger's packet the session keeps nothing. */
static __always_inline verdict_t reroute(struct packet *p, const struct config *c, struct record *r,
					 bool out)
{
	enum reason reason;

	if (unlikely(is_strangers(p, c, r, out)))
		return drop(REASON_spoofed_source);
	reason = BACKEND_NAME(session_reroute_at)(p->context, p->base, p->ifindex, table_index(r),
						  out);
	if (likely(reason == REASON_forwarded))
		return 0;
	return reason == REASON_no_route || reason == REASON_interface_elsewhere ? to_stack(reason)
										 : drop(reason);
}

/* RFC 4303 section 3.3.3: on a bound SPI that is the beginning of another SA with the same SPI. */
static __always_inline bool esp_begins(struct packet *p, const struct facts *f)
{
	const __be32 *sequence = packet_at(p, f->l4 + 4, 4);

	return sequence && *sequence == host_to_be32(1);
}

/* RFC 2661 section 3.1: the T bit tells control messages from data on the same port. */
SEPARATE __u32 BACKEND_NAME(is_l2tp_control)(packet_context *context, __u32 base, __u32 l4)
{
	struct packet p = {.context = context, .base = base};
	const __u8 *flags = packet_at(&p, l4 + sizeof(struct udp_header), 1);

	return flags && *flags & 0x80;
}

/* Which packets of a watched session: of tunnels that carry data too only some. */
static __always_inline bool is_watched_packet(struct packet *p, const struct facts *f,
					      const struct record *r)
{
	if (f->protocol == PROTOCOL_ESP)
		return esp_begins(p, f);
	return r->session.class != CLASS_L2TP || f->protocol != PROTOCOL_UDP ||
	       BACKEND_NAME(is_l2tp_control)(p->context, p->base, f->l4);
}

/*
 * RFC 2637: the helper follows the control connection's stream, its acknowledgments
 * too. All else is only looked at: while the daemon is dead it goes on.
 */
static __always_inline enum reason daemon_reads(struct packet *p, const struct config *c,
						const struct facts *f, const struct record *r)
{
	if (r->session.flags & SESSION_HELPER)
		return REASON_to_helper;
	if (!is_watched_packet(p, f, r) || !daemon_lives(c))
		return REASON_forwarded;
	return f->protocol == PROTOCOL_ESP ? REASON_to_pairing : REASON_to_watch;
}

static __always_inline bool is_read(const struct record *r, enum origin origin)
{
	return r->session.flags & (SESSION_HELPER | SESSION_WATCHED) && !is_from_daemon(origin);
}

/* The state, and with a SYN that counts the mark of a connection of its own. */
static __always_inline void session_tcp_follow(const struct facts *f, const struct tcp_header *tcp,
					       struct record *r, struct record *partner,
					       bool from_remote, __u32 now)
{
	__u8 state = r->session.tcp_state;

	if (tcp_is_opening(state) && !tcp_is_opener(state, from_remote) &&
	    !(tcp->flags & TCP_RST) && !tcp_answers(&partner->session, tcp))
		return;
	session_follow_tcp(r, f->tcp_flags, from_remote, now);
	if (!(tcp->flags & TCP_SYN) ||
	    !(tcp_is_opening(state) || tcp_is_opening(r->session.tcp_state)))
		return;
	r->session.tcp_next = tcp_end(f, tcp);
	if (tcp_is_opener(r->session.tcp_state, from_remote))
		partner->session.tcp_next = 0;
}

/* SYN, FIN, RST and the first segment after them: the state, and the segment size. */
static __always_inline void session_tcp_event(struct packet *p, const struct facts *f,
					      const struct tcp_header *tcp, struct record *r,
					      bool out, __u32 now)
{
	struct record *partner = record_at(r->partner);

	if (!partner || !tcp_is_believed(r, partner, tcp)) {
		count(tcp->flags & TCP_RST ? REASON_rst_out_of_sequence
					   : REASON_fin_out_of_sequence,
		      f->length);
		return;
	}
	session_tcp_follow(f, tcp, r, partner, !out, now);
	if (f->tcp_flags & TCP_SYN && BACKEND_NAME(mss_lower)(p->context, p->base, f->l4))
		count(REASON_mss_clamped, f->length);
}

static __always_inline void session_tcp(struct packet *p, const struct facts *f, struct record *r,
					bool out, __u32 now)
{
	const struct tcp_header *tcp = packet_at(p, f->l4, sizeof(*tcp));

	if (!tcp)
		return;
	if (!(f->tcp_flags & TCP_RST)) /* or a forged one would be in sequence the second time */
		session_note_sequence(r, f, tcp);
	if (unlikely(tcp_is_event(r->session.tcp_state, f->tcp_flags, !out)))
		session_tcp_event(p, f, tcp, r, out, now);
}

/* The mapping or forward of one of a reply's two external ends, if it is still @inside's. */
static __always_inline const struct record *end_of(const struct record *reply, __be16 id,
						   __be32 inside)
{
	const struct record *external;
	struct record_key key;

	mapping_external_key(&key, reply->key.protocol, reply->key.local, id);
	if (reply->key.id_type != ID_PORTS) {
		key.id = 0;
		key.id_type = ID_NONE;
	}
	external = record_at(table_search(&key));
	return external && external->mapping.new_local == inside ? external : NULL;
}

/*
 * A silent session's remote comes again: as with no session, if the mapping
 * would let it begin. Answers whether it may pass.
 */
SEPARATE __u32 inbound_revive(__u32 session, __u32 tcp_flags)
{
	const struct config *c = config_get();
	struct record *r = record_at(session);
	const struct record *external;

	if (!c || !r || r->session.flags & SESSION_LOCAL)
		return false;
	/* a forward may have taken meanwhile what was another host's */
	external = end_of(r, r->key.local_id, r->session.new_local);
	if (!external)
		return false;
	if (!mapping_admits(c, external, r->key.remote, clock_ticks(c)) && /* is_own_mapping() */
	    !(r->session.flags & SESSION_HAIRPIN &&
	      end_of(r, r->key.remote_id, r->session.new_local)))
		return false;
	if (r->key.protocol != PROTOCOL_TCP)
		return true;
	if ((tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return false;
	session_set_tcp(r, TCP_NONE); /* the SYN itself is followed by the caller */
	return true;
}

/* What stands against a hit, or nothing (0). */
static __always_inline verdict_t session_objects(struct packet *p, const struct config *c,
						 const struct facts *f, struct record *r, bool out,
						 enum origin origin, __u32 now)
{
	verdict_t objection;
	enum reason reason;

	if (unlikely(!out && session_expired(c, r, now)) &&
	    !inbound_revive(table_index(r), f->tcp_flags))
		return drop(REASON_session_expired);
	if (unlikely(!out && r->session.flags & SESSION_LOCAL))
		return to_stack(REASON_local_flow);
	/* silently: an ICMP error would make the client hang up, and the tunnel shall go on */
	if (unlikely(is_blocked(c, r->session.class)))
		return drop(blocked_reason(r->session.class));
	if (unlikely(r->session.flags & SESSION_HAIRPIN && !out && p->ifindex == c->wan_ifindex))
		return drop(REASON_martian_source); /* our own address, from outside */
	if (unlikely(r->session.route_generation != route_stamp(c, out ? p->ifindex : 0))) {
		objection = reroute(p, c, r, out);
		if (objection)
			return objection;
	}
	if (is_read(r, origin) && has_transport(f)) {
		reason = daemon_reads(p, c, f, r);
		if (unlikely(reason != REASON_forwarded))
			return verdict(ACTION_PUNT, reason, table_index(r));
	}
	if (unlikely(f->ttl <= 1))
		return ttl_exceeded(out);
	return 0;
}

/* The packet goes out for certain: what is kept of it. */
static __always_inline void session_went(struct packet *p, const struct facts *f, struct record *r,
					 bool out, __u32 now)
{
	if (!out)
		session_note_reply(r);
	if (f->protocol == PROTOCOL_TCP)
		session_tcp(p, f, r, out, now);
	/* RFC 7857 section 7.1: a reset may be the answer to a stranger */
	if (unlikely(out && is_new_era(&r->session, now)) && !(f->tcp_flags & TCP_RST))
		mapping_touch(r->partner);
	if (unlikely(wants_study(&r->session)) && has_transport(f))
		BACKEND_NAME(session_study)(p->context, p->base, f->l4, f->length, table_index(r));
	session_account(&r->session, f, now);
}

/* An answer to the gateway itself, which its stack gets as it is. */
static __always_inline verdict_t local_pass(const struct facts *f, const struct facts *piece,
					    struct record *r, __u32 now)
{
	verdict_t v;

	if (BACKEND_FINISHES && is_fragment(f)) {
		v = fragment_pass(piece, DIRECTION_IN, table_index(r));
		if (verdict_action(v) != ACTION_FORWARD)
			return v;
	}
	session_account(&r->session, f, now);
	return to_stack(REASON_local_flow);
}

/* @piece: of a piece its facts once more, but in memory. */
static __always_inline verdict_t session_pass(struct packet *p, const struct config *c,
					      const struct facts *f, const struct facts *piece,
					      struct record *r, enum direction direction,
					      enum origin origin)
{
	bool out = direction == DIRECTION_OUT;
	bool hairpin = out && r->session.flags & SESSION_HAIRPIN;
	__u32 now = clock_ticks(c);
	const struct next_hop *hop;
	verdict_t v, done;

	v = session_objects(p, c, f, r, out, origin, now);
	if (unlikely(v))
		return verdict_reason(v) == REASON_local_flow ? local_pass(f, piece, r, now) : v;
	done = verdict(ACTION_FORWARD, REASON_forwarded, r->session.next_hop);
	if (unlikely(hairpin)) {
		if (!BACKEND_FINISHES)
			return leave();
		done = verdict(ACTION_HAIRPIN, REASON_forwarded, table_index(r));
	} else {
		hop = next_hop_at(verdict_index(done));
		if (unlikely(!hop || !hop->ifindex))
			return to_stack(REASON_no_route);
		if (!next_hop_usable(hop))
			return leave();
		if (unlikely(packet_segment_length(p) > hop->mtu)) {
			v = too_big(p, f, r, out, origin, hop->mtu);
			if (v)
				return v;
			done = verdict(ACTION_CUT, REASON_forwarded, verdict_index(done));
		}
	}
	if (BACKEND_FINISHES && unlikely(is_fragment(f))) {
		v = fragment_pass(piece, direction, table_index(r));
		if (verdict_action(v) != ACTION_FORWARD)
			return v;
		if (out)
			fragment_rewrite_id(p, verdict_index(v));
	}
	session_went(p, f, r, out, now);
	/* a hairpinned packet passes one router, not two */
	if (!rewrite(p, f, r, out, !hairpin))
		return drop(REASON_malformed_ip);
	return done;
}

/* --- the two ways ---------------------------------------------------------------------------- */

/*
 * To all on the link, which the gateway is one of: its programs answer the
 * source, so that has to be on this link too (RFC 2827). Who has no address yet
 * sends from 0.0.0.0 or RFC 3927's, which are nobody's anywhere else.
 */
static __always_inline verdict_t link_speaks(struct packet *p, __be32 source)
{
	if (!source || is_link_local(source) ||
	    BACKEND_NAME(route_back)(p->context, p->ifindex, source) == p->ifindex)
		return to_stack(REASON_to_gateway);
	return drop(REASON_spoofed_source);
}

static __always_inline verdict_t begin(struct packet *p, const struct config *c, struct facts *f,
				       enum direction direction)
{
	if (direction == DIRECTION_IN)
		return inbound_begin(p, c, f);
	if (is_multicast_or_broadcast(f->destination))
		return link_speaks(p, f->source);
	return outbound_begin(p, c, f);
}

/* Which of several sockets behind one port; @spare: as for begin(). */
static __always_inline verdict_t shared_pick(struct packet *p, const struct config *c,
					     const struct facts *f, struct facts *spare,
					     struct record **r)
{
	__u32 index = (*r)->session.flags & SESSION_STATIC ? NO_RECORD : table_index(*r);

	if (!BACKEND_FINISHES)
		return leave();
	facts_copy(spare, f);
	index = BACKEND_NAME(shared_find)(p->context, p->base, spare, index);
	*r = record_at(index);
	if (*r)
		return 0;
	return daemon_lives(c) ? verdict(ACTION_PUNT, REASON_to_pairing, NO_RECORD)
			       : drop(REASON_tunnel_unknown);
}

/* The session of a whole packet or first piece, made where there is none; else the verdict. */
static __always_inline verdict_t find_or_begin(struct packet *p, const struct config *c,
					       const struct facts *f, struct facts *spare,
					       enum direction direction, struct record **r)
{
	verdict_t v;

	*r = session_find(c, f, direction);
	if (unlikely(*r && direction == DIRECTION_IN && (*r)->session.flags & SESSION_SHARED))
		return shared_pick(p, c, f, spare, r);
	if (likely(*r))
		return 0;
	facts_copy(spare, f);
	spare->tos = packet_tos(p);
	v = begin(p, c, spare, direction);
	if (verdict_action(v) != ACTION_FORWARD)
		return v;
	*r = record_at(verdict_index(v));
	return *r ? 0 : drop(REASON_insert_race);
}

/* The daemon's choice, if it is still there and fits the packet. */
static __always_inline verdict_t session_given(const struct facts *f, __u32 index,
					       struct record **r)
{
	*r = record_at(index);
	if (!*r || record_state(*r) != SLOT_LIVE || (*r)->key.kind != KIND_SESSION_REPLY ||
	    (*r)->key.remote != f->source || (*r)->key.protocol != f->protocol)
		return drop(REASON_slow_path_stale);
	return 0;
}

/*
 * 0: @r is the session of a piece; else why it goes no further. @r: of a first piece its
 * session already, of a later one NULL.
 */
static __always_inline verdict_t find_for_piece(struct packet *p, const struct facts *f,
						enum direction direction, struct record **r)
{
	verdict_t v;

	if (*r) /* the helper reads whole segments only */
		return (*r)->session.flags & SESSION_HELPER ? drop(REASON_fragment_control) : 0;
	v = BACKEND_NAME(fragment_later)(p->context, p->base, p->ifindex, f, direction);
	if (verdict_action(v) != ACTION_FORWARD)
		return v;
	*r = record_at(verdict_index(v));
	return *r && is_session_of(*r, f, direction == DIRECTION_OUT)
		       ? 0
		       : drop(REASON_slow_path_stale);
}

static __always_inline bool is_turned(enum origin origin)
{
	return origin == ORIGIN_TURNED || origin == ORIGIN_TURNED_DAEMON;
}

/* The inside host whose packet a record has translated outbound; 0: it is over. */
static __always_inline __be32 sender_of(__u32 record)
{
	const struct record *r = record_at(record);

	if (!r || record_state(r) != SLOT_LIVE)
		return 0;
	if (r->key.kind == KIND_FRAGMENT) /* a piece that was held on its way inbound */
		return r->key.remote;
	return r->key.kind == KIND_SESSION_ORIG || r->key.kind == KIND_QUOTED ? r->key.local : 0;
}

/* What the daemon has decided it is not asked again, or the two would play ball for ever. */
static __always_inline bool is_decision(enum origin origin, enum reason reason)
{
	return is_from_daemon(origin) && (reason == REASON_to_pairing || reason == REASON_to_watch);
}

static __always_inline bool is_local_piece(const struct config *c, const struct facts *f,
					   enum direction direction, verdict_t v)
{
	return direction == DIRECTION_OUT && f->destination == c->external &&
	       verdict_action(v) == ACTION_STACK && verdict_reason(v) == REASON_to_gateway;
}

/*
 * @as: NO_RECORD, or the reply that the daemon has chosen for what it hands in; of a
 * hairpin that comes inbound the record that translated it outbound.
 */
static __always_inline verdict_t gateway(struct packet *p, enum direction direction,
					 enum origin origin, __u32 as)
{
	const struct config *c = config_get();
	struct record *r = NULL;
	enum reason reason;
	verdict_t v = 0;
	struct facts f, spare; /* of f no pointer is kept: it lives in registers */

	if (!c)
		return drop(REASON_no_wan_address);
	reason = parse_packet(p, &f, &spare);
	if (unlikely(reason != REASON_forwarded))
		return drop(reason);
	f.asked = is_from_daemon(origin);
	if (unlikely(is_turned(origin))) {
		f.hairpin = true;
		f.source = sender_of(as);
		if (!f.source)
			return drop(REASON_slow_path_stale);
	}
	if (unlikely(f.icmp_error))
		goto icmp_error;
	if (unlikely(is_fragment(&f)) && !BACKEND_FINISHES)
		return leave();
	if (unlikely(as != NO_RECORD && !is_turned(origin)))
		v = session_given(&f, as, &r);
	else if (likely(has_transport(&f)))
		v = find_or_begin(p, c, &f, &spare, direction, &r);
	if (unlikely(is_fragment(&f))) {
		facts_copy(&spare, &f);
		if (!v)
			v = find_for_piece(p, &spare, direction, &r);
		if (is_local_piece(c, &spare, direction, v))
			fragment_local(&spare);
	}
	if (unlikely(verdict_action(v) == ACTION_PUNT && is_decision(origin, verdict_reason(v))))
		return drop(REASON_slow_path_stale);
	if (v || !r)
		return v;
	return session_pass(p, c, &f, &spare, r, direction, origin);
icmp_error:
	facts_copy(&spare, &f);
	return BACKEND_NAME(icmp_error_pass)(p->context, p->base, p->ifindex, &spare, direction);
}

/* From a LAN interface. */
static __always_inline verdict_t outbound(struct packet *p, enum origin origin)
{
	return gateway(p, DIRECTION_OUT, origin, NO_RECORD);
}

/* From the WAN, or hairpinned. */
static __always_inline verdict_t inbound(struct packet *p, enum origin origin)
{
	return gateway(p, DIRECTION_IN, origin, NO_RECORD);
}

#endif
