/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <stdlib.h>

#include "tests/cases/world.h"

struct arena arena;
struct world world;

const char *reason_name(enum reason reason)
{
#define REASON(name, kind, rfc, sentence) [REASON_##name] = #name,
	static const char *const names[] = {
#include "core/reason.def"
	};
#undef REASON
	return reason < REASON_COUNT ? names[reason] : "?";
}

static __u32 world_ticks(void)
{
	return world.now;
}

/* xorshift64: the same run every time */
static __u32 world_random(void)
{
	world.random ^= world.random << 13;
	world.random ^= world.random >> 7;
	world.random ^= world.random << 17;
	return world.random >> 16;
}

static void world_count(enum reason reason, __u32 bytes)
{
	world.counters[reason].packets++;
	world.counters[reason].bytes += bytes;
}

static const struct world_route *world_route_of(__be32 destination)
{
	const struct world_route *best = NULL;

	for (__u32 i = 0; i < world.route_count; i++) {
		const struct world_route *r = &world.routes[i];

		if ((destination & r->mask) == r->prefix &&
		    (!best || ntohl(r->mask) >= ntohl(best->mask)))
			best = r;
	}
	return best;
}

static const struct world_rule *world_rule_of(const struct query *query)
{
	const struct config no_wan = {};

	for (__u32 i = 0; i < world.rule_count; i++)
		if (marked_route_takes(&no_wan, &world.rules[i].takes, query))
			return &world.rules[i];
	return NULL;
}

static enum route_result world_lookup(const struct query *query, struct route *route)
{
	const struct world_route *best = world_route_of(query->destination);
	const struct world_rule *rule = world_rule_of(query);

	if (rule) {
		*route = rule->route;
		return rule->route.ifindex ? ROUTE_RESOLVED : ROUTE_STACK;
	}
	if (!best || !best->route.ifindex)
		return ROUTE_STACK;
	*route = best->route;
	if (!route->next_hop)
		route->next_hop = query->destination;
	return best->is_unresolved ? ROUTE_UNRESOLVED : ROUTE_RESOLVED;
}

static __u32 world_stack_mtu(const struct query *query)
{
	const struct world_route *route = world_route_of(query->destination);

	return route ? route->stack_mtu : 0;
}

struct world_route *world_route_add(__be32 prefix, __u32 length, __u32 ifindex, __be32 next_hop)
{
	struct world_route *r = &world.routes[world.route_count];

	if (world.route_count >= WORLD_ROUTES)
		return NULL;
	world.route_count++;
	*r = (struct world_route){.prefix = prefix};
	r->mask = length ? htonl(0xffffffffu << (32 - length)) : 0;
	r->route.ifindex = ifindex;
	r->route.next_hop = next_hop;
	r->stack_mtu = 1500;
	return r;
}

void world_settings(struct config *c)
{
	*c = (struct config){
		.hash_key = {0x0123456789abcdefull, 0xfedcba9876543210ull},
		.set_mask = c->set_mask,
		.abi_version = ABI_VERSION,
		.hz = 1000,
		.assisted = 1 << CLASS_PPTP,
		.mappings_per_host = 4096,
		.sessions_per_host = 8192,
		.new_per_second = 100000,
		.filtering_udp = FILTER_ADDRESS_DEPENDENT,
		.filtering_tcp = FILTER_ADDRESS_AND_PORT_DEPENDENT,
		.wan_mtu = 1500,
		.own_port_first = 64512,
		.own_port_last = 65535,
		.sessions_limit = 65536,
		.mss_clamp = MSS_CLAMP_AUTO,
		.route_generation = 1,
		.timeouts =
			{
				[TIMEOUT_UDP] = 300 * 1000,
				[TIMEOUT_TCP_OPENING] = 240 * 1000,
				[TIMEOUT_TCP_ESTABLISHED] = 7440 * 1000,
				[TIMEOUT_TCP_CLOSING] = 240 * 1000,
				[TIMEOUT_ICMP] = 60 * 1000,
				[TIMEOUT_ESP] = 3600 * 1000,
				[TIMEOUT_GRE] = 3600 * 1000,
				[TIMEOUT_OTHER] = 600 * 1000,
				[TIMEOUT_IKE] = 7200 * 1000,
				[TIMEOUT_L2TP] = 3600 * 1000,
				[TIMEOUT_WIREGUARD] = 3600 * 1000,
				[TIMEOUT_OPENVPN] = 3600 * 1000,
			},
	};
}

void world_open(const struct arena *memory, __u32 sets)
{
	arena = *memory;
	arena.ticks = world_ticks;
	arena.random = world_random;
	arena.count = world_count;
	arena.route = world_lookup;
	arena.stack_mtu = world_stack_mtu;
	world.sets = sets;
	world_reset();
}

void world_create(__u32 sets)
{
	struct arena memory = {
		.sets = calloc(sets, sizeof(struct record_set)),
		.tags = calloc(sets, sizeof(struct set_tags)),
		.next_hops = calloc(NEXT_HOPS, sizeof(struct next_hop)),
		.known_routes = calloc(KNOWN_ROUTES, sizeof(struct known_route)),
		.questions = calloc(QUESTION_RINGS, sizeof(struct question_ring)),
		.route_mtus = calloc(ROUTE_MTUS, sizeof(struct route_mtu)),
		.marked_routes = calloc(MARKED_ROUTES, sizeof(struct marked_route)),
		.interfaces = calloc(INTERFACES, sizeof(struct interface)),
		.config = calloc(1, sizeof(struct config)),
		.buckets = calloc(BUCKETS, sizeof(struct bucket)),
		.contacts = calloc(CONTACTS, sizeof(__u32)),
		.complaints = calloc(COMPLAINTS, sizeof(struct complaint)),
	};

	if (!memory.sets || !memory.tags || !memory.next_hops || !memory.interfaces ||
	    !memory.config || !memory.buckets || !memory.contacts || !memory.complaints)
		abort();
	world_open(&memory, sets);
}

void world_reset(void)
{
	arena.config->set_mask = world.sets - 1;
	memset(arena.sets, 0, world.sets * sizeof(struct record_set));
	memset(arena.tags, 0, world.sets * sizeof(struct set_tags));
	if (arena.known_routes)
		memset(arena.known_routes, 0, KNOWN_ROUTES * sizeof(struct known_route));
	if (arena.questions)
		memset(arena.questions, 0, QUESTION_RINGS * sizeof(struct question_ring));
	memset(arena.next_hops, 0, NEXT_HOPS * sizeof(struct next_hop));
	memset(arena.buckets, 0, BUCKETS * sizeof(struct bucket));
	memset(arena.contacts, 0, CONTACTS * sizeof(__u32));
	memset(arena.complaints, 0, COMPLAINTS * sizeof(struct complaint));
	memset(world.counters, 0, sizeof(world.counters));
	world_settings(arena.config);
	own_macs_write(arena.config, arena.interfaces);
	world.random = 0x9e3779b97f4a7c15ull;
	world.now = 1000000;
}

verdict_t world_translate(packet_context *context, __u32 base, __u32 ifindex,
			  enum direction direction, enum origin origin, __u32 as)
{
	struct packet p = {.context = context, .base = base, .ifindex = ifindex};
	__u32 bytes = packet_length(&p);
	verdict_t v;

	world.turned = is_turned(origin);
	v = gateway(&p, direction, origin, as);
	if (verdict_action(v) == ACTION_HAIRPIN) {
		world.turned = true;
		as = verdict_index(v);
		v = gateway(&p, DIRECTION_IN, ORIGIN_TURNED, as);
	}
	/* as tc_tap_finish() */
	if (world.turned && verdict_action(v) == ACTION_PUNT &&
	    verdict_reason(v) != REASON_fragment_early)
		v = verdict(ACTION_PUNT, verdict_reason(v), as);
	arena.count(verdict_reason(v), bytes);
	if (verdict_action(v) == ACTION_CUT)
		arena.count(REASON_fragmented, packet_length(&p));
	if (verdict_action(v) != ACTION_PUNT ||
	    punt_admit(&p, verdict_reason(v), verdict_index(v), direction == DIRECTION_OUT))
		return v;
	arena.count(REASON_slow_path_rate, 0);
	return drop(REASON_slow_path_rate);
}
