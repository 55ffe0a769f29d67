/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packet to facts. Bounds are checked before each read; nothing is written.
 *
 * Each function answers REASON_forwarded when it found nothing against the
 * packet, or the reason to drop it. Context: any.
 */
#ifndef WAYLEAVE_CORE_PARSE_H
#define WAYLEAVE_CORE_PARSE_H

#include "core/packet.h"

/* RFC 7126 4.3, 4.4: options 131 and 137 would let a sender choose the way. */
#define OPTION_END	     0
#define OPTION_NOP	     1
#define OPTION_LOOSE_SOURCE  131
#define OPTION_STRICT_SOURCE 137

/* A walk over IP or TCP options. */
struct option_walk {
	packet_context *context;
	__u32 base;
	__u32 at, end;	/* offsets from the IP header */
	__u32 reason;	/* IP: enum reason */
	__u32 found_at; /* TCP: offset of what was looked for, or 0 */
};

/* One option's start, two bytes of it; NULL at the end. */
static __always_inline const __u8 *option_at(const struct option_walk *walk)
{
	struct packet p = {.context = walk->context, .base = walk->base};

	if (walk->at + 2 > walk->end)
		return NULL;
	return packet_at(&p, walk->at, 2);
}

static __noinline long ip_option_step(__u32 i, void *context)
{
	struct option_walk *walk = context;
	const __u8 *option = option_at(walk);

	if (!option || option[0] == OPTION_END)
		return 1;
	if (option[0] == OPTION_NOP) {
		walk->at++;
		return 0;
	}
	if (option[0] == OPTION_LOOSE_SOURCE || option[0] == OPTION_STRICT_SOURCE)
		walk->reason = REASON_source_route;
	else if (option[1] < 2 || walk->at + option[1] > walk->end)
		walk->reason = REASON_malformed_ip;
	walk->at += option[1];
	return walk->reason != REASON_forwarded;
}

/* RFC 1812 section 5.2.2, of a header with options. */
static __always_inline bool options_sum_is_good(packet_context *context, __u32 base, __u32 header)
{
	struct packet p = {.context = context, .base = base};
	__u32 sum = 0;

	for (__u32 at = 0; at < 60; at += 4) {
		const __u32 *word;

		compiler_barrier();
		if (at >= header)
			break;
		word = packet_at(&p, at, 4);
		if (!word)
			return false;
		sum += sum_of_32(*word);
	}
	return sum_fold(sum) == 0xffff;
}

static __always_inline enum reason parse_options(packet_context *context, __u32 base, __u32 header)
{
	struct option_walk walk = {
		.context = context,
		.base = base,
		.at = IPV4_HEADER,
		.end = header,
		.reason = REASON_forwarded,
	};

	if (!options_sum_is_good(context, base, header))
		return REASON_malformed_ip;
	bounded_loop(60 - IPV4_HEADER, ip_option_step, &walk);
	return walk.reason;
}

/*
 * The transport header, if the packet carries @size bytes of it. The frame may
 * be longer than the packet: Ethernet pads short ones.
 */
static __always_inline void *transport_at(struct packet *p, const struct facts *f, __u32 l4,
					  __u32 size)
{
	return l4 + size > f->length ? NULL : packet_at(p, l4, size);
}

static __always_inline enum reason parse_udp(struct packet *p, struct facts *f, __u32 l4)
{
	const struct udp_header *udp = transport_at(p, f, l4, sizeof(*udp));
	__u32 length;

	if (!udp)
		return REASON_malformed_transport;
	length = be16_to_host(udp->length);
	if (length < sizeof(*udp) || (length > f->length - l4 && !is_fragment(f)))
		return REASON_malformed_transport;
	f->id_type = ID_PORTS;
	f->source_id = udp->source;
	f->destination_id = udp->destination;
	return REASON_forwarded;
}

static __always_inline enum reason parse_tcp(struct packet *p, struct facts *f, __u32 l4)
{
	const struct tcp_header *tcp = transport_at(p, f, l4, sizeof(*tcp));
	__u32 header;

	if (!tcp)
		return REASON_malformed_transport;
	header = (tcp->offset >> 4) * 4;
	if (header < sizeof(*tcp) || l4 + header > f->length)
		return REASON_malformed_transport;
	f->id_type = ID_PORTS;
	f->source_id = tcp->source;
	f->destination_id = tcp->destination;
	f->tcp_flags = tcp->flags;
	return REASON_forwarded;
}

static __always_inline enum reason parse_icmp(struct packet *p, struct facts *f, __u32 l4)
{
	const struct icmp_header *icmp = transport_at(p, f, l4, sizeof(*icmp));

	if (!icmp)
		return REASON_icmp_malformed;
	f->id_type = ID_PORTS;
	switch (icmp->type) {
	case ICMP_ECHO:
	case ICMP_TIMESTAMP:
		f->destination_id = icmp->id;
		return REASON_forwarded;
	case ICMP_ECHO_REPLY:
	case ICMP_TIMESTAMP_REPLY:
		f->destination_id = icmp->id;
		f->source_id = ICMP_IS_ANSWER;
		return REASON_forwarded;
	case ICMP_UNREACHABLE:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETER_PROBLEM:
		f->icmp_error = true;
		return REASON_forwarded;
	default: /* RFC 5508 REQ-11: redirects, source quench, router messages */
		return REASON_icmp_type;
	}
}

static __always_inline enum reason parse_esp(struct packet *p, struct facts *f, __u32 l4)
{
	const __be32 *spi = transport_at(p, f, l4, 8); /* SPI and sequence number */

	if (!spi || !*spi) /* RFC 4303 section 2.1: 0 is never on the wire */
		return REASON_malformed_transport;
	f->id_type = ID_SPI;
	f->spi = *spi;
	return REASON_forwarded;
}

/* RFC 2890: the key comes after the optional checksum; RFC 1701: and offset. */
static __always_inline enum reason parse_gre_key(struct packet *p, struct facts *f, __u32 l4,
						 __u16 flags)
{
	const __be32 *key;

	if (!(flags & GRE_KEY_PRESENT)) {
		f->id_type = ID_NONE;
		return REASON_forwarded;
	}
	key = transport_at(p, f,
			   l4 + (flags & (GRE_CHECKSUM_PRESENT | GRE_ROUTING_PRESENT) ? 8 : 4), 4);
	if (!key)
		return REASON_malformed_transport;
	f->id_type = ID_KEY;
	f->spi = *key;
	return REASON_forwarded;
}

/* RFC 2637 section 4.1. Version 1 carries other things too, as MikroTik's EoIP (0x6400). */
static __always_inline bool is_pptp_data(const struct gre_header *gre)
{
	return (be16_to_host(gre->flags) & GRE_VERSION_MASK) == 1 &&
	       gre->protocol == host_to_be16(GRE_PPP);
}

/* Versions and payloads that are nobody's here say nothing of a flow: one for two addresses. */
static __always_inline enum reason parse_gre(struct packet *p, struct facts *f, __u32 l4)
{
	const struct gre_header *gre = transport_at(p, f, l4, sizeof(*gre));
	const struct enhanced_gre_header *enhanced;
	__u16 flags;

	if (!gre)
		return REASON_malformed_transport;
	flags = be16_to_host(gre->flags);
	if ((flags & GRE_VERSION_MASK) == 0)
		return parse_gre_key(p, f, l4, flags);
	if (!is_pptp_data(gre)) {
		f->id_type = ID_NONE;
		return REASON_forwarded;
	}
	enhanced = transport_at(p, f, l4, sizeof(*enhanced));
	if (!enhanced ||
	    !(flags & GRE_KEY_PRESENT)) /* without it whose call it is nobody can say */
		return REASON_malformed_transport;
	f->id_type = ID_CALL;
	f->source_id = f->destination_id = enhanced->call_id;
	return REASON_forwarded;
}

/* RFC 3931 section 4.1.1: data names its session, control messages their connection. */
static __always_inline enum reason parse_l2tp(struct packet *p, struct facts *f, __u32 l4)
{
	const __be32 *session = transport_at(p, f, l4, sizeof(*session));
	const struct l2tp_ip_header *control;

	if (!session)
		return REASON_malformed_transport;
	f->id_type = ID_SESSION;
	f->spi = *session;
	if (f->spi)
		return REASON_forwarded;
	control = transport_at(p, f, l4, sizeof(*control));
	if (!control)
		return REASON_malformed_transport;
	f->id_type = ID_CONTROL;
	f->spi = control->connection;
	return REASON_forwarded;
}

static __always_inline enum reason parse_transport(struct packet *p, struct facts *f, __u32 l4)
{
	switch (f->protocol) {
	case PROTOCOL_TCP:
		return parse_tcp(p, f, l4);
	case PROTOCOL_UDP:
		return parse_udp(p, f, l4);
	case PROTOCOL_ESP:
		return parse_esp(p, f, l4);
	case PROTOCOL_GRE:
		return parse_gre(p, f, l4);
	case PROTOCOL_ICMP:
		return parse_icmp(p, f, l4);
	case PROTOCOL_L2TP:
		return parse_l2tp(p, f, l4);
	default:
		f->id_type = ID_NONE;
		return REASON_forwarded;
	}
}

/* Answers an enum reason. */
SEPARATE __u32 BACKEND_NAME(parse_behind_options)(packet_context *context, __u32 base,
						  struct facts *f)
{
	struct packet packet = {.context = context, .base = base}, *p = &packet;
	enum reason reason;
	__u32 header;

	if (!f)
		return REASON_malformed_ip;
	header = f->l4;
	if (header > 60)
		return REASON_malformed_ip;
	if (!packet_make_readable(p, header + 20))
		return REASON_malformed_ip;
	reason = parse_options(context, base, header);
	if (reason != REASON_forwarded)
		return reason;
	return parse_transport(p, f, header);
}

/* RFC 791: all pieces but the last carry a multiple of 8 bytes, and none ends past 64 KiB. */
static __always_inline enum reason parse_fragment(const struct ipv4_header *ip, struct facts *f)
{
	__u32 payload = f->length - f->l4;

	f->ip_id = ip->id;
	if (!payload || (!is_last_piece(f) && payload & 7) || piece_end(f) > 8192)
		return REASON_malformed_ip;
	/* RFC 3128: a second piece at 8 bytes would overwrite TCP's flags */
	if (f->protocol == PROTOCOL_TCP && piece_start(f) == 1)
		return REASON_fragment_overlap;
	return REASON_forwarded;
}

/* Of a header without options, unfolded. */
static __always_inline __u32 ipv4_sum(const struct ipv4_header *ip)
{
	const __u16 *word = (const __u16 *)ip;
	__u32 sum = 0;

	UNROLLED
	for (int i = 0; i < 10; i++)
		sum += word[i];
	return sum;
}

/* RFC 1812 section 5.2.2 */
static __always_inline bool ipv4_sum_is_good(const struct ipv4_header *ip)
{
	return sum_fold(ipv4_sum(ip)) == 0xffff;
}

/*
 * The whole packet from its IP header on. @f is zeroed first. A fragment
 * without the transport header has no ids; the caller looks them up. @spare:
 * room for facts on their way to a function of its own, so that @f itself can
 * stay in registers.
 */
static __always_inline enum reason parse_packet(struct packet *p, struct facts *f,
						struct facts *spare)
{
	const struct ipv4_header *ip = packet_at(p, 0, sizeof(*ip));
	enum reason reason;
	__u32 header;

	if (!ip || ip->version_length >> 4 != 4)
		return REASON_malformed_ip;
	header = (ip->version_length & 15) * 4;
	*f = (struct facts){
		.source = ip->source,
		.destination = ip->destination,
		.length = be16_to_host(ip->length),
		.protocol = ip->protocol,
		.ttl = ip->ttl,
		.l4 = header,
		.fragment = be16_to_host(ip->fragment),
	};
	if (likely(header == IPV4_HEADER) && !ipv4_sum_is_good(ip))
		return REASON_malformed_ip;
	if (header < IPV4_HEADER || f->length < header || f->length > packet_length(p))
		return REASON_malformed_ip;
	if (unlikely(is_fragment(f))) {
		reason = parse_fragment(ip, f);
		if (reason != REASON_forwarded || !has_transport(f))
			return reason;
	}
	if (likely(header == IPV4_HEADER))
		return parse_transport(p, f, IPV4_HEADER);
	facts_copy(spare, f);
	reason = BACKEND_NAME(parse_behind_options)(p->context, p->base, spare);
	*f = *spare;
	return reason;
}

#endif
