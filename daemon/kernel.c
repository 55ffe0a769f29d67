/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/kernel.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "core/memory.h"
#include "daemon/adopt.h"
#include "daemon/apply.h"
#include "daemon/attach.h"
#include "daemon/clock.h"
#include "daemon/closing.h"
#include "daemon/esp_flows.h"
#include "daemon/forward_report.h"
#include "daemon/forwards.h"
#include "daemon/ike_flows.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/l2tp_flows.h"
#include "daemon/pptp_flows.h"
#include "daemon/rekeys.h"
#include "daemon/rekeys_state.h"
#include "daemon/reserved.h"
#include "daemon/routes.h"
#include "daemon/slow_path.h"
#include "daemon/surroundings.h"
#include "daemon/sweeper.h"
#include "daemon/strangers.h"
#include "daemon/sysctl.h"

/* --- what the core asks of us ---------------------------------------------------------- */

static struct gateway *running; /* one a process; the core's callbacks have no context */

static __u32 core_ticks(void)
{
	return plane_now(&running->plane) - running->plane.config->clock_offset;
}

static __u32 core_random(void)
{
	__u32 random = 0;

	return getrandom(&random, sizeof(random), 0) == sizeof(random) ? random : 0;
}

/* The programs count these on all processors at once; a write from here would lose some. */
static void core_count(enum reason reason, __u32 bytes)
{
}

static enum route_result core_route(const struct query *query, struct route *route)
{
	return routes_lookup(&running->netlink, &running->links, query, route);
}

static void core_connect(struct gateway *gateway)
{
	running = gateway;
	arena.ticks = core_ticks;
	arena.random = core_random;
	arena.count = core_count;
	arena.route = core_route;
}

/* --- the data plane -------------------------------------------------------------------- */

static int config_start(struct gateway *gateway)
{
	struct plane *plane = &gateway->plane;
	int hz, err = 0;

	if (!plane->adopted || plane->config->abi_version != ABI_VERSION) {
		hz = clock_rate(plane->program_fd[PROGRAM_clock_read]);
		if (hz < 0) {
			log_error("the data plane's clock cannot be read: %s", strerror(-hz));
			return hz;
		}
		err = apply_initial(plane->config, gateway->instance.number, plane->sets_count, hz);
	}
	gateway->sessions_room = plane_room(plane->sets_count);
	if (!err)
		apply_settings(plane->config, gateway->settings, gateway->sessions_room);
	return err;
}

/* What was there before would go with the trial. */
static int trial_check(const struct gateway *gateway, bool found)
{
	if (!gateway->trial_s || !found)
		return 0;
	log_error("--trial is for a start from nothing, but %s translates already: wayleave set "
		  "NAME VALUE --confirm tries a setting, --teardown takes it away",
		  gateway->instance.run_dir);
	return -EBUSY;
}

static int plane_start(struct gateway *gateway)
{
	uint32_t sets = plane_sets(plane_sessions(gateway->settings->limits.sessions));
	struct adoption adoption;
	int found = adoption_find(&adoption, &gateway->links, &gateway->instance);
	int err = found < 0 ? found : trial_check(gateway, found);
	uint32_t now;

	if (!err)
		err = plane_load(&gateway->plane, sets, found ? &adoption : NULL);

	adoption_free(&adoption);
	if (!err)
		err = plane_clock(&gateway->plane, &now); /* or what is made now is of no time */
	if (err)
		return err;
	core_connect(gateway);
	if (found)
		log_notice("took over the data plane that an earlier run has left, with its "
			   "sessions");
	if (found && gateway->settings->limits.sessions && gateway->plane.sets_count != sets)
		log_notice("limits.sessions: the table keeps its size until --teardown");
	return config_start(gateway);
}

static int tap_start(struct gateway *gateway)
{
	int err = tap_open(&gateway->tap, &gateway->instance, &gateway->netlink);

	if (!err)
		err = attach_own(gateway->tap.ifindex, PROGRAM_tc_tap, &gateway->plane);
	if (!err)
		WRITE_ONCE(gateway->plane.config->tap_ifindex, gateway->tap.ifindex);
	return err;
}

static int cutter_start(struct gateway *gateway)
{
	int err = cutter_open(&gateway->cutter, &gateway->instance, &gateway->netlink);

	if (!err)
		err = attach_own(gateway->cutter.far, PROGRAM_tc_cut, &gateway->plane);
	if (!err)
		WRITE_ONCE(gateway->plane.config->cut_ifindex, gateway->cutter.near);
	return err;
}

/* --- start and undo -------------------------------------------------------------------- */

int kernel_links(struct gateway *gateway)
{
	int err = netlink_open(&gateway->netlink);

	if (!err && gateway->settings)
		err = links_name(&gateway->links, gateway->settings);
	if (err == -E2BIG)
		log_error("lan.interfaces: more than %d interfaces", INTERFACES - 1);
	if (!err)
		err = links_read(&gateway->links, &gateway->netlink);
	if (err && err != -E2BIG)
		log_error("the kernel's interfaces cannot be read: %s", strerror(-err));
	return err;
}

static int objects_start(struct gateway *gateway)
{
	gateway->base = event_base_new();
	if (!gateway->base)
		return -ENOMEM;
	gateway->sweeper = sweeper_new();
	gateway->rekeys = rekeys_new(gateway->plane.config->hz);
	if (!gateway->rekeys)
		return -ENOMEM;
	rekeys_state_load(gateway->settings, gateway->rekeys, plane_now(&gateway->plane));
	gateway->pptp = pptp_flows_open(gateway);
	gateway->l2tp = l2tp_flows_open(gateway);
	gateway->esp = esp_flows_open(gateway);
	gateway->ike = ike_flows_open(gateway);
	gateway->slow_path = slow_path_new(gateway);
	return gateway->sweeper && gateway->pptp && gateway->l2tp && gateway->esp && gateway->ike &&
			       gateway->slow_path
		       ? 0
		       : -ENOMEM;
}

/* The order counts: closed before forwarding, configured before attached. */
int kernel_start(struct gateway *gateway)
{
	int err = kernel_links(gateway);

	if (!err)
		err = plane_start(gateway);
	if (err)
		return err;
	closing_judge(gateway);
	err = objects_start(gateway);
	if (!err)
		err = tap_start(gateway);
	if (!err)
		err = cutter_start(gateway);
	if (!err)
		err = surroundings_read(gateway);
	if (!err)
		err = wall_open(&gateway->wall, &gateway->instance);
	if (!err)
		err = closing_wall(gateway);
	if (err)
		return err;
	strangers_detach(&gateway->links, &gateway->plane, &gateway->instance);
	forwards_clean(gateway->settings);
	reserved_refresh();
	forwards_tend(gateway, plane_now(&gateway->plane));
	forwards_advise(gateway->settings);
	/* what an earlier run knew, before the first question comes */
	esp_flows_tend(gateway->esp, plane_now(&gateway->plane));
	ike_flows_tend(gateway->ike, plane_now(&gateway->plane));
	loop_heartbeat(gateway, plane_now(&gateway->plane));
	err = surroundings_attach(gateway);
	if (!err)
		closing_note(gateway);
	return err;
}

/* The last made first. */
void kernel_undo(struct gateway *gateway)
{
	for (unsigned int i = 0; i < gateway->links.count; i++)
		attach_detach(&gateway->links.link[i], &gateway->plane, &gateway->instance);
	strangers_detach(&gateway->links, &gateway->plane, &gateway->instance);
	sysctl_restore(&gateway->instance);
	if (gateway->wall.nft)
		wall_remove(&gateway->wall);
	tap_close(&gateway->tap);
	tap_delete(&gateway->instance, &gateway->netlink);
	cutter_delete(&gateway->instance, &gateway->netlink);
	instance_forget(&gateway->instance);
}
