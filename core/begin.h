/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flow's first packet: may it begin, by which ways, under which external id?
 * In steps, each a function of its own: routes, quota, mapping, session. A
 * step answers a verdict; FORWARD carries what the next step needs as index.
 *
 * Context: XDP, TC, memory; misses only. Nothing of the packet is changed.
 */
#ifndef WAYLEAVE_CORE_BEGIN_H
#define WAYLEAVE_CORE_BEGIN_H

#include "core/allowed.h"
#include "core/claim.h"
#include "core/filter.h"
#include "core/keyed.h"
#include "core/remote.h"
#include "core/session.h"
#include "core/study.h"
#include "core/verdict.h"

static __always_inline verdict_t ttl_exceeded(bool out)
{
	if (out)
		return to_stack(REASON_ttl_exceeded_outbound);
	return verdict(ACTION_PUNT, REASON_ttl_exceeded_inbound, NO_RECORD);
}

static __always_inline __u32 hops_pack(__u32 out, __u32 in)
{
	return out << 16 | in;
}

/* Next hops of both directions as index of a FORWARD. */
static __always_inline verdict_t hops_verdict(__u32 out, __u32 in)
{
	if (out == NO_NEXT_HOP || in == NO_NEXT_HOP)
		return drop(REASON_next_hops_full);
	return verdict(ACTION_FORWARD, REASON_forwarded, hops_pack(out, in));
}

/* IKE before it floats to port 4500, RFC 3947: what ESP's tunnels are told apart by. */
static __always_inline bool is_control_datagram(const struct facts *f)
{
	return f->class == CLASS_IPSEC && f->protocol == PROTOCOL_UDP &&
	       (f->destination_id == host_to_be16(PORT_IKE) ||
		f->source_id == host_to_be16(PORT_IKE));
}

/* RFC 2661 section 8.1: until it is answered, the daemon looks whether the port is to blame. */
static __always_inline bool is_l2tp_dialled(const struct facts *f)
{
	return f->class == CLASS_L2TP && f->protocol == PROTOCOL_UDP &&
	       f->destination_id == host_to_be16(PORT_L2TP);
}

static __always_inline __u8 first_flags(const struct config *c, const struct facts *f, bool out)
{
	__u8 flags = f->hairpin ? SESSION_HAIRPIN : 0;

	if (f->class == CLASS_PPTP && f->protocol == PROTOCOL_TCP && c->assisted >> CLASS_PPTP & 1)
		flags |= SESSION_HELPER;
	/* the daemon watches which port a server outside answers, and whose ESP comes from there */
	if (!f->hairpin && (is_control_datagram(f) || (out && is_l2tp_dialled(f))) &&
	    c->assisted >> f->class & 1)
		flags |= SESSION_WATCHED;
	if (is_studied_flow(f))
		flags |= SESSION_STUDIED;
	return flags;
}

/* Of a hairpin both halves have our external address for a remote; see reply_remote(). */
SEPARATE __u32 plan_turn(struct session_plan *plan, __be32 peer, __be32 external)
{
	if (!plan)
		return false;
	plan->orig.remote = external;
	plan->reply.remote = plan->reply.id_type == ID_PORTS ? external : peer;
	return true;
}

static __always_inline void plan_init(const struct config *c, struct session_plan *plan,
				      const struct facts *f, enum direction direction, __u32 hops)
{
	*plan = (struct session_plan){
		.class = f->class,
		.flags = first_flags(c, f, direction == DIRECTION_OUT),
		.now = clock_ticks(c),
		.timeout = timeout_of(f->protocol, f->class),
		.inbound = direction == DIRECTION_IN,
		.next_hop_out = hops >> 16,
		.next_hop_in = (__u16)hops,
	};
	session_key(&plan->orig, f, direction);
	plan->orig.kind = KIND_SESSION_ORIG;
	if (f->id_type != ID_PORTS && f->id_type != ID_KEY) {
		/* the remote's SPI or call id says nothing of ours */
		plan->orig.id = 0;
		plan->orig.id_type = ID_NONE;
	}
	plan->reply = plan->orig;
	plan->reply.kind = KIND_SESSION_REPLY;
	plan->reply.local = c->external;
	if (unlikely(f->hairpin))
		plan_turn(plan, direction == DIRECTION_OUT ? f->destination : f->source,
			  c->external);
	plan->inside_id = plan->orig.local_id;
	if (f->protocol != PROTOCOL_TCP)
		return;
	/* in mid-stream: a connection from before a restart, or a scanner's lone segment */
	plan->tcp_state = TCP_PICKED_UP;
	if (f->tcp_flags & TCP_SYN && !(f->tcp_flags & TCP_RST))
		plan->tcp_state = direction == DIRECTION_OUT ? TCP_INIT_INSIDE : TCP_INIT_REMOTE;
}

/* The session of @plan; a new one is counted, against nobody yet. */
static __always_inline MUST_CHECK struct outcome session_open(struct config *c,
							      struct session_plan *plan)
{
	struct outcome outcome;

	if (READ_ONCE(c->sessions_used) >= c->sessions_limit)
		return outcome_of(REASON_table_full);
	outcome = session_add(plan);
	if (!plan->made)
		return outcome;
	__sync_fetch_and_add(&c->sessions_used, 1);
	count(REASON_session_created, 0);
	return outcome;
}

/* The session of @plan; a new one counts against the host whose record is @host. */
static __always_inline MUST_CHECK struct outcome
session_begin(struct config *c, struct session_plan *plan, __u32 host)
{
	struct outcome outcome = session_open(c, plan);

	if (plan->made)
		host_counts_session(host);
	return outcome;
}

/* --- outbound ------------------------------------------------------------------------------ */

/* Why a protocol or class may not begin a session, or REASON_forwarded. */
static __always_inline enum reason outbound_refuses(const struct config *c, const struct facts *f)
{
	if (is_blocked(c, f->class))
		return blocked_reason(f->class);
	if (f->protocol == PROTOCOL_AH)
		return REASON_ah_untranslatable;
	if (f->id_type == ID_CALL && c->assisted >> CLASS_PPTP & 1)
		return REASON_gre_no_call;
	if (is_martian_destination(f->destination))
		return REASON_martian_destination;
	if (f->protocol == PROTOCOL_TCP && f->tcp_flags & TCP_RST)
		return REASON_tcp_no_syn;
	if (!is_wanted_query(f, DIRECTION_OUT)) /* an answer that nobody asked for */
		return REASON_icmp_type;
	return c->external ? REASON_forwarded : REASON_no_wan_address;
}

/* Index of the mapping by which our own external address leads to an inside host; NO_RECORD. */
SEPARATE __u32 leads_inside(const struct facts *f)
{
	const struct config *c = config_get();
	const struct record *r;
	struct record_key key;
	__u32 index;

	if (!f || !c)
		return NO_RECORD;
	mapping_external_key(&key, f->protocol, c->external,
			     f->id_type == ID_PORTS ? f->destination_id : 0);
	if (f->id_type != ID_PORTS)
		key.id_type = ID_NONE;
	index = table_search(&key);
	r = record_at(index);
	return r && !(r->mapping.flags & MAPPING_LOCAL) ? index : NO_RECORD;
}

/*
 * The other end of a hairpin, by the mapping that leads to @owner. What the
 * owner itself begins is for the host that has GRE with it, if there is one.
 */
SEPARATE __u32 hairpin_peer(const struct facts *f, __be32 owner)
{
	const struct config *c = config_get();
	const struct record *r;
	struct record_key key;

	if (!c || !f || f->source != owner || f->id_type != ID_KEY)
		return owner;
	keyed_host_key(&key, owner, c->external);
	r = record_at(table_search(&key));
	return r && !mapping_expired(c, &r->mapping, clock_ticks(c)) ? r->mapping.new_local : owner;
}

/*
 * Notes a hairpin in @f, and its class, which a VPN server inside has also behind
 * another port. Who asks our external address by ICMP is answered by the gateway itself.
 */
static __always_inline void hairpin_note(struct packet *p, const struct config *c, struct facts *f)
{
	const struct record *mapping = NULL;

	if (unlikely(f->destination == c->external && c->external) && f->protocol != PROTOCOL_ICMP)
		mapping = record_at(leads_inside(f));
	f->hairpin = mapping != NULL;
	if (!mapping)
		return;
	f->destination = hairpin_peer(f, mapping->mapping.new_local);
	if (f->class == CLASS_PLAIN)
		f->class = classify(p, f, mapping->mapping.new_id, f->source_id);
}

/*
 * First step: is it allowed, where it goes and where it comes from? Notes class
 * and hairpin in @f. FORWARD's index: the next hops.
 */
SEPARATE verdict_t BACKEND_NAME(outbound_judge)(packet_context *context, __u32 base,
						struct facts *f, __u64 ways)
{
	struct packet p = {.context = context, .base = base};
	const struct config *c = config_get();
	__u32 out = ways >> 32, in = ways;
	enum reason reason;

	if (!c || !f)
		return drop(REASON_malformed_ip);
	if (in == WAY_NOT_OURS)
		return to_stack(REASON_interface_elsewhere);
	f->class = classify(&p, f, f->destination_id, f->source_id);
	hairpin_note(&p, c, f);
	if (in == WAY_ELSEWHERE) /* before our own programs could answer it, out of the WAN */
		return drop(REASON_spoofed_source);
	if (!f->hairpin && out == WAY_ELSEWHERE)
		return to_stack(REASON_to_gateway);
	reason = outbound_refuses(c, f);
	if (reason != REASON_forwarded)
		return is_blocked(c, f->class) ? verdict(ACTION_PUNT, reason, NO_RECORD)
					       : drop(reason);
	if (out == WAY_MARKED || in == WAY_MARKED)
		return verdict(ACTION_PUNT, REASON_mark_rule, NO_RECORD);
	if (f->ttl <= 1)
		return ttl_exceeded(true);
	return hops_verdict(f->hairpin ? in : out, in); /* a hairpin's both are inside */
}

static __always_inline verdict_t outbound_routes(struct packet *p, const struct config *c,
						 struct facts *f)
{
	__u64 ways;

	if (is_martian_source(f->source)) /* before it has a way */
		return drop(REASON_martian_source);
	ways = outbound_ways(p, c, f);
	return BACKEND_NAME(outbound_judge)(p->context, p->base, f, ways);
}

/*
 * Mappings that a host may have. A few are kept for its VPNs: whatever else a host
 * does with its ports, a tunnel can still be dialled.
 */
#define VPN_SHARE 128 /* one in so many */

static __always_inline __u32 mappings_allowed(const struct config *c, __u8 class)
{
	__u32 all = c->mappings_per_host;

	return class == CLASS_PLAIN ? all - all / VPN_SHARE : all;
}

/*
 * Why @inside, whose record is @host and whose way is @hop, may not have one mapping
 * more: an enum reason, or REASON_forwarded.
 */
SEPARATE __u32 mapping_refused(__be32 inside, __u8 class, __u32 host, __u32 hop)
{
	const struct config *c = config_get();
	const struct record *r = record_at(host);

	if (!c || !r)
		return REASON_table_full;
	if (READ_ONCE(r->host.mappings) >= mappings_allowed(c, class))
		return REASON_host_mappings;
	return station_has_mapping(c, r, hop, inside) ? REASON_forwarded : REASON_station_limit;
}

/*
 * Second step: the mapping of an inside socket. FORWARD's index: its external
 * half, held; NO_RECORD: there is none yet, and the host may have one more.
 */
SEPARATE verdict_t outbound_mapping(const struct facts *f, __u32 host, __u32 hop)
{
	const struct config *c = config_get();
	__u32 index, reason;

	if (!f || !c)
		return drop(REASON_malformed_ip);
	index = mapping_find(c, f->protocol, f->source, local_id(f, DIRECTION_OUT));
	if (index != NO_RECORD)
		return verdict(ACTION_FORWARD, REASON_forwarded, index);
	reason = mapping_refused(f->source, f->class, host, hop);
	/* at need a question of its own gives way */
	if (reason != REASON_forwarded && !questions_give_way(f->source, host))
		return drop(reason);
	return verdict(ACTION_FORWARD, REASON_forwarded, NO_RECORD);
}

/* The forward of a protocol without ports, whose sessions count whoever began them; NO_RECORD. */
SEPARATE __u32 forwarded_whole_hold(__u8 protocol)
{
	const struct config *c = config_get();
	struct record_key key;
	struct record *r;
	__u32 index;

	if (!c)
		return NO_RECORD;
	mapping_external_key(&key, protocol, c->external, 0);
	key.id_type = ID_NONE;
	index = table_search(&key);
	r = record_at(index);
	return r && record_hold(r) ? index : NO_RECORD;
}

/*
 * Third step: the session. @mapping: the external half's index, or NO_RECORD
 * for protocols without ids. FORWARD's index: the session's first half.
 */
SEPARATE verdict_t outbound_session(const struct facts *f, __u32 hops, __u32 host, __u32 mapping)
{
	struct config *c = config_get();
	struct session_plan plan;
	struct record *external = NULL;
	struct outcome outcome;

	if (!f || !c)
		return drop(REASON_malformed_ip);
	plan_init(c, &plan, f, DIRECTION_OUT, hops);
	if (mapping != NO_RECORD) {
		external = record_at(mapping);
		if (!external)
			return drop(REASON_insert_race);
		external->mapping.last_seen = plan.now;
		plan.external_id = plan.reply.local_id = external->key.local_id;
		plan.reply.local = external->key.local;
	}
	outcome = session_begin(c, &plan, host);
	if (external && !plan.made)
		record_release(external);
	return is_done(outcome) ? verdict(ACTION_FORWARD, REASON_forwarded, plan.orig_index)
				: drop(outcome.why_not);
}

/* A quota or a full table, and not the packet, is the reason. */
static __always_inline bool is_shortage(enum reason reason)
{
	return reason == REASON_table_full || reason == REASON_host_sessions ||
	       reason == REASON_host_mappings || reason == REASON_host_rate ||
	       reason == REASON_station_limit || reason == REASON_newcomers_limit ||
	       reason == REASON_ports_exhausted;
}

/*
 * RFC 5508 REQ-8, RFC 6888 REQ-11B: a host that is refused for want of room is
 * told by the daemon, once a second; one that is not even known, is not.
 */
SEPARATE verdict_t BACKEND_NAME(outbound_refused)(__be32 inside, __u32 reason)
{
	const struct config *c = config_get();
	struct record_key key;
	struct record *r;
	__u32 now;

	if (!c)
		return drop(reason);
	now = clock_ticks(c);
	host_key(&key, inside);
	r = record_at(table_search(&key));
	if (!r || !ticks_passed(now, r->host.told, c->hz))
		return drop(reason);
	if (!BACKEND_FINISHES)
		return leave();
	r->host.told = now;
	return verdict(ACTION_PUNT, reason, NO_RECORD);
}

static __always_inline verdict_t outbound_steps(struct packet *p, const struct config *c,
						struct facts *f)
{
	verdict_t v = outbound_routes(p, c, f);
	__u32 hops = verdict_index(v), mapping = NO_RECORD, host;
	bool asks;

	if (verdict_action(v) != ACTION_FORWARD)
		return v;
	asks = !f->hairpin && (is_paired(c, f->id_type) || is_followed(c, f->id_type));
	if (!BACKEND_FINISHES && asks)
		return leave(); /* or it would be charged twice */
	v = host_admit(f->source, (__u16)hops);
	if (verdict_action(v) != ACTION_FORWARD)
		return v;
	host = verdict_index(v);
	if (asks && is_paired(c, f->id_type) && has_own_esp(f->destination)) /* the daemon tells */
		return verdict(ACTION_PUNT, REASON_server_taken, NO_RECORD);
	if (asks)
		return verdict(ACTION_PUNT, REASON_to_pairing, NO_RECORD);
	if (f->id_type == ID_PORTS) {
		v = outbound_mapping(f, host, (__u16)hops);
		if (verdict_action(v) == ACTION_FORWARD && verdict_index(v) == NO_RECORD)
			v = mapping_add(f->source, local_id(f, DIRECTION_OUT), f->protocol,
					f->class, host);
		if (verdict_action(v) != ACTION_FORWARD)
			return v;
		mapping = verdict_index(v);
	} else if (f->id_type != ID_KEY) {
		mapping = forwarded_whole_hold(f->protocol);
	}
	v = outbound_session(f, hops, host, mapping);
	if (verdict_reason(v) == REASON_server_taken) /* the daemon tells who has it */
		return verdict(ACTION_PUNT, REASON_server_taken, NO_RECORD);
	if (verdict_action(v) != ACTION_FORWARD)
		return v;
	contact_note(f->destination);
	if (f->id_type == ID_PORTS && wants_permit(c, f->protocol))
		permit_note(mapping, f->hairpin ? c->external : f->destination);
	if (unlikely(is_question(f->protocol, f->class, f->destination_id, f->source_id)))
		question_note(f->source, verdict_index(v));
	if (unlikely(is_keyed_protocol(f->protocol, f->id_type)))
		keyed_note(f->source, f->destination);
	return v;
}

static __always_inline verdict_t outbound_begin(struct packet *p, const struct config *c,
						struct facts *f)
{
	verdict_t v = outbound_steps(p, c, f);

	if (likely(verdict_action(v) != ACTION_DROP) || !is_shortage(verdict_reason(v)))
		return v;
	return BACKEND_NAME(outbound_refused)(f->source, verdict_reason(v));
}

/* --- inbound --------------------------------------------------------------------------------- */

static __always_inline verdict_t inbound_unasked(const struct config *c, const struct facts *f,
						 enum reason reason)
{
	/* the gateway's own DHCP client, RFC 2131 section 4.1 */
	if (f->protocol == PROTOCOL_UDP && f->source_id == host_to_be16(PORT_DHCP_SERVER) &&
	    f->destination_id == host_to_be16(PORT_DHCP_CLIENT))
		return to_stack(REASON_link_protocol);
	if (is_martian_source(f->source) || (f->source == c->external && !f->hairpin))
		return drop(REASON_martian_source);
	if (f->destination != c->external)
		return drop(REASON_not_for_gateway);
	return is_allowed_in(f) ? to_stack(REASON_allowed_in) : drop(reason);
}

/* The mapping or port forward that has the id that a packet came to; NO_RECORD. */
SEPARATE __u32 inbound_owner(const struct facts *f)
{
	struct record_key key;

	if (!f)
		return NO_RECORD;
	mapping_external_key(&key, f->protocol, f->destination,
			     f->id_type == ID_PORTS ? f->destination_id : 0);
	if (f->id_type != ID_PORTS)
		key.id_type = ID_NONE;
	return table_search(&key);
}

/*
 * ESP by pairing: whoever has live state with the remote goes before a forward, to
 * @forwarded (0: there is none). FORWARD: nobody has, or the daemon has found nobody.
 */
SEPARATE verdict_t BACKEND_NAME(inbound_paired)(const struct facts *f, __be32 forwarded)
{
	const struct config *c = config_get();
	const struct record *claim;

	if (!f || !c)
		return drop(REASON_malformed_ip);
	claim = record_at(claim_search(f->protocol, f->destination, f->source));
	if (daemon_lives(c) && (claim || !forwarded))
		return BACKEND_NAME(claim_ask)(f);
	if (claim && forwarded && claim->claim.inside != forwarded)
		return drop(REASON_tunnel_unknown);
	return verdict(ACTION_FORWARD, REASON_forwarded, NO_RECORD);
}

static __always_inline bool wants_pairing(const struct config *c, const struct facts *f)
{
	return f->id_type == ID_SPI && !f->hairpin && !f->asked && c->assisted >> CLASS_IPSEC & 1;
}

/*
 * GRE with keys: the host that has GRE with the remote goes before a forward, to @owner.
 * FORWARD's index: its record, held; NO_RECORD: it is for the owner.
 */
static __always_inline verdict_t inbound_keyed(const struct facts *f, const struct record *owner)
{
	verdict_t v = keyed_host(f->source);

	if (verdict_action(v) == ACTION_FORWARD || !owner)
		return v;
	if (f->source == owner->mapping.new_local) /* a hairpin's sender does not mean itself */
		return v;
	return verdict(ACTION_FORWARD, REASON_forwarded, NO_RECORD);
}

/* Whoever has live state with the remote. FORWARD's index: NO_RECORD: nobody before @owner. */
static __always_inline verdict_t inbound_live(const struct config *c, const struct facts *f,
					      const struct record *owner)
{
	verdict_t v = verdict(ACTION_FORWARD, REASON_forwarded, NO_RECORD);

	if (f->destination != c->external)
		return v;
	if (f->id_type == ID_KEY)
		return inbound_keyed(f, owner);
	if (wants_pairing(c, f))
		v = BACKEND_NAME(inbound_paired)(f, owner ? owner->mapping.new_local : 0);
	return v;
}

/* A host may always reach itself: a filter protects it from others (RFC 5780 section 3.4). */
static __always_inline bool is_own_mapping(const struct facts *f, const struct record *external)
{
	return f->hairpin && f->source == external->mapping.new_local;
}

/* First step: the mapping or port forward that it is for, held, as FORWARD's index. */
SEPARATE verdict_t BACKEND_NAME(inbound_mapping)(const struct facts *f)
{
	const struct config *c = config_get();
	struct record *r;
	__be32 remote;
	__u32 index;
	verdict_t v;

	if (!f || !c)
		return drop(REASON_malformed_ip);
	index = inbound_owner(f);
	r = record_at(index);
	v = inbound_live(c, f, r);
	if (verdict_action(v) != ACTION_FORWARD || verdict_index(v) != NO_RECORD)
		return v;
	if (!r || r->mapping.flags & MAPPING_LOCAL || f->destination != c->external)
		return inbound_unasked(
			c, f, f->id_type == ID_CALL ? REASON_gre_no_call : REASON_unsolicited);
	if (f->protocol == PROTOCOL_TCP && (f->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return drop(REASON_tcp_no_syn);
	remote = f->hairpin ? c->external : f->source;
	if (!mapping_admits(c, r, remote, clock_ticks(c)) && !is_own_mapping(f, r))
		return inbound_unasked(c, f, REASON_filtered);
	if (!record_hold(r))
		return drop(REASON_insert_race);
	return verdict(ACTION_FORWARD, REASON_forwarded, index);
}

/* Second step: may it come in, and by which ways? Notes the class in @f. */
SEPARATE verdict_t BACKEND_NAME(inbound_judge)(packet_context *context, __u32 base,
					       __be16 inside_id, struct facts *f, __u64 ways)
{
	struct packet p = {.context = context, .base = base};
	const struct config *c = config_get();
	__u32 out = ways >> 32, in = ways;

	if (!c || !f)
		return drop(REASON_malformed_ip);
	if (in == WAY_NOT_OURS)
		return to_stack(REASON_interface_elsewhere);
	f->class = classify(&p, f, f->source_id, f->destination_id);
	if (f->class == CLASS_PLAIN) /* forwarded from another port to a VPN server inside */
		f->class = classify(&p, f, f->source_id, inside_id);
	if (is_blocked(c, f->class))
		return drop(blocked_reason(f->class));
	if (is_martian_source(f->source) || (f->source == c->external && !f->hairpin))
		return drop(REASON_martian_source);
	if (in == WAY_ELSEWHERE)
		return drop(REASON_unsolicited);
	if (in == WAY_MARKED || (!f->hairpin && out == WAY_MARKED))
		return drop(REASON_mark_rule);
	if (!f->hairpin && out == WAY_ELSEWHERE)
		return drop(c->rules ? REASON_answers_elsewhere : REASON_spoofed_source);
	return hops_verdict(f->hairpin ? in : out, in); /* a hairpin's both are inside */
}

static __always_inline verdict_t inbound_routes(struct packet *p, const struct config *c,
						struct facts *f, const struct record *mapping)
{
	__u64 ways = inbound_ways(p, c, f, table_index(mapping));

	return BACKEND_NAME(inbound_judge)(p->context, p->base, mapping->mapping.new_id, f, ways);
}

/*
 * Third step: the session; a new one is charged to the record @payer, or to none.
 * FORWARD's index: its second half, with the mapping's reference.
 */
SEPARATE verdict_t inbound_session(const struct facts *f, __u32 hops, __u32 payer, __u32 mapping)
{
	struct config *c = config_get();
	struct record *external = record_at(mapping), *orig;
	struct session_plan plan;
	struct outcome outcome;

	if (!f || !c || !external)
		return drop(REASON_malformed_ip);
	plan_init(c, &plan, f, DIRECTION_IN, hops);
	plan.external_id = plan.reply.local_id;
	plan.orig.local = external->mapping.new_local;
	if (f->id_type == ID_PORTS)
		plan.orig.local_id = plan.inside_id = external->mapping.new_id;
	outcome = session_open(c, &plan);
	orig = record_at(plan.orig_index);
	if (!is_done(outcome) || !orig)
		return drop(is_done(outcome) ? REASON_insert_race : outcome.why_not);
	if (plan.made) {
		inbound_count(c, external, payer);
		/* so that the inside's first answer tells the mapping that it has spoken */
		orig->session.last_seen -= 1 << ERA_SHIFT;
	} else if (f->id_type != ID_KEY) { /* its maker has a reference of its own */
		record_release(external);
	}
	return verdict(ACTION_FORWARD, REASON_forwarded, plan.reply_index);
}

static __always_inline verdict_t inbound_steps(struct packet *p, const struct config *c,
					       struct facts *f, struct record *external,
					       __u32 mapping)
{
	verdict_t v = inbound_routes(p, c, f, external);
	__u32 hops = verdict_index(v);

	if (verdict_action(v) != ACTION_FORWARD)
		return v;
	v = remote_admit(f->source, mapping, f->hairpin);
	if (verdict_action(v) != ACTION_FORWARD)
		return v;
	v = inbound_session(f, hops, verdict_index(v), mapping);
	if (verdict_action(v) == ACTION_FORWARD)
		contact_note(f->source);
	return v;
}

static __always_inline verdict_t inbound_begin(struct packet *p, const struct config *c,
					       struct facts *f)
{
	verdict_t v = BACKEND_NAME(inbound_mapping)(f);
	struct record *external;

	if (verdict_action(v) != ACTION_FORWARD)
		return v;
	external = record_at(verdict_index(v));
	if (!external)
		return drop(REASON_insert_race);
	v = inbound_steps(p, c, f, external, verdict_index(v));
	/* a session with a key has a name of its own: at its end it releases nothing */
	if (verdict_action(v) != ACTION_FORWARD || f->id_type == ID_KEY)
		record_release(external);
	return v;
}

#endif
