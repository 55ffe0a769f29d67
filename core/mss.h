/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP's maximum segment size option, lowered in SYN segments to what the
 * WAN carries (RFC 9293 section 3.7.1, RFC 4459 section
 * 3.2): where ICMP is lost on the way, connections through PPPoE would hang.
 */
#ifndef WAYLEAVE_CORE_MSS_H
#define WAYLEAVE_CORE_MSS_H

#include "core/parse.h"

#define MSS_CLAMP_OFF  0
#define MSS_CLAMP_AUTO 1
#define TCP_OPTION_END 0
#define TCP_OPTION_NOP 1
#define TCP_OPTION_MSS 2
#define IP_AND_TCP     40

static __noinline long tcp_option_step(__u32 i, void *context)
{
	struct option_walk *walk = context;
	const __u8 *option = option_at(walk);

	if (!option || option[0] == TCP_OPTION_END)
		return 1;
	if (option[0] == TCP_OPTION_NOP) {
		walk->at++;
		return 0;
	}
	if (option[0] == TCP_OPTION_MSS && option[1] == 4 && walk->at + 4 <= walk->end)
		walk->found_at = walk->at + 2;
	walk->at += option[1];
	return option[0] == TCP_OPTION_MSS || option[1] < 2;
}

/* Offset of the option's value from the IP header, or 0. */
static __always_inline __u32 mss_offset(const struct packet *p, __u32 l4, __u32 end)
{
	struct option_walk walk = {
		.context = p->context,
		.base = p->base,
		.at = l4 + sizeof(struct tcp_header),
		.end = end,
	};

	bounded_loop(40, tcp_option_step, &walk);
	return walk.found_at;
}

/* Answers whether the option was lowered. */
SEPARATE __u32 BACKEND_NAME(mss_lower)(packet_context *context, __u32 base, __u32 l4)
{
	struct packet packet = {.context = context, .base = base}, *p = &packet;
	const struct config *c = config_get();
	__u32 clamp = c ? c->mss_clamp : MSS_CLAMP_OFF, mtu = c ? c->wan_mtu : 0;
	__u32 limit = clamp == MSS_CLAMP_AUTO ? mtu - IP_AND_TCP : clamp;
	const struct tcp_header *tcp;
	__u16 before, after, delta;
	__be16 *field;
	__u32 at;

	if (clamp == MSS_CLAMP_OFF || mtu <= IP_AND_TCP || l4 > 60 ||
	    !packet_make_readable(p, l4 + 60))
		return false;
	tcp = packet_at(p, l4, sizeof(*tcp));
	if (!tcp)
		return false;
	at = mss_offset(p, l4, l4 + (tcp->offset >> 4) * 4);
	if (!at || at > 122)
		return false;
	field = packet_at(p, at, 2);
	if (!field || be16_to_host(*field) <= limit)
		return false;
	before = *field;
	after = host_to_be16(limit);
	*field = after;
	delta = delta_of_16(before, after);
	/* an option at an odd offset lies across two words of the sum */
	if ((at - l4) & 1)
		delta = (__u16)(delta << 8 | delta >> 8);
	packet_fix_l4_sum(p, l4 + 16, 0, delta, false);
	return true;
}

#endif
