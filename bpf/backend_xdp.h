/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core's back end for XDP: whole frames, complete checksums, all fields
 * written in place. What needs more is left to TC on the same device.
 */
#ifndef WAYLEAVE_BPF_BACKEND_XDP_H
#define WAYLEAVE_BPF_BACKEND_XDP_H

#include "bpf/maps.h"

#define BACKEND_NAME(x)	 xdp_##x
#define BACKEND_FINISHES 0

typedef struct xdp_md packet_context;

#include "bpf/packet_at.h"
#include "bpf/route.h"

static __always_inline bool packet_make_readable(const struct packet *p, __u32 length)
{
	return true;
}

static __always_inline __u32 packet_length(const struct packet *p)
{
	return (__u32)(p->context->data_end - p->context->data) - p->base;
}

static __always_inline __u32 packet_segment_length(const struct packet *p)
{
	return packet_length(p);
}

static __always_inline struct packet packet_inner(const struct packet *p, __u32 offset)
{
	return (struct packet){
		.context = p->context, .base = p->base + offset, .ifindex = p->ifindex};
}

static __always_inline void packet_fix_l4_sum(const struct packet *p, __u32 offset,
					      __u16 address_delta, __u16 id_delta,
					      bool zero_is_none)
{
	__u16 *check = packet_at(p, offset, 2);

	if (!check || (zero_is_none && !*check))
		return;
	*check = checksum_adjust(*check, (__u32)address_delta + id_delta);
	if (zero_is_none && !*check)
		*check = 0xffff;
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
	const __u8 wanted = NEXT_HOP_RESOLVED | NEXT_HOP_XDP;

	return (hop->flags & (wanted | NEXT_HOP_BARE)) == wanted;
}

#endif
