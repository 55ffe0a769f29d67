/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/package.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "conf/version.h"

#define PROGRAM	   "/usr/bin/apt-cache"
#define LISTS	   "/var/lib/apt/lists"
#define AGAIN_S	   3600
#define TEXT_BYTES 4096

struct package {
	struct event_base *base;
	struct event *readable; /* NULL: apt-cache does not run */
	pid_t pid;
	int fd;
	char text[TEXT_BYTES];
	size_t length;
	time_t asked_s; /* CLOCK_MONOTONIC; 0: never */
	char installed[64], candidate[64];
};

struct package *package_new(struct event_base *base)
{
	struct package *package = calloc(1, sizeof(*package));

	if (package)
		package->base = base;
	return package;
}

static void program_end(struct package *package)
{
	if (!package->readable)
		return;
	event_free(package->readable);
	package->readable = NULL;
	close(package->fd);
	kill(package->pid, SIGKILL); /* it has ended, or is to */
	waitpid(package->pid, NULL, 0);
}

void package_free(struct package *package)
{
	if (!package)
		return;
	program_end(package);
	free(package);
}

/* --- what it says -------------------------------------------------------------------- */

static void value_take(const char *text, const char *name, char value[64])
{
	const char *line = strstr(text, name);

	*value = '\0';
	if (line)
		sscanf(line + strlen(name), " %63s", value);
	if (strcmp(value, "(none)") == 0)
		*value = '\0';
}

void package_parse(const char *text, char installed[64], char candidate[64])
{
	value_take(text, "Installed:", installed);
	value_take(text, "Candidate:", candidate);
}

static void text_came(evutil_socket_t fd, short what, void *context)
{
	struct package *package = context;
	size_t room = sizeof(package->text) - 1 - package->length;
	ssize_t got = room ? read(fd, package->text + package->length, room) : 0;

	if (got > 0) {
		package->length += (size_t)got;
		return;
	}
	package->text[package->length] = '\0';
	package_parse(package->text, package->installed, package->candidate);
	program_end(package);
}

/* --- asking ------------------------------------------------------------------------------ */

/* In the child: no capability, no way to one, nothing of the daemon but the pipe. */
static _Noreturn void program_become(int out)
{
	static char *const words[] = {PROGRAM,
				      "-o",
				      "Dir::Cache::pkgcache=",
				      "-o",
				      "Dir::Cache::srcpkgcache=",
				      "policy",
				      "wayleave",
				      NULL};
	static char *const environment[] = {"LC_ALL=C", "PATH=/usr/bin:/bin", NULL};
	int null = open("/dev/null", O_RDWR);

	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) == 0 && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	    dup2(null, 0) == 0 && dup2(out, 1) == 1 && dup2(null, 2) == 2 &&
	    !close_range(3, ~0u, 0))
		execve(PROGRAM, words, environment);
	_exit(127);
}

static int program_start(struct package *package)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	package->pid = fork();
	if (package->pid == 0)
		program_become(ends[1]);
	close(ends[1]);
	package->fd = ends[0];
	package->length = 0;
	package->readable = package->pid > 0 ? event_new(package->base, ends[0],
							 EV_READ | EV_PERSIST, text_came, package)
					     : NULL;
	if (package->readable)
		return event_add(package->readable, NULL);
	close(ends[0]);
	return -ENOMEM;
}

static void refresh(struct package *package)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (package->readable || (package->asked_s && now.tv_sec - package->asked_s < AGAIN_S) ||
	    access(PROGRAM, X_OK))
		return;
	package->asked_s = now.tv_sec;
	program_start(package);
}

static void checked_at_add(json_t *version)
{
	struct stat info;
	struct tm utc;
	char at[32];

	if (stat(LISTS, &info) || !gmtime_r(&info.st_mtime, &utc))
		return;
	strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &utc);
	json_object_set_new(version, "checked_at", json_string(at));
}

/* apt's candidate is what it would install: newer than what is, or the same. */
json_t *package_json(struct package *package)
{
	json_t *version = json_pack("{s:s}", "version", WAYLEAVE_VERSION);

	refresh(package);
	if (!version || !*package->candidate)
		return version;
	json_object_set_new(version, "candidate", json_string(package->candidate));
	json_object_set_new(version, "newer",
			    json_boolean(*package->installed &&
					 strcmp(package->installed, package->candidate) != 0));
	checked_at_add(version);
	return version;
}
