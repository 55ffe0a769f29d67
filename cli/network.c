/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `setup network`: the three questions on a terminal, or their answers as words. */
#include "cli/network.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "netsetup/machine.h"

#define LINE_MAX_BYTES 256

/* --- answers ---------------------------------------------------------------------------------- */

static json_t *ports_split(const char *text)
{
	json_t *list = json_array();

	while (*text) {
		size_t length = strcspn(text, ",");

		json_array_append_new(list, json_stringn(text, length));
		text += length + (text[length] == ',');
	}
	return list;
}

/* A line of standard input without its end; false: there is none. */
static bool line_read(char line[LINE_MAX_BYTES])
{
	if (!fgets(line, LINE_MAX_BYTES, stdin))
		return false;
	line[strcspn(line, "\r\n")] = '\0';
	return true;
}

static json_t *value_of(const char *name, const char *value)
{
	if (strcmp(name, "lan") == 0)
		return ports_split(value);
	if (strcmp(name, "within_s") == 0)
		return json_integer(strtol(value, NULL, 10));
	return json_string(value);
}

static bool answer_add(json_t *answers, const char *name, const char *value)
{
	static const char *const names[] = {"wan", "line",    "user",	  "password", "inside",
					    "lan", "manager", "within_s", NULL};
	char line[LINE_MAX_BYTES] = "";

	for (size_t i = 0; names[i]; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		/* on the command line everybody could read it */
		if (strcmp(name, "password") == 0 && strcmp(value, "-") == 0 && line_read(line))
			value = line;
		json_object_set_new(answers, name, value_of(name, value));
		explicit_bzero(line, sizeof(line));
		return true;
	}
	return false;
}

/* NULL: a word is none. */
static json_t *answers_of(const struct cli *cli)
{
	json_t *answers = json_object();

	for (int i = 0; i < cli->words_count; i++) {
		char *word = strdup(cli->words[i]), *equals = word ? strchr(word, '=') : NULL;
		bool known;

		if (equals)
			*equals = '\0';
		known = equals && answer_add(answers, word, equals + 1);
		free(word);
		if (known)
			continue;
		fprintf(stderr,
			"wayleave: '%s' is none of wan=, line=, user=, password=-, inside=, lan=, "
			"manager=, within_s=, confirm, undo\n",
			cli->words[i]);
		json_decref(answers);
		return NULL;
	}
	return answers;
}

/* --- the questions ---------------------------------------------------------------------------- */

static void ports_print(const json_t *ports)
{
	const json_t *port;
	size_t i;

	json_array_foreach (ports, i, port) {
		const char *address = json_string_value(json_object_get(port, "address"));

		printf("  %-15s %s%s%s%s\n", json_string_value(json_object_get(port, "name")),
		       json_is_true(json_object_get(port, "link")) ? "cable connected" : "no link",
		       address ? ", " : "", address ? address : "",
		       json_is_true(json_object_get(port, "default_route"))
			       ? ", the internet is here now"
			       : "");
	}
}

/* Asks NAME unless it was given; USUAL is what an empty line means. False: the input has ended. */
static bool question(json_t *answers, const char *name, const char *text, const char *usual)
{
	char line[LINE_MAX_BYTES];

	if (json_object_get(answers, name))
		return true;
	printf("%s%s%s%s ", text, *usual ? " [" : "", usual, *usual ? "]" : "");
	fflush(stdout);
	if (!line_read(line))
		return false;
	answer_add(answers, name, *line ? line : usual);
	explicit_bzero(line, sizeof(line)); /* it may be a password */
	return true;
}

static bool secret_question(json_t *answers)
{
	struct termios before, quiet;
	bool terminal = !tcgetattr(STDIN_FILENO, &before), asked;

	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	if (terminal)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	asked = question(answers, "password", "Its password (not shown):", "");
	if (terminal)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	putchar('\n');
	return asked;
}

static bool line_question(json_t *answers)
{
	if (!json_object_get(answers, "line")) {
		if (!question(answers, "user",
			      "2. Does the provider want a user name (PPPoE)? Type it, or press "
			      "Enter for no:",
			      ""))
			return false;
		const char *user = json_string_value(json_object_get(answers, "user"));
		answer_add(answers, "line", user && *user ? "pppoe" : "dhcp");
	}
	if (strcmp(json_string_value(json_object_get(answers, "line")), "pppoe") != 0)
		return true;
	return question(answers, "user", "The provider's user name:", "") &&
	       secret_question(answers);
}

static bool questions(json_t *answers)
{
	json_t *ports = machine_ports();

	puts("The ports of this machine:");
	ports_print(ports);
	json_decref(ports);
	return question(answers, "wan", "1. Which port is the internet?", "") &&
	       line_question(answers) &&
	       question(answers, "inside",
			"3. Which address does the gateway have inside? The devices get theirs "
			"from the same network.",
			"192.168.1.1/24") &&
	       question(answers, "lan",
			"Which ports are for the devices inside? Several with a comma.", "");
}

/* --- the plan -----------------------------------------------------------------------------------
 */

static void list_print(const char *label, const json_t *list)
{
	const json_t *text;
	size_t i;

	json_array_foreach (list, i, text)
		printf("%s%s\n", label, json_string_value(text));
}

static void plan_print(const json_t *plan)
{
	const json_t *file, *value;
	const char *name;
	size_t i;

	printf("For %s; the gateway is then at %s.\n",
	       json_string_value(json_object_get(plan, "manager")),
	       json_string_value(json_object_get(plan, "address")));
	json_array_foreach (json_object_get(plan, "files"), i, file)
		printf("\n%s: %s\n%s", json_string_value(json_object_get(file, "path")),
		       json_string_value(json_object_get(file, "change")),
		       json_string_value(json_object_get(file, "diff")));
	puts("\nSettings of Wayleave:");
	json_object_foreach (json_object_get(plan, "settings"), name, value)
		printf("  %s: %s\n", name, json_string_value(value));
	list_print("Then restarted: ", json_object_get(plan, "units"));
	list_print("Missing, and needed first: apt install ", json_object_get(plan, "lacks"));
	list_print("Mind: ", json_object_get(plan, "notes"));
}

/* --- asking --------------------------------------------------------------------------------- */

/* Takes REQUEST. Asks the daemon; without one this process does it. */
static int ask(const struct cli *cli, json_t *request, json_t **result)
{
	struct ctl_client *client;
	int rc = ctl_client_open(cli->run_dir, &client);

	if (rc == -ENOENT || rc == -ECONNREFUSED) {
		rc = network_offline_ask(request, result);
		json_decref(request);
		return rc;
	}
	if (!rc)
		ctl_client_close(client);
	return cli_ask_once(cli, request, result);
}

static bool agreed(const struct cli *cli)
{
	char line[LINE_MAX_BYTES];

	if (cli->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		fputs("wayleave: nothing was written; --yes writes it\n", stderr);
		return false;
	}
	fputs("\nWrite this? [y/N] ", stdout);
	fflush(stdout);
	return line_read(line) && (*line == 'y' || *line == 'Y');
}

static void written_print(const json_t *network)
{
	json_int_t left_s = json_integer_value(json_object_get(network, "confirm_within_s"));

	if (left_s)
		printf("Written. It is taken back in %d s unless you give: wayleave setup network "
		       "confirm\n",
		       (int)left_s);
	else
		puts("Written. To take it back: wayleave setup network undo");
}

static int action_do(const struct cli *cli, const char *action, json_t *answers)
{
	json_t *result, *request = json_pack("{s:s, s:s}", "request", "network", "action", action);
	int rc;

	if (answers)
		json_object_set(request, "answers", answers);
	rc = ask(cli, request, &result);
	if (rc)
		return rc;
	if (cli->json)
		cli_print_json(result);
	else if (answers)
		written_print(result);
	else
		puts("done");
	json_decref(result);
	return CLI_OK;
}

static int plan_do(const struct cli *cli, json_t *answers)
{
	json_t *plan;
	int rc = ask(cli, json_pack("{s:s, s:O}", "request", "network-plan", "answers", answers),
		     &plan);

	if (rc)
		return rc;
	if (cli->json && cli->plan)
		cli_print_json(plan);
	else if (!cli->json)
		plan_print(plan);
	json_decref(plan);
	if (cli->plan)
		return CLI_OK;
	return agreed(cli) ? action_do(cli, "apply", answers) : CLI_REFUSED;
}

int cli_setup_network(const struct cli *cli)
{
	const char *word = cli->words_count ? cli->words[0] : "";
	json_t *answers;
	int rc;

	if (cli->words_count == 1 && (strcmp(word, "confirm") == 0 || strcmp(word, "undo") == 0))
		return action_do(cli, word, NULL);
	answers = answers_of(cli);
	if (!answers)
		return CLI_USAGE;
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !cli->json && !questions(answers)) {
		json_decref(answers);
		return CLI_USAGE;
	}
	rc = plan_do(cli, answers);
	json_decref(answers);
	return rc;
}
