/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of wayleaved. */
#ifndef WAYLEAVE_DAEMON_OPTIONS_H
#define WAYLEAVE_DAEMON_OPTIONS_H

enum options_action {
	OPTIONS_RUN,
	OPTIONS_CHECK,	  /* only say what is wrong with the settings */
	OPTIONS_TEARDOWN, /* take everything away that a run has left */
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

struct options {
	enum options_action action;
	const char *settings_path; /* NULL: none given, with run_dir only */
	unsigned int trial_s;	   /* OPTIONS_RUN: for so long unless confirmed; 0: for good */
	const char *run_dir;	   /* of a teardown whose settings cannot tell it, or NULL */
};

#define WAYLEAVE_VERSION "0.1.0"

/* Returns 0, or -EINVAL after a sentence on standard error. */
int options_parse(struct options *options, int argc, char **argv);
void options_print_help(void);

#endif
