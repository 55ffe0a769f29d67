/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queries for the kernel's routing table, as Linux would ask them if it translated and
 * forwarded the packet itself: outbound before the source is translated, inbound after the
 * destination has been. Rules may ask for anything in it but the mark, which is 0.
 *
 * Context: any; new flows, and the first packet after a change of routes. Addresses and
 * ports in network byte order.
 */
#ifndef WAYLEAVE_CORE_QUERY_H
#define WAYLEAVE_CORE_QUERY_H

#include "core/packet.h"

/* Both ends as the inside knows them. Ports are those of TCP and UDP, else 0. */
struct flow_ends {
	__be32 remote, inside;
	__be16 remote_port, inside_port;
	__u8 protocol;
	__u8 tos;
};

/* As fib4_rules_early_flow_dissect() does: an ICMP identifier is no port. */
static __always_inline bool has_ports(__u8 protocol)
{
	return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP;
}

/* From the inside, whose interface is @ifindex, towards the remote. */
static __always_inline void query_out(struct query *q, const struct flow_ends *ends,
					 __u32 ifindex)
{
	*q = (struct query){
		.destination = ends->remote,
		.ifindex = ifindex,
		.source = ends->inside,
		.source_port = ends->inside_port,
		.destination_port = ends->remote_port,
		.protocol = ends->protocol,
		.tos = ends->tos,
	};
}

/* From the remote, whose packets come by interface @ifindex, towards the inside. */
static __always_inline void query_in(struct query *q, const struct flow_ends *ends,
					__u32 ifindex)
{
	*q = (struct query){
		.destination = ends->inside,
		.ifindex = ifindex,
		.source = ends->remote,
		.source_port = ends->remote_port,
		.destination_port = ends->inside_port,
		.protocol = ends->protocol,
		.tos = ends->tos,
	};
}

/* RFC 2474: the field that rules by tos and dscp look at. */
static __always_inline __u8 packet_tos(struct packet *p)
{
	const struct ipv4_header *ip = packet_at(p, 0, sizeof(*ip));

	return ip ? ip->service : 0;
}

#endif
