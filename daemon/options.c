/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/log.h"
#include "daemon/trial.h"

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'k'},
	{"teardown", no_argument, NULL, 't'},	  {"run-dir", required_argument, NULL, 'r'},
	{"trial", required_argument, NULL, 'T'},  {"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},	  {NULL, 0, NULL, 0},
};

void options_print_help(void)
{
	puts("wayleaved -c FILE [--trial SECONDS | --check | --teardown]\n"
	     "wayleaved --teardown -r DIR [-c FILE]\n"
	     "\n"
	     "VPN-passthrough NAT gateway; stays in the foreground, logs to standard error.\n"
	     "\n"
	     "  -c, --config FILE  settings (YAML)\n"
	     "      --trial S      take everything away again after S seconds (10 to 3600) unless\n"
	     "                     `wayleave confirm` comes: for a first start from afar\n"
	     "      --check        say what is wrong with FILE and stop\n"
	     "      --teardown     take everything away that a run has left in the kernel\n"
	     "  -r, --run-dir DIR  the run's run_dir, for a teardown without right settings\n"
	     "  -h, --help         this text\n"
	     "  -V, --version      version\n"
	     "\n"
	     "SIGTERM ends the daemon and leaves translation running: the next start takes it\n"
	     "over with all sessions. SIGHUP reads FILE again.");
}

static int trial_take(struct options *options, const char *text)
{
	char *end;
	long seconds = strtol(text, &end, 10);

	if (*end || seconds < TRIAL_SECONDS_MIN || seconds > TRIAL_SECONDS_MAX) {
		log_error("--trial: '%s' is not a number of seconds from %d to %d", text,
			  TRIAL_SECONDS_MIN, TRIAL_SECONDS_MAX);
		return -EINVAL;
	}
	options->trial_s = seconds;
	return 0;
}

static int option_take(struct options *options, int option)
{
	switch (option) {
	case 'c':
		options->settings_path = optarg;
		return 0;
	case 'r':
		options->run_dir = optarg;
		return 0;
	case 'T':
		return trial_take(options, optarg);
	case 'k':
		options->action = OPTIONS_CHECK;
		return 0;
	case 't':
		options->action = OPTIONS_TEARDOWN;
		return 0;
	case 'h':
		options->action = OPTIONS_HELP;
		return 0;
	case 'V':
		options->action = OPTIONS_VERSION;
		return 0;
	}
	return -EINVAL; /* getopt has said why */
}

static int files_check(const struct options *options)
{
	if (options->run_dir && options->action != OPTIONS_TEARDOWN) {
		log_error("-r belongs to --teardown; a run has its run_dir from the settings");
		return -EINVAL;
	}
	if (options->trial_s && options->action != OPTIONS_RUN) {
		log_error("--trial goes with neither --check nor --teardown");
		return -EINVAL;
	}
	if (!options->settings_path && !options->run_dir) {
		log_error("no settings file: use wayleaved -c FILE");
		return -EINVAL;
	}
	return 0;
}

int options_parse(struct options *options, int argc, char **argv)
{
	int option, err;

	*options = (struct options){.action = OPTIONS_RUN};
	while ((option = getopt_long(argc, argv, "c:r:hV", long_options, NULL)) != -1) {
		err = option_take(options, option);
		if (err)
			return err;
	}
	if (options->action == OPTIONS_HELP || options->action == OPTIONS_VERSION)
		return 0;
	if (optind < argc) {
		log_error("unknown argument \"%s\"; wayleaved --help tells the usage",
			  argv[optind]);
		return -EINVAL;
	}
	return files_check(options);
}
