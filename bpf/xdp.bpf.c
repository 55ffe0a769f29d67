/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XDP: hits and new plain flows between devices that take XDP frames. A frame
 * that is not forwarded or dropped here goes on, untouched, to TC on the same
 * device; TC counts it.
 */
#include "bpf/backend_xdp.h"
#include "core/gateway.h"
#include "core/own_mac.h"

static __always_inline int xdp_transmit(struct xdp_md *xdp, __u32 index)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	const struct next_hop *hop = next_hop_at(index);

	if (!hop || data + 14 > end)
		return XDP_DROP;
	macs_write(data, hop);
	return bpf_redirect(hop->ifindex, 0);
}

static __always_inline int xdp_run(struct xdp_md *xdp, enum direction direction)
{
	struct ethernet_header *ethernet = (void *)(long)xdp->data;
	struct packet p = {
		.context = xdp,
		.base = sizeof(*ethernet),
		.ifindex = xdp->ingress_ifindex,
	};
	const struct config *c = config_get();
	__u32 bytes = packet_length(&p);
	verdict_t v;

	if ((void *)(ethernet + 1) > (void *)(long)xdp->data_end ||
	    ethernet->type != host_to_be16(ETHERTYPE_IPV4))
		return XDP_PASS;
	if (unlikely(!c || !is_own_mac(c, p.ifindex, ethernet))) /* TC knows: tc_others_frame() */
		return XDP_PASS;
	v = gateway(&p, direction, ORIGIN_WIRE, NO_RECORD);
	if (likely(verdict_action(v) == ACTION_FORWARD)) {
		count(REASON_forwarded, bytes);
		return xdp_transmit(xdp, verdict_index(v));
	}
	if (verdict_action(v) != ACTION_DROP)
		return XDP_PASS;
	count(verdict_reason(v), bytes);
	return interface_is_elsewhere(p.ifindex) ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int xdp_inside(struct xdp_md *xdp)
{
	return xdp_run(xdp, DIRECTION_OUT);
}

SEC("xdp")
int xdp_outside(struct xdp_md *xdp)
{
	return xdp_run(xdp, DIRECTION_IN);
}
