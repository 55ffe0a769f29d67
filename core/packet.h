/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few header fields that a NAT reads and writes, as they lie on the wire,
 * and the facts that parsing makes of them. Layouts are RFC 791, 768, 9293,
 * 792, 4303 and 2637; everything in network byte order.
 */
#ifndef WAYLEAVE_CORE_PACKET_H
#define WAYLEAVE_CORE_PACKET_H

#include "core/backend.h"

enum protocol {
	PROTOCOL_ICMP = 1,
	PROTOCOL_IGMP = 2,
	PROTOCOL_IPIP = 4,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_IPV6 = 41,
	PROTOCOL_GRE = 47,
	PROTOCOL_ESP = 50,
	PROTOCOL_AH = 51,
	PROTOCOL_ETHERIP = 97,
	PROTOCOL_L2TP = 115,
};

#define ETHERTYPE_IPV4	 0x0800
#define ETHERTYPE_ARP	 0x0806
#define ETHERTYPE_VLAN	 0x8100
#define ETHERTYPE_IPV6	 0x86dd
#define ETHERTYPE_PPPOED 0x8863
#define ETHERTYPE_PPPOES 0x8864
#define ETHERTYPE_EAPOL	 0x888e
#define ETHERTYPE_QINQ	 0x88a8

struct ethernet_header {
	__u8 destination[6];
	__u8 source[6];
	__be16 type;
} __attribute__((packed));

struct ipv4_header {
	__u8 version_length;
	__u8 service;
	__be16 length;
	__be16 id;
	__be16 fragment;
	__u8 ttl;
	__u8 protocol;
	__u16 check;
	__be32 source;
	__be32 destination;
};
#define IPV4_HEADER	    20
#define IPV4_DONT_FRAGMENT  0x4000
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_OFFSET_MASK    0x1fff

struct ports {
	__be16 source;
	__be16 destination;
};

struct tcp_header {
	__be16 source;
	__be16 destination;
	__be32 sequence;
	__be32 acknowledgment;
	__u8 offset; /* in 32-bit words, upper four bits */
	__u8 flags;
	__be16 window;
	__u16 check;
	__be16 urgent;
};
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

struct udp_header {
	__be16 source;
	__be16 destination;
	__be16 length;
	__u16 check;
};

struct icmp_header {
	__u8 type;
	__u8 code;
	__u16 check;
	__be16 id; /* queries */
	__be16 sequence;
};
#define ICMP_ECHO_REPLY	       0
#define ICMP_UNREACHABLE       3
#define ICMP_ECHO	       8
#define ICMP_TIME_EXCEEDED     11
#define ICMP_PARAMETER_PROBLEM 12
#define ICMP_TIMESTAMP	       13
#define ICMP_TIMESTAMP_REPLY   14

#define ICMP_CODE_TTL_EXCEEDED	       0
#define ICMP_CODE_HOST_UNREACHABLE     1 /* ours, RFC 6888 REQ-11B: for want of room */
#define ICMP_CODE_PROTOCOL_UNREACHABLE 2
#define ICMP_CODE_PORT_UNREACHABLE     3
#define ICMP_CODE_FRAGMENTATION	       4  /* RFC 1191 */
#define ICMP_CODE_NET_PROHIBITED       9  /* RFC 1812 section 5.2.7.1 */
#define ICMP_CODE_HOST_PROHIBITED      10 /* the same */
#define ICMP_CODE_ADMIN_PROHIBITED     13 /* the same */

struct gre_header {
	__be16 flags; /* and version, lower three bits */
	__be16 protocol;
};
#define GRE_KEY_PRESENT	     0x2000
#define GRE_CHECKSUM_PRESENT 0x8000
#define GRE_ROUTING_PRESENT  0x4000 /* RFC 1701; either of the two makes room for both fields */
#define GRE_VERSION_MASK     0x0007
#define GRE_PPP		     0x880b

struct enhanced_gre_header { /* RFC 2637 section 4.1 */
	__be16 flags;
	__be16 protocol;
	__be16 payload_length;
	__be16 call_id; /* the receiver's */
};

struct l2tp_ip_header { /* RFC 3931 section 4.1.1.2; session 0 only: a control message */
	__be32 session;
	__be16 flags;
	__be16 length;
	__be32 connection;
	__be16 sent, received; /* Ns, Nr */
};

_Static_assert(sizeof(struct ipv4_header) == IPV4_HEADER, "RFC 791");
_Static_assert(sizeof(struct tcp_header) == 20, "RFC 9293");

/* facts.source_id of an echo or timestamp reply */
#define ICMP_IS_ANSWER 1

/*
 * What is known of a packet after parsing. Addresses and ids in network order. Both
 * ends of a hairpin have our external address: here the far one is the inside host
 * itself, inbound the source, of a new flow outbound the destination.
 */
struct facts {
	__be32 source;
	__be32 destination;
	__be16 source_id;      /* ports; ICMP query: ICMP_IS_ANSWER or 0; GRE: call id */
	__be16 destination_id; /* ports; ICMP query: identifier; GRE: call id */
	__be32 spi;	       /* ESP SPI, GRE key */
	__u16 length;	       /* of the IP packet, host order */
	__u16 fragment;	       /* flags and offset of the IP header, host order */
	__be16 ip_id;	       /* of fragments only */
	__u8 l4;	       /* offset of the transport header */
	__u8 protocol;
	__u8 id_type; /* enum id_type */
	__u8 ttl;
	__u8 tcp_flags;
	__u8 icmp_error; /* bool */
	__u8 class;	 /* enum flow_class; of new flows only */
	__u8 hairpin;	 /* bool: inside host to inside host by our external address */
	__u8 tos;	 /* of new flows only */
	__u8 asked;	 /* bool: the daemon has seen it and hands it in again */
};

/*
 * Field by field: copied as a whole, fields that live in spilled registers are
 * merged into wider reads of the stack, which the verifier refuses.
 */
static __always_inline void facts_copy(struct facts *to, const struct facts *from)
{
	WRITE_ONCE(to->source, from->source);
	WRITE_ONCE(to->destination, from->destination);
	WRITE_ONCE(to->source_id, from->source_id);
	WRITE_ONCE(to->destination_id, from->destination_id);
	WRITE_ONCE(to->spi, from->spi);
	WRITE_ONCE(to->length, from->length);
	WRITE_ONCE(to->fragment, from->fragment);
	WRITE_ONCE(to->ip_id, from->ip_id);
	WRITE_ONCE(to->l4, from->l4);
	WRITE_ONCE(to->protocol, from->protocol);
	WRITE_ONCE(to->id_type, from->id_type);
	WRITE_ONCE(to->ttl, from->ttl);
	WRITE_ONCE(to->tcp_flags, from->tcp_flags);
	WRITE_ONCE(to->icmp_error, from->icmp_error);
	WRITE_ONCE(to->class, from->class);
	WRITE_ONCE(to->hairpin, from->hairpin);
	WRITE_ONCE(to->asked, from->asked);
}

/* Any piece but a whole packet. */
static __always_inline bool is_fragment(const struct facts *f)
{
	return f->fragment & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK);
}

/* A whole packet or a first piece: has the transport header. */
static __always_inline bool has_transport(const struct facts *f)
{
	return !(f->fragment & IPV4_OFFSET_MASK);
}

static __always_inline bool dont_fragment(const struct facts *f)
{
	return f->fragment & IPV4_DONT_FRAGMENT;
}

/* No piece comes behind this one. */
static __always_inline bool is_last_piece(const struct facts *f)
{
	return !(f->fragment & IPV4_MORE_FRAGMENTS);
}

/* Where a piece lies in its datagram, in units of 8 bytes; the end is past the last. */
static __always_inline __u32 piece_start(const struct facts *f)
{
	return f->fragment & IPV4_OFFSET_MASK;
}

static __always_inline __u32 piece_end(const struct facts *f)
{
	return piece_start(f) + (f->length - f->l4 + 7u) / 8;
}

#endif
