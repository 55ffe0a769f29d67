/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/closing.h"

#include <string.h>

#include "conf/started.h"
#include "daemon/addresses.h"
#include "daemon/gateway.h"
#include "daemon/log.h"
#include "daemon/surroundings.h"
#include "daemon/sysctl.h"

#define WAN_ADDRESSES 64

const char *closing_missing(const struct gateway *gateway)
{
	for (unsigned int i = 1; i < gateway->links.count; i++)
		if (!gateway->links.link[i].ifindex)
			return gateway->links.link[i].name;
	return NULL;
}

void closing_judge(struct gateway *gateway)
{
	const char *missing = closing_missing(gateway);

	gateway->held =
		missing && !gateway->plane.adopted && !settings_started(gateway->settings_path);
	if (gateway->held)
		log_warning("the first start of this gateway: nothing is closed and nothing "
			    "translated before %s is there",
			    missing);
}

static void connections_keep(struct gateway *gateway)
{
	const struct link *wan = &gateway->links.link[0];
	__be32 addresses[WAN_ADDRESSES];
	unsigned int count =
		addresses_list(&gateway->netlink, wan->ifindex, addresses, WAN_ADDRESSES);
	int err = kept_read(&gateway->wall.kept, addresses, count);

	if (err)
		log_warning("this machine's own connections cannot be read (%s): those by the WAN "
			    "may end",
			    strerror(-err));
	kept_enter(&gateway->wall.kept);
	kept_warn(&gateway->wall.kept, &gateway->wall.allows, wan->name);
}

static void allows_take(struct gateway *gateway)
{
	struct settings_error ignored; /* checked with all settings */

	allows_parse(gateway->settings->wan.allow, &gateway->wall.allows, &ignored);
}

int closing_wall(struct gateway *gateway)
{
	int err;

	if (gateway->held)
		return 0;
	allows_take(gateway);
	gateway->wall.by_tos = gateway->policy.by_tos;
	connections_keep(gateway);
	err = wall_build(&gateway->wall, &gateway->links);
	return err ? err : sysctl_gateway(&gateway->instance);
}

void closing_note(struct gateway *gateway)
{
	bool settled = !gateway->held && !gateway->trial_s;
	int err = !settled ? 0 : settings_started_note(gateway->settings_path);

	if (err)
		log_info("that this gateway has been started is not noted: %s", strerror(-err));
}

void closing_follow(struct gateway *gateway)
{
	if (!gateway->held || closing_missing(gateway))
		return;
	gateway->held = false;
	if (closing_wall(gateway) || surroundings_attach(gateway)) {
		gateway->held = true; /* the log says why; tried again with the next upkeep */
		return;
	}
	closing_note(gateway);
	log_notice("every LAN interface is there: the gateway is closed to the WAN now");
}

int closing_settings(struct gateway *gateway)
{
	allows_take(gateway);
	return gateway->held ? 0 : wall_build(&gateway->wall, &gateway->links);
}
