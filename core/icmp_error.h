/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICMP errors about a session's packets, both ways (RFC 5508 REQ-3 to REQ-6):
 * the quoted packet gets back the addresses and ids that its sender knows.
 * An error neither refreshes nor ends a session. Context: any.
 */
#ifndef WAYLEAVE_CORE_ICMP_ERROR_H
#define WAYLEAVE_CORE_ICMP_ERROR_H

#include "core/complaint.h"
#include "core/filter.h"
#include "core/parse.h"
#include "core/rewrite.h"
#include "core/session.h"
#include "core/verdict.h"

/*
 * The interface that the way back to @source leads through, as the packets of the session go
 * that the error is about; 0: this machine, or none. @record: the session's half in the
 * error's direction @out. @ifindex: where the error came in; a flow of the gateway's own is
 * asked for from there.
 */
SEPARATE __u32 BACKEND_NAME(error_way_back)(packet_context *context, __u32 ifindex, __u32 record,
					    __be32 source, __u32 out)
{
	const struct record *r = record_at(record);
	const struct config *c = config_get();
	struct packet p = {.context = context};
	const struct next_hop *hop;
	struct flow_ends ends;
	struct query q;

	hop = r ? next_hop_at(r->session.next_hop) : NULL;
	if (!hop || !c)
		return 0;
	if (hop->ifindex)
		ifindex = hop->ifindex;
	ends = session_ends(r, out);
	if (out) {
		ends.inside = source;
		query_in(&q, &ends, ifindex);
	} else {
		ends.remote = source;
		query_out(&q, &ends, ifindex);
	}
	return route_interface(&p, &q);
}

#define ICMP_QUOTE 8 /* offset of the quoted packet in the message */

/* RFC 2890: a key behind a checksum lies beyond the 8 bytes that RFC 792 promises. */
static __always_inline void quoted_gre(const void *word, struct facts *f)
{
	const struct enhanced_gre_header *gre = word;
	__u16 flags = be16_to_host(gre->flags);

	if (is_pptp_data(word)) {
		f->id_type = ID_CALL;
		f->destination_id = gre->call_id;
	} else if ((flags & (GRE_KEY_PRESENT | GRE_CHECKSUM_PRESENT | GRE_ROUTING_PRESENT |
			     GRE_VERSION_MASK)) == GRE_KEY_PRESENT) {
		f->id_type = ID_KEY;
		f->spi = ((const __be32 *)word)[1];
	}
}

static __always_inline bool quoted_ids(struct packet *quote, struct facts *f)
{
	const struct icmp_header *word = packet_at(quote, f->l4, sizeof(*word));
	const struct ports *ports = (const void *)word;

	if (!word)
		return false;
	f->id_type = ID_NONE;
	if (f->protocol == PROTOCOL_TCP || f->protocol == PROTOCOL_UDP) {
		f->id_type = ID_PORTS;
		f->source_id = ports->destination; /* turned round: see below */
		f->destination_id = ports->source;
	} else if (f->protocol == PROTOCOL_ICMP) {
		f->id_type = ID_PORTS;
		f->destination_id = word->id;
		/* turned round: the answer to a quoted request, and the other way */
		f->source_id = word->type == ICMP_ECHO || word->type == ICMP_TIMESTAMP
				       ? ICMP_IS_ANSWER
				       : 0;
		/* RFC 5508 REQ-4: only queries make sessions */
		return f->source_id || word->type == ICMP_ECHO_REPLY ||
		       word->type == ICMP_TIMESTAMP_REPLY;
	} else if (f->protocol == PROTOCOL_ESP) {
		f->id_type = ID_SPI;
		f->spi = *(const __be32 *)word;
	} else if (f->protocol == PROTOCOL_GRE) {
		quoted_gre(word, f);
	} else if (f->protocol == PROTOCOL_L2TP && *(const __be32 *)word) {
		f->id_type = ID_SESSION;
		f->spi = *(const __be32 *)word;
	}
	return true;
}

/*
 * The quoted packet's facts, source and destination exchanged, so that they
 * read as the answer would. REQ-3: its header checksum counts, its transport
 * checksum does not; options are skipped.
 */
static __always_inline bool parse_quoted(struct packet *quote, struct facts *f)
{
	const struct ipv4_header *ip = packet_at(quote, 0, sizeof(*ip));
	__u32 header;

	if (!ip || ip->version_length >> 4 != 4)
		return false;
	header = (ip->version_length & 15) * 4;
	*f = (struct facts){
		.source = ip->destination,
		.destination = ip->source,
		.protocol = ip->protocol,
		.l4 = header,
		.fragment = be16_to_host(ip->fragment),
	};
	if (header < IPV4_HEADER || !has_transport(f))
		return false;
	if (header == IPV4_HEADER && !ipv4_sum_is_good(ip))
		return false;
	return quoted_ids(quote, f);
}

/*
 * The session that a quoted packet belongs to. Where each end chooses its own
 * id, the quoted one is the far end's: it has a record of its own.
 */
static __always_inline struct record *quoted_session(const struct config *c, const struct facts *f,
						     __u32 direction)
{
	struct record_key key;
	struct record *r;

	session_key(&key, f, direction);
	if (f->id_type != ID_SPI && f->id_type != ID_CALL && f->id_type != ID_SESSION)
		return record_at(table_search(&key));
	key.kind = KIND_QUOTED;
	r = record_at(table_search(&key));
	if (r)
		return r;
	key_set(&key, direction == DIRECTION_IN ? f->source : f->destination, key.local, 0,
		f->protocol, direction == DIRECTION_OUT ? KIND_SESSION_ORIG : KIND_SESSION_REPLY,
		ID_NONE);
	r = record_at(table_search(&key));
	if (r && f->id_type == ID_CALL && c->assisted >> CLASS_PPTP & 1 &&
	    !(r->session.flags & SESSION_LOCAL))
		return NULL;
	return r;
}

/* Where the transport checksum of the quoted packet lies, or 0. */
static __always_inline __u32 quoted_check_offset(__u8 protocol)
{
	switch (protocol) {
	case PROTOCOL_TCP:
		return 16;
	case PROTOCOL_UDP:
		return 6;
	case PROTOCOL_ICMP:
		return 2;
	default:
		return 0;
	}
}

/* Rewrites one 16-bit word and adds what the enclosing checksum has to take. */
static __always_inline void quoted_word(struct packet *quote, __u32 offset, __u16 value,
					__u32 *delta)
{
	*delta += rewrite_id(quote, offset, value);
}

/*
 * The quoted packet as its sender sent it. @ours_is_source: our side of the
 * session is the quoted source. Answers the change of the outer checksum.
 */
static __always_inline __u32 quoted_rewrite(struct packet *quote, const struct facts *f,
					    const struct record *r, bool ours_is_source)
{
	__u16 address_delta = r->session.address_delta, id_delta = 0, before, *check;
	struct ipv4_header *ip = packet_at(quote, 0, sizeof(*ip));
	__u32 at = quoted_check_offset(f->protocol);

	if (!ip)
		return 0;
	/* the address and the header's checksum cancel out in the outer sum */
	if (ours_is_source)
		ip->source = r->session.new_local;
	else
		ip->destination = r->session.new_local;
	ip->check = checksum_adjust(ip->check, address_delta);
	/* RFC 2637 section 4.1: the inside host's own call id was put in on the way to it */
	if (f->id_type == ID_CALL && !ours_is_source && r->key.id_type == ID_CALL)
		return rewrite_id(quote, f->l4 + offsetof(struct enhanced_gre_header, call_id),
				  r->session.new_id);
	if (!at)
		return 0;
	if (f->protocol == PROTOCOL_ICMP)
		id_delta = rewrite_id(quote, f->l4 + 4, r->session.new_id);
	else
		id_delta = rewrite_id(quote, f->l4 + (ours_is_source ? 0 : 2), r->session.new_id);
	check = packet_at(quote, f->l4 + at, 2);
	if (!check || (f->protocol == PROTOCOL_UDP && !*check))
		return id_delta;
	before = *check;
	*check = checksum_adjust(
		before, (__u32)id_delta + (f->protocol == PROTOCOL_ICMP ? 0 : address_delta));
	if (f->protocol == PROTOCOL_UDP && !*check) /* RFC 768: 0 would mean none */
		*check = 0xffff;
	return (__u32)id_delta + delta_of_16(before, *check);
}

#if BACKEND_FINISHES
#define ICMP_SUM_STEP  64
#define ICMP_SUM_STEPS 150 /* 9600 bytes: no link carries more in one packet */

/* Adds @length bytes at @offset, at most a step of them; what is not there counts as nothing. */
static __always_inline __u64 icmp_sum_add(struct packet *p, __u64 sum, __u32 offset, __u32 length)
{
	__u32 word[ICMP_SUM_STEP / 4] = {};

	if (!packet_copy(p, offset, word, length))
		return sum;
	UNROLLED
	for (int i = 0; i < ICMP_SUM_STEP / 4; i++)
		sum += word[i];
	return sum;
}

/* REQ-3: is the checksum of the message from @l4 to @end right? */
SEPARATE __u32 BACKEND_NAME(icmp_sum_is_good)(packet_context *context, __u32 base, __u32 l4,
					      __u32 end)
{
	struct packet p = {.context = context, .base = base};
	__u32 steps = (end - l4) / ICMP_SUM_STEP, rest = (end - l4) % ICMP_SUM_STEP;
	__u64 sum = 0;

	if (steps > ICMP_SUM_STEPS)
		return false;
	for (__u32 i = 0; i < ICMP_SUM_STEPS && i < steps; i++) {
		compiler_barrier();
		sum = icmp_sum_add(&p, sum, l4 + i * ICMP_SUM_STEP, ICMP_SUM_STEP);
	}
	if (rest) {
		compiler_hide(rest);
		rest = ((rest - 1) % ICMP_SUM_STEP) + 1; /* not 0: Linux 6.1 must see it */
		sum = icmp_sum_add(&p, sum, end - rest, rest);
	}
	return sum_fold((sum & 0xffff) + (sum >> 16 & 0xffff) + (__u32)(sum >> 32)) == 0xffff;
}
#endif

/*
 * Any router on the way may complain, but from its own side (RFC 2827), and to
 * the address that the quoted packet came from.
 */
static __always_inline enum reason icmp_error_source(struct packet *p, const struct config *c,
						     const struct facts *f, const struct record *r,
						     bool out)
{
	bool hairpinned = !out && p->ifindex != c->wan_ifindex;

	if (is_martian_source(f->source) || (f->source == c->external && !hairpinned))
		return REASON_martian_source;
	if (f->destination != (out ? r->key.remote : r->key.local))
		return REASON_icmp_malformed;
	if (!hairpinned && BACKEND_NAME(error_way_back)(p->context, p->ifindex, table_index(r),
							f->source, out) != p->ifindex)
		return REASON_spoofed_source;
	return REASON_forwarded;
}

static __always_inline void complaint_take(struct packet *p, const struct facts *f,
					   const struct record *r)
{
	const struct icmp_header *icmp = packet_at(p, f->l4, sizeof(*icmp));

	if (icmp)
		complaint_note(table_index(r), f->source, icmp->type, icmp->code);
}

/*
 * Translates an ICMP error in @direction. The session stays as it is, whatever
 * the message says (RFC 4787 REQ-12, RFC 5508 REQ-6).
 */
SEPARATE verdict_t BACKEND_NAME(icmp_error_pass)(packet_context *context, __u32 base, __u32 ifindex,
						 const struct facts *f, __u32 direction)
{
	struct packet packet = {.context = context, .base = base, .ifindex = ifindex};
	struct packet *p = &packet, quote;
	bool out = direction == DIRECTION_OUT, turns;
	const struct config *c = config_get();
	const struct next_hop *hop;
	struct facts quoted;
	enum reason objection;
	struct record *r;
	__u32 delta, index;

	if (!c || !f)
		return drop(REASON_icmp_malformed);
	quote = packet_inner(p, f->l4 + ICMP_QUOTE);
	if (!packet_make_readable(p, 160) || !parse_quoted(&quote, &quoted))
		return drop(REASON_icmp_malformed);
	/* RFC 792: the header and 8 bytes, and not out of the frame's padding */
	if (f->length < f->l4 + ICMP_QUOTE + quoted.l4 + 8)
		return drop(REASON_icmp_malformed);
	if (f->hairpin) { /* who complains of it is its other end */
		quoted.hairpin = true;
		quoted.source = f->source;
	}
	r = quoted_session(c, &quoted, direction);
	if (!r)
		return drop(REASON_icmp_no_session);
	objection = icmp_error_source(p, c, f, r, out);
	if (objection != REASON_forwarded)
		return drop(objection);
	if (r->session.flags & SESSION_LOCAL)
		return to_stack(REASON_local_flow);
	if (is_blocked(c, r->session.class))
		return drop(blocked_reason(r->session.class));
	index = r->session.next_hop;
	hop = next_hop_at(index);
	turns = out && r->session.flags & SESSION_HAIRPIN;
	if (!hop || f->ttl <= 1)
		return drop(REASON_icmp_no_session);
	if (!BACKEND_FINISHES)
		return leave();
#if BACKEND_FINISHES
	if (!BACKEND_NAME(icmp_sum_is_good)(context, base, f->l4, f->length))
		return drop(REASON_icmp_malformed);
#endif
	if (!out)
		complaint_take(p, f, r);
	delta = quoted_rewrite(&quote, &quoted, r, !out);
	packet_fix_l4_sum(p, f->l4 + 2, 0, sum_fold(delta), false);
	/* the outer sender may be any router on the way: only our side's address changes */
	delta = delta_of_32(out ? f->source : f->destination, r->session.new_local);
	if (!rewrite_ip(p, r->session.new_local, delta, out, !turns))
		return drop(REASON_icmp_malformed);
	if (turns)
		return verdict(ACTION_HAIRPIN, REASON_forwarded, table_index(r));
	return verdict(ACTION_FORWARD, REASON_forwarded, index);
}

#endif
