/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `watch` shows: the last answers of the daemon, rates between the last two,
 * and the order of rows. Knows nothing of the screen.
 */
#ifndef WAYLEAVE_CLI_VIEW_H
#define WAYLEAVE_CLI_VIEW_H

#include <jansson.h>

#include "ctl/client.h"

/* More rows than any screen; the daemon is not to be kept busy by watchers. */
#define VIEW_ROWS_MAX 500

enum view_order { ORDER_TRAFFIC, ORDER_AGE, ORDER_ADDRESS, ORDER_COUNT };

struct view_rates {
	double bits_out, bits_in;	/* per second */
	double packets_out, packets_in; /* per second */
};

struct view {
	json_t *status; /* NULL: no answer yet */
	json_t *vpns;	/* arrays of documents, sorted */
	json_t *devices;
	json_t *counters; /* drops only, each with "rate" (per second), busiest first */
	struct view_rates rates;
	json_t *totals;	 /* the daemon's traffic totals when they last changed */
	double totals_s; /* when that was seen, CLOCK_MONOTONIC */
	enum view_order order;
	double taken_s; /* CLOCK_MONOTONIC of the answers */
};

/*
 * Asks for everything. 0 or -errno as ctl_client_ask() has it; a part that the daemon
 * refuses keeps empty. VIEW starts zeroed.
 */
int view_refresh(struct view *view, struct ctl_client *client);

/* The same from answers that are there already; takes them. NOW_S: see taken_s. */
void view_update(struct view *view, json_t *status, json_t *vpns, json_t *devices, json_t *counters,
		 double now_s);

/* Sorts the rows anew, after a change of view->order. */
void view_sort(struct view *view);

const char *view_order_name(enum view_order order);

void view_clear(struct view *view);

#endif
