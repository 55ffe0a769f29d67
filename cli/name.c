/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `name`: what a device is called. */
#include <stdio.h>

#include "cli/command.h"

int cli_name(const struct cli *cli)
{
	const char *name = cli->words_count > 1 ? cli->words[1] : "";
	json_t *result;
	int rc = cli_ask_once(cli,
			      json_pack("{s:s, s:s, s:s}", "request", "name", "address",
					cli->words[0], "name", name),
			      &result);

	if (rc)
		return rc;
	if (cli->json)
		cli_print_json(result);
	else
		puts("done");
	json_decref(result);
	return CLI_OK;
}
