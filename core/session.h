/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions: a flow within a mapping, one record per direction. Both halves
 * name each other as partner; each has what a hit in its direction needs.
 *
 * A session is silent when neither half was hit for its timer. Deadlines are
 * checked at the hit, so that nothing depends on a sweeper being alive.
 */
#ifndef WAYLEAVE_CORE_SESSION_H
#define WAYLEAVE_CORE_SESSION_H

#include "core/claim.h"
#include "core/contact.h"
#include "core/station.h"
#include "core/keyed.h"
#include "core/mapping.h"
#include "core/question.h"
#include "core/shared_words.h"
#include "core/known_route.h"
#include "core/tcp_state.h"

enum direction { DIRECTION_OUT, DIRECTION_IN };

/* Our side's port, identifier or call id. */
static __always_inline __be16 local_id(const struct facts *f, enum direction direction)
{
	if (direction == DIRECTION_OUT && f->protocol != PROTOCOL_ICMP)
		return f->source_id;
	return f->destination_id;
}

/* ICMP: requests go out and answers come in; the other way round there are no sessions. */
static __always_inline bool is_wanted_query(const struct facts *f, enum direction direction)
{
	return f->protocol != PROTOCOL_ICMP ||
	       (f->source_id == ICMP_IS_ANSWER) == (direction == DIRECTION_IN);
}

/* The id word of a key: remote id and local id, or what the receiver chose. */
static __always_inline __u32 session_id_word(const struct facts *f, enum direction direction)
{
	bool out = direction == DIRECTION_OUT;

	if (f->id_type == ID_SPI || f->id_type == ID_KEY || f->id_type >= ID_SESSION)
		return f->spi;
	if (f->id_type == ID_NONE)
		return 0;
	if (f->id_type == ID_CALL)
		return id_word(0, f->destination_id);
	if (f->protocol == PROTOCOL_ICMP)
		return id_word(!is_wanted_query(f, direction), f->destination_id);
	return out ? id_word(f->destination_id, f->source_id)
		   : id_word(f->source_id, f->destination_id);
}

/*
 * By whom a reply is looked up. Of hairpins both ends have our external address. Ports
 * and call ids are ours and tell them apart; other ids are the inside hosts' own
 * and may be equal, so there the other end is the inside host itself.
 */
static __always_inline __be32 reply_remote(const struct facts *f)
{
	return f->hairpin && (f->id_type == ID_PORTS || f->id_type == ID_CALL) ? f->destination
									       : f->source;
}

/* The key of a packet's own direction. */
static __always_inline void session_key(struct record_key *key, const struct facts *f,
					enum direction direction)
{
	bool out = direction == DIRECTION_OUT;

	key_set(key, out ? f->destination : reply_remote(f), out ? f->source : f->destination,
		session_id_word(f, direction), f->protocol,
		out ? KIND_SESSION_ORIG : KIND_SESSION_REPLY, f->id_type);
}

/* A protocol without ids that arrives here is an inside server's. */
static __always_inline bool is_forwarded_whole(__u8 protocol, __be32 external)
{
	struct record_key key;

	mapping_external_key(&key, protocol, external, 0);
	key.id_type = ID_NONE;
	return table_search(&key) != NO_RECORD;
}

static __always_inline bool is_silent(const struct config *c, const struct session *s, __u32 now)
{
	return ticks_since(now, READ_ONCE(s->last_seen)) >
	       c->timeouts[s->timeout & (TIMEOUT_SLOTS - 1)];
}

/* Both directions silent: nobody answers for this session any more. */
static __always_inline bool session_expired(const struct config *c, const struct record *r,
					    __u32 now)
{
	const struct record *partner;

	if (likely(!is_silent(c, &r->session, now)))
		return false;
	if (r->session.flags & SESSION_STATIC)
		return false;
	partner = record_at(r->partner);
	return !partner || is_silent(c, &partner->session, now);
}

/*
 * With pairing alone the daemon says whose a tunnel is. Not of a hairpin, and not of
 * what comes to an inside server from a remote that no client speaks with.
 */
static __always_inline bool is_for_pairing(const struct config *c, __be32 remote, __be32 local,
					   __u8 protocol, __u8 kind)
{
	if (remote == c->external)
		return false;
	return kind != KIND_SESSION_REPLY || !is_forwarded_whole(protocol, local) ||
	       claim_search(protocol, local, remote) != NO_RECORD;
}

/* Index of the session that has @protocol with @remote to itself, or NO_RECORD. */
SEPARATE __u32 session_alone(__be32 remote, __be32 local, __u8 protocol, __u8 kind, __u8 id_type)
{
	const struct config *c = config_get();
	const struct record *r;
	struct record_key key;
	__u32 index;

	if (!c)
		return NO_RECORD;
	key_set(&key, remote, local, 0, protocol, kind, ID_NONE);
	index = table_search(&key);
	r = record_at(index);
	if (r && r->session.flags & SESSION_LOCAL && !session_expired(c, r, clock_ticks(c)))
		return index; /* the gateway's own: no switch concerns it */
	/* RFC 2637: no call, no data; switched off it is not GRE version 0's either */
	if (id_type == ID_CALL && (c->assisted | c->blocked) >> CLASS_PPTP & 1)
		return NO_RECORD;
	if (is_paired(c, id_type) && is_for_pairing(c, remote, local, protocol, kind))
		return NO_RECORD;
	if (id_type == ID_KEY && r)
		return NO_RECORD; /* RFC 2890: a key is a flow of its own */
	return index;
}

/* Is @key, of an inbound half, an own flow of the gateway's, and a live one? */
SEPARATE __u32 is_own_flow(const struct record_key *key)
{
	const struct config *c = config_get();
	const struct record *r;

	if (!key || !c)
		return false;
	r = record_at(table_search(key));
	return r && r->session.flags & SESSION_LOCAL && !session_expired(c, r, clock_ticks(c));
}

/*
 * Has the gateway itself ESP with @remote? Then an SPI that nobody knows is the
 * gateway's, and the pairing would see none of an inside host's.
 */
SEPARATE __u32 has_own_esp(__be32 remote)
{
	const struct config *c = config_get();
	struct record_key key;

	if (!c)
		return false;
	key_set(&key, remote, c->external, 0, PROTOCOL_ESP, KIND_SESSION_REPLY, ID_NONE);
	return is_own_flow(&key);
}

/* What needs no pairing, or has been through it, is looked up as without. */
static __always_inline __u8 unpaired_id_type(const struct facts *f)
{
	return f->id_type == ID_SPI && (f->hairpin || f->asked) ? ID_NONE : f->id_type;
}

/*
 * The session of a packet. Protocols whose ids the receiver chooses fall back
 * on the session that has the protocol with this remote to itself.
 */
static __always_inline struct record *session_find(const struct config *c, const struct facts *f,
						   enum direction direction)
{
	struct record_key key;
	struct record *r;

	session_key(&key, f, direction);
	r = table_find(c, &key);
	if (likely(r) || f->id_type == ID_PORTS || f->id_type == ID_NONE)
		return r;
	return record_at(session_alone(direction == DIRECTION_IN ? f->source : f->destination,
				       key.local, f->protocol, key.kind, unpaired_id_type(f)));
}

/* What is needed to make both halves. Addresses and ids in network order. */
struct session_plan {
	struct record_key orig, reply;
	__be16 inside_id, external_id;
	__u16 next_hop_out, next_hop_in;
	__u8 class, flags, tcp_state, timeout;
	bool inbound; /* the remote begins it */
	__u32 now;
	/* out */
	__u32 orig_index, reply_index;
	bool made; /* by us; else another processor has made it since it was looked for */
};

/*
 * What a half of a session was last checked against, in one word: the routes of
 * this generation and, outbound, the interface that its inside host comes in by.
 * The comparison at each hit is one for both: a neighbour on another LAN that
 * borrows the host's address and ports (RFC 2827) is noticed as a change of
 * routes is, and session_reroute() looks again. @ifindex: 0 for inbound halves.
 */
static __always_inline __u16 route_stamp(const struct config *c, __u32 ifindex)
{
	return c->route_generation + (ifindex * 0x9e3779b1u >> 16);
}

/*
 * The stamp of a new half. The inside host comes in by the interface that its answers
 * leave by: who made the plan has seen to it.
 */
static __always_inline __u16 plan_stamp(const struct config *c, const struct session_plan *plan,
					bool out)
{
	const struct next_hop *inside = next_hop_at(plan->next_hop_in);

	return route_stamp(c, out && inside ? inside->ifindex : 0);
}

/* Fills the claimed half of @plan that @out says. */
SEPARATE __u32 session_fill(const struct session_plan *plan, __u32 out)
{
	const struct config *c = config_get();
	struct record *r;

	if (!plan || !c)
		return false;
	r = record_at(out ? plan->orig_index : plan->reply_index);
	if (!r)
		return false;
	r->session = (struct session){
		.new_local = out ? plan->reply.local : plan->orig.local,
		.new_id = out ? plan->external_id : plan->inside_id,
		.next_hop = out ? plan->next_hop_out : plan->next_hop_in,
		.class = plan->class,
		.inbound = plan->inbound,
		.timeout = plan->timeout,
		.tcp_state = plan->tcp_state,
		.flags = plan->flags,
		.route_generation = plan_stamp(c, plan, out),
		.last_seen = plan->now,
		.created = plan->now,
	};
	r->session.address_delta = delta_of_32(r->key.local, r->session.new_local);
	r->partner = out ? plan->reply_index : plan->orig_index;
	return true;
}

/* The session's halves are claimed: filled, and shown. */
static __always_inline void session_show(const struct session_plan *plan, struct record *orig,
					 struct record *reply)
{
	session_fill(plan, true);
	session_fill(plan, false);
	table_publish(reply);
	table_publish(orig);
}

/*
 * The session that another processor makes, into @plan. Else an enum reason:
 * server_taken when the inbound half is another host's.
 */
SEPARATE __u32 session_await(struct session_plan *plan)
{
	const struct record *reply, *orig;

	if (!plan)
		return REASON_insert_race;
	plan->reply_index = await_here(&plan->reply);
	reply = record_at(plan->reply_index);
	if (!reply)
		return REASON_insert_race;
	if (reply->session.new_local != plan->orig.local)
		return REASON_server_taken;
	orig = record_at(reply->partner);
	if (!orig || record_state(orig) < SLOT_CLAIMED || record_state(orig) > SLOT_LIVE)
		return REASON_insert_race; /* a single half: nobody makes the other one */
	plan->orig_index = await_here(&plan->orig);
	return plan->orig_index == NO_RECORD ? REASON_insert_race : REASON_forwarded;
}

/* The session of @plan: both halves, made by us or by another processor; or none. */
static __always_inline MUST_CHECK struct outcome session_add(struct session_plan *plan)
{
	struct record *orig, *reply;
	enum claim_result result;

	plan->made = false;
	result = table_claim(&plan->reply, &plan->reply_index);
	if (result == CLAIM_EXISTS)
		return outcome_of(session_await(plan));
	reply = result == CLAIM_OK ? record_at(plan->reply_index) : NULL;
	if (!reply)
		return outcome_of(REASON_table_full);
	result = table_claim(&plan->orig, &plan->orig_index);
	orig = result == CLAIM_OK ? record_at(plan->orig_index) : NULL;
	if (!orig) {
		table_give_up(plan->reply_index);
		return outcome_of(result == CLAIM_EXISTS ? REASON_insert_race : REASON_table_full);
	}
	session_show(plan, orig, reply);
	plan->made = true;
	return outcome_of(REASON_forwarded);
}

/* RFC 7857 section 7.1: a reset keeps nothing alive. */
static __always_inline void session_account(struct session *s, const struct facts *f, __u32 now)
{
	if (f->protocol == PROTOCOL_TCP)
		s->tcp_packets++;
	else
		s->packets++;
	s->bytes += f->length;
	if (likely(!(f->tcp_flags & TCP_RST)))
		s->last_seen = now;
}

static __always_inline __u64 session_packets(const struct record *r)
{
	return r->key.protocol == PROTOCOL_TCP ? r->session.tcp_packets : r->session.packets;
}

/* The state lives in both halves; segments that change it are rare. */
static __always_inline void session_set_tcp(struct record *r, __u8 next)
{
	struct record *partner = record_at(r->partner);

	r->session.tcp_state = next;
	r->session.timeout = tcp_timeout(next);
	if (!partner)
		return;
	partner->session.tcp_state = next;
	partner->session.timeout = tcp_timeout(next);
}

/* The sequence number behind a segment (RFC 9293 section 3.4): SYN and FIN count as bytes. */
static __always_inline __u32 tcp_end(const struct facts *f, const struct tcp_header *tcp)
{
	__u32 payload = f->length - f->l4 - (tcp->offset >> 4) * 4;

	return be32_to_host(tcp->sequence) + payload + !!(tcp->flags & TCP_SYN) +
	       !!(tcp->flags & TCP_FIN);
}

/*
 * How far from the mark a segment may begin (what was lost before it came to
 * us), and how much the other side may have sent that this one does not
 * acknowledge yet. Bytes.
 */
#define TCP_HOLE_MAX   (1u << 20)
#define TCP_FLIGHT_MAX (1u << 24)

/*
 * Does a segment that is not the next one belong to the connection? Who cannot
 * see the connection has to guess both of its numbers (RFC 5961 section 5.2).
 * @other: the direction whose bytes it acknowledges.
 */
static __always_inline bool tcp_belongs(const struct session *s, const struct session *other,
					__u32 sequence, __u32 acknowledgment, __u32 flags)
{
	if (!(flags & TCP_ACK))
		return flags & TCP_SYN && !s->tcp_next && !other->tcp_next;
	if (other->tcp_next && other->tcp_next - acknowledgment > TCP_FLIGHT_MAX)
		return false;
	return !s->tcp_next || sequence - s->tcp_next <= TCP_HOLE_MAX ||
	       s->tcp_next - sequence <= TCP_HOLE_MAX;
}

/* Moves the mark over a hole, if the segment belongs here. @partner: the other half. */
SEPARATE __u32 session_jump(__u32 partner, __u32 sequence, __u32 end, __u32 acknowledgment,
			    __u32 flags)
{
	const struct record *other = record_at(partner);
	struct record *r;

	if (!other)
		return false;
	r = record_at(other->partner);
	if (!r || !tcp_belongs(&r->session, &other->session, sequence, acknowledgment, flags))
		return false;
	r->session.tcp_next = end;
	return true;
}

/*
 * The highest end that has passed; retransmissions do not lower it. A forged
 * segment must not move it, or the forger's reset behind it would be exact.
 */
static __always_inline void session_note_sequence(struct record *r, const struct facts *f,
						  const struct tcp_header *tcp)
{
	__u32 sequence = be32_to_host(tcp->sequence), end = tcp_end(f, tcp);

	if (likely(sequence == r->session.tcp_next))
		r->session.tcp_next = end;
	else if (!r->session.tcp_next || (__s32)(end - r->session.tcp_next) > 0)
		session_jump(r->partner, sequence, end, be32_to_host(tcp->acknowledgment),
			     f->tcp_flags);
}

/*
 * RFC 5961 section 3.2, RFC 7857 section 2.2: a reset counts only exactly in
 * sequence, so that one who guesses ports cannot end sessions. The refusal of
 * a connection has no sequence of its own: it acknowledges the SYN.
 */
static __always_inline bool tcp_reset_is_exact(const struct record *r, const struct record *partner,
					       const struct tcp_header *tcp)
{
	if (r->session.tcp_next)
		return be32_to_host(tcp->sequence) == r->session.tcp_next;
	return tcp->flags & TCP_ACK && partner->session.tcp_next &&
	       be32_to_host(tcp->acknowledgment) == partner->session.tcp_next;
}

/* Is what a segment's flags say to be believed? RFC 5382 section 9: not of a forged one. */
static __always_inline bool tcp_is_believed(const struct record *r, const struct record *partner,
					    const struct tcp_header *tcp)
{
	if (tcp->flags & TCP_RST)
		return tcp_reset_is_exact(r, partner, tcp);
	return !(tcp->flags & TCP_FIN) ||
	       tcp_belongs(&r->session, &partner->session, be32_to_host(tcp->sequence),
			   be32_to_host(tcp->acknowledgment), tcp->flags);
}

#define TCP_ANSWER_MAX 0xffff /* bytes sent with and behind a SYN before it is answered */

/*
 * Does the segment that answers a SYN acknowledge it? Who cannot see the SYN has to
 * guess. @other: the direction that the SYN went.
 */
static __always_inline bool tcp_answers(const struct session *other, const struct tcp_header *tcp)
{
	return tcp->flags & TCP_ACK && other->tcp_next &&
	       other->tcp_next - be32_to_host(tcp->acknowledgment) <= TCP_ANSWER_MAX;
}

/* A reset refreshes nothing, but from it on the new state's timer counts. */
static __always_inline void session_follow_tcp(struct record *r, __u8 flags, bool from_remote,
					       __u32 now)
{
	__u8 next = tcp_next(r->session.tcp_state, tcp_event_of(flags), from_remote);

	if (next == r->session.tcp_state)
		return;
	session_set_tcp(r, next);
	if (flags & TCP_RST)
		r->session.last_seen = now;
}

/*
 * Has the clock passed a mark, some seconds apart, since the session was hit?
 * Then its mapping is told that it is in use; a hit leaves it alone otherwise.
 */
#define ERA_SHIFT 12 /* ticks: 4 s at 1000 a second, 41 s at 100 */

static __always_inline bool is_new_era(const struct session *s, __u32 now)
{
	return (now ^ s->last_seen) >> ERA_SHIFT;
}

/* The inside has just sent: @session is the half whose local id is the external one. */
SEPARATE __u32 mapping_touch(__u32 session)
{
	const struct config *c = config_get();
	const struct record *r = record_at(session);
	struct record *external;
	struct record_key key;
	__u32 index;

	if (!c || !r)
		return 0;
	contact_note(r->key.remote);
	if (is_keyed_protocol(r->key.protocol, r->key.id_type))
		return keyed_note(r->session.new_local, r->key.remote);
	if (r->key.id_type != ID_PORTS)
		return 0;
	mapping_external_key(&key, r->key.protocol, r->key.local, r->key.local_id);
	index = table_search(&key);
	external = record_at(index);
	if (!external)
		return 0;
	external->mapping.last_seen = clock_ticks(c);
	external->mapping.timeout = r->session.timeout;
	return wants_permit(c, r->key.protocol) && permit_note(index, r->key.remote);
}

static __always_inline void session_note_reply(struct record *r)
{
	struct record *partner;

	if (likely(r->session.flags & SESSION_REPLIED))
		return;
	session_set(&r->session, SESSION_REPLIED);
	partner = record_at(r->partner);
	if (partner)
		session_set(&partner->session, SESSION_REPLIED);
}

/* Both ends of a session as the inside knows them. @r: the half of direction @out. */
static __always_inline struct flow_ends session_ends(const struct record *r, bool out)
{
	bool ports = has_ports(r->key.protocol);

	return (struct flow_ends){
		.remote = r->key.remote,
		.inside = out ? r->key.local : r->session.new_local,
		.remote_port = ports ? r->key.remote_id : 0,
		.inside_port = !ports ? 0
			       : out  ? r->key.local_id
				      : r->session.new_id,
		.protocol = r->key.protocol,
	};
}

/* What the routing table would be asked for @p, a packet of the session. */
static __always_inline void session_query(struct packet *p, struct query *q, const struct record *r,
					  bool out)
{
	struct flow_ends ends = session_ends(r, out);

	ends.tos = packet_tos(p);
	if (out)
		query_out(q, &ends, p->ifindex);
	else
		query_in(q, &ends, p->ifindex);
}

/*
 * Without rules the way by the WAN may come back any moment: a line is dialled anew. A rule
 * that leads elsewhere means it: the sweeper ends the session, unless the next packet finds
 * that the rule is gone. @r: the half towards the remote.
 */
static __always_inline void session_moves(const struct config *c, struct record *r)
{
	if (c->rules && r->key.kind == KIND_SESSION_ORIG)
		WRITE_ONCE(r->session.next_hop, NEXT_HOP_ELSEWHERE);
}

/*
 * Routes or rules have changed since the next hop was chosen: choose again. Answers
 * REASON_forwarded, or why the packet does not go on; each of the next ones asks anew.
 */
static __always_inline enum reason session_choose_hop(struct packet *p, const struct config *c,
						      struct record *r, bool out)
{
	struct route route = {};
	enum route_result result;
	struct query q;
	__u32 hop;

	session_query(p, &q, r, out);
	result = route_ask(p, c, &q, &route);
	if (result == ROUTE_STACK || (route.ifindex == c->wan_ifindex) != out) {
		session_moves(c, r);
		return REASON_no_route;
	}
	if (unlikely(c->marked_routes) && is_marked_elsewhere(&q)) {
		session_moves(c, r);
		return REASON_mark_rule;
	}
	hop = next_hop_for(&route, result);
	if (hop == NO_NEXT_HOP)
		return REASON_no_route;
	WRITE_ONCE(r->session.next_hop, hop);
	return REASON_forwarded;
}

/* Does a packet in @r's direction come from another interface than the inside host does? */
static __always_inline bool is_strangers(struct packet *p, const struct config *c,
					 const struct record *r, bool out)
{
	return out && r->session.route_generation != route_stamp(c, p->ifindex) &&
	       BACKEND_NAME(route_back)(p->context, p->ifindex, r->key.local) != p->ifindex;
}

/*
 * The stamp of a half differs, and the packet is no stranger's: by which way does it go on?
 * Answers REASON_forwarded, or what stands against the packet. A hairpin's way out is
 * chosen on its way in.
 */
static __always_inline enum reason session_reroute(struct packet *p, const struct config *c,
						   struct record *r, bool out)
{
	enum reason reason = REASON_forwarded;

	if (!(out && r->session.flags & SESSION_HAIRPIN))
		reason = session_choose_hop(p, c, r, out);
	if (reason == REASON_forwarded)
		r->session.route_generation = route_stamp(c, out ? p->ifindex : 0);
	return reason;
}

#endif
