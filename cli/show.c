/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `status` and `show`. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "conf/near.h"

/* A table is held whole to measure its columns, and nobody reads more. */
#define ROWS_DEFAULT 1000

/* A line that nobody has asked lately is no fault. */
static int status_exit(const json_t *status)
{
	const json_t *line = json_object_get(json_object_get(status, "internet"), "state");

	if (!json_is_true(json_object_get(status, "translating")))
		return CLI_NOT_TRANSLATING;
	return json_is_string(line) && !strcmp(json_string_value(line), "down") ? CLI_LINE_DOWN
										: CLI_OK;
}

int cli_status(const struct cli *cli)
{
	json_t *status;

	int rc = cli_ask_once(cli, json_pack("{s:s}", "request", "status"), &status);
	if (rc)
		return rc;
	if (cli->json)
		cli_print_json(status);
	else
		text_status(stdout, status, cli_style());
	rc = status_exit(status);
	json_decref(status);
	return rc;
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

static void list_print(const struct cli *cli, const char *what, json_t *items, size_t max)
{
	bool counters = strcmp(what, "counters") == 0;
	size_t zeros = counters && !cli->all ? zeros_remove(items) : 0;

	text_list(stdout, what, items, cli_style());
	if (zeros)
		printf("%zu more at zero (--all)\n", zeros);
	else if (json_array_size(items) == 0)
		puts("none");
	else if (max && !cli->limit && json_array_size(items) == max)
		printf("the first %zu; --limit N shows more, a filter fewer, --json all\n", max);
}

static int list_show(const struct cli *cli, struct ctl_client *client, const char *what)
{
	bool counters = strcmp(what, "counters") == 0;
	size_t max = cli->limit || counters ? cli->limit : ROWS_DEFAULT;
	json_t *result;

	int rc = cli_ask_list(client, list_request(cli, what), max, &result);
	if (rc)
		return rc;
	list_print(cli, what, json_object_get(result, "items"), max);
	json_decref(result);
	return CLI_OK;
}

/* One page of a JSON array that is printed as it comes; *COUNT items of it are out. */
static void page_print(const json_t *items, size_t max, size_t *count)
{
	size_t i;
	json_t *item;

	json_array_foreach ((json_t *)items, i, item) {
		if (max && *count == max)
			return;
		fputs(*count ? ",\n" : "\n", stdout);
		json_dumpf(item, stdout, JSON_COMPACT);
		++*count;
	}
}

/* A million sessions are a gigabyte as documents: never more than a page is held. */
static int list_show_json(const struct cli *cli, struct ctl_client *client, const char *what)
{
	json_t *request = list_request(cli, what), *page;
	json_int_t cursor = 0;
	size_t count = 0;
	int rc;

	do {
		json_object_set_new(request, "cursor", json_integer(cursor));
		rc = cli_ask(client, json_incref(request), &page);
		if (rc)
			break;
		fputs(cursor || count ? "" : "[", stdout);
		page_print(json_object_get(page, "items"), cli->limit, &count);
		cursor = json_integer_value(json_object_get(page, "cursor"));
		json_decref(page);
	} while (cursor > 0 && (!cli->limit || count < cli->limit));
	if (!rc)
		puts("\n]");
	json_decref(request);
	return rc;
}

static int config_show(const struct cli *cli)
{
	json_t *config;

	int rc = cli_ask_once(cli, json_pack("{s:s, s:s}", "request", "show", "what", "config"),
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

static int list_run(const struct cli *cli, const char *what)
{
	struct ctl_client *client;

	int rc = cli_open(cli, &client);
	if (rc)
		return rc;
	rc = cli->json ? list_show_json(cli, client, what) : list_show(cli, client, what);
	ctl_client_close(client);
	return rc;
}

const char *const cli_lists[] = {"sessions", "vpn",	"devices", "counters",
				 "audit",    "history", "config",  NULL};

static bool is_list(const char *what)
{
	for (size_t i = 0; cli_lists[i]; i++)
		if (strcmp(what, cli_lists[i]) == 0)
			return true;
	return false;
}

int cli_show(const struct cli *cli)
{
	const char *what = cli->words[0];
	struct near near = {.given = what};
	char hint[NEAR_HINT_BYTES];

	if (strcmp(what, "config") == 0)
		return config_show(cli);
	if (is_list(what))
		return list_run(cli, what);
	for (size_t i = 0; cli_lists[i]; i++)
		near_look(&near, cli_lists[i]);
	fprintf(stderr,
		"wayleave: show what? sessions, vpn, devices, counters, config, history or "
		"audit%s\n",
		near_hint(&near, hint, sizeof(hint)));
	return CLI_USAGE;
}
