/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICMP errors of our own: "administratively prohibited" for what a switch
 * blocks, and, towards the WAN, the errors that the kernel cannot build
 * because it would quote the inside address. The quoted packet is untranslated:
 * it stands in the message exactly as its sender sent it. An error travels in
 * the class of what it is about (RFC 5508 REQ-10d).
 *
 * Context: daemon, tests. Addresses in network byte order.
 */
#ifndef WAYLEAVE_CORE_ICMP_BUILD_H
#define WAYLEAVE_CORE_ICMP_BUILD_H

#include <string.h>

#include "core/filter.h"
#include "core/packet.h"

#define ICMP_BUILD_MAX 576  /* RFC 1812 section 4.3.2.3 */
#define IPV4_DS_MASK   0xfc /* RFC 2474; what is left is ECN */

struct icmp_request {
	__be32 from; /* our address on the side that the error leaves by */
	__u8 type, code;
	__u16 mtu; /* of the next link, host order; fragmentation needed only */
};

static inline __u16 icmp_build_sum(const __u8 *bytes, size_t length)
{
	__u32 sum = 0;

	for (size_t i = 0; i + 1 < length; i += 2) {
		__u16 word;

		memcpy(&word, bytes + i, 2);
		sum += word;
	}
	if (length & 1) {
		__u8 last[2] = {bytes[length - 1], 0};
		__u16 word;

		memcpy(&word, last, 2);
		sum += word;
	}
	return (__u16)~sum_fold(sum);
}

/*
 * RFC 1122 section 3.2.2: no error about an error, a later fragment, a
 * multicast or broadcast, or a sender that is no single host.
 */
static inline bool icmp_build_allowed(const struct ipv4_header *ip, const __u8 *l4, size_t length)
{
	if (be16_to_host(ip->fragment) & IPV4_OFFSET_MASK)
		return false;
	if (is_multicast_or_broadcast(ip->destination) || is_martian_source(ip->source))
		return false;
	if (ip->protocol != PROTOCOL_ICMP)
		return true;
	return length && (*l4 == ICMP_ECHO || *l4 == ICMP_ECHO_REPLY || *l4 == ICMP_TIMESTAMP ||
			  *l4 == ICMP_TIMESTAMP_REPLY);
}

/*
 * The error about the IP packet @about, of @length bytes, into @out (at least
 * ICMP_BUILD_MAX bytes): a whole IP packet to @about's sender. Answers its
 * length; 0 where no error may be sent, or @about is no IPv4 packet.
 */
static inline size_t icmp_build(__u8 *out, const struct icmp_request *request, const __u8 *about,
				size_t length)
{
	struct ipv4_header quoted, ip = {.version_length = 0x45, .ttl = 64};
	struct icmp_header icmp = {.type = request->type, .code = request->code};
	size_t header, quote, total;
	__u16 check;

	if (length < IPV4_HEADER)
		return 0;
	memcpy(&quoted, about, sizeof(quoted));
	header = (quoted.version_length & 15) * 4u;
	if (quoted.version_length >> 4 != 4 || header < IPV4_HEADER || header > length ||
	    !icmp_build_allowed(&quoted, about + header, length - header))
		return 0;
	if (be16_to_host(quoted.length) < length) /* Ethernet padding is not the sender's */
		length = be16_to_host(quoted.length);
	quote = length;
	if (quote > ICMP_BUILD_MAX - IPV4_HEADER - sizeof(icmp))
		quote = ICMP_BUILD_MAX - IPV4_HEADER - sizeof(icmp);
	total = IPV4_HEADER + sizeof(icmp) + quote;
	ip.length = host_to_be16(total);
	ip.service = quoted.service & IPV4_DS_MASK;
	ip.protocol = PROTOCOL_ICMP;
	ip.source = request->from;
	ip.destination = quoted.source;
	ip.check = icmp_build_sum((const __u8 *)&ip, sizeof(ip));
	icmp.sequence = host_to_be16(request->mtu); /* RFC 1191 section 4: next-hop MTU */
	memcpy(out, &ip, sizeof(ip));
	memcpy(out + IPV4_HEADER, &icmp, sizeof(icmp));
	memcpy(out + IPV4_HEADER + sizeof(icmp), about, quote);
	check = icmp_build_sum(out + IPV4_HEADER, sizeof(icmp) + quote);
	memcpy(out + IPV4_HEADER + offsetof(struct icmp_header, check), &check, 2);
	return total;
}

#endif
