/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/trial.h"

#include <errno.h>

#include "daemon/closing.h"
#include "daemon/gateway.h"
#include "daemon/log.h"
#include "daemon/monotonic.h"
#include "daemon/privileges.h"
#include "daemon/trial_guard.h"

#define NANOSECONDS 1000000000ull

static void time_over(evutil_socket_t fd, short what, void *context)
{
	struct gateway *gateway = context;

	log_notice("nobody confirmed the trial within %u s", gateway->trial_s);
	event_base_loopbreak(gateway->base);
}

int trial_begin(struct gateway *gateway)
{
	const struct timeval after = {.tv_sec = gateway->trial_s};

	if (!gateway->trial_s)
		return 0;
	gateway->trial = event_new(gateway->base, -1, 0, time_over, gateway);
	if (!gateway->trial || event_add(gateway->trial, &after))
		return -ENOMEM;
	gateway->trial_until_ns = monotonic_ns() + gateway->trial_s * NANOSECONDS;
	log_notice("a trial: everything is taken away in %u s unless: wayleave confirm",
		   gateway->trial_s);
	return 0;
}

unsigned int trial_left(const struct gateway *gateway)
{
	uint64_t now = monotonic_ns();

	if (!gateway->trial_s)
		return 0;
	return gateway->trial_until_ns > now
		       ? (gateway->trial_until_ns - now + NANOSECONDS - 1) / NANOSECONDS
		       : 1;
}

bool trial_confirm(void *daemon)
{
	struct gateway *gateway = daemon;

	if (!gateway->trial_s)
		return false;
	gateway->trial_s = 0;
	trial_guard_kept();
	trial_end(gateway);
	closing_note(gateway);
	privileges_for_running(); /* the taking away needed more */
	log_notice("the trial was confirmed: it stays");
	return true;
}

void trial_end(struct gateway *gateway)
{
	if (gateway->trial)
		event_free(gateway->trial);
	gateway->trial = NULL;
}
