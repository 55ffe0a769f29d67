/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A world for the packet core in user space: its arena, and in place of the
 * kernel a clock, a random source, counters and a routing table. Shared by the
 * packet cases, the executable specification and the fuzzer.
 *
 * One world a process, one thread. Addresses in network byte order.
 */
#ifndef WAYLEAVE_TESTS_CASES_WORLD_H
#define WAYLEAVE_TESTS_CASES_WORLD_H

#include "core/memory.h"
#include "core/gateway.h"
#include "core/local.h"
#include "core/own_mac.h"

#define WORLD_SETS   8192
#define WORLD_ROUTES 32
#define WORLD_RULES  8

/* @route.ifindex 0: the stack's own. The longest prefix counts. */
struct world_route {
	__be32 prefix, mask;
	struct route route;
	__u16 stack_mtu;		/* by which the kernel would forward */
	bool is_unresolved, is_learned; /* an MTU that the interface's does not change */
};

/* The first that takes a query answers it, before all routes. ifindex 0 in it is any. */
struct world_rule {
	struct marked_route takes;
	struct route route; /* ifindex 0: unreachable */
};

struct world {
	__u32 now; /* ticks, before config.clock_offset */
	__u32 sets;
	__u64 random;
	struct counter counters[REASON_COUNT];
	struct world_route routes[WORLD_ROUTES];
	__u32 route_count;
	struct world_rule rules[WORLD_RULES];
	__u32 rule_count;
	bool turned; /* the last packet was hairpinned: it has passed a first translation */
};
extern struct world world;

/* Points the arena at fresh, zeroed memory of @sets record sets (a power of two). */
void world_create(__u32 sets);

/* The same with @memory's four arrays, which stay the caller's (BPF maps). */
void world_open(const struct arena *memory, __u32 sets);

/* Everything forgotten but routes, rules and interfaces; the settings back to world_settings(). */
void world_reset(void);

/* The daemon's settings as they are out of the box; no external address yet. */
void world_settings(struct config *c);

/*
 * A route; @next_hop 0: the destination itself is the neighbour. Answers the
 * entry, so that the caller can fill in MAC addresses.
 */
struct world_route *world_route_add(__be32 prefix, __u32 length, __u32 ifindex, __be32 next_hop);

/*
 * What the TC programs do with an IPv4 packet, but for its link header:
 * translates @data in place, a hairpinned packet both ways, and counts.
 */
verdict_t world_translate(packet_context *context, __u32 base, __u32 ifindex,
			  enum direction direction, enum origin origin, __u32 as);

const char *reason_name(enum reason reason);

#endif
