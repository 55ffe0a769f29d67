/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/command.h"

#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "conf/near.h"

#define DEFAULT_RUN_DIR "/run/wayleave"

/* --- the commands --------------------------------------------------------------------- */

enum {
	TAKES_CONFIRM = 1 << 0,
	TAKES_YES = 1 << 1,
	TAKES_FILTER = 1 << 2, /* --limit, --protocol, --class, --inside, --remote */
	TAKES_ALL = 1 << 3,
	TAKES_DRY_RUN = 1 << 4,
	TAKES_SETUP = 1 << 5, /* --qr, --plan */
};

static const struct command {
	const char *name;
	int (*run)(const struct cli *cli);
	int words_min, words_max;
	unsigned int takes;
	const char *brief; /* for the list of commands */
	const char *usage;
	const char *help;
	const char *examples; /* each line indented by two */
} commands[] = {
	{"status", cli_status, 0, 0, 0,
	 "is the gateway translating, and the line there? (exit status)", "",
	 "Is the gateway translating? Exits 0 when it is, 6 when it is and the internet line is\n"
	 "down, 3 while it waits for something, 1 without a daemon.",
	 "  wayleave status\n"
	 "  until wayleave status; do sleep 1; done\n"
	 "  wayleave --json status | jq .sessions.used\n"},
	{"show", cli_show, 1, 1, TAKES_FILTER | TAKES_ALL,
	 "sessions, VPN tunnels, devices, counters, settings, history",
	 "sessions|vpn|devices|counters|config|history|audit",
	 "Lists what the gateway knows. Sessions can be filtered; --limit N ends early;\n"
	 "counters are those that have counted, --all shows the others too; history is what was\n"
	 "changed, by whom, and what became of the WAN and the tunnels, the newest first; audit\n"
	 "is its part that people did. config ends with the older settings and what changed then.",
	 "  wayleave show vpn\n"
	 "  wayleave show sessions --class ipsec --inside 192.168.1.20\n"
	 "  wayleave show sessions --protocol tcp --limit 50\n"
	 "  wayleave show counters --all\n"
	 "  wayleave --json show config | jq .settings.passthrough\n"
	 "  wayleave show history --limit 20\n"},
	{"watch", cli_watch, 0, 0, 0, "tunnels, devices and drops, live", "",
	 "Tunnels, devices and drops, live. Without a terminal one snapshot is printed.",
	 "  wayleave watch\n"
	 "  wayleave watch > snapshot.txt\n"},
	{"set", cli_set, 2, 2, TAKES_CONFIRM | TAKES_YES | TAKES_DRY_RUN, "change one setting",
	 "NAME VALUE",
	 "Changes one setting, at once and in the settings file. With --confirm the change\n"
	 "undoes itself after 60 s unless `wayleave confirm` is given. --dry-run says which\n"
	 "live tunnels, and whether your own SSH session, it would cut off.",
	 "  wayleave set passthrough.pptp nat-only\n"
	 "  wayleave set timeouts.udp 600\n"
	 "  wayleave set lan.interfaces br0,eth2 --confirm\n"
	 "  wayleave set passthrough.ipsec off --dry-run\n"
	 "  wayleave set passthrough.ipsec off --yes\n"},
	{"confirm", cli_confirm, 0, 0, 0, "keep a change that was made with --confirm", "",
	 "Keeps a change that was made with --confirm, or a wayleaved that was started with\n"
	 "--trial.",
	 "  wayleave confirm\n"
	 "  wayleave set wan.interface ppp0 --confirm && ssh gateway wayleave confirm\n"},
	{"rollback", cli_rollback, 0, 1, TAKES_CONFIRM | TAKES_YES | TAKES_DRY_RUN,
	 "go back to older settings", "[N]",
	 "Goes back to the settings before the last change, or N changes back (see\n"
	 "`wayleave show config`). Shows the difference and asks. While a change waits for\n"
	 "confirmation, takes it back without a question.",
	 "  wayleave rollback\n"
	 "  wayleave rollback 2 --dry-run\n"
	 "  wayleave rollback 3 --confirm --yes\n"},
	{"forward", cli_forward, 1, 6, TAKES_CONFIRM | TAKES_DRY_RUN,
	 "port forwards: list, add, remove",
	 "list | add PROTOCOL[:PORT[-LAST]] ADDRESS[:PORT] [NAME] |\n"
	 "                 remove NAME|#N",
	 "Port forwards from the WAN address to an inside host. PROTOCOL is tcp, udp, or\n"
	 "esp, gre, l2tp (IP protocols 50, 47, 115) or the number of another IP protocol, which\n"
	 "have no ports.",
	 "  wayleave forward add tcp:443 192.168.1.10 web\n"
	 "  wayleave forward add udp:6000-6009 192.168.1.11:7000\n"
	 "  wayleave forward add esp 192.168.1.12\n"
	 "  wayleave forward add 41 192.168.1.13 6in4\n"
	 "  wayleave forward list\n"
	 "  wayleave forward remove web\n"},
	{"name", cli_name, 1, 2, 0, "give a device a name", "ADDRESS [NAME]",
	 "Calls the device at ADDRESS so, here and on the page; without NAME it is called as\n"
	 "dnsmasq or avahi know it again. The name goes with the device's MAC address.",
	 "  wayleave name 192.168.1.20 \"Anna's laptop\"\n"
	 "  wayleave name 192.168.1.20\n"},
	{"setup", cli_setup, 0, 9, TAKES_SETUP | TAKES_YES,
	 "web page: its address and the one-time code for the first password",
	 "[reset|unlock] |\n"
	 "                 network [ANSWER=...|confirm|undo]",
	 "The page's address, its certificate's fingerprint, and the one-time code that setting\n"
	 "its first password takes, on a terminal also as a QR code for a phone on this network.\n"
	 "reset removes a forgotten password and ends every session; unlock lets everybody who\n"
	 "was locked out by wrong passwords try again.\n\n"
	 "network asks which port is the internet, whether it needs a user name, and which\n"
	 "addresses are inside, and writes the files of systemd-networkd or ifupdown, pppd and\n"
	 "dnsmasq for it. They are shown first, and taken back after within_s=300 without\n"
	 "confirm; undo puts back what was there. Without a terminal the answers are words:\n"
	 "wan=PORT, line=dhcp|pppoe, user=NAME, password=- (a line of standard input),\n"
	 "inside=ADDRESS/PREFIX, lan=PORT,PORT; manager=networkd|ifupdown if it cannot be\n"
	 "detected.",
	 "  wayleave setup\n"
	 "  wayleave setup network\n"
	 "  wayleave setup network wan=eth0 line=dhcp inside=192.168.1.1/24 lan=eth1 --plan\n"
	 "  wayleave setup network confirm\n"
	 "  wayleave setup unlock\n"},
	{"check", cli_check, 0, 1, 0, "say what is wrong in a settings file", "[FILE]",
	 "Reads a settings file (/etc/wayleave/wayleave.yaml) and says file, line and field of\n"
	 "what is wrong, and what does not fit this machine: groups, interfaces, certificates,\n"
	 "the targets of port forwards. Needs no daemon and changes nothing.",
	 "  wayleave check\n"
	 "  wayleave check new.yaml && cp new.yaml /etc/wayleave/wayleave.yaml\n"},
};
#define COMMANDS_COUNT (sizeof(commands) / sizeof(*commands))

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS_COUNT; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* `wayleave vpn` means `wayleave show vpn`. */
static int command_unknown(const char *name)
{
	struct near near = {.given = name};
	char hint[NEAR_HINT_BYTES];
	const char *list = NULL;

	for (size_t i = 0; cli_lists[i]; i++) {
		near_look(&near, cli_lists[i]);
		if (near.word == cli_lists[i])
			list = cli_lists[i];
	}
	for (size_t i = 0; i < COMMANDS_COUNT; i++)
		near_look(&near, commands[i].name);
	if (near.word && near.word == list)
		snprintf(hint, sizeof(hint), "; did you mean show %s?", list);
	else
		near_hint(&near, hint, sizeof(hint));
	fprintf(stderr, "wayleave: there is no command '%s'%s\ntry: wayleave --help\n", name, hint);
	return CLI_USAGE;
}

/* --- help ------------------------------------------------------------------------------- */

static void command_help(FILE *out, const struct command *command)
{
	fprintf(out, "wayleave %s%s%s\n\n%s\n", command->name, *command->usage ? " " : "",
		command->usage, command->help);
	if (command->takes & TAKES_CONFIRM)
		fputs("\n  --confirm        undo after 60 s unless confirmed\n", out);
	if (command->takes & TAKES_YES)
		fputs("  --yes            do not ask\n", out);
	if (command->takes & TAKES_DRY_RUN)
		fputs("  --dry-run        say what it would do, and change nothing\n", out);
	if (command->takes & TAKES_SETUP)
		fputs("\n  --qr             print the QR code where there is no terminal, too\n"
		      "  --plan           show what network would write, and write nothing\n",
		      out);
	if (command->takes & TAKES_FILTER)
		fputs("\n  --protocol P     tcp, udp, icmp, esp, gre, l2tp\n"
		      "  --class C        plain, pptp, l2tp, ipsec, wireguard, openvpn, tunnel\n"
		      "  --inside ADDR    only this inside host\n"
		      "  --remote ADDR    only this server\n"
		      "  --limit N        at most so many rows\n"
		      "  --all            counters at zero too\n",
		      out);
	fprintf(out, "\nExamples:\n%s", command->examples);
}

static void general_help(FILE *out)
{
	fputs("wayleave [-r RUN_DIR] [--json] COMMAND\n\n"
	      "Shows and controls wayleaved, the VPN-passthrough NAT gateway.\n\n",
	      out);
	for (size_t i = 0; i < COMMANDS_COUNT; i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].brief);
	fputs("\n"
	      "  -r, --run-dir DIR  the daemon's run_dir (" DEFAULT_RUN_DIR ")\n"
	      "  -j, --json         results as JSON\n"
	      "  -h, --help         this, or a command's help with examples\n"
	      "      --version\n\n"
	      "Exits 0: done, 1: no daemon, 2: wrong usage, 3: not translating yet,\n"
	      "4: refused, 5: not allowed, 6: translating, but the internet line is down.\n\n"
	      "Examples:\n",
	      out);
	for (size_t i = 0; i < COMMANDS_COUNT; i++)
		fprintf(out, "%.*s\n", (int)strcspn(commands[i].examples, "\n"),
			commands[i].examples);
}

/* --- options -------------------------------------------------------------------------------- */

enum {
	OPTION_YES = 256,
	OPTION_CONFIRM,
	OPTION_DRY_RUN,
	OPTION_QR,
	OPTION_PLAN,
	OPTION_ALL,
	OPTION_LIMIT,
	OPTION_PROTOCOL,
	OPTION_CLASS,
	OPTION_INSIDE,
	OPTION_REMOTE,
	OPTION_VERSION
};

static const struct option options[] = {
	{"run-dir", required_argument, NULL, 'r'},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"yes", no_argument, NULL, OPTION_YES},
	{"confirm", no_argument, NULL, OPTION_CONFIRM},
	{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
	{"qr", no_argument, NULL, OPTION_QR},
	{"plan", no_argument, NULL, OPTION_PLAN},
	{"all", no_argument, NULL, OPTION_ALL},
	{"limit", required_argument, NULL, OPTION_LIMIT},
	{"protocol", required_argument, NULL, OPTION_PROTOCOL},
	{"class", required_argument, NULL, OPTION_CLASS},
	{"inside", required_argument, NULL, OPTION_INSIDE},
	{"remote", required_argument, NULL, OPTION_REMOTE},
	{NULL, 0, NULL, 0},
};

struct invocation {
	struct cli cli;
	bool help, version;
	unsigned int given; /* TAKES_... of the options that were there */
};

static bool limit_take(const char *text, size_t *limit)
{
	char *end;
	long value = strtol(text, &end, 10);

	*limit = value;
	return value > 0 && !*end;
}

static bool filter_take(struct cli *cli, int option, const char *argument)
{
	switch (option) {
	case OPTION_LIMIT:
		return limit_take(argument, &cli->limit);
	case OPTION_PROTOCOL:
		cli->protocol = argument;
		return true;
	case OPTION_CLASS:
		cli->class = argument;
		return true;
	case OPTION_INSIDE:
		cli->inside = argument;
		return true;
	case OPTION_REMOTE:
		cli->remote = argument;
		return true;
	default:
		return false;
	}
}

static bool option_take(struct invocation *invocation, int option, const char *argument)
{
	struct cli *cli = &invocation->cli;

	switch (option) {
	case 'r':
		cli->run_dir = argument;
		return true;
	case 'j':
		cli->json = true;
		return true;
	case 'h':
		invocation->help = true;
		return true;
	case OPTION_VERSION:
		invocation->version = true;
		return true;
	case OPTION_YES:
		cli->yes = true;
		invocation->given |= TAKES_YES;
		return true;
	case OPTION_CONFIRM:
		cli->confirm = true;
		invocation->given |= TAKES_CONFIRM;
		return true;
	case OPTION_DRY_RUN:
		cli->dry_run = true;
		invocation->given |= TAKES_DRY_RUN;
		return true;
	case OPTION_QR:
		cli->qr = true;
		invocation->given |= TAKES_SETUP;
		return true;
	case OPTION_PLAN:
		cli->plan = true;
		invocation->given |= TAKES_SETUP;
		return true;
	case OPTION_ALL:
		cli->all = true;
		invocation->given |= TAKES_ALL;
		return true;
	default:
		invocation->given |= TAKES_FILTER;
		return filter_take(cli, option, argument);
	}
}

static bool options_take(int argc, char **argv, struct invocation *invocation)
{
	int option;

	optind = 0; /* GNU: start anew, a test runs many command lines */
	while ((option = getopt_long(argc, argv, "r:jh", options, NULL)) != -1)
		if (!option_take(invocation, option, optarg))
			return false;
	invocation->cli.words = argv + optind;
	invocation->cli.words_count = argc - optind;
	return true;
}

/* --- the program -------------------------------------------------------------------- */

static int usage_wrong(const struct command *command)
{
	if (command)
		fprintf(stderr, "usage: wayleave %s %s\n", command->name, command->usage);
	fprintf(stderr, "try: wayleave%s%s --help\n", command ? " " : "",
		command ? command->name : "");
	return CLI_USAGE;
}

static int command_run(struct invocation *invocation, const struct command *command)
{
	struct cli *cli = &invocation->cli;

	cli->words++;
	cli->words_count--;
	if (invocation->help) {
		command_help(stdout, command);
		return CLI_OK;
	}
	if (cli->words_count < command->words_min || cli->words_count > command->words_max ||
	    (invocation->given & ~command->takes))
		return usage_wrong(command);
	return command->run(cli);
}

int cli_run(int argc, char **argv)
{
	struct invocation invocation = {.cli.run_dir = DEFAULT_RUN_DIR};
	struct cli *cli = &invocation.cli;

	setlocale(LC_CTYPE, "");
	if (!options_take(argc, argv, &invocation))
		return usage_wrong(NULL);
	if (invocation.version) {
		puts("wayleave " WAYLEAVE_VERSION);
		return CLI_OK;
	}
	if (cli->words_count > 0 && strcmp(cli->words[0], "help") == 0) {
		invocation.help = true;
		cli->words++;
		cli->words_count--;
	}
	if (cli->words_count == 0) {
		general_help(invocation.help ? stdout : stderr);
		return invocation.help ? CLI_OK : CLI_USAGE;
	}
	const struct command *command = command_find(cli->words[0]);
	if (!command)
		return command_unknown(cli->words[0]);
	return command_run(&invocation, command);
}

/* --- talking to the daemon ---------------------------------------------------------- */

struct text_style cli_style(void)
{
	struct winsize size;
	const char *no_colour = getenv("NO_COLOR");
	bool terminal = isatty(STDOUT_FILENO);

	if (!terminal)
		return (struct text_style){0};
	return (struct text_style){
		.colour = !no_colour || !*no_colour,
		.width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0,
	};
}

static int connection_failed(int rc, const char *run_dir)
{
	if (rc == -EACCES || rc == -EPERM) {
		fprintf(stderr,
			"wayleave: you may not talk to the daemon in %s; be root or a member of "
			"its "
			"control_group\n",
			run_dir);
		return CLI_NOT_ALLOWED;
	}
	if (rc == -ENOENT || rc == -ECONNREFUSED)
		fprintf(stderr, "wayleave: no wayleaved runs in %s (systemctl status wayleave?)\n",
			run_dir);
	else
		fprintf(stderr, "wayleave: %s/control.sock: %s\n", run_dir, strerror(-rc));
	return CLI_NO_DAEMON;
}

int cli_open(const struct cli *cli, struct ctl_client **client)
{
	int rc = ctl_client_open(cli->run_dir, client);
	return rc ? connection_failed(rc, cli->run_dir) : 0;
}

static int refusal_print(const json_t *answer)
{
	const json_t *error = json_object_get(answer, "error");
	const char *code = json_string_value(json_object_get(error, "code"));
	const char *field = json_string_value(json_object_get(error, "field"));
	const char *message = json_string_value(json_object_get(error, "message"));

	fprintf(stderr, "wayleave: %s%s%s\n", field ? field : "", field ? ": " : "",
		message ? message : "refused");
	return code && strcmp(code, "not-allowed") == 0 ? CLI_NOT_ALLOWED : CLI_REFUSED;
}

/* Takes ANSWER. */
static int answer_open(int rc, json_t *answer, json_t **result)
{
	*result = NULL;
	if (rc) {
		fprintf(stderr, "wayleave: the daemon does not answer: %s\n", strerror(-rc));
		return CLI_NO_DAEMON;
	}
	int code = CLI_OK;
	if (json_is_true(json_object_get(answer, "ok")))
		*result = json_incref(json_object_get(answer, "result"));
	else
		code = refusal_print(answer);
	json_decref(answer);
	return code;
}

int cli_ask(struct ctl_client *client, json_t *request, json_t **result)
{
	json_t *answer = NULL;
	int rc = ctl_client_ask(client, request, &answer);

	json_decref(request);
	return answer_open(rc, answer, result);
}

int cli_ask_once(const struct cli *cli, json_t *request, json_t **result)
{
	struct ctl_client *client;

	int rc = cli_open(cli, &client);
	if (rc) {
		json_decref(request);
		return rc;
	}
	rc = cli_ask(client, request, result);
	ctl_client_close(client);
	return rc;
}

int cli_ask_list(struct ctl_client *client, json_t *request, size_t max, json_t **result)
{
	json_t *answer = NULL;
	int rc = ctl_client_list(client, request, max, &answer);

	json_decref(request);
	return answer_open(rc, answer, result);
}

void cli_print_json(const json_t *result)
{
	json_dumpf(result, stdout, JSON_INDENT(2));
	putchar('\n');
}
