/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The BPF object: its programs, and its maps as memory of this process. Maps of
 * an earlier run are taken over when there are some (adopt.h).
 */
#ifndef WAYLEAVE_DAEMON_DATAPLANE_H
#define WAYLEAVE_DAEMON_DATAPLANE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/abi.h"
#include "daemon/clock.h"

/* Programs by the name that abi.h gives them. */
#define PROGRAM_LIST(X)                                                                            \
	X(xdp_inside)                                                                              \
	X(xdp_outside)                                                                             \
	X(tc_inside)                                                                               \
	X(tc_outside)                                                                              \
	X(tc_inside_bare)                                                                          \
	X(tc_outside_bare)                                                                         \
	X(tc_local)                                                                                \
	X(tc_local_bare)                                                                           \
	X(tc_tap)                                                                                  \
	X(tc_cut)                                                                                  \
	X(clock_read)
enum program {
#define X(name) PROGRAM_##name,
	PROGRAM_LIST(X)
#undef X
		PROGRAMS
};

/* Static string; the name that the kernel shows. */
const char *program_name(enum program program);

struct adoption;
struct bpf_map;
struct dataplane; /* the skeleton */

struct plane {
	struct dataplane *skeleton;
	int program_fd[PROGRAMS];
	uint32_t program_id[PROGRAMS]; /* the kernel's; 0: not loaded */
	int counters_fd;
	uint32_t sets_count;
	bool adopted; /* sessions of an earlier run are in the maps */
	struct clock clock;
	/* mapped, shared with the programs */
	struct record_set *sets;
	struct set_tags *tags;
	struct next_hop *next_hops;
	struct interface *interfaces;
	struct route_mtu *route_mtus;
	struct marked_route *marked_routes;
	struct config *config;
	struct bucket *buckets;
	uint32_t *contacts;
	struct complaint *complaints;
};

/* How many sessions the table is made for: WANTED, or by the machine's memory when it is 0. */
uint32_t plane_sessions(uint32_t wanted);

/* How many record sets that takes: a power of two, as many as the core can number at most. */
uint32_t plane_sets(uint32_t sessions);

/* How many sessions so many sets have room for. */
uint32_t plane_room(uint32_t sets);

/* Has the map an entry for each set? */
bool map_is_sized(const struct bpf_map *map);

/*
 * Loads the object for SETS record sets, or with the maps of ADOPTION (may be
 * NULL). The core's arena points to the memory afterwards. 0, or -errno after a
 * sentence.
 */
int plane_load(struct plane *plane, uint32_t sets, const struct adoption *adoption);
void plane_unload(struct plane *plane);

/* The descriptor of the loaded program with this kernel id, or -1. */
int plane_program(const struct plane *plane, uint32_t id);

/*
 * Now, in ticks of the data plane's clock. 0, or -errno: *NOW is when the clock was
 * last read, and no timer may run out by it.
 */
int plane_clock(struct plane *plane, uint32_t *now);

/* The same for what may be late: what is written down now, not what ends now. */
uint32_t plane_now(struct plane *plane);

/* The sum over all processors, and what the daemon counted. 0 or -errno. */
int plane_counter(const struct plane *plane, enum reason reason, struct counter *sum);

/* Adds to the daemon's row of a counter; the programs may count the same reason. */
void plane_count(const struct plane *plane, enum reason reason, uint64_t packets);

/*
 * Before any other use of libbpf: keeps its messages for when they are needed. 0, or
 * -ENOTSUP after a sentence: this kernel is older than the data plane needs.
 */
int plane_prepare(void);

#endif
