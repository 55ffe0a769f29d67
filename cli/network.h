/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `setup network`: by the daemon, or by root where Wayleave has not run yet. */
#ifndef WAYLEAVE_CLI_NETWORK_H
#define WAYLEAVE_CLI_NETWORK_H

#include <jansson.h>

#include "cli/command.h"

/* `setup network ...`; CLI's words are those after "network". */
int cli_setup_network(const struct cli *cli);

/*
 * Does what the daemon would do for REQUEST: "network-plan", or "network" with apply or undo.
 * Without a daemon there is no timer, so nothing waits for a confirmation; `undo` takes it back.
 * Returns 0, and *RESULT is the caller's; or an enum cli_exit, and the reason is printed.
 */
int network_offline_ask(const json_t *request, json_t **result);

#endif
