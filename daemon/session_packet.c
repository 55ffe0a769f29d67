/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/session_packet.h"

#include <string.h>

#include "core/icmp_build.h"
#include "core/tcp_state.h"

#define TTL 64

static struct ipv4_header ip_header(uint8_t protocol, __be32 source, __be32 destination,
				    uint16_t payload_bytes)
{
	struct ipv4_header ip = {.version_length = 0x45,
				 .length = host_to_be16(sizeof(ip) + payload_bytes),
				 .fragment = host_to_be16(IPV4_DONT_FRAGMENT),
				 .ttl = TTL,
				 .protocol = protocol,
				 .source = source,
				 .destination = destination};

	ip.check = icmp_build_sum((const uint8_t *)&ip, sizeof(ip));
	return ip;
}

/* RFC 9293 section 3.1: over the pseudo header too. */
static uint16_t tcp_sum(const struct ipv4_header *ip, const struct tcp_header *tcp)
{
	struct {
		__be32 source, destination;
		__be16 protocol, length;
		struct tcp_header tcp;
	} summed = {.source = ip->source,
		    .destination = ip->destination,
		    .protocol = host_to_be16(ip->protocol),
		    .length = host_to_be16(sizeof(*tcp)),
		    .tcp = *tcp};

	return icmp_build_sum((const uint8_t *)&summed, sizeof(summed));
}

static bool is_over(const struct record *orig)
{
	return orig->session.tcp_state == TCP_TRANS || orig->session.tcp_state == TCP_FIN_BOTH;
}

size_t session_packet_reset(uint8_t packet[SESSION_PACKET_MAX], const struct record *orig,
			    const struct record *reply)
{
	struct tcp_header tcp = {.source = orig->key.remote_id,
				 .destination = orig->key.local_id,
				 .sequence = host_to_be32(reply->session.tcp_next),
				 .acknowledgment = host_to_be32(orig->session.tcp_next),
				 .offset = sizeof(tcp) / 4 << 4,
				 .flags = TCP_RST | TCP_ACK};
	struct ipv4_header ip =
		ip_header(PROTOCOL_TCP, orig->key.remote, orig->key.local, sizeof(tcp));

	if (orig->key.protocol != PROTOCOL_TCP || is_over(orig))
		return 0;
	tcp.check = tcp_sum(&ip, &tcp);
	memcpy(packet, &ip, sizeof(ip));
	memcpy(packet + sizeof(ip), &tcp, sizeof(tcp));
	return sizeof(ip) + sizeof(tcp);
}

size_t session_packet_keepalive(uint8_t packet[SESSION_PACKET_MAX], const struct record *orig)
{
	struct udp_header udp = {.source = orig->session.new_id,
				 .destination = orig->key.remote_id,
				 .length = host_to_be16(sizeof(udp) + 1)};
	struct ipv4_header ip =
		ip_header(PROTOCOL_UDP, orig->session.new_local, orig->key.remote, sizeof(udp) + 1);

	memcpy(packet, &ip, sizeof(ip));
	memcpy(packet + sizeof(ip), &udp, sizeof(udp));
	packet[sizeof(ip) + sizeof(udp)] = KEEPALIVE_BYTE;
	return sizeof(ip) + sizeof(udp) + 1;
}
