/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of show_provider, each in a file of its own. ctl/provider.h has the contract. */
#ifndef WAYLEAVE_DAEMON_SHOW_PAGES_H
#define WAYLEAVE_DAEMON_SHOW_PAGES_H

#include <errno.h>

#include "ctl/provider.h"

int show_status(void *daemon, json_t **result);
int show_sessions(void *daemon, const struct ctl_query *query, json_t *items, uint64_t *next);
int show_vpns(void *daemon, const struct ctl_query *query, json_t *items, uint64_t *next);
int show_devices(void *daemon, const struct ctl_query *query, json_t *items, uint64_t *next);
int show_counters(void *daemon, json_t *items);

/* Sentences, what is missing; empty: packets are translated. The caller's reference. */
struct gateway;
json_t *show_waiting_for(const struct gateway *gateway);

/* Not a page: sets tunnels up for tests and benches. */
int show_arm(void *daemon, const struct ctl_arm *arm, json_t **result);

#endif
