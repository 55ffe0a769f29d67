/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ethernet, IPv4 and transport of one frame: built by the generator, checked
 * by the sink. The first four bytes of payload are the flow's number, the rest
 * is zero, so that a sum over the headers and these is the whole sum.
 *
 * Headers are written anew for each frame: the kernel hands out the pages
 * again with whatever the gateway left in them. Context: XDP.
 */
#ifndef WAYLEAVE_BENCH_FRAME_H
#define WAYLEAVE_BENCH_FRAME_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "bench/flow.h"

#define L4 34 /* offset of the transport header */

struct enhanced_gre { /* RFC 2637 section 4.1, without sequence numbers */
	__be16 flags;
	__be16 protocol;
	__be16 payload_bytes;
	__be16 call_id;
};

struct esp {
	__be32 spi;
	__be32 sequence;
};

static __always_inline __u16 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static __always_inline __u32 sum_halves(__u32 word)
{
	return (word & 0xffff) + (word >> 16);
}

static __always_inline __u32 sum_words(const void *data, int words)
{
	__u32 sum = 0;

#pragma unroll
	for (int i = 0; i < words; i++)
		sum += ((const __u16 *)data)[i];
	return sum;
}

static __always_inline __u32 payload_offset(__u32 protocol)
{
	return protocol == IPPROTO_TCP ? L4 + 20 : L4 + 8;
}

/* The pseudo header's sum; @bytes: transport header and payload. */
static __always_inline __u32 sum_pseudo(const struct iphdr *ip, __u16 bytes)
{
	return sum_halves(ip->saddr) + sum_halves(ip->daddr) + bpf_htons(ip->protocol) +
	       bpf_htons(bytes);
}

/* --- building ---------------------------------------------------------------------- */

/* Read-only data is read through volatile, or clang folds its zero initialiser. */
static __always_inline void frame_macs(void *data, const volatile struct traffic *t)
{
	const volatile __u16 *macs = (const volatile __u16 *)t->destination_mac;

#pragma unroll
	for (int i = 0; i < 6; i++)
		((__u16 *)data)[i] = macs[i];
}

static __always_inline void frame_ip(struct iphdr *ip, const volatile struct traffic *t,
				     const struct flow *f, __u32 number)
{
	*(__u16 *)ip = bpf_htons(0x4500);
	ip->tot_len = bpf_htons(t->frame_bytes - ETH_HLEN);
	ip->id = (__u16)number;
	ip->frag_off = bpf_htons(0x4000);
	ip->ttl = 64;
	ip->protocol = t->protocol;
	ip->saddr = bpf_htonl(f->inside);
	ip->daddr = bpf_htonl(f->server);
	ip->check = 0;
	ip->check = ~fold(sum_words(ip, 10));
}

static __always_inline void frame_udp(struct udphdr *udp, const struct iphdr *ip,
				      const struct flow *f, __u16 bytes, __u32 number)
{
	__u16 check;

	udp->source = bpf_htons(f->id);
	udp->dest = bpf_htons(SERVER_PORT);
	udp->len = bpf_htons(bytes);
	udp->check = 0;
	check = ~fold(sum_pseudo(ip, bytes) + sum_words(udp, 4) + sum_halves(number));
	udp->check = check ? check : 0xffff;
}

static __always_inline void frame_tcp(void *tcp, const struct iphdr *ip, const struct flow *f,
				      __u16 bytes, __u32 number)
{
	struct tcphdr *header = tcp;

	header->source = bpf_htons(f->id);
	header->dest = bpf_htons(SERVER_PORT);
	header->seq = bpf_htonl(1);
	header->ack_seq = bpf_htonl(1);
	((__be16 *)tcp)[6] = bpf_htons(0x5010); /* five words, ACK */
	header->window = bpf_htons(0xffff);
	header->check = 0;
	header->urg_ptr = 0;
	header->check = ~fold(sum_pseudo(ip, bytes) + sum_words(tcp, 10) + sum_halves(number));
}

static __always_inline void frame_tunnel(void *l4, const volatile struct traffic *t,
					 const struct flow *f, __u16 bytes, __u32 sequence)
{
	if (t->protocol == IPPROTO_ESP) {
		*(struct esp *)l4 = (struct esp){bpf_htonl(f->id), bpf_htonl(sequence)};
		return;
	}
	*(struct enhanced_gre *)l4 = (struct enhanced_gre){
		.flags = bpf_htons(0x2001), /* key present, version 1 */
		.protocol = bpf_htons(0x880b),
		.payload_bytes = bpf_htons(bytes - sizeof(struct enhanced_gre)),
		.call_id = bpf_htons(f->id),
	};
}

/* False: the frame is too short. @count: of frames so far. */
static __always_inline bool frame_build(void *data, void *end, const volatile struct traffic *t,
					__u64 count)
{
	__u32 number = flow_pick(t, count);
	struct flow f = flow_at(t, number);
	__u16 bytes = t->frame_bytes - L4;

	if (data + FRAME_LEAST > end)
		return false;
	frame_macs(data, t);
	((struct ethhdr *)data)->h_proto = bpf_htons(ETH_P_IP);
	frame_ip(data + ETH_HLEN, t, &f, number);
	*(__u32 *)(data + payload_offset(t->protocol)) = number;
	if (t->protocol == IPPROTO_UDP)
		frame_udp(data + L4, data + ETH_HLEN, &f, bytes, number);
	else if (t->protocol == IPPROTO_TCP)
		frame_tcp(data + L4, data + ETH_HLEN, &f, bytes, number);
	else
		frame_tunnel(data + L4, t, &f, bytes, (__u32)count + 1);
	return true;
}

/* --- checking ---------------------------------------------------------------------- */

static __always_inline bool sums_are_right(const void *data, const struct iphdr *ip)
{
	__u16 bytes = bpf_ntohs(ip->tot_len) - sizeof(*ip);

	if (fold(sum_words(ip, 10)) != 0xffff)
		return false;
	if (ip->protocol != IPPROTO_UDP && ip->protocol != IPPROTO_TCP)
		return true;
	/* from the transport header to the last byte that may not be zero */
	return fold(sum_pseudo(ip, bytes) + sum_words(data + L4, (FRAME_LEAST - L4) / 2)) == 0xffff;
}

/* A frame at the servers: from the external address (0: not translated), its other ids untouched.
 */
static __always_inline bool outside_ids_are_right(const void *data, const struct iphdr *ip,
						  const volatile struct traffic *t,
						  const struct flow *f)
{
	__be32 source = t->external ? t->external : bpf_htonl(f->inside);

	if (ip->saddr != source || ip->daddr != bpf_htonl(f->server))
		return false;
	if (t->protocol == IPPROTO_ESP)
		return ((const struct esp *)(data + L4))->spi == bpf_htonl(f->id);
	if (t->protocol == IPPROTO_GRE)
		return ((const struct enhanced_gre *)(data + L4))->call_id == bpf_htons(f->id);
	return ((const __be16 *)(data + L4))[1] == bpf_htons(SERVER_PORT);
}

/* The same frame sent back and translated: to the inside host and its own id. */
static __always_inline bool inside_ids_are_right(const void *data, const struct iphdr *ip,
						 const volatile struct traffic *t,
						 const struct flow *f)
{
	if (ip->saddr != bpf_htonl(f->server) || ip->daddr != bpf_htonl(f->inside))
		return false;
	if (t->protocol == IPPROTO_ESP)
		return ((const struct esp *)(data + L4))->spi == bpf_htonl(f->id);
	if (t->protocol == IPPROTO_GRE)
		return ((const struct enhanced_gre *)(data + L4))->call_id == bpf_htons(f->id);
	return ((const __be16 *)(data + L4))[1] == bpf_htons(f->id);
}

/* @end must be FRAME_LEAST behind @data at least. @inside: which side the sink stands on. */
static __always_inline bool frame_is_right(const void *data, const volatile struct traffic *t,
					   bool inside)
{
	__u32 number = *(const __u32 *)(data + payload_offset(t->protocol));
	const struct iphdr *ip = data + ETH_HLEN;
	struct flow f = flow_at(t, number);

	if (t->flows && number - t->first_flow >= t->flows)
		return false;
	if (ip->protocol != t->protocol || !sums_are_right(data, ip))
		return false;
	return inside ? inside_ids_are_right(data, ip, t, &f)
		      : outside_ids_are_right(data, ip, t, &f);
}

#endif
