/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a flow's number to its addresses and ids, in host order. Context: BPF, and
 * user space where flows are made known beforehand.
 */
#ifndef WAYLEAVE_BENCH_FLOW_H
#define WAYLEAVE_BENCH_FLOW_H

#include "bench/traffic.h"

#define PORTS	    64512u /* 1024 to 65535 */
#define PORT_STRIDE 40507u /* no factor in common with PORTS: a host's ports differ */

struct flow {
	__u32 inside;
	__u32 server;
	__u32 id; /* TCP, UDP: inside port; ESP: SPI; GRE: call id, the same both ways */
};

static __always_inline __u32 mix(__u32 h)
{
	h ^= h >> 16;
	h *= 0x7feb352d;
	h ^= h >> 15;
	h *= 0x846ca68b;
	return h ^ h >> 16;
}

static __always_inline struct flow flow_of_socket(const volatile struct traffic *t, __u32 number)
{
	__u32 socket = number >> t->servers_bits, hosts_mask = (1u << t->hosts_bits) - 1;
	__u32 host = socket & hosts_mask, nth = socket >> t->hosts_bits;

	return (struct flow){
		.inside = INSIDE_BASE + host,
		.server = SERVER_BASE + (number & ((1u << t->servers_bits) - 1)),
		.id = 1024 + (nth * PORT_STRIDE + mix(host)) % PORTS,
	};
}

/* bench/gateways.py arms the same tunnels. */
static __always_inline struct flow flow_of_tunnel(const volatile struct traffic *t, __u32 number)
{
	__u32 pair = number & ((1u << SERVERS_MOST_BITS) - 1), nth = number >> SERVERS_MOST_BITS;

	return (struct flow){
		.inside = INSIDE_BASE + (pair & ((1u << t->hosts_bits) - 1)),
		.server = SERVER_BASE + pair,
		.id = t->protocol == 50 ? 0x01000000u + pair * 16 + nth : 1 + pair % 4096 * 8 + nth,
	};
}

static __always_inline struct flow flow_at(const volatile struct traffic *t, __u32 number)
{
	if (t->protocol == 6 || t->protocol == 17)
		return flow_of_socket(t, number);
	return flow_of_tunnel(t, number);
}

/* The flow of the @count-th frame. */
static __always_inline __u32 flow_pick(const volatile struct traffic *t, __u64 count)
{
	__u32 n = (__u32)count;

	if (!t->flows)
		return t->first_flow + n;
	if (t->sequential)
		return t->first_flow + n % t->flows;
	return t->first_flow + (__u32)((__u64)mix(n) * t->flows >> 32);
}

#endif
