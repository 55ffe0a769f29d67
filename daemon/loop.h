/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the running daemon waits for: the kernel's news, frames of the slow path,
 * the helper's answers, signals, and the rounds of upkeep.
 */
#ifndef WAYLEAVE_DAEMON_LOOP_H
#define WAYLEAVE_DAEMON_LOOP_H

#include <stdint.h>

struct gateway;

/* Adds the events to the gateway's base, which calls back from then on. 0 or -ENOMEM. */
int loop_events_start(struct gateway *gateway);

/* Frees them. */
void loop_events_stop(struct gateway *gateway);

/* The data plane asks only a daemon that lives: it does until some seconds after tick NOW. */
void loop_heartbeat(struct gateway *gateway, uint32_t now);

#endif
