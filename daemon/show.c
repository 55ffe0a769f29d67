/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/show.h"

#include "daemon/effect.h"
#include "daemon/gateway.h"
#include "daemon/network_setup.h"
#include "daemon/monotonic.h"
#include "daemon/names.h"
#include "daemon/package.h"
#include "daemon/restart.h"
#include "daemon/show_pages.h"
#include "daemon/trial.h"
#include "daemon/show_words.h"
#include "daemon/traffic_history.h"
#include "daemon/web_store.h"

static int show_version(void *daemon, json_t **result)
{
	struct gateway *gateway = daemon;

	*result = package_json(gateway->package);
	return *result ? 0 : -ENOMEM;
}

static int show_traffic_history(void *daemon, const struct ctl_query *query, bool day,
				json_t **result)
{
	const struct gateway *gateway = daemon;
	const struct traffic_key key = {query->inside.s_addr, query->remote.s_addr,
					show_class_number(query->class)};
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*result = traffic_history_json(gateway->traffic, &key, day, monotonic_ns() / 1000000,
				       now.tv_sec * 1000ull + now.tv_nsec / 1000000);
	return *result ? 0 : -ENOENT;
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
	.traffic = show_traffic_history,
	.name = show_name,
	.name_of = show_name_of,
	.notes = effect_notes,
	.effect = effect_tell,
	.version = show_version,
	.restart = restart_ask,
	.web = &web_store_provider,
	.network = &network_setup_provider,
};
