/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/gateway.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/load.h"
#include "daemon/change.h"
#include "daemon/connections.h"
#include "daemon/effect.h"
#include "daemon/esp_flows.h"
#include "daemon/ike_flows.h"
#include "daemon/kernel.h"
#include "daemon/log.h"
#include "daemon/login_screen.h"
#include "daemon/monotonic.h"
#include "daemon/loop.h"
#include "daemon/names.h"
#include "daemon/neighbours.h"
#include "daemon/l2tp_flows.h"
#include "daemon/network_setup.h"
#include "daemon/package.h"
#include "daemon/pptp_flows.h"
#include "daemon/privileges.h"
#include "daemon/rekeys.h"
#include "daemon/rekeys_state.h"
#include "daemon/reinject.h"
#include "daemon/restart.h"
#include "daemon/roster.h"
#include "daemon/service.h"
#include "daemon/session_packet.h"
#include "daemon/show.h"
#include "daemon/slow_path.h"
#include "daemon/sweeper.h"
#include "daemon/state_file.h"
#include "daemon/state_writer.h"
#include "daemon/story.h"
#include "daemon/strangers.h"
#include "daemon/traffic_history.h"
#include "daemon/trial.h"
#include "daemon/web_process.h"
#include "daemon/web_store.h"

/* --- start and stop -------------------------------------------------------------------- */

static void gateway_close(struct gateway *gateway)
{
	ctl_server_stop(gateway->server);
	json_decref(gateway->notes);
	web_process_end(gateway->web);
	if (gateway->instance.lock_fd >= 0) /* else it is another one's, who runs */
		login_screen_follow(gateway->instance.run_dir, NULL);
	names_end(gateway->names);
	web_store_free(gateway->web_store);
	network_setup_free(gateway->network);
	story_end(gateway, gateway->story);
	ctl_audit_free(gateway->audit);
	package_free(gateway->package);
	loop_events_stop(gateway);
	slow_path_free(gateway->slow_path);
	ike_flows_close(gateway->ike);
	esp_flows_close(gateway->esp);
	l2tp_flows_close(gateway->l2tp);
	connections_close(gateway->pptp);
	if (gateway->rekeys && rekeys_take_changed(gateway->rekeys, 0, 0))
		rekeys_state_save(gateway->settings, gateway->rekeys, plane_now(&gateway->plane));
	state_writer_stop();
	rekeys_free(gateway->rekeys);
	sweeper_free(gateway->sweeper);
	traffic_history_free(gateway->traffic);
	wall_close(&gateway->wall);
	tap_close(&gateway->tap);
	plane_unload(&gateway->plane);
	netlink_close(&gateway->netlink);
	if (gateway->helper)
		helper_stop(gateway->helper);
	if (gateway->change)
		ctl_change_free(gateway->change);
	if (gateway->base)
		event_base_free(gateway->base);
	instance_unlock(&gateway->instance);
}

/* --- what runs in the loop ----------------------------------------------------------------- */

static void next_hop_freed(void *context, const struct next_hop *hop)
{
	struct gateway *gateway = context;

	neighbour_release(&gateway->netlink, hop);
}

/*
 * Whoever waits for an answer at the old address would wait for hours. TCP is told;
 * what is sent over UDP or ESP next begins anew at the new address by itself.
 */
static void session_lost_address_ended(void *context, const struct record *orig,
				       const struct record *reply)
{
	struct gateway *gateway = context;
	uint8_t packet[SESSION_PACKET_MAX];
	size_t length =
		orig->session.flags & SESSION_LOCAL ? 0 : session_packet_reset(packet, orig, reply);

	if (length)
		packet_transmit(gateway, packet, length, reply->session.next_hop);
}

static void session_moved(void *context)
{
	struct gateway *gateway = context;

	plane_count(&gateway->plane, REASON_session_moved, 1);
}

static void session_ended(void *context, const struct record *orig, const struct traffic *traffic)
{
	const struct gateway *gateway = context;
	const struct traffic_key key = {orig->key.local, orig->key.remote, orig->session.class};

	traffic_history_ended(gateway->traffic, &key, traffic);
}

static void pass_over(void *context)
{
	const struct gateway *gateway = context;
	const struct roster *roster = sweeper_roster(gateway->sweeper);
	struct traffic_pass pass = {.total = sweeper_traffic(gateway->sweeper)};

	pass.device = roster_devices(roster, &pass.devices);
	pass.tunnel = roster_tunnels(roster, &pass.tunnels);
	traffic_history_turn(gateway->traffic, monotonic_ns() / 1000000, &pass);
}

static int control_start(struct gateway *gateway)
{
	struct ctl_server_options options = {.run_dir = gateway->instance.run_dir,
					     .control_group = gateway->settings->control_group,
					     .provider = &show_provider,
					     .audit = gateway->audit,
					     .change = gateway->change,
					     .daemon = gateway};
	int err = ctl_server_start(gateway->base, &options, &gateway->server);

	/* a group that was deleted is no reason not to translate; effect_log() has said it */
	if (err == -ENOENT && options.control_group) {
		gateway->group_missing = true;
		options.control_group = NULL;
		err = ctl_server_start(gateway->base, &options, &gateway->server);
	}
	if (err)
		log_error("the control socket in %s cannot be opened: %s", options.run_dir,
			  strerror(-err));
	return err;
}

/* A page that cannot be served is no reason not to translate. */
static int web_start(struct gateway *gateway)
{
	const char *dir = state_dir(gateway->settings);
	int err;

	mkdir(dir, 0700); /* may be the first that is written there */
	err = ctl_audit_open(gateway->audit, dir);

	if (err)
		log_warning("changes are not written down: the audit log in %s cannot be opened: "
			    "%s",
			    dir, strerror(-err));
	gateway->story = story_begin(gateway);
	if (gateway->names && names_begin(gateway->names, gateway))
		log_warning("devices have no names: no memory");
	return web_process_begin(gateway->web, gateway);
}

static int clock_ask(void *context, uint32_t *now)
{
	struct gateway *gateway = context;

	return plane_clock(&gateway->plane, now);
}

static int loop_start(struct gateway *gateway, const char *settings_path, struct settings *settings)
{
	const struct sweeper_calls calls = {.context = gateway,
					    .clock = clock_ask,
					    .freed = next_hop_freed,
					    .address_lost = session_lost_address_ended,
					    .moved = session_moved,
					    .ended = session_ended,
					    .turned = pass_over};
	int err;

	gateway->change = gateway->base ? ctl_change_new(gateway->base, settings_path, settings,
							 gateway_change, gateway)
					: NULL;
	if (!gateway->change)
		return -ENOMEM;
	gateway->settings = ctl_change_settings(gateway->change);
	gateway->audit = ctl_audit_new();
	gateway->web_store = web_store_new(gateway);
	gateway->package = package_new(gateway->base);
	gateway->network = network_setup_new(gateway);
	gateway->traffic = traffic_history_new();
	if (!gateway->network || !gateway->audit || !gateway->web_store || !gateway->package ||
	    !gateway->traffic)
		return -ENOMEM;
	ctl_change_audit(gateway->change, gateway->audit);
	ctl_change_check(gateway->change, effect_check);
	err = loop_events_start(gateway);
	sweeper_tell(gateway->sweeper, &calls);
	if (!err)
		err = sweeper_start(gateway->sweeper, gateway->base);
	if (!err)
		line_tend(gateway, plane_now(&gateway->plane)); /* before anybody asks */
	if (!err)
		err = control_start(gateway);
	return err ? err : web_start(gateway);
}

/* --- the life ------------------------------------------------------------------------------ */

static void helper_happened(void *context, enum helper_event event, int status)
{
	struct gateway *gateway = context;

	gateway->helper_restarts++;
	gateway->helper_disabled = event != HELPER_CRASHED;
	if (event == HELPER_ORPHANED)
		restart_for_keeper(gateway, "PPTP helper", status);
	else if (event == HELPER_DISABLED)
		log_error("the PPTP helper does not stay up and is off until the next start: it "
			  "crashes, or the service lacks CAP_SETUID, CAP_SETGID, CAP_SETPCAP or "
			  "CAP_KILL; new PPTP connections get no assistance");
	else
		log_warning("the PPTP helper crashed and was started again (status %#x)", status);
}

static void helper_answered(void *context, struct helper_flow *flow,
			    const struct helper_result *result)
{
	struct gateway *gateway = context;

	if (flow->protocol == HELPER_PPTP)
		pptp_flows_answered(gateway, flow, result);
	else
		l2tp_flows_answered(gateway->l2tp, flow, result);
}

static bool helper_allowed(void *context, struct helper_flow *flow,
			   const struct helper_answer *answer)
{
	struct gateway *gateway = context;
	const struct connections *all = flow->protocol == HELPER_PPTP
						? gateway->pptp
						: l2tp_flows_connections(gateway->l2tp);

	return connections_answer_check(all, connection_of(flow), answer);
}

static int helper_begin(struct gateway *gateway)
{
	struct helper_options options = {.context = gateway,
					 .answered = helper_answered,
					 .allowed = helper_allowed,
					 .happened = helper_happened};
	int err = helper_start(&gateway->helper, &options);

	if (err == -ENOENT)
		log_error("the PPTP helper has no user to run as: neither wayleave-helper nor "
			  "nobody exists");
	else if (err)
		log_error("the PPTP helper cannot be started: %s", strerror(-err));
	return err;
}

static int web_fork(struct gateway *gateway)
{
	int err = names_fork(&gateway->names);

	if (err)
		log_warning("devices have no names: their reader cannot be forked: %s",
			    strerror(-err));
	err = web_process_fork(&gateway->web);

	if (err)
		log_error("the web process cannot be forked: %s", strerror(-err));
	return err;
}

static int gateway_start(struct gateway *gateway)
{
	int err = plane_prepare();

	if (!err)
		err = helper_begin(gateway);
	if (!err)
		err = web_fork(gateway);
	if (!err)
		err = privileges_for_start();
	instance_name(&gateway->instance, gateway->settings->run_dir);
	if (!err)
		err = instance_lock(&gateway->instance);
	if (err)
		return err;
	err = kernel_start(gateway);
	if (err && gateway->plane.skeleton && !gateway->plane.adopted)
		kernel_undo(gateway);
	return err;
}

static struct gateway *gateway_new(const struct settings *settings)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));

	if (!gateway)
		return NULL;
	gateway->settings = settings;
	gateway->tap.fd = -1;
	gateway->instance.lock_fd = -1;
	clock_gettime(CLOCK_MONOTONIC, &gateway->started);
	return gateway;
}

/* The loop, until something ends it. 0 or -errno. */
static int gateway_live(struct gateway *gateway)
{
	int err = gateway->trial_s ? 0 : privileges_for_running();

	if (!err)
		err = trial_begin(gateway);
	if (!err && state_writer_start())
		log_warning(
			"state files are written by the daemon itself: there is no thread for it");
	if (err)
		return err;
	service_tend(gateway);
	return event_base_dispatch(gateway->base) < 0 ? -EIO : 0;
}

/* A trial that ends without having been confirmed, by whatever: as if it had not been. */
static int gateway_end(struct gateway *gateway, bool started, int err)
{
	char run_dir[PATH_MAX];
	bool trial = started && gateway->trial_s;
	bool restart = gateway->restart;

	snprintf(run_dir, sizeof(run_dir), "%s", gateway->instance.run_dir);
	trial_end(gateway);
	gateway_close(gateway);
	free(gateway);
	if (trial)
		return gateway_teardown(run_dir, NULL);
	return !err && restart ? GATEWAY_RESTART : err;
}

int gateway_run(const char *settings_path, struct settings *settings, unsigned int trial_s)
{
	struct gateway *gateway = gateway_new(settings);
	bool started;
	int err;

	if (!gateway)
		return -ENOMEM;
	signal(SIGPIPE, SIG_IGN);
	gateway->settings_path = settings_path;
	gateway->trial_s = trial_s;
	effect_log(settings);
	err = gateway_start(gateway);
	started = !err;
	if (err)
		settings_free(settings);
	else
		err = loop_start(gateway, settings_path, settings);
	if (!err)
		err = gateway_live(gateway);
	return gateway_end(gateway, started, err);
}

int gateway_teardown(const char *run_dir, const struct settings *settings)
{
	struct gateway *gateway = gateway_new(settings);
	int err;

	if (!gateway)
		return -ENOMEM;
	err = plane_prepare();
	instance_name(&gateway->instance, run_dir);
	if (!err)
		err = instance_lock(&gateway->instance);
	if (!err)
		err = kernel_links(gateway);
	if (!err)
		err = wall_open(&gateway->wall, &gateway->instance);
	if (!err) {
		strangers_detach_all(&gateway->plane, &gateway->instance);
		kernel_undo(gateway);
		log_notice("everything of %s is taken away; it translates nothing any more",
			   gateway->instance.run_dir);
	}
	gateway_close(gateway);
	free(gateway);
	return err;
}
