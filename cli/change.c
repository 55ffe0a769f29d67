/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `set`, `confirm`, `rollback`, `forward` and `check`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/rehearse.h"
#include "cli/switch.h"
#include "conf/load.h"
#include "conf/machine.h"

#define DEFAULT_FILE "/etc/wayleave/wayleave.yaml"

/* --- asking the daemon ---------------------------------------------------------------- */

static void outcome_print(const struct cli *cli, const json_t *result)
{
	json_int_t left = json_integer_value(json_object_get(result, "confirm_within_s"));
	const json_t *warning, *note;
	size_t i;

	json_array_foreach (json_object_get(result, "warnings"), i, warning)
		fprintf(stderr, "wayleave: warning: %s\n", json_string_value(warning));
	if (cli->json) {
		cli_print_json(result);
		return;
	}
	fputs("done", stdout);
	json_array_foreach (json_object_get(result, "notes"), i, note)
		printf("; %s", json_string_value(note));
	if (left)
		printf("; will be undone in %d s; to keep it: wayleave confirm", (int)left);
	putchar('\n');
}

/* Takes REQUEST. */
static int change_send(const struct cli *cli, struct ctl_client *client, json_t *request)
{
	json_t *result;

	if (cli->dry_run) {
		int tried = rehearse_print(cli, client, request);

		json_decref(request);
		return tried;
	}
	if (request && cli->confirm)
		json_object_set_new(request, "confirm", json_true());
	int rc = cli_ask(client, request, &result);
	if (rc == CLI_OK)
		outcome_print(cli, result);
	json_decref(result);
	return rc;
}

/* Takes REQUEST. */
static int change_once(const struct cli *cli, json_t *request)
{
	struct ctl_client *client;

	int rc = cli_open(cli, &client);
	if (rc) {
		json_decref(request);
		return rc;
	}
	rc = change_send(cli, client, request);
	ctl_client_close(client);
	return rc;
}

/* --- set ---------------------------------------------------------------------------------- */

static bool means_off(const char *value)
{
	return strcmp(value, "off") == 0 || strcmp(value, "false") == 0 || strcmp(value, "no") == 0;
}

/* Says what goes off and for whom; the tunnels are asked for now, not remembered. */
static int off_announce(struct ctl_client *client, const struct passthrough_switch *passthrough,
			size_t *users)
{
	json_t *result;
	char names[512];

	json_t *request = json_pack("{s:s, s:s}", "request", "show", "what", "vpn");
	int rc = cli_ask_list(client, request, 0, &result);
	if (rc)
		return rc;
	*users = switch_users(passthrough, json_object_get(result, "items"), names, sizeof(names));
	fprintf(stderr, "%s\nIn use now by: %s.\n", passthrough->off, names);
	json_decref(result);
	return CLI_OK;
}

static bool agreed(const char *question)
{
	char answer[16];

	fprintf(stderr, "%s [y/N] ", question);
	return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

/* Who sits there is asked; a script has to have said yes beforehand. */
static int question_agree(const char *question)
{
	if (!isatty(STDIN_FILENO)) {
		fprintf(stderr, "wayleave: nothing changed; give --yes to do it\n");
		return CLI_USAGE;
	}
	if (agreed(question))
		return CLI_OK;
	fprintf(stderr, "nothing changed\n");
	return CLI_REFUSED;
}

/*
 * IPsec carries more than people think of, so off needs a yes even when nobody uses it
 * now, and a script has to say it beforehand. The others are asked about only when
 * somebody sits there and somebody uses them.
 */
static int off_agree(const struct cli *cli, const struct passthrough_switch *passthrough,
		     size_t users)
{
	bool ipsec = strcmp(passthrough->class, "ipsec") == 0;
	bool terminal = isatty(STDIN_FILENO);

	if (cli->yes || (!ipsec && !(terminal && users)))
		return CLI_OK;
	return question_agree("Switch it off?");
}

int cli_set(const struct cli *cli)
{
	const char *name = cli->words[0], *value = cli->words[1];
	const struct passthrough_switch *passthrough = means_off(value) ? switch_find(name) : NULL;
	struct ctl_client *client;
	size_t users = 0;

	int rc = cli_open(cli, &client);
	if (rc)
		return rc;
	if (passthrough && !cli->dry_run) {
		rc = off_announce(client, passthrough, &users);
		if (!rc)
			rc = off_agree(cli, passthrough, users);
	}
	if (!rc)
		rc = change_send(cli, client,
				 json_pack("{s:s, s:s, s:s}", "request", "set", "name", name,
					   "value", value));
	ctl_client_close(client);
	return rc;
}

int cli_confirm(const struct cli *cli)
{
	return change_once(cli, json_pack("{s:s}", "request", "confirm"));
}

/*
 * Shows what would change, and has it agreed to: going back may switch off what somebody
 * uses. What waits for confirmation is undone by itself anyway: no question.
 */
static int rollback_agree(const struct cli *cli, struct ctl_client *client, const json_t *request)
{
	json_t *effect;
	int rc = cli->yes ? CLI_OK : rehearse(client, request, &effect);

	if (rc || cli->yes)
		return rc;
	effect_print(stderr, effect);
	bool waits = json_integer_value(json_object_get(effect, "confirm_within_s")) > 0 &&
		     json_integer_value(json_object_get(request, "steps")) == 1;
	json_decref(effect);
	return waits ? CLI_OK : question_agree("Go back to these settings?");
}

/* Takes REQUEST. */
static int rollback(const struct cli *cli, json_t *request)
{
	struct ctl_client *client;
	int rc = cli_open(cli, &client);

	if (rc) {
		json_decref(request);
		return rc;
	}
	if (!cli->dry_run)
		rc = rollback_agree(cli, client, request);
	if (rc)
		json_decref(request);
	else
		rc = change_send(cli, client, request);
	ctl_client_close(client);
	return rc;
}

int cli_rollback(const struct cli *cli)
{
	char *end = "";
	long steps = cli->words_count ? strtol(cli->words[0], &end, 10) : 1;

	if (steps < 1 || steps > 1000 || *end) {
		fprintf(stderr, "wayleave: '%s' is not a number of changes\n", cli->words[0]);
		return CLI_USAGE;
	}
	return rollback(cli, json_pack("{s:s, s:i}", "request", "rollback", "steps", (int)steps));
}

/* --- forward ---------------------------------------------------------------------------------- */

static bool port_put(json_t *forward, const char *name, const char *text, char **end)
{
	long port = strtol(text, end, 10);

	if (*end == text || port < 1 || port > 65535)
		return false;
	return json_object_set_new(forward, name, json_integer(port)) == 0;
}

/* "tcp", "tcp:80" or "tcp:80-90" */
static bool outside_put(json_t *forward, char *text)
{
	char *colon = strchr(text, ':'), *end;

	if (colon)
		*colon = '\0';
	if (json_object_set_new(forward, "protocol", json_string(text)) != 0)
		return false;
	if (!colon)
		return true;
	if (!port_put(forward, "port", colon + 1, &end))
		return false;
	if (*end == '-' && !port_put(forward, "port_last", end + 1, &end))
		return false;
	return *end == '\0';
}

/* "10.0.0.2" or "10.0.0.2:80" */
static bool inside_put(json_t *forward, char *text)
{
	char *colon = strchr(text, ':'), *end = "";

	if (colon)
		*colon = '\0';
	if (json_object_set_new(forward, "to", json_string(text)) != 0)
		return false;
	if (colon && !port_put(forward, "to_port", colon + 1, &end))
		return false;
	return *end == '\0';
}

static int forward_usage(void)
{
	fprintf(stderr, "usage: wayleave forward add PROTOCOL[:PORT[-LAST]] ADDRESS[:PORT] [NAME]\n"
			"       wayleave forward remove NAME|#N\n"
			"       wayleave forward list\n");
	return CLI_USAGE;
}

static int forward_add(const struct cli *cli)
{
	if (cli->words_count < 3 || cli->words_count > 4)
		return forward_usage();
	json_t *forward = json_object();
	bool right = outside_put(forward, cli->words[1]) && inside_put(forward, cli->words[2]);
	if (right && cli->words_count == 4)
		right = json_object_set_new(forward, "name", json_string(cli->words[3])) == 0;
	if (!right) {
		json_decref(forward);
		return forward_usage();
	}
	return change_once(cli, json_pack("{s:s, s:s, s:o}", "request", "forward", "action", "add",
					  "forward", forward));
}

static int forward_remove(const struct cli *cli)
{
	if (cli->words_count != 2)
		return forward_usage();
	return change_once(cli, json_pack("{s:s, s:s, s:s}", "request", "forward", "action",
					  "remove", "key", cli->words[1]));
}

static int forward_list(const struct cli *cli)
{
	struct ctl_client *client;
	json_t *config;

	int rc = cli_open(cli, &client);
	if (rc)
		return rc;
	rc = cli_ask(client, json_pack("{s:s, s:s}", "request", "show", "what", "config"), &config);
	ctl_client_close(client);
	if (rc)
		return rc;
	const json_t *forwards =
		json_object_get(json_object_get(config, "settings"), "port_forwards");
	if (cli->json)
		cli_print_json(forwards);
	else
		text_list(stdout, "port_forwards", forwards, cli_style());
	json_decref(config);
	return CLI_OK;
}

int cli_forward(const struct cli *cli)
{
	const char *action = cli->words[0];

	if (strcmp(action, "list") == 0 && cli->words_count == 1)
		return forward_list(cli);
	if (strcmp(action, "add") == 0)
		return forward_add(cli);
	if (strcmp(action, "remove") == 0)
		return forward_remove(cli);
	return forward_usage();
}

/* --- check -------------------------------------------------------------------------- */

int cli_check(const struct cli *cli)
{
	const char *path = cli->words_count ? cli->words[0] : DEFAULT_FILE;
	struct settings *settings;
	struct settings_error error;
	struct outlook outlook;
	char text[1024];

	if (settings_load(path, &settings, &error) != 0) {
		fprintf(stderr, "%s\n", settings_error_text(&error, text, sizeof(text)));
		return CLI_REFUSED;
	}
	outlook_read(&outlook, settings, &machine_facts);
	settings_free(settings);
	if (!outlook_print(&outlook, path, stderr))
		return CLI_REFUSED;
	printf("%s: OK\n", path);
	return CLI_OK;
}
