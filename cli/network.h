/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `setup network` without a daemon: root's own hands, before Wayleave runs for the first time. */
#ifndef WAYLEAVE_CLI_NETWORK_H
#define WAYLEAVE_CLI_NETWORK_H

#include <jansson.h>

#include "cli/command.h"

/* `setup network ...`; CLI's words are those after "network". */
int cli_setup_network(const struct cli *cli);

/*
 * Does REQUEST, as the daemon would be asked it: "network-plan", or "network" with apply or undo.
 * Nobody confirms here, for nobody is there to take it back: `undo` does. 0: *RESULT is the
 * caller's. Else an enum cli_exit, and the reason is printed.
 */
int network_offline_ask(const json_t *request, json_t **result);

#endif
