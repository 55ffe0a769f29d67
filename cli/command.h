/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `wayleave`: what the command line said, and the functions behind the command table.
 */
#ifndef WAYLEAVE_CLI_COMMAND_H
#define WAYLEAVE_CLI_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "conf/version.h"
#include "ctl/client.h"
#include "ctl/text.h"

/* What the process ends with; in wayleave(1). */
enum cli_exit {
	CLI_OK = 0,
	CLI_NO_DAEMON = 1,	 /* nobody answers on the control socket */
	CLI_USAGE = 2,		 /* the command line is wrong */
	CLI_NOT_TRANSLATING = 3, /* status: the daemon waits for something */
	CLI_REFUSED = 4,	 /* the daemon refused, or a settings file is wrong */
	CLI_NOT_ALLOWED = 5,	 /* this user may not talk to the daemon or not change it */
	CLI_LINE_DOWN = 6,	 /* status: translating, but the internet line is down */
};

struct cli {
	const char *run_dir;
	bool json, yes, confirm, dry_run, all, qr, plan;
	size_t limit;					/* 0: all */
	const char *protocol, *class, *inside, *remote; /* filters; NULL: any */
	char **words;					/* after the command's name */
	int words_count;
};

/* The whole program, for main() and for tests. */
int cli_run(int argc, char **argv);

/* --- the commands; each returns an enum cli_exit --- */

/* What `show` takes; NULL at the end. */
extern const char *const cli_lists[];

int cli_status(const struct cli *cli);
int cli_show(const struct cli *cli);
int cli_watch(const struct cli *cli);
int cli_set(const struct cli *cli);
int cli_confirm(const struct cli *cli);
int cli_rollback(const struct cli *cli);
int cli_forward(const struct cli *cli);
int cli_check(const struct cli *cli);
int cli_setup(const struct cli *cli);
int cli_name(const struct cli *cli);

/* --- what they share --- */

/* Colours only for a terminal, and not where NO_COLOR says so; lines as wide as the terminal. */
struct text_style cli_style(void);

/* Connects or says in one sentence why not; 0 or an enum cli_exit. */
int cli_open(const struct cli *cli, struct ctl_client **client);

/*
 * Asks REQUEST (taken). 0: *RESULT is the caller's. Else an enum cli_exit, and the
 * reason is printed.
 */
int cli_ask(struct ctl_client *client, json_t *request, json_t **result);
/* The same on a connection of its own. */
int cli_ask_once(const struct cli *cli, json_t *request, json_t **result);
/* The same for a list, page by page, at most MAX items (0: all). */
int cli_ask_list(struct ctl_client *client, json_t *request, size_t max, json_t **result);

/* Prints RESULT for --json. */
void cli_print_json(const json_t *result);

#endif
