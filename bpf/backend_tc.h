/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core's back end for TC: packets may be scattered, may be GSO
 * super-packets and may have a partial checksum, so transport checksums change
 * by the kernel's helpers only.
 */
#ifndef WAYLEAVE_BPF_BACKEND_TC_H
#define WAYLEAVE_BPF_BACKEND_TC_H

#include "bpf/maps.h"

#define BACKEND_NAME(x)	 tc_##x
#define BACKEND_FINISHES 1

typedef struct __sk_buff packet_context;

#include "bpf/packet_at.h"
#include "bpf/route.h"
#include "core/packet.h"

static __always_inline __u32 packet_length(const struct packet *p)
{
	return p->context->len - p->base;
}

static __always_inline bool packet_make_readable(const struct packet *p, __u32 length)
{
	__u32 wanted = p->base + length;

	if (wanted > p->context->len)
		wanted = p->context->len;
	if (p->context->data_end - p->context->data >= wanted)
		return true;
	return bpf_skb_pull_data(p->context, wanted) == 0;
}

/* Headers as in the first segment, payload as in each: what the wire will carry. */
static __always_inline __u32 packet_segment_length(const struct packet *p)
{
	__u32 payload = p->context->gso_size;
	const struct ipv4_header *ip;
	const struct tcp_header *tcp;
	__u32 header;

	if (likely(!payload))
		return packet_length(p);
	ip = packet_at(p, 0, sizeof(*ip));
	if (!ip)
		return packet_length(p);
	header = (ip->version_length & 15) * 4;
	if (ip->protocol != PROTOCOL_TCP)
		return header + sizeof(struct udp_header) + payload;
	tcp = packet_at(p, header, sizeof(*tcp));
	return header + (tcp ? (tcp->offset >> 4) * 4 : sizeof(*tcp)) + payload;
}

static __always_inline struct packet packet_inner(const struct packet *p, __u32 offset)
{
	return (struct packet){
		.context = p->context, .base = p->base + offset, .ifindex = p->ifindex};
}

static __always_inline bool packet_copy(const struct packet *p, __u32 offset, void *to,
					__u32 length)
{
	return bpf_skb_load_bytes(p->context, p->base + offset, to, length) == 0;
}

static __always_inline void packet_fix_l4_sum(const struct packet *p, __u32 offset,
					      __u16 address_delta, __u16 id_delta,
					      bool zero_is_none)
{
	__u64 flags = zero_is_none ? BPF_F_MARK_MANGLED_0 : 0;

	if (address_delta)
		bpf_l4_csum_replace(p->context, p->base + offset, 0, address_delta,
				    BPF_F_PSEUDO_HDR | flags);
	if (id_delta)
		bpf_l4_csum_replace(p->context, p->base + offset, 0, id_delta, flags);
}

static __always_inline enum route_result
route_lookup(struct packet *p, const struct query *query, struct route *route)
{
	return BACKEND_NAME(route_of)(p->context, query, route);
}

static __always_inline __u32 route_interface(struct packet *p, const struct query *query)
{
	return BACKEND_NAME(interface_of)(p->context, query);
}

static __always_inline __u32 stack_mtu(struct packet *p, const struct query *query)
{
	return BACKEND_NAME(stack_mtu_of)(p->context, query);
}

static __always_inline bool next_hop_usable(const struct next_hop *hop)
{
	return true;
}

#endif
