/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random numbers from a seed: the same everywhere. */
#ifndef WAYLEAVE_SIMULATION_CHANCE_H
#define WAYLEAVE_SIMULATION_CHANCE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};

/* splitmix64 */
static inline uint64_t chance_u64(struct chance *c)
{
	uint64_t z = c->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static inline double chance_unit(struct chance *c)
{
	return (double)(chance_u64(c) >> 11) * 0x1p-53;
}

static inline bool chance_is(struct chance *c, double probability)
{
	return chance_unit(c) < probability;
}

static inline double chance_between(struct chance *c, double low, double high)
{
	return low + (high - low) * chance_unit(c);
}

static inline double chance_log_between(struct chance *c, double low, double high)
{
	return exp(chance_between(c, log(low), log(high)));
}

static inline double chance_exponential(struct chance *c, double mean)
{
	return -mean * log(1 - chance_unit(c));
}

static inline unsigned chance_below(struct chance *c, unsigned limit)
{
	return (unsigned)(chance_unit(c) * limit);
}

#endif
