/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/loop.h"

#include <errno.h>
#include <signal.h>

#include "daemon/esp_flows.h"
#include "daemon/forward_report.h"
#include "daemon/gateway.h"
#include "daemon/ike_flows.h"
#include "daemon/keepalives.h"
#include "daemon/l2tp_flows.h"
#include "daemon/log.h"
#include "daemon/monotonic.h"
#include "daemon/names.h"
#include "daemon/pptp_flows.h"
#include "daemon/rekeys.h"
#include "daemon/rekeys_state.h"
#include "daemon/reserved.h"
#include "daemon/service.h"
#include "daemon/slow_path.h"
#include "daemon/story.h"
#include "daemon/surroundings.h"
#include "daemon/web_process.h"

#define HEARTBEAT_SECONDS 3

void loop_heartbeat(struct gateway *gateway, uint32_t now)
{
	struct config *config = gateway->plane.config;

	WRITE_ONCE(config->daemon_until, now + HEARTBEAT_SECONDS * config->hz);
}

static void kernel_spoke(evutil_socket_t fd, short what, void *context)
{
	surroundings_follow(context);
}

static void frame_waits(evutil_socket_t fd, short what, void *context)
{
	struct gateway *gateway = context;

	slow_path_read(gateway->slow_path);
}

static void helper_spoke(evutil_socket_t fd, short what, void *context)
{
	struct gateway *gateway = context;

	helper_serve(gateway->helper, monotonic_ns());
}

static void deadlines_tend(struct gateway *gateway, uint32_t now)
{
	reserved_refresh();
	forwards_tend(gateway, now);
	loop_heartbeat(gateway, now);
	pptp_flows_tend(gateway->pptp, now);
	l2tp_flows_tend(gateway->l2tp, now);
	keepalives_tend(gateway, now);
	esp_flows_tend(gateway->esp, now);
	ike_flows_tend(gateway->ike, now);
	rekeys_tend(gateway, now);
	line_tend(gateway, now);
	rekeys_state_tend(gateway->settings, gateway->rekeys, now);
}

static void second_passed(evutil_socket_t fd, short what, void *context)
{
	struct gateway *gateway = context;
	uint32_t now;

	if (!plane_clock(&gateway->plane, &now))
		deadlines_tend(gateway, now);
	story_tend(gateway, gateway->story);
	service_tend(gateway);
}

static void upkeep_due(evutil_socket_t fd, short what, void *context)
{
	struct gateway *gateway = context;

	surroundings_keep(gateway);
	if (!gateway->held)
		wall_check(&gateway->wall, &gateway->links);
	web_process_follow(gateway->web);
	names_tend(gateway->names);
}

static void hangup_came(evutil_socket_t fd, short what, void *context)
{
	struct gateway *gateway = context;
	struct settings_error error = {0};
	char text[1024];

	if (ctl_change_reload(gateway->change, &error))
		log_error("%s; the settings stay as they were",
			  settings_error_text(&error, text, sizeof(text)));
	else
		log_notice("the settings were read again");
	gateway->settings = ctl_change_settings(gateway->change);
}

static void end_came(evutil_socket_t fd, short what, void *context)
{
	struct gateway *gateway = context;

	log_notice("ending; translation goes on without the daemon");
	service_stopping();
	event_base_loopbreak(gateway->base);
}

static int event_start(struct gateway *gateway, evutil_socket_t fd, short what,
		       event_callback_fn callback, const struct timeval *every)
{
	struct event **slot = gateway->events;

	while (*slot)
		slot++;
	*slot = event_new(gateway->base, fd, what | EV_PERSIST, callback, gateway);
	return *slot && !event_add(*slot, every) ? 0 : -ENOMEM;
}

int loop_events_start(struct gateway *gateway)
{
	static const struct timeval tenth = {0, 100000}, second = {1, 0}, upkeep = {5, 0};

	if (event_start(gateway, netlink_events_fd(&gateway->netlink), EV_READ, kernel_spoke,
			NULL) ||
	    event_start(gateway, gateway->tap.fd, EV_READ, frame_waits, NULL) ||
	    event_start(gateway, helper_fd(gateway->helper), EV_READ, helper_spoke, &tenth) ||
	    event_start(gateway, -1, 0, second_passed, &second) ||
	    event_start(gateway, -1, 0, upkeep_due, &upkeep) ||
	    event_start(gateway, SIGHUP, EV_SIGNAL, hangup_came, NULL) ||
	    event_start(gateway, SIGTERM, EV_SIGNAL, end_came, NULL) ||
	    event_start(gateway, SIGINT, EV_SIGNAL, end_came, NULL))
		return -ENOMEM;
	return 0;
}

void loop_events_stop(struct gateway *gateway)
{
	for (size_t i = 0; i < sizeof(gateway->events) / sizeof(gateway->events[0]); i++)
		if (gateway->events[i])
			event_free(gateway->events[i]);
}
