/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the core asks of the world around it. Exactly one back end is included
 * before any other header of the core: bpf/backend_xdp.h, bpf/backend_tc.h or
 * core/memory.h. The core itself has no map, clock, heap or log.
 *
 * A back end defines packet_context (what the kernel handed it),
 *
 *   struct packet { packet_context *context; __u32 base, ifindex; }
 *        base: offset of the IP header; ifindex: where the packet came in
 *
 * BACKEND_NAME(x), which makes a function's name its own, and:
 *
 * Shared memory
 *   struct record_set *set_at(__u32 index)         NULL past the end
 *   struct set_tags *tags_at(__u32 index)          NULL past the end
 *   struct next_hop *next_hop_at(__u32 index)      NULL past the end
 *   struct known_route *known_route_at(__u32 index)  NULL past the end or where none are kept
 *   struct question_ring *question_ring_at(__u32 index)  NULL past the end or where none are kept
 *   struct route_mtu *route_mtu_at(__u32 index)    NULL past the end
 *   struct marked_route *marked_route_at(__u32 index)  NULL past the end
 *   struct interface *interface_at(__u32 index)    NULL past the end
 *   struct bucket *bucket_at(__u32 index)          NULL past the end
 *   __u32 *contact_at(__u32 index)                 NULL past the end
 *   struct complaint *complaint_at(__u32 index)    NULL past the end
 *   struct config *config_get(void)                NULL never happens, but the verifier asks
 *   __u32 clock_ticks(const struct config *)       now, ticks
 *   void count(enum reason, __u32 bytes)
 *   __u32 random_u32(void)
 *   void bounded_loop(__u32 times, long (*step)(__u32, void *), void *context)
 *        until a step answers 1
 *
 * Packet; offsets are from the start of the IP header
 *   void *packet_at(struct packet *, __u32 offset, __u32 length)
 *        @length bytes to read or write in place, or NULL when the packet is
 *        shorter. Pointers from before are void after packet_fix_l4_sum().
 *   bool packet_make_readable(struct packet *, __u32 length)
 *        the first @length bytes may be scattered: collect them
 *   __u32 packet_length(struct packet *)           bytes from the IP header on
 *   __u32 packet_segment_length(struct packet *)   the same of each GSO segment
 *   struct packet packet_inner(const struct packet *, __u32 offset)
 *        the packet that lies at @offset inside this one
 *   bool packet_copy(struct packet *, __u32 offset, void *to, __u32 length)
 *        1 to 64 bytes from anywhere in the packet; TC and memory only
 *   void packet_fix_l4_sum(struct packet *, __u32 offset, __u16 address_delta,
 *                          __u16 id_delta, bool zero_is_none)
 *        @address_delta belongs to the pseudo header, @id_delta does not: on a
 *        partial checksum only the first counts (RFC 1624; sk_buff's
 *        CHECKSUM_PARTIAL)
 *
 * Surroundings
 *   enum route_result route_lookup(struct packet *, const struct query *,
 *                                  struct route *)  the kernel's routing table
 *   __u32 route_interface(struct packet *, const struct query *)  of it only the
 *        interface; 0: this machine, or none
 *   __u32 stack_mtu(struct packet *, const struct query *)  the MTU by which the kernel
 *        itself would forward; 0: it does not say
 *   bool next_hop_usable(const struct next_hop *)  can this back end send there?
 *   BACKEND_FINISHES: 0 where another program takes over what this one leaves
 */
#ifndef WAYLEAVE_CORE_BACKEND_H
#define WAYLEAVE_CORE_BACKEND_H

#include "core/abi.h"
#include "core/bytes.h"
#include "core/ticks.h"

enum route_result {
	ROUTE_RESOLVED,	  /* interface, next hop and MAC addresses are known */
	ROUTE_UNRESOLVED, /* interface and next hop are known, its MAC address is not */
	ROUTE_STACK,	  /* this machine itself, or no way: the kernel's business */
};

#define ANY_PRIORITY 0xffffffffu

struct route {
	__u32 ifindex;
	__be32 next_hop;  /* the neighbour's address */
	__u32 priority;	  /* of the route in its table; ANY_PRIORITY: not known */
	__u16 mtu;	  /* the route's own, bytes, layer 3; 0: none */
	__u16 device_mtu; /* the interface's, for one that is none of ours; 0: not known */
	__u8 destination[6];
	__u8 source[6];
};

#endif
