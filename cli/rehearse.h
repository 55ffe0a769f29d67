/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a change would do, asked of the daemon before it is made. */
#ifndef WAYLEAVE_CLI_REHEARSE_H
#define WAYLEAVE_CLI_REHEARSE_H

#include <stdio.h>

#include "cli/command.h"

/* Asks REQUEST (not taken) as a dry run. As cli_ask(). */
int rehearse(struct ctl_client *client, const json_t *request, json_t **effect);

/* The difference, what has to be said about it, and whom it cuts off. */
void effect_print(FILE *out, const json_t *effect);

/* `--dry-run`: asks, prints, changes nothing. An enum cli_exit. */
int rehearse_print(const struct cli *cli, struct ctl_client *client, const json_t *request);

#endif
