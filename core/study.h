/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the packets of a tunnel are, where set-up and data share a port or a call: by
 * headers in clear, the few that say whether a packet sets the tunnel up or is what the
 * tunnel is for. A tunnel that was only set up, or refused, is not up.
 *
 *   ESP in UDP   RFC 3948 section 2.2: IKE begins with four zero bytes
 *   PPTP, L2TP   RFC 1661 section 2: PPP's protocols from 0x4000 on negotiate
 *   WireGuard    section 5.4.6 of its paper: type 4
 *   OpenVPN      its protocol's P_DATA_V1 and P_DATA_V2
 *
 * A hit is looked at until data has passed in its direction, and once more each time
 * that the daemon has taken note of it; later ones cost nothing. Of WireGuard and OpenVPN
 * handshakes are counted as well, so each packet is looked at.
 *
 * Context: XDP, TC, memory.
 */
#ifndef WAYLEAVE_CORE_STUDY_H
#define WAYLEAVE_CORE_STUDY_H

#include "core/classify.h"
#include "core/session.h"

enum study {
	STUDY_SETUP,  /* or not to be told */
	STUDY_BEGINS, /* what was known of the tunnel is of an earlier one */
	STUDY_DATA,
};

#define STUDY_READS 48 /* bytes behind the IP header that any of them reads */

/* Which flows have set-up and data in one: that alone are data what they carry. */
static __always_inline bool is_studied_flow(const struct facts *f)
{
	switch (f->class) {
	case CLASS_IPSEC:
		return f->protocol == PROTOCOL_UDP &&
		       (f->destination_id == host_to_be16(PORT_NAT_T) ||
			f->source_id == host_to_be16(PORT_NAT_T));
	case CLASS_PPTP:
		return f->protocol == PROTOCOL_GRE;
	case CLASS_L2TP:
	case CLASS_WIREGUARD:
		return f->protocol == PROTOCOL_UDP;
	case CLASS_OPENVPN:
		return true;
	default:
		return false;
	}
}

static __always_inline bool wants_study(const struct session *s)
{
	return s->flags & SESSION_STUDIED && (!s->moved || s->class >= CLASS_WIREGUARD);
}

/* --- PPP: RFC 1661 section 2, compressed as in section 6.5 and RFC 1662 section 3.2 ---- */
#define PPP_LCP		      0xc021
#define PPP_CONFIGURE_REQUEST 1
#define PPP_NEGOTIATES	      0x40 /* first byte of the protocols that do */

/* @protocol: two bytes and the code behind them. */
static __always_inline enum study study_ppp_protocol(const __u8 *protocol)
{
	if (protocol[0] & 1 || protocol[0] < PPP_NEGOTIATES)
		return STUDY_DATA;
	if (protocol[0] == PPP_LCP >> 8 && protocol[1] == (PPP_LCP & 0xff) &&
	    protocol[2] == PPP_CONFIGURE_REQUEST)
		return STUDY_BEGINS;
	return STUDY_SETUP;
}

static __always_inline enum study study_ppp(struct packet *p, __u32 at)
{
	const __u8 *frame = packet_at(p, at, 5);

	if (!frame)
		return STUDY_SETUP;
	if (frame[0] == 0xff && frame[1] == 0x03) /* address and control field */
		return study_ppp_protocol(frame + 2);
	return study_ppp_protocol(frame);
}

#define GRE_SEQUENCE_PRESENT	   0x1000
#define GRE_ACKNOWLEDGMENT_PRESENT 0x0080

/* RFC 2637 section 4.1; without a sequence number there is no payload. */
static __always_inline enum study study_pptp(struct packet *p, __u32 l4)
{
	const struct enhanced_gre_header *gre = packet_at(p, l4, sizeof(*gre));
	__u16 flags = gre ? be16_to_host(gre->flags) : 0;

	if (!(flags & GRE_SEQUENCE_PRESENT))
		return STUDY_SETUP;
	return study_ppp(p, l4 + sizeof(*gre) + (flags & GRE_ACKNOWLEDGMENT_PRESENT ? 8 : 4));
}

#define L2TP_CONTROL  0x8000
#define L2TP_LENGTH   0x4000
#define L2TP_SEQUENCE 0x0800
#define L2TP_OFFSET   0x0200
#define L2TP_VERSION  0x000f

/* RFC 2661 section 3.1. Version 3 (RFC 3931 section 4.1.2.1) does not say what it carries. */
static __always_inline enum study study_l2tp(struct packet *p, __u32 l4)
{
	__u32 at = l4 + sizeof(struct udp_header);
	const __be16 *word = packet_at(p, at, 2);
	__u16 flags = word ? be16_to_host(*word) : L2TP_CONTROL;

	if (flags & L2TP_CONTROL)
		return STUDY_SETUP;
	if ((flags & L2TP_VERSION) == 3)
		return STUDY_DATA;
	at += 6 + (flags & L2TP_LENGTH ? 2 : 0) + (flags & L2TP_SEQUENCE ? 4 : 0);
	if (flags & L2TP_OFFSET) {
		word = packet_at(p, at, 2);
		at += 2 + (word ? be16_to_host(*word) & 0xf : 0);
	}
	return study_ppp(p, at);
}

/* --- IPsec: RFC 3948 section 2, RFC 7296 section 3.1, RFC 2408 section 3.1 -------------- */
#define NON_ESP_MARKER	    4
#define IKE_EXCHANGE	    18 /* offset in IKE's header */
#define IKE_MAIN_MODE	    2
#define IKE_AGGRESSIVE_MODE 4
#define IKE_AUTH	    35

static __always_inline enum study study_nat_t(struct packet *p, __u32 l4)
{
	__u32 at = l4 + sizeof(struct udp_header);
	const __be32 *word = packet_at(p, at, 8); /* a keepalive has one byte */
	const __u8 *exchange;

	if (!word)
		return STUDY_SETUP;
	if (*word)
		return STUDY_DATA;
	exchange = packet_at(p, at + NON_ESP_MARKER + IKE_EXCHANGE, 1);
	if (exchange && (*exchange == IKE_AUTH || *exchange == IKE_MAIN_MODE ||
			 *exchange == IKE_AGGRESSIVE_MODE))
		return STUDY_BEGINS;
	return STUDY_SETUP;
}

/* --- WireGuard, OpenVPN --------------------------------------------------------------------- */
#define WIREGUARD_DATA	    0x04000000
#define WIREGUARD_KEEPALIVE 32 /* bytes: data without any */

/* A peer answers data, but no keepalive: who sends only those waits for nothing. */
static __always_inline enum study study_wireguard(struct packet *p, const struct facts *f, bool out)
{
	const __be32 *type = packet_at(p, f->l4 + sizeof(struct udp_header), 4);
	__u32 length = f->length - f->l4 - sizeof(struct udp_header);

	if (!type || *type != host_to_be32(WIREGUARD_DATA) ||
	    length < WIREGUARD_KEEPALIVE + (out ? 1 : 0))
		return STUDY_SETUP;
	return STUDY_DATA;
}

static __always_inline enum study study_openvpn_opcode(__u8 opcode)
{
	switch (opcode >> 3) {
	case 6: /* P_DATA_V1, P_DATA_V2 */
	case 9:
		return STUDY_DATA;
	case 1: /* P_CONTROL_HARD_RESET_CLIENT_V1 to V3 */
	case 7:
	case 10:
		return STUDY_BEGINS;
	default:
		return STUDY_SETUP;
	}
}

static __always_inline enum study study_openvpn_udp(struct packet *p, __u32 l4)
{
	const __u8 *opcode = packet_at(p, l4 + sizeof(struct udp_header), 1);

	return opcode ? study_openvpn_opcode(*opcode) : STUDY_SETUP;
}

/* Over TCP each message has its length before it; one that the segment does not begin with
 * is not looked for. */
static __always_inline enum study study_openvpn_tcp(struct packet *p, const struct facts *f)
{
	const struct tcp_header *tcp = packet_at(p, f->l4, sizeof(*tcp));
	__u32 header = tcp ? (tcp->offset >> 4) * 4 : 0;
	const __u8 *message = packet_at(p, f->l4 + header, 3);
	__u32 payload = f->length - f->l4 - header;

	if (!tcp || !message || payload < 3 || ((__u32)message[0] << 8 | message[1]) + 2 > payload)
		return STUDY_SETUP;
	return study_openvpn_opcode(message[2]);
}

/* --- one packet --------------------------------------------------------------------------- */

static __always_inline enum study study_packet(struct packet *p, const struct facts *f,
					       const struct record *r)
{
	switch (r->session.class) {
	case CLASS_PPTP:
		return study_pptp(p, f->l4);
	case CLASS_L2TP:
		return study_l2tp(p, f->l4);
	case CLASS_IPSEC:
		return study_nat_t(p, f->l4);
	case CLASS_WIREGUARD:
		return study_wireguard(p, f, r->key.kind == KIND_SESSION_ORIG);
	case CLASS_OPENVPN:
		return r->key.protocol == PROTOCOL_TCP ? study_openvpn_tcp(p, f)
						       : study_openvpn_udp(p, f->l4);
	default:
		return STUDY_SETUP;
	}
}

/* A handshake that renews a tunnel's keys, where a header in clear says so. */
static __always_inline void study_handshake(struct packet *p, const struct facts *f,
					    struct record *r)
{
	if (r->key.protocol != PROTOCOL_UDP)
		return;
	if (r->session.class == CLASS_WIREGUARD
		    ? is_wireguard_initiation(p, f)
		    : r->session.class == CLASS_OPENVPN && is_openvpn_rekey(p, f))
		r->session.rekeys++;
}

/* A whole packet or first piece of a session that wants_study() is about to go on. */
SEPARATE __u32 BACKEND_NAME(session_study)(packet_context *context, __u32 base, __u32 l4,
					   __u32 length, __u32 record)
{
	struct packet p = {.context = context, .base = base};
	struct facts f = {.l4 = l4, .length = length};
	struct record *r = record_at(record), *partner;

	if (!r || !packet_make_readable(&p, f.l4 + STUDY_READS))
		return false;
	study_handshake(&p, &f, r);
	switch (study_packet(&p, &f, r)) {
	case STUDY_DATA:
		if (!r->session.moved) /* not at each hit: the daemon writes here too */
			r->session.carried = r->session.moved = 1;
		break;
	case STUDY_BEGINS:
		r->session.carried = 0;
		partner = record_at(r->partner);
		if (partner)
			partner->session.carried = 0;
		break;
	case STUDY_SETUP:
		break;
	}
	return true;
}

#endif
