/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/show.h"

#include "daemon/show_pages.h"
#include "daemon/web_store.h"

const struct ctl_provider show_provider = {
	.status = show_status,
	.sessions = show_sessions,
	.vpns = show_vpns,
	.devices = show_devices,
	.counters = show_counters,
	.arm = show_arm,
	.web = &web_store_provider,
};
