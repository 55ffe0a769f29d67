/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wayleaved: the gateway's daemon. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/load.h"
#include "conf/machine.h"
#include "conf/store.h"
#include "ctl/audit.h"
#include "daemon/gateway.h"
#include "daemon/log.h"
#include "daemon/options.h"
#include "daemon/privileges.h"
#include "daemon/restart.h"
#include "daemon/state_file.h"
#include "daemon/trial_guard.h"

/* EX_CONFIG of sysexits(3); RestartPreventExitStatus= in the unit names it. */
#define SETTINGS_WRONG 78

/* The log is the gateway's later on; what came before it is written down all the same. */
static void undo_audit(const struct settings *settings)
{
	const struct audit_entry entry = {.who = "wayleaved",
					  .action = "undo",
					  .what = "a change that nobody confirmed before the start",
					  .result = "ok"};
	struct ctl_audit *audit = ctl_audit_new();

	if (audit && !ctl_audit_open(audit, state_dir(settings)))
		ctl_audit_add(audit, &entry);
	ctl_audit_free(audit);
}

/* 0, or -errno after a sentence. A change that nobody has confirmed is taken back first. */
static int settings_read(const struct options *options, struct settings **settings)
{
	struct settings_error error = {0};
	char text[1024];
	bool undone = false;
	int err = 0;

	if (options->action == OPTIONS_RUN)
		err = settings_store_resolve(options->settings_path, &undone, &error);
	if (undone)
		log_warning("the last change of %s was not confirmed and has been undone",
			    options->settings_path);
	if (!err)
		err = settings_load(options->settings_path, settings, &error);
	if (err)
		log_error("%s", settings_error_text(&error, text, sizeof(text)));
	else if (undone)
		undo_audit(*settings);
	return err;
}

/* What is taken away has to go above all when the settings are lost or wrong. */
static int teardown(const struct options *options)
{
	struct settings *settings = NULL;
	int err = options->settings_path ? settings_read(options, &settings) : 0;

	if (err && !options->run_dir) {
		log_notice("with -r RUN_DIR it goes without the settings");
		return err;
	}
	err = gateway_teardown(settings ? settings->run_dir : options->run_dir, settings);
	settings_free(settings);
	return err;
}

/* Trying again would say the same every two seconds for ever. */
static bool is_wrong(const struct options *options, int err)
{
	if (options->action != OPTIONS_RUN || (err != -EINVAL && err != -ENOENT))
		return false;
	log_error("the settings are wrong: not started, and not tried again by itself. Put them "
		  "right (wayleave check says what is wrong), then: systemctl start wayleave");
	return true;
}

/* --check: the same questions as when a setting is made. */
static int machine_check(const char *path, const struct settings *settings)
{
	struct outlook outlook;

	outlook_read(&outlook, settings, &machine_facts);
	if (!outlook_print(&outlook, path, stderr))
		return -EINVAL;
	printf("%s: OK\n", path);
	return 0;
}

static int settings_act(const struct options *options)
{
	struct settings *settings = NULL;
	int err = 0;

	/* first of all: without it the files' own refusals would hide the reason */
	if (options->action != OPTIONS_CHECK)
		err = privileges_check();
	if (!err && options->action == OPTIONS_TEARDOWN)
		return teardown(options);
	if (!err)
		err = settings_read(options, &settings);
	if (err)
		return is_wrong(options, err) ? SETTINGS_WRONG : err;
	if (options->action == OPTIONS_RUN)
		return gateway_run(options->settings_path, settings, options->trial_s);
	err = machine_check(options->settings_path, settings);
	settings_free(settings);
	return err;
}

/* As settings_act(), to an exit status. A restart of ours is for good, whatever this was. */
static int run(const struct options *options)
{
	char path[PATH_MAX];
	int err = settings_act(options);

	if (err == GATEWAY_RESTART) {
		snprintf(path, sizeof(path), "%s", options->settings_path);
		return restart_again((char *[]){"wayleaved", "-c", path, NULL});
	}
	if (err == SETTINGS_WRONG)
		return SETTINGS_WRONG;
	return err ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct options options;

	log_open();
	if (options_parse(&options, argc, argv))
		return 2;
	if (options.action == OPTIONS_HELP) {
		options_print_help();
		return 0;
	}
	if (options.action == OPTIONS_VERSION) {
		puts("wayleaved " WAYLEAVE_VERSION);
		return 0;
	}
	return options.trial_s ? trial_guard(run, teardown, &options) : run(&options);
}
