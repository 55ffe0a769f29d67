/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks the table all the time, a slice each tenth of a second, all of it in two
 * to five seconds: ends what is over (expiry.h), frees the slots of what ended a
 * pass ago, frees next hops that no session uses, and counts. It goes by the tags,
 * so that an idle table of 256 MiB costs 4 MiB of reading.
 *
 * A slot that is found DEAD waits for the next pass before it becomes FREE: a
 * grace far longer than any run of a BPF program that may still look at it.
 * A slot that a killed inserter has left half-made goes the same way.
 *
 * Deadlines do not hang on it: the data plane checks them at each hit.
 */
#ifndef WAYLEAVE_DAEMON_SWEEPER_H
#define WAYLEAVE_DAEMON_SWEEPER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/abi.h"
#include "daemon/expiry.h"

#define SWEEP_SLICE_MS	 100
#define SWEEP_SLICES_MIN 20 /* a pass; a DEAD slot's grace depends on it */
#define SWEEP_SLICES_MAX 50

/* What the last full pass has seen. */
struct census {
	uint64_t sessions; /* pairs */
	uint64_t mappings;
	uint64_t hosts;
	struct traffic traffic; /* of living sessions */
};

/* What the sweeper asks of others and tells them; any may be NULL. */
struct sweeper_calls {
	void *context; /* first parameter of all */
	/* Now, as plane_clock(): nothing is swept while that is not known. NULL: the core's. */
	int (*clock)(void *context, uint32_t *now);
	/* Before a next hop is given up. */
	void (*freed)(void *context, const struct next_hop *hop);
	/* Before a session ends because the WAN has another address. */
	void (*address_lost)(void *context, const struct record *orig, const struct record *reply);
	/* A session ends because a rule sends it another way. */
	void (*moved)(void *context);
	/* A session has ended, with TRAFFIC; ORIG is its outbound half. */
	void (*ended)(void *context, const struct record *orig, const struct traffic *traffic);
	/* A pass is over: the roster and the sums are new. */
	void (*turned)(void *context);
};

struct sweeper;
struct roster;

/* Works on the core's arena. NULL without memory. */
struct sweeper *sweeper_new(void);
void sweeper_free(struct sweeper *sweeper);

/* From now on; CALLS are copied. */
void sweeper_tell(struct sweeper *sweeper, const struct sweeper_calls *calls);

/* Runs in BASE from now on. 0 or -ENOMEM. */
int sweeper_start(struct sweeper *sweeper, struct event_base *base);

/* One slice at tick NOW; true at the end of a pass. For tests too. */
bool sweeper_slice(struct sweeper *sweeper, uint32_t now);

/* The same by the clock; no slice and false when it cannot be read. */
bool sweeper_slice_now(struct sweeper *sweeper);

/* The address or the settings have changed: a whole pass as fast as the loop allows. */
void sweeper_hurry(struct sweeper *sweeper);

/* Tunnels and devices of the last whole pass. */
const struct roster *sweeper_roster(const struct sweeper *sweeper);

const struct census *sweeper_census(const struct sweeper *sweeper);

/* All sessions since the start, living and ended. */
struct traffic sweeper_traffic(const struct sweeper *sweeper);

/* When something last came from the WAN for a session, of the gateway itself too. False: never. */
bool sweeper_heard(const struct sweeper *sweeper, uint32_t *at);

/* Sets USED[i] for each next hop that a session used in this pass or the last. */
void sweeper_next_hops_used(const struct sweeper *sweeper, bool used[NEXT_HOPS]);

#endif
