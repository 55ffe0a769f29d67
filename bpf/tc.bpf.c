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
#include "core/own_mac.h"

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
		macs_write(data, hop);
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

/* Where a frame comes from, and how often it has been through the tap. */
static __always_inline __u32 trace_of(__u32 side, __u32 passes)
{
	return side | passes << 8;
}

/* One pass more. False: too many. */
static __always_inline bool tc_pass_again(struct punt *punt, __u32 trace)
{
	__u32 passes = (trace >> 8) + 1;

	punt->passes = passes;
	if (passes <= PUNT_PASSES)
		return true;
	count(REASON_slow_path_loop, 0);
	return false;
}

/* To the daemon. */
static __noinline int tc_punt(struct packet *p, __u32 reason, __u32 index, __u32 trace)
{
	struct config *c = config_get();
	struct punt punt = {
		.action = PUNT_DOWN,
		.reason = reason,
		.side = trace,
		.index = index,
		.ifindex = p->ifindex,
	};

	if (interface_is_elsewhere(p->ifindex))
		return TC_ACT_UNSPEC;
	if (!c || !tc_pass_again(&punt, trace))
		return TC_ACT_SHOT;
	if (!punt_admit(p, reason, index, !(trace & PUNT_FROM_WAN))) {
		count(REASON_slow_path_rate, 0);
		return TC_ACT_SHOT;
	}
	return tc_redirect(p, c->tap_ifindex, punt, 0);
}

/*
 * A hairpinned packet comes in again, by the tap's ingress, as if from the WAN.
 * @index: the record that has translated it outbound.
 */
static __noinline int tc_turn(struct packet *p, __u32 index, __u32 trace)
{
	const struct config *c = config_get();
	struct punt punt = {
		.action = PUNT_TRANSLATE,
		.side = PUNT_FROM_WAN | PUNT_TURNED,
		.index = index,
		.ifindex = p->ifindex,
	};

	if (!c || !tc_pass_again(&punt, trace))
		return TC_ACT_SHOT;
	return tc_redirect(p, c->tap_ifindex, punt, BPF_F_INGRESS);
}

/* To the cutter, translated. */
static __noinline int tc_to_cutter(struct packet *p, __u32 index)
{
	const struct config *c = config_get();
	struct punt punt = {.action = PUNT_CUT, .index = index};

	count(REASON_fragmented, packet_length(p));
	return c ? tc_redirect(p, c->cut_ifindex, punt, 0) : TC_ACT_SHOT;
}

static __always_inline int tc_finish(struct packet *p, verdict_t v, __u32 trace, __u32 bytes)
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
		return tc_turn(p, verdict_index(v), trace);
	case ACTION_PUNT:
		return tc_punt(p, verdict_reason(v), verdict_index(v), trace);
	default:
		return TC_ACT_SHOT;
	}
}

/* --- into here ------------------------------------------------------------------------ */

/* We drop nothing on an interface that is not ours any more. */
static __always_inline int tc_shot(__u32 ifindex)
{
	return interface_is_elsewhere(ifindex) ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

static __always_inline int tc_run(struct packet *p, enum direction direction)
{
	__u32 bytes = packet_length(p);
	int action;

	if (!packet_make_readable(p, 60))
		return TC_ACT_SHOT;
	action = tc_finish(p, gateway(p, direction, ORIGIN_WIRE, NO_RECORD),
			   direction == DIRECTION_OUT ? 0 : PUNT_FROM_WAN, bytes);
	return unlikely(action == TC_ACT_SHOT) ? tc_shot(p->ifindex) : action;
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

static __always_inline int tc_not_ipv4(struct __sk_buff *skb, __u32 ifindex,
				       enum direction direction)
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
	return reason == REASON_ipv6 || reason == REASON_ethertype ? tc_shot(ifindex)
								   : TC_ACT_UNSPEC;
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

#define FRAME_HOST	0 /* skb->pkt_type, linux/if_packet.h */
#define FRAME_BROADCAST 1
#define FRAME_MULTICAST 2
#define TC_GOES_ON	(-2) /* no verdict of TC */

/* One packet for one address, sent to a group of stations, is nothing to forward. */
static __always_inline verdict_t group_speaks(struct packet *p, const struct ipv4_header *ip,
					      enum direction direction)
{
	verdict_t v;

	if (direction == DIRECTION_IN)
		return drop(REASON_group_frame);
	v = link_speaks(p, ip->source); /* the broadcast address of a subnet is such a one */
	return verdict_action(v) == ACTION_STACK ? to_stack(REASON_other_station) : v;
}

static __always_inline verdict_t others_frame(struct packet *p, enum direction direction)
{
	const struct config *c = config_get();
	const struct ipv4_header *ip;
	const void *frame;

	if (!c || !packet_make_readable(p, sizeof(*ip)))
		return drop(REASON_malformed_ip);
	frame = (void *)(long)p->context->data;
	if (frame + ETHERNET + sizeof(*ip) > (void *)(long)p->context->data_end)
		return drop(REASON_malformed_ip);
	ip = frame + ETHERNET;
	if (p->context->pkt_type != FRAME_BROADCAST && p->context->pkt_type != FRAME_MULTICAST)
		return is_further_mac(c, p->ifindex, frame) ? leave()
							    : to_stack(REASON_other_station);
	return is_multicast_or_broadcast(ip->destination) ? leave()
							  : group_speaks(p, ip, direction);
}

/*
 * A frame that is not for this interface's own address: TC_GOES_ON, or what becomes of it.
 * RFC 1812 section 5.3.4, RFC 1122 section 3.3.6.
 */
static __noinline int tc_others_frame(struct __sk_buff *skb, enum direction direction)
{
	struct packet p = {.context = skb, .base = ETHERNET, .ifindex = skb->ingress_ifindex};
	verdict_t v = others_frame(&p, direction);

	if (verdict_action(v) == ACTION_LEAVE)
		return TC_GOES_ON;
	count(verdict_reason(v), packet_length(&p));
	return verdict_action(v) == ACTION_STACK ? TC_ACT_UNSPEC : tc_shot(p.ifindex);
}

static __always_inline int tc_ethernet(struct __sk_buff *skb, enum direction direction)
{
	struct packet p = {.context = skb, .base = ETHERNET, .ifindex = skb->ingress_ifindex};

	if (unlikely(has_tag(skb)) && !tc_untag_priority(skb))
		return TC_ACT_UNSPEC;
	if (unlikely(skb->protocol != host_to_be16(ETHERTYPE_IPV4)))
		return tc_not_ipv4(skb, p.ifindex, direction);
	if (unlikely(skb->pkt_type != FRAME_HOST)) {
		int result = tc_others_frame(skb, direction);

		if (result != TC_GOES_ON)
			return result;
	}
	return tc_run(&p, direction);
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
		return tc_shot(p.ifindex);
	}
	if (!packet_make_readable(&p, 60))
		return TC_ACT_SHOT;
	v = gateway(&p, direction, ORIGIN_WIRE, NO_RECORD);
	if (verdict_action(v) == ACTION_DROP) {
		count(verdict_reason(v), packet_length(&p));
		return tc_shot(p.ifindex);
	}
	if (verdict_action(v) != ACTION_STACK) {
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

	if (skb->ingress_ifindex || skb->protocol != host_to_be16(ETHERTYPE_IPV4) ||
	    interface_is_elsewhere(skb->ifindex))
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

/* As the frame came by the tap; NULL never happens, but the verifier asks. */
static __always_inline const struct punt *tap_header(const struct packet *p)
{
	const struct punt *punt = (void *)(long)p->context->data;

	return (void *)punt + ETHERNET > (void *)(long)p->context->data_end ? NULL : punt;
}

/*
 * To this machine's own stack, which must see it come by the interface that it came by:
 * a piece for the gateway that was held until the first one said so. All else of the
 * kind is a flow that has ended meanwhile.
 */
static __noinline int tc_arrive_again(struct packet *p, __u32 reason, __u32 bytes)
{
	const struct interface *interface = interface_find(p->ifindex);
	const struct punt *punt = tap_header(p);

	if (!punt || !interface || reason != REASON_to_gateway ||
	    interface->flags & INTERFACE_BARE) {
		count(REASON_slow_path_stale, bytes);
		return TC_ACT_SHOT;
	}
	__builtin_memcpy((void *)punt, interface->mac, 6);
	return bpf_redirect(p->ifindex, BPF_F_INGRESS);
}

/* The header is read again: what would stay on the stack meanwhile has no room there. */
static __always_inline int tc_tap_finish(struct packet *p, verdict_t v, __u32 side)
{
	const struct punt *punt = tap_header(p);

	if (!punt)
		return TC_ACT_SHOT;
	if (punt->side & (PUNT_TURNED | PUNT_HAIRPIN)) {
		side |= PUNT_HAIRPIN;
		/* pieces name their own record; all else is still his who sent it */
		if (verdict_action(v) == ACTION_PUNT && verdict_reason(v) != REASON_fragment_early)
			v = verdict(ACTION_PUNT, verdict_reason(v), punt->index);
	}
	if (verdict_action(v) == ACTION_STACK && !(side & PUNT_FROM_WAN))
		return tc_arrive_again(p, verdict_reason(v), packet_length(p));
	if (verdict_action(v) ==
	    ACTION_STACK) /* held, and for ourselves: the address is the record */
		bpf_skb_change_type(p->context, 0); /* PACKET_HOST */
	return tc_finish(p, v, trace_of(side, punt->passes), packet_length(p));
}

static __always_inline enum origin tap_origin(const struct punt *punt)
{
	if (punt->side & PUNT_TURNED)
		return ORIGIN_TURNED;
	return punt->side & PUNT_HAIRPIN ? ORIGIN_TURNED_DAEMON : ORIGIN_DAEMON;
}

SEC("tc")
int tc_tap(struct __sk_buff *skb)
{
	struct packet p = {.context = skb, .base = ETHERNET};
	const struct punt *punt = tap_header(&p);
	enum origin origin;
	__u32 as;

	if (!punt)
		return TC_ACT_SHOT;
	p.ifindex = punt->ifindex;
	if (punt->action == PUNT_TRANSMIT)
		return tc_transmit(&p, punt->index);
	origin = tap_origin(punt);
	as = origin != ORIGIN_DAEMON || punt->action == PUNT_SESSION ? punt->index : NO_RECORD;
	if ((punt->action != PUNT_TRANSLATE && punt->action != PUNT_SESSION))
		return TC_ACT_SHOT;
	if (!(punt->side & PUNT_FROM_WAN)) {
		if (as != NO_RECORD || !packet_make_readable(&p, 60))
			return TC_ACT_SHOT;
		return tc_tap_finish(&p, gateway(&p, DIRECTION_OUT, ORIGIN_DAEMON, NO_RECORD), 0);
	}
	if (!packet_make_readable(&p, 60))
		return TC_ACT_SHOT;
	return tc_tap_finish(&p, gateway(&p, DIRECTION_IN, origin, as), PUNT_FROM_WAN);
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
