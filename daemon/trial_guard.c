/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/trial_guard.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/log.h"

static volatile bool *kept; /* of both processes */

void trial_guard_kept(void)
{
	if (kept)
		*kept = true;
}

/* Until the child has ended; its wait status. */
static int child_follow(pid_t child, const sigset_t *signals)
{
	int number, status = 0;

	for (;;) {
		if (waitpid(child, &status, WNOHANG) == child)
			return status;
		if (sigwait(signals, &number) == 0 && number != SIGCHLD)
			kill(child, number);
	}
}

int trial_guard(int (*run)(const struct options *options),
		int (*undo)(const struct options *options), const struct options *options)
{
	void *page = mmap(NULL, sizeof(*kept), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			  -1, 0);
	sigset_t signals, before;
	pid_t child;
	int status;

	if (page == MAP_FAILED)
		return EXIT_FAILURE;
	kept = page;
	sigemptyset(&signals);
	for (const int *s = (const int[]){SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD, 0}; *s; s++)
		sigaddset(&signals, *s);
	sigprocmask(SIG_BLOCK, &signals, &before);
	child = fork();
	if (child < 0)
		return EXIT_FAILURE;
	if (child == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		exit(run(options));
	}
	status = child_follow(child, &signals);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	log_error("the trial was killed (signal %d)", WTERMSIG(status));
	if (!*kept)
		undo(options);
	return EXIT_FAILURE;
}
