/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page's and the console's "restart", and the one after a keeper was killed. Services: this
 * daemon ends and starts again, the data plane translates on meanwhile. Machine: init is told
 * (SIGINT, as Ctrl-Alt-Del does), and ends everything in its own order. No program is run for
 * either.
 */
#ifndef WAYLEAVE_DAEMON_RESTART_H
#define WAYLEAVE_DAEMON_RESTART_H

#include <stdbool.h>

/* For systemd's RestartForceExitStatus: EX_TEMPFAIL */
#define RESTART_EXIT_STATUS 75

struct gateway;

/*
 * The keeper of CHILD was killed by SIGNAL: ends the loop for a restart, unless the daemon is
 * being ended too. A running daemon must not fork another keeper, which would inherit its maps.
 */
void restart_for_keeper(struct gateway *gateway, const char *child, int signal);

/* ctl_provider.restart */
int restart_ask(void *daemon, bool machine);

/*
 * After the daemon has ended: becomes a new one in the same process, or, where that would not
 * get the capabilities back (NoNewPrivileges), gives the status on which the service starts it.
 */
int restart_again(char **argv);

#endif
