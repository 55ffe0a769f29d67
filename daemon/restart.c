/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/restart.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "daemon/gateway.h"
#include "daemon/log.h"

static void services_due(evutil_socket_t fd, short what, void *context)
{
	struct gateway *gateway = context;

	log_notice("starting again, as asked; translation goes on");
	gateway->restart = true;
	event_base_loopbreak(gateway->base);
}

static void machine_due(evutil_socket_t fd, short what, void *context)
{
	log_notice("restarting the machine, as asked");
	if (kill(1, SIGINT))
		log_error("init cannot be told to restart: %s", strerror(errno));
}

static void keeper_due(evutil_socket_t fd, short what, void *context)
{
	struct gateway *gateway = context;

	log_notice("starting again, to have another keeper; translation goes on");
	gateway->restart = true;
	event_base_loopbreak(gateway->base);
}

void restart_for_keeper(struct gateway *gateway, const char *child, int signal)
{
	/* who ends us all at once, by killall say, kills the keeper before we hear of it */
	static const struct timeval soon = {0, 300000};

	log_error("the keeper of the %s was killed (signal %d)", child, signal);
	event_base_once(gateway->base, -1, EV_TIMEOUT, keeper_due, gateway, &soon);
}

int restart_ask(void *daemon, bool machine)
{
	static const struct timeval soon = {0, 300000}; /* the answer is on its way first */
	struct gateway *gateway = daemon;

	if (machine && gateway->settings->web.machine_restart != SWITCH_ON)
		return -EPERM;
	return event_base_once(gateway->base, -1, EV_TIMEOUT, machine ? machine_due : services_due,
			       gateway, &soon)
		       ? -ENOMEM
		       : 0;
}

int restart_again(char **argv)
{
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
		close_range(3, ~0u, 0);
		execv("/proc/self/exe", argv);
		log_error("wayleaved cannot be started again: %s", strerror(errno));
	}
	log_notice("ending with status %d: a service manager starts wayleaved again, anybody else "
		   "has to do it by hand",
		   RESTART_EXIT_STATUS);
	return RESTART_EXIT_STATUS;
}
