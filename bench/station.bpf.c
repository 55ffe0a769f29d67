/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands at the ends of the bench's wires, and in the gateway's place:
 * sinks that count or check, a mirror, and the bare redirect that no
 * translating gateway can beat.
 */
#include <linux/pkt_cls.h>

#include "bench/frame.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tally);
} tallies SEC(".maps");

const volatile struct traffic traffic = {};
const volatile __u32 stands_inside = 0;
const volatile __u32 out_ifindex = 0; /* of a redirect; its MACs are traffic's */

/* Counts a frame of the bench; NULL for any other. */
static __always_inline struct tally *tally_frame(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	__u32 zero = 0;
	struct tally *tally = bpf_map_lookup_elem(&tallies, &zero);

	if (!tally)
		return NULL;
	if (data + FRAME_LEAST > end || ((struct ethhdr *)data)->h_proto != bpf_htons(ETH_P_IP)) {
		tally->other++;
		return NULL;
	}
	tally->frames++;
	tally->bytes += end - data;
	return tally;
}

SEC("xdp")
int sink(struct xdp_md *xdp)
{
	return tally_frame(xdp) ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int verify(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	struct tally *tally = tally_frame(xdp);

	if (!tally || data + FRAME_LEAST > end)
		return XDP_PASS;
	if (!frame_is_right(data, &traffic, stands_inside))
		tally->bad++;
	return XDP_DROP;
}

static __always_inline void swap_ends(void *data)
{
	struct ethhdr *ethernet = data;
	struct iphdr *ip = data + ETH_HLEN;
	__be32 address = ip->saddr;
	__u8 mac[6];

	__builtin_memcpy(mac, ethernet->h_dest, 6);
	__builtin_memcpy(ethernet->h_dest, ethernet->h_source, 6);
	__builtin_memcpy(ethernet->h_source, mac, 6);
	ip->saddr = ip->daddr;
	ip->daddr = address;
}

/* A server that answers each frame with itself: both checksums stay right. */
SEC("xdp")
int reflect(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	struct tally *tally = tally_frame(xdp);
	__u8 protocol;
	__be16 *port;

	if (!tally || data + FRAME_LEAST > end)
		return XDP_PASS;
	swap_ends(data);
	protocol = ((struct iphdr *)(data + ETH_HLEN))->protocol;
	port = data + L4;
	if (protocol == IPPROTO_UDP || protocol == IPPROTO_TCP) {
		__be16 first = port[0];

		port[0] = port[1];
		port[1] = first;
	}
	return XDP_TX;
}

/* A veth takes XDP frames only when its peer polls: this makes it poll, for TC and stack. */
SEC("xdp")
int pass(struct xdp_md *xdp)
{
	return XDP_PASS;
}

SEC("xdp")
int redirect(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;

	if (data + ETH_HLEN > end)
		return XDP_DROP;
	frame_macs(data, &traffic);
	return bpf_redirect(out_ifindex, 0);
}

SEC("tc")
int redirect_tc(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (data + ETH_HLEN > end)
		return TC_ACT_SHOT;
	frame_macs(data, &traffic);
	return bpf_redirect(out_ifindex, 0);
}

char _license[] SEC("license") = "GPL";
