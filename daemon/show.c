/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/show.h"

#include "daemon/effect.h"
#include "daemon/gateway.h"
#include "daemon/network_setup.h"
#include "daemon/names.h"
#include "daemon/package.h"
#include "daemon/restart.h"
#include "daemon/show_pages.h"
#include "daemon/trial.h"
#include "daemon/web_store.h"

static int show_version(void *daemon, json_t **result)
{
	struct gateway *gateway = daemon;

	*result = package_json(gateway->package);
	return *result ? 0 : -ENOMEM;
}

static int show_name(void *daemon, struct in_addr address, const char *name)
{
	struct gateway *gateway = daemon;

	return names_type(gateway->names, address.s_addr, name);
}

static const char *show_name_of(void *daemon, struct in_addr address)
{
	const struct gateway *gateway = daemon;

	return names_of(gateway->names, address.s_addr).name;
}

const struct ctl_provider show_provider = {
	.status = show_status,
	.sessions = show_sessions,
	.vpns = show_vpns,
	.devices = show_devices,
	.counters = show_counters,
	.arm = show_arm,
	.confirm = trial_confirm,
	.name = show_name,
	.name_of = show_name_of,
	.notes = effect_notes,
	.effect = effect_tell,
	.version = show_version,
	.restart = restart_ask,
	.web = &web_store_provider,
	.network = &network_setup_provider,
};
