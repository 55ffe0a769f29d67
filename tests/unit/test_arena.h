/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data plane's memory for a test of what the daemon does with it: an empty
 * table of SETS sets (to be defined first), a clock that stands at `now`
 * until the test moves it, and nothing counted. HZ ticks a second.
 */
#ifndef WAYLEAVE_TESTS_TEST_ARENA_H
#define WAYLEAVE_TESTS_TEST_ARENA_H

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

#include "core/gateway.h"
#include "core/port_owner.h"

#define HZ 100

static struct record_set sets[SETS];
static struct set_tags tags[SETS];
static struct next_hop next_hops[NEXT_HOPS];
static struct interface interfaces[INTERFACES];
static struct config config;
static struct bucket buckets[BUCKETS];
static __u32 contacts[CONTACTS];
static struct complaint complaints[COMPLAINTS];
static uint32_t now;

static __u32 arena_ticks(void)
{
	return now;
}

static __u32 arena_random(void)
{
	return rand();
}

static void arena_count(enum reason reason, __u32 bytes)
{
}

/* EXTERNAL: the WAN's address. */
static inline void arena_clear(__be32 external, uint32_t at)
{
	memset(sets, 0, sizeof(sets));
	memset(tags, 0, sizeof(tags));
	memset(next_hops, 0, sizeof(next_hops));
	memset(interfaces, 0, sizeof(interfaces));
	memset(buckets, 0, sizeof(buckets));
	memset(contacts, 0, sizeof(contacts));
	memset(complaints, 0, sizeof(complaints));
	config = (struct config){.set_mask = SETS - 1, .hz = HZ, .external = external};
	arena = (struct arena){.sets = sets,
			       .tags = tags,
			       .next_hops = next_hops,
			       .interfaces = interfaces,
			       .config = &config,
			       .buckets = buckets,
			       .contacts = contacts,
			       .complaints = complaints,
			       .ticks = arena_ticks,
			       .random = arena_random,
			       .count = arena_count};
	now = at;
}

#endif
