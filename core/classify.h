/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Facts to class and timer: what a switch blocks, what `show vpn` names and
 * how long a silent session lives. Context: any, new flows only.
 */
#ifndef WAYLEAVE_CORE_CLASSIFY_H
#define WAYLEAVE_CORE_CLASSIFY_H

#include "core/packet.h"

#define PORT_DHCP_SERVER 67
#define PORT_DHCP_CLIENT 68
#define PORT_IKE	 500
#define PORT_OPENVPN	 1194
#define PORT_L2TP	 1701
#define PORT_PPTP	 1723
#define PORT_NAT_T	 4500
#define PORT_WIREGUARD	 51820

/* WireGuard, section 5.4.2 of its paper: type 1, three zero bytes, 148 bytes in all */
#define WIREGUARD_INITIATION	    0x01000000
#define WIREGUARD_INITIATION_LENGTH 148

static __always_inline bool is_wireguard_initiation(struct packet *p, const struct facts *f)
{
	const __be32 *type;

	if (f->length != f->l4 + sizeof(struct udp_header) + WIREGUARD_INITIATION_LENGTH)
		return false;
	type = packet_at(p, f->l4 + sizeof(struct udp_header), 4);
	return type && *type == host_to_be32(WIREGUARD_INITIATION);
}

#define OPENVPN_SOFT_RESET 3 /* P_CONTROL_SOFT_RESET_V1: opcode, the upper five bits */

static __always_inline bool is_openvpn_rekey(struct packet *p, const struct facts *f)
{
	const __u8 *opcode = packet_at(p, f->l4 + sizeof(struct udp_header), 1);

	return opcode && *opcode >> 3 == OPENVPN_SOFT_RESET;
}

/*
 * @remote_port, @local_port: host order; local is the inside host's or, from
 * the WAN, the external one.
 */
static __always_inline enum flow_class classify_udp(struct packet *p, const struct facts *f,
						    __u16 remote_port, __u16 local_port)
{
	if (remote_port == PORT_L2TP || local_port == PORT_L2TP)
		return CLASS_L2TP;
	if (remote_port == PORT_IKE || remote_port == PORT_NAT_T || local_port == PORT_IKE ||
	    local_port == PORT_NAT_T)
		return CLASS_IPSEC;
	if (remote_port == PORT_OPENVPN || local_port == PORT_OPENVPN)
		return CLASS_OPENVPN;
	if (remote_port == PORT_WIREGUARD || local_port == PORT_WIREGUARD ||
	    is_wireguard_initiation(p, f))
		return CLASS_WIREGUARD;
	return CLASS_PLAIN;
}

static __always_inline enum flow_class classify(struct packet *p, const struct facts *f,
						__be16 remote_id, __be16 local_id)
{
	__u16 remote_port = be16_to_host(remote_id), local_port = be16_to_host(local_id);

	switch (f->protocol) {
	case PROTOCOL_UDP:
		return classify_udp(p, f, remote_port, local_port);
	case PROTOCOL_TCP:
		if (remote_port == PORT_PPTP || local_port == PORT_PPTP)
			return CLASS_PPTP;
		return remote_port == PORT_OPENVPN ? CLASS_OPENVPN : CLASS_PLAIN;
	case PROTOCOL_GRE:
		return f->id_type == ID_CALL ? CLASS_PPTP : CLASS_TUNNEL;
	case PROTOCOL_ESP:
	case PROTOCOL_AH:
		return CLASS_IPSEC;
	case PROTOCOL_L2TP:
		return CLASS_L2TP;
	case PROTOCOL_IPIP:
	case PROTOCOL_IPV6:
	case PROTOCOL_ETHERIP:
		return CLASS_TUNNEL;
	default:
		return CLASS_PLAIN;
	}
}

static __always_inline enum reason blocked_reason(enum flow_class class)
{
	if (class == CLASS_PPTP)
		return REASON_blocked_pptp;
	return class == CLASS_L2TP ? REASON_blocked_l2tp : REASON_blocked_ipsec;
}

static __always_inline bool is_blocked(const struct config *c, __u8 class)
{
	return c->blocked >> (class & 31) & 1;
}

/* A VPN's mapping outlives the pauses that its clients really make; RFC 4787 REQ-5 for the rest. */
static __always_inline enum timeout timeout_of_udp(__u8 class)
{
	switch (class) {
	case CLASS_IPSEC:
		return TIMEOUT_IKE;
	case CLASS_L2TP:
		return TIMEOUT_L2TP;
	case CLASS_WIREGUARD:
		return TIMEOUT_WIREGUARD;
	case CLASS_OPENVPN:
		return TIMEOUT_OPENVPN;
	default:
		return TIMEOUT_UDP;
	}
}

/* The timer that a flow begins with. @class: enum flow_class. */
static __always_inline enum timeout timeout_of(__u8 protocol, __u8 class)
{
	switch (protocol) {
	case PROTOCOL_UDP:
		return timeout_of_udp(class);
	case PROTOCOL_TCP:
		return TIMEOUT_TCP_OPENING;
	case PROTOCOL_ICMP:
		return TIMEOUT_ICMP;
	case PROTOCOL_ESP:
		return TIMEOUT_ESP;
	case PROTOCOL_GRE:
		return TIMEOUT_GRE;
	case PROTOCOL_L2TP:
		return TIMEOUT_L2TP;
	default:
		return TIMEOUT_OTHER;
	}
}

#endif
