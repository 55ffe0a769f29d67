/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `status` and `show`. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

/* Takes REQUEST; one connection for one question. */
static int ask_once(const struct cli *cli, json_t *request, bool list, json_t **result)
{
	struct ctl_client *client;

	int rc = cli_open(cli, &client);
	if (rc) {
		json_decref(request);
		return rc;
	}
	rc = list ? cli_ask_list(client, request, cli->limit, result)
		  : cli_ask(client, request, result);
	ctl_client_close(client);
	return rc;
}

int cli_status(const struct cli *cli)
{
	json_t *status;

	int rc = ask_once(cli, json_pack("{s:s}", "request", "status"), false, &status);
	if (rc)
		return rc;
	if (cli->json)
		cli_print_json(status);
	else
		text_status(stdout, status, cli_style());
	bool translating = json_is_true(json_object_get(status, "translating"));
	json_decref(status);
	return translating ? CLI_OK : CLI_NOT_TRANSLATING;
}

static json_t *list_request(const struct cli *cli, const char *what)
{
	json_t *request = json_pack("{s:s, s:s, s:{s:s*, s:s*, s:s*, s:s*}}", "request", "show",
				    "what", what, "filter", "protocol", cli->protocol, "class",
				    cli->class, "inside", cli->inside, "remote", cli->remote);

	if (request && cli->limit && cli->limit < 1000)
		json_object_set_new(request, "limit", json_integer(cli->limit));
	return request;
}

/* Takes the counters at zero out of ITEMS; returns how many there were. */
static size_t zeros_remove(json_t *items)
{
	size_t removed = 0;

	for (size_t i = json_array_size(items); i-- > 0;) {
		const json_t *count = json_object_get(json_array_get(items, i), "count");
		if (json_integer_value(count) == 0) {
			json_array_remove(items, i);
			removed++;
		}
	}
	return removed;
}

static void list_print(const struct cli *cli, const char *what, json_t *items)
{
	bool counters = strcmp(what, "counters") == 0;
	size_t zeros = counters && !cli->all ? zeros_remove(items) : 0;

	text_list(stdout, what, items, cli_style());
	if (zeros)
		printf("%zu more at zero (--all)\n", zeros);
	else if (json_array_size(items) == 0)
		puts("none");
}

static int list_show(const struct cli *cli, const char *what)
{
	json_t *result;

	int rc = ask_once(cli, list_request(cli, what), true, &result);
	if (rc)
		return rc;
	json_t *items = json_object_get(result, "items");
	if (cli->json)
		cli_print_json(items);
	else
		list_print(cli, what, items);
	json_decref(result);
	return CLI_OK;
}

static int config_show(const struct cli *cli)
{
	json_t *config;

	int rc = ask_once(cli, json_pack("{s:s, s:s}", "request", "show", "what", "config"), false,
			  &config);
	if (rc)
		return rc;
	if (cli->json)
		cli_print_json(config);
	else
		text_config(stdout, config, cli_style());
	json_decref(config);
	return CLI_OK;
}

int cli_show(const struct cli *cli)
{
	static const char *const lists[] = {"sessions", "vpn", "devices", "counters"};
	const char *what = cli->words[0];

	if (strcmp(what, "config") == 0)
		return config_show(cli);
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		if (strcmp(what, lists[i]) == 0)
			return list_show(cli, what);
	fprintf(stderr, "wayleave: show what? sessions, vpn, devices, counters or config\n");
	return CLI_USAGE;
}
