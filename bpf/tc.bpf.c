/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TC: the whole gateway, on every kind of device. Ingress programs for LAN and
 * WAN, with and without Ethernet header; an egress program on the WAN that
 * records the gateway's own flows; the slow path's way back in.
 */
#include <linux/pkt_cls.h>

#include "bpf/backend_tc.h"
#include "bpf/tc_cut.h"
#include "core/gateway.h"
#include "core/local.h"

/* --- out of here --------------------------------------------------------------------- */

/* A neighbour that the kernel has found meanwhile needs no detour any more. */
static __always_inline bool next_hop_resolve(struct packet *p, struct next_hop *hop,
					     const struct config *c)
{
	struct route route = {};

	if (hop->flags & NEXT_HOP_RESOLVED)
		return true;
	if (tc_neighbour_of(p->context, hop->ifindex, hop->address, &route) != ROUTE_RESOLVED ||
	    route.ifindex != hop->ifindex)
		return false;
	next_hop_refresh(hop, &route, ROUTE_RESOLVED, clock_ticks(c));
	return true;
}

static __noinline int tc_transmit_unresolved(struct packet *p, struct next_hop *hop)
{
	struct bpf_redir_neigh neighbour = {.nh_family = FAMILY_IPV4, .ipv4_nh = hop->address};

	return bpf_redirect_neigh(hop->ifindex, &neighbour, sizeof(neighbour), 0);
}

static __always_inline int tc_transmit(struct packet *p, __u32 index)
{
	struct next_hop *hop = next_hop_at(index);
	const struct config *c = config_get();
	__u8 *data;

	if (!hop || !c || !hop->ifindex)
		return TC_ACT_SHOT;
	if (unlikely(!next_hop_resolve(p, hop, c)))
		return tc_transmit_unresolved(p, hop);
	if (!(hop->flags & NEXT_HOP_BARE)) {
		data = (void *)(long)p->context->data;
		if ((void *)data + ETHERNET > (void *)(long)p->context->data_end)
			return TC_ACT_SHOT;
		__builtin_memcpy(data, hop->destination, 12);
	}
	return bpf_redirect(hop->ifindex, 0);
}

/* To one of our own devices, with the record in place of the MAC addresses. */
static __always_inline int tc_redirect(struct packet *p, __u32 ifindex, struct punt punt,
				       __u64 flags)
{
	struct punt *header = (void *)(long)p->context->data;

	if (!ifindex || (void *)header + ETHERNET > (void *)(long)p->context->data_end)
		return TC_ACT_SHOT; /* it is not there */
	*header = punt;
	return bpf_redirect(ifindex, flags);
}

/* To the daemon. */
static __noinline int tc_punt(struct packet *p, __u32 reason, __u32 index, __u32 side)
{
	struct config *c = config_get();
	struct punt punt = {
		.action = PUNT_DOWN,
		.reason = reason,
		.side = side,
		.index = index,
		.ifindex = p->ifindex,
	};

	if (!c)
		return TC_ACT_SHOT;
	if (!punt_admit(p, reason, index, !(side & PUNT_FROM_WAN))) {
		count(REASON_slow_path_rate, 0);
		return TC_ACT_SHOT;
	}
	return tc_redirect(p, c->tap_ifindex, punt, 0);
}

/* A hairpinned packet comes in again, by the tap's ingress, as if from the WAN. */
static __noinline int tc_turn(struct packet *p)
{
	const struct config *c = config_get();
	struct punt punt = {
		.action = PUNT_TRANSLATE,
		.side = PUNT_FROM_WAN | PUNT_TURNED,
		.ifindex = p->ifindex,
	};

	return c ? tc_redirect(p, c->tap_ifindex, punt, BPF_F_INGRESS) : TC_ACT_SHOT;
}

/* To the cutter, translated. */
static __noinline int tc_to_cutter(struct packet *p, __u32 index)
{
	const struct config *c = config_get();
	struct punt punt = {.action = PUNT_CUT, .index = index};

	count(REASON_fragmented, packet_length(p));
	return c ? tc_redirect(p, c->cut_ifindex, punt, 0) : TC_ACT_SHOT;
}

static __always_inline int tc_finish(struct packet *p, verdict_t v, __u32 side, __u32 bytes)
{
	count(verdict_reason(v), bytes);
	switch (verdict_action(v)) {
	case ACTION_FORWARD:
		return tc_transmit(p, verdict_index(v));
	case ACTION_CUT:
		return tc_to_cutter(p, verdict_index(v));
	case ACTION_STACK:
		return TC_ACT_UNSPEC;
	case ACTION_HAIRPIN:
		return tc_turn(p);
	case ACTION_PUNT:
		return tc_punt(p, verdict_reason(v), verdict_index(v), side);
	default:
		return TC_ACT_SHOT;
	}
}

/* --- into here ------------------------------------------------------------------------ */

static __always_inline int tc_run(struct packet *p, enum direction direction, enum origin origin,
				  __u32 as)
{
	__u32 bytes = packet_length(p);

	if (!packet_make_readable(p, 60))
		return TC_ACT_SHOT;
	return tc_finish(p, gateway(p, direction, origin, as),
			 direction == DIRECTION_OUT ? 0 : PUNT_FROM_WAN, bytes);
}

/* RFC 4291: link-local and multicast stay on the link, so they cannot be forwarding. */
static __always_inline bool ipv6_is_for_link(struct __sk_buff *skb)
{
	const __u8 *destination = (void *)(long)skb->data + ETHERNET + 24;

	if ((void *)destination + 2 > (void *)(long)skb->data_end)
		return false;
	return destination[0] == 0xff ||
	       (destination[0] == 0xfe && (destination[1] & 0xc0) == 0x80);
}

static __always_inline int tc_not_ipv4(struct __sk_buff *skb, enum direction direction)
{
	__u32 type = be16_to_host(skb->protocol);
	enum reason reason = REASON_link_protocol;

	if (type == ETHERTYPE_IPV6)
		reason = direction == DIRECTION_OUT && ipv6_is_for_link(skb) ? REASON_to_gateway
									     : REASON_ipv6;
	else if (direction == DIRECTION_IN && type != ETHERTYPE_ARP && type != ETHERTYPE_PPPOED &&
		 type != ETHERTYPE_PPPOES && type != ETHERTYPE_EAPOL)
		reason = REASON_ethertype;
	count(reason, skb->len);
	return reason == REASON_ipv6 || reason == REASON_ethertype ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

static __always_inline bool has_tag(const struct __sk_buff *skb)
{
	return skb->vlan_present || skb->protocol == host_to_be16(ETHERTYPE_VLAN) ||
	       skb->protocol == host_to_be16(ETHERTYPE_QINQ);
}

#define VLAN_ID_MASK 0x0fff

/*
 * IEEE 802.1Q section 9.6: a tag with VLAN id 0 holds a priority and no VLAN. The frame
 * is this device's and goes on without the tag. False: the frame is another device's.
 */
static __noinline bool tc_untag_priority(struct __sk_buff *skb)
{
	__be16 in_band = 0;
	__u32 tag = skb->vlan_tci;

	if (!skb->vlan_present) {
		if (bpf_skb_load_bytes(skb, ETHERNET, &in_band, sizeof(in_band)))
			return false;
		tag = be16_to_host(in_band);
	}
	return !(tag & VLAN_ID_MASK) && !bpf_skb_vlan_pop(skb) && !has_tag(skb);
}

static __always_inline int tc_ethernet(struct __sk_buff *skb, enum direction direction)
{
	struct packet p = {.context = skb, .base = ETHERNET, .ifindex = skb->ingress_ifindex};

	if (unlikely(has_tag(skb)) && !tc_untag_priority(skb))
		return TC_ACT_UNSPEC;
	if (unlikely(skb->protocol != host_to_be16(ETHERTYPE_IPV4)))
		return tc_not_ipv4(skb, direction);
	return tc_run(&p, direction, ORIGIN_WIRE, NO_RECORD);
}

static const struct ethernet_header bare_header = {.type = host_to_be16(ETHERTYPE_IPV4)};

/* Gives a bare packet an Ethernet header, as every way out of here starts from one. */
static __noinline bool tc_dress(struct __sk_buff *skb)
{
	return !bpf_skb_change_head(skb, ETHERNET, 0) &&
	       !bpf_skb_store_bytes(skb, 0, &bare_header, sizeof(bare_header), 0);
}

static __always_inline int tc_bare(struct __sk_buff *skb, enum direction direction)
{
	struct packet p = {.context = skb, .ifindex = skb->ingress_ifindex};
	verdict_t v;

	if (skb->protocol != host_to_be16(ETHERTYPE_IPV4)) {
		count(skb->protocol == host_to_be16(ETHERTYPE_IPV6) ? REASON_ipv6
								    : REASON_ethertype,
		      skb->len);
		return TC_ACT_SHOT;
	}
	if (!packet_make_readable(&p, 60))
		return TC_ACT_SHOT;
	v = gateway(&p, direction, ORIGIN_WIRE, NO_RECORD);
	if (verdict_action(v) != ACTION_STACK && verdict_action(v) != ACTION_DROP) {
		if (!tc_dress(skb))
			return TC_ACT_SHOT;
		p.base = ETHERNET;
	}
	return tc_finish(&p, v, direction == DIRECTION_OUT ? 0 : PUNT_FROM_WAN, packet_length(&p));
}

SEC("tc")
int tc_inside(struct __sk_buff *skb)
{
	return tc_ethernet(skb, DIRECTION_OUT);
}

SEC("tc")
int tc_outside(struct __sk_buff *skb)
{
	return tc_ethernet(skb, DIRECTION_IN);
}

SEC("tc")
int tc_inside_bare(struct __sk_buff *skb)
{
	return tc_bare(skb, DIRECTION_OUT);
}

SEC("tc")
int tc_outside_bare(struct __sk_buff *skb)
{
	return tc_bare(skb, DIRECTION_IN);
}

/* --- the gateway's own flows -------------------------------------------------------------- */

/* What was forwarded here came in somewhere; what the gateway itself sends did not. */
static __always_inline int tc_record_local(struct __sk_buff *skb, __u32 base)
{
	struct packet p = {.context = skb, .base = base};

	if (skb->ingress_ifindex || skb->protocol != host_to_be16(ETHERTYPE_IPV4))
		return TC_ACT_UNSPEC;
	if (packet_make_readable(&p, 60))
		local_note(&p);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int tc_local(struct __sk_buff *skb)
{
	return tc_record_local(skb, ETHERNET);
}

SEC("tc")
int tc_local_bare(struct __sk_buff *skb)
{
	return tc_record_local(skb, 0);
}

/* --- the slow path's way back ---------------------------------------------------------------- */

/* A piece that the daemon held was for ourselves: the frame's address is the record, not ours. */
static __always_inline int tc_deliver(struct __sk_buff *skb, int result)
{
	if (result == TC_ACT_UNSPEC)
		bpf_skb_change_type(skb, 0); /* PACKET_HOST */
	return result;
}

SEC("tc")
int tc_tap(struct __sk_buff *skb)
{
	struct packet p = {.context = skb, .base = ETHERNET};
	struct punt *frame = (void *)(long)skb->data;
	__u32 as = NO_RECORD;
	struct punt punt;

	if ((void *)frame + ETHERNET > (void *)(long)skb->data_end)
		return TC_ACT_SHOT;
	punt = *frame;
	p.ifindex = punt.ifindex;
	if (punt.action == PUNT_TRANSMIT)
		return tc_transmit(&p, punt.index);
	if (punt.action == PUNT_SESSION)
		as = punt.index;
	else if (punt.action != PUNT_TRANSLATE)
		return TC_ACT_SHOT;
	if (punt.side & PUNT_FROM_WAN)
		return tc_deliver(skb, tc_run(&p, DIRECTION_IN,
					      punt.side & PUNT_TURNED ? ORIGIN_WIRE : ORIGIN_DAEMON,
					      as));
	if (as != NO_RECORD)
		return TC_ACT_SHOT;
	return tc_run(&p, DIRECTION_OUT, ORIGIN_DAEMON, NO_RECORD);
}

/* --- packets too big for their next hop ----------------------------------------------------- */

SEC("tc")
int tc_cut(struct __sk_buff *skb)
{
	struct packet p = {.context = skb, .base = ETHERNET, .ifindex = skb->ingress_ifindex};
	struct punt record, *frame;

	if (!packet_make_readable(&p, 60))
		return TC_ACT_SHOT;
	frame = (void *)(long)skb->data; /* which may have moved */
	if ((void *)frame + ETHERNET > (void *)(long)skb->data_end)
		return TC_ACT_SHOT;
	record = *frame;
	if (!cut_trim(skb))
		return TC_ACT_SHOT;
	if (record.action == PUNT_REST) {
		if (!cut_go_on(skb, record.ifindex))
			return TC_ACT_SHOT;
	} else if (record.action != PUNT_CUT) {
		return TC_ACT_SHOT;
	}
	return cut_once(skb, &record) ? tc_transmit(&p, record.index) : TC_ACT_SHOT;
}
