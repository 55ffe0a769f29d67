/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cuts packets that are too big for their next hop, one piece at each pass.
 *
 * tc_cut sits behind a pair of veth devices (daemon/cutter.h): on the way
 * through the pair the kernel completes partial checksums and takes GSO
 * super-packets apart, as only the first piece of each could carry a checksum
 * that is finished later. A pass sends the first piece to the next hop; a copy
 * of the packet, queued to come in once more, is the rest. So pieces leave in
 * order, and no daemon has a part in it.
 *
 * In place of the MAC addresses stands a struct punt: PUNT_CUT, or PUNT_REST with
 * the payload bytes that have gone already in `ifindex`; `index` is the next hop.
 */
#ifndef WAYLEAVE_BPF_TC_CUT_H
#define WAYLEAVE_BPF_TC_CUT_H

#include "bpf/backend_tc.h"
#include "core/cut.h"

#define ETHERNET	 14
#define CUT_AT_ONCE	 4088 /* bpf_skb_adjust_room() takes 4095, pieces are multiples of 8 */
#define CUT_ROOM_CALLS	 16   /* of a packet of 64 KiB */
#define CUT_OPTIONS_ROOM 64   /* a power of two; a header has 40 bytes at most */

static __always_inline struct ipv4_header *cut_ip(struct __sk_buff *skb)
{
	struct packet p = {.context = skb, .base = ETHERNET};

	return packet_at(&p, 0, sizeof(struct ipv4_header));
}

/* Length of the IP header, 20 to 60; 0: none. */
static __always_inline __u32 cut_header_bytes(struct __sk_buff *skb)
{
	const struct ipv4_header *ip = cut_ip(skb);
	__u32 bytes = ip ? (ip->version_length & 15) * 4 : 0;

	return bytes < IPV4_HEADER ? 0 : bytes;
}

/* A frame may be longer than its packet. */
static __noinline bool cut_trim(struct __sk_buff *skb)
{
	const struct ipv4_header *ip = cut_ip(skb);
	__u32 length = ip ? ETHERNET + be16_to_host(ip->length) : 0;

	return length && (skb->len <= length || !bpf_skb_change_tail(skb, length, 0));
}

/* Takes @bytes out behind the fixed part of the header. */
static __noinline bool cut_shrink(struct __sk_buff *skb, __u32 bytes)
{
	for (int i = 0; i < CUT_ROOM_CALLS && bytes; i++) {
		__u32 now = bytes > CUT_AT_ONCE ? CUT_AT_ONCE : bytes;

		compiler_barrier();
		if (bpf_skb_adjust_room(skb, -(__s32)now, BPF_ADJ_ROOM_NET, 0))
			return false;
		bytes -= now;
	}
	return !bytes;
}

/* The same number, of which Linux 6.1 sees that it is neither 0 nor too large. */
static __always_inline __u32 cut_bounded(__u32 length)
{
	compiler_hide(length);
	return ((length - 1) & (CUT_OPTIONS_ROOM - 1)) + 1;
}

/* The same where there are options, which stay where they are. */
static __noinline bool cut_shrink_behind_options(struct __sk_buff *skb, __u32 header, __u32 bytes)
{
	__u32 at = ETHERNET + IPV4_HEADER, length = header - IPV4_HEADER;
	__u8 options[CUT_OPTIONS_ROOM];

	if (bpf_skb_load_bytes(skb, at, options, cut_bounded(length)) || !cut_shrink(skb, bytes) ||
	    bpf_skb_store_bytes(skb, at, options, cut_bounded(length), 0))
		return false;
	cut_options_rest(skb, ETHERNET, header);
	return true;
}

/* Drops the part that the pass before has sent. */
static __noinline bool cut_go_on(struct __sk_buff *skb, __u32 gone)
{
	__u32 header = cut_header_bytes(skb);
	struct ipv4_header *ip;

	if (!header || !(header == IPV4_HEADER ? cut_shrink(skb, gone)
					       : cut_shrink_behind_options(skb, header, gone)))
		return false;
	ip = cut_ip(skb);
	if (ip)
		cut_rest(ip, gone);
	return ip;
}

/* Queues what lies behind the first @step bytes, and makes those a piece. */
static __noinline bool cut_split(struct __sk_buff *skb, __u32 next_hop, __u32 header, __u32 step)
{
	struct punt *rest = (void *)(long)skb->data;
	struct ipv4_header *ip;

	if ((void *)(rest + 1) > (void *)(long)skb->data_end)
		return false;
	*rest = (struct punt){.action = PUNT_REST, .index = next_hop, .ifindex = step};
	if (bpf_clone_redirect(skb, skb->ingress_ifindex, BPF_F_INGRESS) ||
	    bpf_skb_change_tail(skb, ETHERNET + header + step, 0))
		return false;
	ip = cut_ip(skb);
	if (ip)
		cut_first(ip, header + step);
	return ip;
}

/* Makes the packet one piece that fits next hop @index. False: it cannot be sent. */
static __noinline bool cut_once(struct __sk_buff *skb, struct punt *record)
{
	const struct next_hop *hop = next_hop_at(record->index);
	__u32 header = cut_header_bytes(skb), length, step;
	const struct config *c = config_get();
	struct ipv4_header *ip = cut_ip(skb);

	if (!hop || !c || !header || !ip)
		return false;
	if (record->action == PUNT_CUT)
		cut_id_write(c, ip);
	length = be16_to_host(ip->length);
	if (length <= hop->mtu)
		return true;
	step = cut_step(hop->mtu, header);
	return step && cut_split(skb, record->index, header, step);
}

#endif
