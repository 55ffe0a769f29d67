/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the executable specifications have in common: a world with one LAN and
 * one WAN, chance, time with the daemon's sweeper, and packets that are handed
 * to the core and compared byte by byte with those that a model builds.
 *
 * One run a process. Addresses in network byte order.
 */
#ifndef WAYLEAVE_TESTS_CASES_SPEC_RUN_H
#define WAYLEAVE_TESTS_CASES_SPEC_RUN_H

#include "tests/cases/forge.h"
#include "tests/cases/world.h"

enum { WAN = 13, LAN = 11, SECOND = 1000, SWEEP = 60 * SECOND, EPOCH = 50000 };

#define ADDRESS(a) ((__be32)__builtin_bswap32(a))
#define EXTERNAL   ADDRESS(0xc6336402)

enum rule { MUST_NOT, MAY, MUST };

struct run {
	const char *name;
	__u64 seed, first_seed;
	__u64 passed, stopped, open; /* open: the rules left it open */
	verdict_t v;		     /* the last packet's */
	size_t length;
};
extern struct run run;

/* A number below @below. */
__u32 draw(__u32 below);

static inline __be32 host_address(__u32 host)
{
	return ADDRESS(0x0a00000a + host);
}

/* Makes the world; PACKETS and SEED are the arguments. Answers the count of packets. */
__u64 run_begin(const char *name, int argc, char **argv);
void run_end(__u64 packets);

/* Everything forgotten, with other random numbers than before. */
void run_reset(void);

/* Lets time pass, and the sweeper do its work in it. */
void time_until(__u32 tick);

/* Sends it (@out: from the LAN); true: it passed, and is in @after. */
bool hand_over(const struct forged *f, bool out, __u8 *after);

/* Each byte as the model would send it. */
void compare(const struct forged *sent, const struct forged *wanted, const __u8 *after);

/* The core and the model disagree: says so, and ends the run. */
void differs(const char *what, const struct forged *f) __attribute__((noreturn));
void print_bytes(const char *name, const __u8 *bytes, size_t count);

#endif
