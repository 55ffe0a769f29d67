/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the executable specifications have in common: a world with one LAN and
 * one WAN, chance, time with the daemon's sweeper, and packets that are handed
 * to the subject and compared byte by byte with those that a model builds.
 *
 * One run a process. Addresses in network byte order.
 */
#ifndef WAYLEAVE_TESTS_CASES_SPEC_RUN_H
#define WAYLEAVE_TESTS_CASES_SPEC_RUN_H

#include "tests/cases/forge.h"
#include "tests/cases/subject.h"

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

/*
 * A whole run: @new_world makes a new world, @step sends a packet in it. PACKETS,
 * SEED and, for the kernel's programs, tc or xdp are the arguments.
 */
void run_all(const char *name, int argc, char **argv, void (*new_world)(void), void (*step)(void));

/* Everything forgotten, with other random numbers than before. */
void run_reset(void);

/* Lets time pass, and the sweeper do its work in it. */
void time_until(__u32 tick);

/* Is @limit over, @age ticks after something was seen? MAY: the subject's clock decides. */
static inline enum rule within(__u32 age, __u32 limit)
{
	if (age + subject_blur <= limit)
		return MUST;
	return age <= limit + subject_blur ? MAY : MUST_NOT;
}

/* Hands it to the subject: from the LAN (@out) or the WAN. Ends the world if that was held up. */
verdict_t run_translate(packet_context *context, bool out);

/* Sends it (@out: from the LAN); true: it passed, and is in @after. */
bool hand_over(const struct forged *f, bool out, __u8 *after);

/* Each byte as the model would send it. */
void compare(const struct forged *sent, const struct forged *wanted, const __u8 *after);

/* The subject and the model disagree: says so, and ends the run. */
void differs(const char *what, const struct forged *f) __attribute__((noreturn));
void print_bytes(const char *name, const __u8 *bytes, size_t count);

#endif
