/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `name`: what a device is called. */
#include <stdio.h>

#include "cli/command.h"

int cli_name(const struct cli *cli)
{
	const char *name = cli->words_count > 1 ? cli->words[1] : "";
	struct ctl_client *client;
	json_t *result;
	int rc = cli_open(cli, &client);

	if (rc)
		return rc;
	rc = cli_ask(client,
		     json_pack("{s:s, s:s, s:s}", "request", "name", "address", cli->words[0],
			       "name", name),
		     &result);
	ctl_client_close(client);
	if (rc)
		return rc;
	if (cli->json)
		cli_print_json(result);
	else
		puts("done");
	json_decref(result);
	return CLI_OK;
}
