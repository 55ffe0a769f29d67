/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/expiry.h"
#include "tests/cases/spec_run.h"

#define SETS 4096
#define MAC(ifindex)                                                                               \
	{                                                                                          \
		0x52, 0x54, 0, 0, 0, ifindex                                                       \
	} /* as tests/cases/network.py makes them */

struct run run;

static __u8 before[FORGE_BYTES];
static __u32 swept;
static jmp_buf held_up;

__u32 draw(__u32 below)
{
	run.seed = run.seed * 6364136223846793005ull + 1442695040888963407ull;
	return (run.seed >> 33) % below;
}

/* --- one packet ------------------------------------------------------------------------------ */

void differs(const char *what, const struct forged *f)
{
	printf("not ok - %s: %s (%s)\n# seed %llu, packet %llu: protocol %u %08x:%u > %08x:%u "
	       "kind %u, spi %x, sequence %u, ticks %u\n",
	       run.name, what, reason_name(verdict_reason(run.v)),
	       (unsigned long long)run.first_seed, (unsigned long long)(run.passed + run.stopped),
	       f->protocol, ntohl(f->source), f->source_id, ntohl(f->destination),
	       f->destination_id, f->kind, f->spi, f->sequence, world.now);
	exit(1);
}

void print_bytes(const char *name, const __u8 *bytes, size_t count)
{
	printf("# %s ", name);
	for (size_t i = 0; i < count; i++)
		printf("%02x", bytes[i]);
	putchar('\n');
}

verdict_t run_translate(packet_context *context, bool out)
{
	verdict_t v =
		subject_translate(context, out ? LAN : WAN, out ? DIRECTION_OUT : DIRECTION_IN);

	if (subject_was_held_up())
		longjmp(held_up, 1);
	return v;
}

bool hand_over(const struct forged *f, bool out, __u8 *after)
{
	packet_context context = {.data = after};

	run.length = forge(before, f);
	memcpy(after, before, run.length);
	context.length = run.length;
	run.v = run_translate(&context, out);
	if (verdict_action(run.v) == ACTION_FORWARD) {
		run.passed++;
		return true;
	}
	run.stopped++;
	return false;
}

void compare(const struct forged *sent, const struct forged *wanted, const __u8 *after)
{
	__u8 expected[FORGE_BYTES];

	if (forge(expected, wanted) == run.length && !memcmp(expected, after, run.length))
		return;
	print_bytes("got     ", after, run.length);
	print_bytes("expected", expected, run.length);
	differs("the packet is not as it should be", sent);
}

/* --- time ------------------------------------------------------------------------------------ */

/* As the daemon does in five seconds: what is over ends; what has ended becomes free. */
static void sweep(void)
{
	static __u8 state[SETS * RECORDS_A_SET]; /* 1: suspected, 2: dead at the last pass */
	struct traffic ended = {};

	for (__u32 i = 0; i < SETS * RECORDS_A_SET; i++) {
		struct record *r = record_at(i);

		if (record_state(r) == SLOT_DEAD) {
			if (state[i] == 2)
				table_free(r, i);
			state[i] = 2;
		} else if (record_state(r) == SLOT_LIVE) {
			state[i] = record_expire(arena.config, r, world.now, state[i] == 1,
						 &ended) == EXPIRY_SUSPECT;
		} else {
			state[i] = 0;
		}
	}
}

/* --- who has what ----------------------------------------------------------------------------- */

struct shares {
	__u32 sessions, mappings, hosts;
};

static void shares_add(struct shares *shares, const struct host *host)
{
	shares->sessions += host->sessions;
	shares->mappings += host->mappings;
	shares->hosts++;
}

static void shares_compare(const char *whose, const struct shares *counted,
			   const struct shares *sum)
{
	if (!memcmp(counted, sum, sizeof(*sum)))
		return;
	printf("not ok - %s: %s has sessions, mappings, hosts %u, %u, %u, and its hosts together "
	       "%u, %u, %u\n# seed %llu, packet %llu\n",
	       run.name, whose, counted->sessions, counted->mappings, counted->hosts, sum->sessions,
	       sum->mappings, sum->hosts, (unsigned long long)run.first_seed,
	       (unsigned long long)(run.passed + run.stopped));
	exit(1);
}

/* RFC 6888 REQ-4: a station, and the gateway, have what their hosts have, whatever has ended. */
static void stations_check(void)
{
	static struct shares of[SETS * RECORDS_A_SET];
	const struct config *c = arena.config;
	struct shares all = {}, counted;

	memset(of, 0, sizeof(of));
	for (__u32 i = 0; i < SETS * RECORDS_A_SET; i++) {
		const struct record *r = record_at(i);

		if (record_state(r) != SLOT_LIVE || r->key.kind != KIND_HOST)
			continue;
		shares_add(&all, &r->host);
		shares_add(&of[r->host.station % (SETS * RECORDS_A_SET)], &r->host);
	}
	counted = (struct shares){c->sessions_used - c->inbound_used, c->mappings_used, all.hosts};
	shares_compare("the gateway", &counted, &all);
	for (__u32 i = 0; i < SETS * RECORDS_A_SET; i++) {
		const struct host *h = &record_at(i)->host;

		counted = (struct shares){h->sessions, h->mappings, h->hosts};
		if (record_state(record_at(i)) == SLOT_LIVE &&
		    record_at(i)->key.kind == KIND_STATION)
			shares_compare("a station", &counted, &of[i]);
	}
}

void time_until(__u32 tick)
{
	while (tick - swept >= SWEEP) {
		world.now = swept += SWEEP;
		sweep();
		stations_check();
	}
	world.now = tick;
}

/* --- the run --------------------------------------------------------------------------------- */

void run_reset(void)
{
	world_reset();
	arena.config->external = EXTERNAL;
	arena.config->wan_ifindex = WAN;
	arena.config->tap_ifindex = 15;
	arena.config->mss_clamp = 0;
	world.random ^= run.seed;
	swept = world.now;
}

static void surroundings_make(void)
{
	world_route_add(EXTERNAL, 32, 0, 0);
	world_route_add(ADDRESS(0x0a000000), 24, LAN, 0);
	world_route_add(0, 0, WAN, ADDRESS(0xc6336401));
	arena.interfaces[0] = (struct interface){.ifindex = LAN,
						 .mtu = 1500,
						 .flags = INTERFACE_LAN | INTERFACE_XDP,
						 .mac = MAC(LAN)};
	arena.interfaces[1] = (struct interface){.ifindex = WAN,
						 .mtu = 1500,
						 .flags = INTERFACE_WAN | INTERFACE_XDP,
						 .mac = MAC(WAN)};
}

static void report(__u64 packets, __u32 begun_again)
{
	printf("ok - %s: %llu packets, %llu passed, %llu stopped, %llu left open by the rules; "
	       "begun again %u times, for a packet was held up\n"
	       "1..1\n",
	       run.name, (unsigned long long)packets, (unsigned long long)run.passed,
	       (unsigned long long)run.stopped, (unsigned long long)run.open, begun_again);
}

void run_all(const char *name, int argc, char **argv, void (*new_world)(void), void (*step)(void))
{
	__u64 packets = argc > 1 ? strtoull(argv[1], NULL, 0) : 300000;
	volatile __u32 begun_again = 0;

	run.name = name;
	run.seed = run.first_seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	subject_open(argc > 3 ? argv[3] : NULL, SETS);
	surroundings_make();
	for (volatile __u64 i = 0; i < packets; i++) {
		if (i % EPOCH == 0)
			new_world();
		if (setjmp(held_up)) {
			begun_again++;
			new_world();
		}
		step();
	}
	report(packets, begun_again);
}
