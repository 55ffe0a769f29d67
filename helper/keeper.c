/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "helper/keeper.h"

#include <cap-ng.h>
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper/helper.h"

struct deaths {
	uint64_t at_ns[HELPER_CRASHES_MAX];
	unsigned int count;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* True if this is the HELPER_CRASHES_MAXth within HELPER_CRASHES_NS. */
static bool deaths_too_many(struct deaths *deaths)
{
	uint64_t now = now_ns();
	uint64_t *oldest = &deaths->at_ns[deaths->count % HELPER_CRASHES_MAX];
	const uint64_t *first;

	*oldest = now;
	deaths->count++;
	first = &deaths->at_ns[deaths->count % HELPER_CRASHES_MAX];
	return deaths->count >= HELPER_CRASHES_MAX && now - *first < HELPER_CRASHES_NS;
}

/* What forking an unprivileged child takes, and no more. */
static int privileges_drop(void)
{
	if (geteuid() != 0)
		return 0;
	capng_clear(CAPNG_SELECT_ALL);
	capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, CAP_SETUID,
		      CAP_SETGID, CAP_SETPCAP, CAP_KILL, -1);
	return capng_apply(CAPNG_SELECT_ALL) ? -EPERM : 0;
}

/* Ctrl-C on the daemon's terminal is the daemon's business. */
static int signals_detach(void)
{
	sigset_t none;

	sigemptyset(&none);
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL); /* fails for some, which have it anyway */
	return setsid() < 0 || sigprocmask(SIG_SETMASK, &none, NULL) ? -errno : 0;
}

static int keeper_settle(const struct keeper_options *options)
{
	bool ordered = options->socket < options->news;
	int kept[] = {ordered ? options->socket : options->news,
		      ordered ? options->news : options->socket};
	int error = sandbox_close_all_but(kept, 2);

	if (!error)
		error = signals_detach();
	if (!error)
		error = privileges_drop();
	return error ? error : sandbox_bind_life(options->daemon);
}

static void tell(const struct keeper_options *options, enum keeper_news_kind kind, pid_t pid,
		 int status)
{
	struct keeper_news news = {.kind = kind, .pid = pid, .status = status};

	/* a daemon that is gone shows as end of file */
	(void)!send(options->news, &news, sizeof(news), MSG_NOSIGNAL);
}

static pid_t helper_fork(const struct keeper_options *options, pid_t keeper)
{
	struct sandbox_options prison = {.socket = options->socket,
					 .uid = options->uid,
					 .gid = options->gid,
					 .parent = keeper,
					 .rules = options->rules};
	pid_t pid = fork();

	if (pid == 0)
		_exit(sandbox_enter(&prison) ? EXIT_FAILURE : options->run(options->socket));
	return pid;
}

/* False when the daemon is gone. */
static bool order_obey(const struct keeper_options *options, pid_t pid, bool *wanted)
{
	char order;

	if (recv(options->news, &order, 1, 0) != 1)
		return false;
	if (order == KEEPER_STOP)
		*wanted = false;
	if (order == KEEPER_START)
		*wanted = true;
	if ((order == KEEPER_KILL || order == KEEPER_STOP) && pid > 0)
		kill(pid, SIGKILL);
	return true;
}

/* Until a child is wanted. False when the daemon is gone. */
static bool start_await(const struct keeper_options *options, bool *wanted)
{
	while (!*wanted)
		if (!order_obey(options, 0, wanted))
			return false;
	return true;
}

/* False when the daemon is gone. */
static bool rest(const struct keeper_options *options, bool *wanted)
{
	struct pollfd news = {.fd = options->news, .events = POLLIN};
	uint64_t end = now_ns() + options->rest_s * 1000000000ull;

	for (uint64_t now = now_ns(); now < end; now = now_ns())
		if (poll(&news, 1, (int)((end - now) / 1000000) + 1) > 0 &&
		    !order_obey(options, 0, wanted))
			return false;
	return true;
}

/* Until the helper dies. False when the daemon is gone. */
static bool helper_watch(const struct keeper_options *options, pid_t pid, int *status, bool *wanted)
{
	struct pollfd fds[] = {{.fd = pidfd_open(pid, 0), .events = POLLIN},
			       {.fd = options->news, .events = POLLIN}};
	bool daemon_lives = fds[0].fd >= 0;

	while (daemon_lives && !(fds[0].revents & POLLIN)) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			daemon_lives = order_obey(options, pid, wanted);
	}
	if (!daemon_lives)
		kill(pid, SIGKILL);
	waitpid(pid, status, 0);
	close(fds[0].fd);
	return daemon_lives;
}

void keeper_run(const struct keeper_options *options)
{
	struct deaths deaths = {0};
	pid_t self = getpid();
	bool wanted = !options->waits;

	if (keeper_settle(options))
		_exit(EXIT_FAILURE);
	for (;;) {
		if (!start_await(options, &wanted))
			_exit(EXIT_SUCCESS);
		pid_t pid = helper_fork(options, self);
		int status = 0;

		if (pid > 0) {
			tell(options, KEEPER_STARTED, pid, 0);
			if (!helper_watch(options, pid, &status, &wanted))
				_exit(EXIT_SUCCESS);
		}
		tell(options, KEEPER_DIED, pid, status);
		if (!wanted || !deaths_too_many(&deaths))
			continue;
		tell(options, KEEPER_GAVE_UP, pid, status);
		if (!options->rest_s || !rest(options, &wanted))
			_exit(EXIT_FAILURE);
	}
}

/* --- the daemon's side ------------------------------------------------------------ */

static int user_find(const char *name, bool required, struct keeper_options *keeper)
{
	const struct passwd *user = getpwnam(name);

	if (!user && !required)
		user = getpwnam("nobody");
	if (!user)
		return -ENOENT;
	keeper->uid = user->pw_uid;
	keeper->gid = user->pw_gid;
	return 0;
}

static int pair_make(int *ours, int *theirs)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	*ours = pair[0];
	*theirs = pair[1];
	return 0;
}

static void fd_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

static int keeper_fork(struct kept *kept, struct keeper_options *keeper)
{
	int error = pair_make(&kept->socket, &keeper->socket);

	if (!error)
		error = pair_make(&kept->news, &keeper->news);
	if (error)
		return error;
	keeper->daemon = getpid();
	kept->keeper = fork();
	if (kept->keeper == 0)
		keeper_run(keeper);
	return kept->keeper < 0 ? -errno : 0;
}

int kept_start(struct kept *kept, const char *user, bool user_required,
	       const struct keeper_options *options)
{
	struct keeper_options keeper = *options;
	int error;

	keeper.socket = keeper.news = -1;
	*kept = KEPT_NONE;
	error = user_find(user, user_required, &keeper);
	if (!error)
		error = keeper_fork(kept, &keeper);
	fd_close(keeper.socket);
	fd_close(keeper.news);
	return error;
}

int kept_killed_by(struct kept *kept)
{
	int status = 0;

	if (kept->keeper > 0)
		waitpid(kept->keeper, &status, 0);
	kept->keeper = 0;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* The keeper kills the child and ends when its news socket is closed. */
void kept_stop(struct kept *kept)
{
	fd_close(kept->news);
	fd_close(kept->socket);
	if (kept->keeper > 0)
		waitpid(kept->keeper, NULL, 0);
	*kept = KEPT_NONE;
}
