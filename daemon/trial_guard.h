/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process above a trial, which takes away what a trial that was killed has left. */
#ifndef WAYLEAVE_DAEMON_TRIAL_GUARD_H
#define WAYLEAVE_DAEMON_TRIAL_GUARD_H

struct options;

/*
 * Runs RUN in a child, hands SIGTERM, SIGINT and SIGHUP on to it and answers its exit status.
 * When it is killed before trial_guard_kept(), UNDO is called.
 */
int trial_guard(int (*run)(const struct options *options),
		int (*undo)(const struct options *options), const struct options *options);

/* In the child: whatever becomes of it now, nothing is taken away. */
void trial_guard_kept(void);

#endif
