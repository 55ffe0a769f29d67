/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <stddef.h>

#include "daemon/log.h"

struct power {
	unsigned int capability;
	const char *what_for;
	int running; /* kept after the start */
	int required;
};

static const struct power powers[] = {
	{CAP_NET_ADMIN, "attach to interfaces and set up routing", 1, 1},
	{CAP_BPF, "load the data plane", 1, 1},
	{CAP_PERFMON, "load the data plane", 0, 1},
	{CAP_SYS_ADMIN, "find the data plane that an earlier run has left", 0, 1},
	{CAP_NET_BIND_SERVICE, "serve the page on ports below 1024", 1, 0},
	{CAP_CHOWN, "give the control socket to its group", 0, 0},
	{CAP_SETUID, "run the helper as its own user", 0, 0},
	{CAP_SETGID, "run the helper as its own user", 0, 0},
	{CAP_SETPCAP, "narrow the bounding set", 0, 0},
};
#define POWERS (sizeof(powers) / sizeof(powers[0]))

int privileges_check(void)
{
	capng_get_caps_process();
	for (size_t i = 0; i < POWERS; i++) {
		if (!powers[i].required ||
		    capng_have_capability(CAPNG_EFFECTIVE, powers[i].capability))
			continue;
		log_error("no permission to %s: the capability cap_%s is missing; start as root",
			  powers[i].what_for, capng_capability_to_name(powers[i].capability));
		return -EPERM;
	}
	return 0;
}

static int keep(int for_running)
{
	capng_get_caps_process();
	unsigned int held[POWERS];
	size_t count = 0;

	for (size_t i = 0; i < POWERS; i++)
		if ((powers[i].running || !for_running) &&
		    capng_have_capability(CAPNG_EFFECTIVE, powers[i].capability))
			held[count++] = powers[i].capability;
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < count; i++)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, held[i]);
	return capng_apply(CAPNG_SELECT_CAPS) < 0 ? -EPERM : 0;
}

int privileges_for_start(void)
{
	return keep(0);
}

int privileges_for_running(void)
{
	return keep(1);
}
