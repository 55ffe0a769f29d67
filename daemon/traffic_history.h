/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much passed when: of the WAN, of devices and of tunnels, the last hour in steps of 10 s and
 * the last day in steps of 5 minutes. Fed from the sweeper's passes; pure, no clock. In memory
 * only, about 10 kB for each of at most 1 + 64 + 64.
 */
#ifndef WAYLEAVE_DAEMON_TRAFFIC_HISTORY_H
#define WAYLEAVE_DAEMON_TRAFFIC_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/roster.h"

#define TRAFFIC_DEVICES 64 /* the first; one without traffic for an hour makes room */
#define TRAFFIC_TUNNELS 64

#define HOUR_STEP_S 10
#define HOUR_STEPS  360
#define DAY_STEP_S  300
#define DAY_STEPS   288

/* Whose: all zero: the WAN; a device; a tunnel, with REMOTE and CLASS. */
struct traffic_key {
	__be32 inside, remote;
	uint8_t class;
};

struct traffic_history;

/* NULL without memory. */
struct traffic_history *traffic_history_new(void);
void traffic_history_free(struct traffic_history *history);

/* A session that the next pass will not find any more. */
void traffic_history_ended(struct traffic_history *history, const struct traffic_key *key,
			   const struct traffic *traffic);

/* What a pass has found. */
struct traffic_pass {
	struct traffic total; /* all since the start */
	const struct roster_device *device;
	size_t devices;
	const struct roster_tunnel *tunnel;
	size_t tunnels;
};

/* A pass is over at NOW_MS, of a clock that never goes back. */
void traffic_history_turn(struct traffic_history *history, uint64_t now_ms,
			  const struct traffic_pass *pass);

/*
 * {"every_s", "from", "in": [bytes, ...], "out": [...]}: the steps that are over, the oldest first;
 * FROM is when the first began, seconds since the epoch, as EPOCH_MS is at NOW_MS. A new
 * reference; NULL: nothing is known of KEY.
 */
json_t *traffic_history_json(const struct traffic_history *history, const struct traffic_key *key,
			     bool day, uint64_t now_ms, uint64_t epoch_ms);

#endif
