/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The running gateway: everything that the daemon owns, and its life.
 *
 * Start: settings, helper (forked before anything is opened), lock, interfaces,
 * a previous run's maps, load, configuration, tap, wall, forwarding, attach,
 * fewer privileges, control socket. A start that fails puts back what it did in
 * reverse, unless it had taken a running data plane over: that keeps running.
 */
#ifndef WAYLEAVE_DAEMON_GATEWAY_H
#define WAYLEAVE_DAEMON_GATEWAY_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "conf/error.h"
#include "conf/settings.h"
#include "ctl/change.h"
#include "ctl/server.h"
#include "daemon/cutter.h"
#include "daemon/dataplane.h"
#include "daemon/instance.h"
#include "daemon/line.h"
#include "daemon/links.h"
#include "daemon/netlink.h"
#include "daemon/policy.h"
#include "daemon/refusals.h"
#include "daemon/tap.h"
#include "daemon/wall.h"
#include "helper/helper.h"

struct sweeper;
struct slow_path;
struct connections;
struct rekeys;
struct l2tp_flows;
struct web_process;
struct web_store;
struct network_setup;
struct esp_flows;
struct ike_flows;
struct package;
struct story;
struct names;
struct traffic_history;

struct gateway {
	struct event_base *base;
	struct ctl_change *change;	 /* owns the settings once the loop runs */
	const struct settings *settings; /* the present ones */
	const char *settings_path;
	struct ctl_server *server;
	struct helper *helper;
	uint64_t helper_restarts;
	bool helper_disabled;
	struct instance instance;
	struct netlink netlink;
	struct links links;
	struct line line; /* the internet's */
	struct policy policy;
	bool unread; /* what the kernel has could not be read anew: at the next upkeep */
	struct plane plane;
	struct tap tap;
	struct cutter cutter;
	struct wall wall;
	struct sweeper *sweeper;
	struct slow_path *slow_path;
	struct connections *pptp; /* control connections */
	struct rekeys *rekeys;
	struct l2tp_flows *l2tp;
	struct refusals refusals;
	unsigned int forwards_missing; /* ports that could not be forwarded at the last try */
	struct ctl_audit *audit;
	struct story *story;
	struct names *names;
	struct traffic_history *traffic;
	struct web_process *web;
	struct web_store *web_store;
	struct network_setup *network;
	struct esp_flows *esp;
	struct ike_flows *ike;
	struct package *package;
	bool group_missing;	    /* at the start: only root may talk to the daemon */
	bool held;		    /* a first start that closes nothing yet: daemon/closing.h */
	unsigned int trial_s; /* this is a trial of so many seconds; 0: none, or confirmed */
	struct event *trial;
	uint64_t trial_until_ns; /* CLOCK_MONOTONIC */
	bool restart;		    /* the loop ended to begin anew */
	struct event *events[8];    /* of the loop; NULL: unused */
	uint32_t keepalives_tended; /* tick of the last round */
	uint32_t sessions_room;	    /* what the table was made for */
	struct timespec started;    /* CLOCK_MONOTONIC */
	json_t *notes;		    /* about the last change, for its answer; NULL: none */
};

/*
 * Runs until SIGTERM or SIGINT and leaves the data plane attached. SETTINGS are
 * taken over. TRIAL_S: daemon/trial.h, 0 for none. 0, GATEWAY_RESTART: to be run again, or -errno after a sentence, with nothing left
 * half-done.
 */
#define GATEWAY_RESTART 1
int gateway_run(const char *settings_path, struct settings *settings, unsigned int trial_s);

/*
 * Takes everything away that a run with this RUN_DIR has left, on whatever interface. SETTINGS
 * may be NULL: lost or wrong. 0 or -errno after a sentence.
 */
int gateway_teardown(const char *run_dir, const struct settings *settings);

#endif
