/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/show.h"

#include "daemon/effect.h"
#include "daemon/gateway.h"
#include "daemon/network_setup.h"
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

const struct ctl_provider show_provider = {
	.status = show_status,
	.sessions = show_sessions,
	.vpns = show_vpns,
	.devices = show_devices,
	.counters = show_counters,
	.arm = show_arm,
	.confirm = trial_confirm,
	.notes = effect_notes,
	.effect = effect_tell,
	.version = show_version,
	.restart = restart_ask,
	.web = &web_store_provider,
	.network = &network_setup_provider,
};
