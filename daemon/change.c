/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/change.h"

#include <errno.h>
#include <string.h>

#include "core/memory.h"
#include "daemon/apply.h"
#include "daemon/closing.h"
#include "daemon/forward_report.h"
#include "daemon/forwards.h"
#include "daemon/log.h"
#include "daemon/strangers.h"
#include "daemon/surroundings.h"
#include "daemon/sweeper.h"
#include "daemon/web_process.h"

static bool interfaces_differ(const struct settings *a, const struct settings *b)
{
	if (strcmp(a->wan.interface, b->wan.interface) || a->dataplane != b->dataplane ||
	    a->lan.interfaces_count != b->lan.interfaces_count)
		return true;
	for (unsigned int i = 0; i < a->lan.interfaces_count; i++)
		if (strcmp(a->lan.interfaces[i], b->lan.interfaces[i]))
			return true;
	return false;
}

/* --- interfaces ------------------------------------------------------------------------ */

static int links_switch(struct gateway *gateway, const struct settings *settings)
{
	int err = links_name(&gateway->links, settings);

	if (!err)
		err = links_read(&gateway->links, &gateway->netlink);
	if (!err)
		err = closing_settings(gateway);
	if (!err)
		err = surroundings_read(gateway);
	if (!err)
		err = surroundings_attach(gateway);
	return err;
}

static int interfaces_change(struct gateway *gateway, const struct settings *present,
			     const struct settings *wanted, struct settings_error *error)
{
	struct links before = gateway->links;
	int err;

	gateway->settings = wanted;
	err = links_switch(gateway, wanted);
	if (!err) {
		strangers_detach(&gateway->links, &gateway->plane, &gateway->instance);
		return 0;
	}
	gateway->settings = present;
	gateway->links = before;
	links_switch(gateway, present);
	strangers_detach(&gateway->links, &gateway->plane, &gateway->instance);
	return settings_error_set(error, err, "lan.interfaces",
				  "the data plane cannot be attached so (%s); see the daemon's "
				  "log",
				  strerror(-err));
}

/* --- who may reach the gateway from the WAN -------------------------------------------- */

static bool allow_differs(const struct settings *a, const struct settings *b)
{
	return strcmp(a->wan.allow ? a->wan.allow : "", b->wan.allow ? b->wan.allow : "") != 0;
}

static int allow_change(struct gateway *gateway, const struct settings *present,
			const struct settings *wanted, struct settings_error *error)
{
	int err;

	gateway->settings = wanted;
	err = closing_settings(gateway);
	if (!err)
		return 0;
	gateway->settings = present;
	closing_settings(gateway);
	return settings_error_set(error, err, "wan.allow",
				  "the firewall's table cannot be changed so; see the daemon's "
				  "log");
}

/* --- all ------------------------------------------------------------------------------- */

int gateway_change(void *context, const struct settings *present, const struct settings *wanted,
		   struct settings_error *error)
{
	struct gateway *gateway = context;
	int err = 0;

	if (interfaces_differ(present, wanted))
		err = interfaces_change(gateway, present, wanted, error);
	else if (allow_differs(present, wanted))
		err = allow_change(gateway, present, wanted, error);
	if (err)
		return err;
	gateway->settings = wanted;
	apply_settings(gateway->plane.config, wanted, gateway->sessions_room);
	forwards_drop(present, wanted);
	forwards_tend(gateway, clock_ticks(gateway->plane.config));
	forwards_advise(wanted);
	if (gateway->sweeper)
		sweeper_hurry(gateway->sweeper);
	web_process_follow(gateway->web);
	web_process_say(gateway->web, WEB_LINK_RELOAD);
	closing_follow(gateway); /* it may have been waiting for another LAN's name */
	return 0;
}
