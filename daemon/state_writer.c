/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/state_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/monotonic.h"

struct waiting {
	char path[PATH_MAX]; /* "": free */
	char *text;	     /* the newest; NULL: nothing to write */
	uint64_t due_ms;     /* not before; CLOCK_MONOTONIC */
};

static struct {
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	pthread_t thread;
	bool runs, ends;
	struct waiting file[STATE_FILES];
} writer = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* --- one file ------------------------------------------------------------------------- */

static int text_write(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length) {
		ssize_t written = write(fd, text, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		text += written;
		length -= written;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The rename itself must outlive a power cut too. */
static int folder_sync(const char *path)
{
	char folder[PATH_MAX];
	char *slash;
	int fd, err;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (!slash)
		return 0;
	*slash = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return err;
}

int state_writer_replace(const char *path, const char *text)
{
	char fresh[PATH_MAX];
	int fd, err;

	if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
		return -ENAMETOOLONG;
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	err = text_write(fd, text);
	close(fd);
	if (!err && rename(fresh, path) < 0)
		err = -errno;
	return err ? err : folder_sync(path);
}

static void replace_and_say(const char *path, const char *text)
{
	static bool said;
	int err = state_writer_replace(path, text);

	if (err && !said)
		log_warning("%s cannot be written: %s; after a restart it has to be learned again",
			    path, strerror(-err));
	said = err;
}

/* --- the thread ----------------------------------------------------------------------- */

/* The file whose turn is first; NULL: none waits. */
static struct waiting *first_due(void)
{
	struct waiting *first = NULL;

	for (unsigned int i = 0; i < STATE_FILES; i++) {
		struct waiting *file = &writer.file[i];

		if (file->text && (!first || file->due_ms < first->due_ms))
			first = file;
	}
	return first;
}

/* With the lock held, which is given up while the disk works. */
static void file_write(struct waiting *file)
{
	char path[PATH_MAX], *text = file->text;

	memcpy(path, file->path, sizeof(path));
	file->text = NULL;
	pthread_mutex_unlock(&writer.lock);
	replace_and_say(path, text);
	free(text);
	pthread_mutex_lock(&writer.lock);
	file->due_ms = monotonic_ms() + STATE_WRITE_SECONDS * 1000;
}

static void wait_until(uint64_t ms)
{
	struct timespec due = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	pthread_cond_timedwait(&writer.changed, &writer.lock, &due);
}

static void *writer_run(void *context)
{
	pthread_mutex_lock(&writer.lock);
	for (;;) {
		struct waiting *file = first_due();

		if (file && (writer.ends || file->due_ms <= monotonic_ms()))
			file_write(file);
		else if (writer.ends)
			break;
		else if (file)
			wait_until(file->due_ms);
		else
			pthread_cond_wait(&writer.changed, &writer.lock);
	}
	pthread_mutex_unlock(&writer.lock);
	return NULL;
}

static int changed_init(void)
{
	pthread_condattr_t attributes;
	int err = pthread_condattr_init(&attributes);

	if (err)
		return -err;
	err = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (!err)
		err = pthread_cond_init(&writer.changed, &attributes);
	pthread_condattr_destroy(&attributes);
	return -err;
}

int state_writer_start(void)
{
	sigset_t all, before;
	int err = changed_init();

	if (err)
		return err;
	writer.ends = false;
	sigfillset(&all); /* signals are the event loop's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&writer.thread, NULL, writer_run, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	writer.runs = !err;
	if (err)
		pthread_cond_destroy(&writer.changed);
	return -err;
}

void state_writer_stop(void)
{
	if (!writer.runs)
		return;
	pthread_mutex_lock(&writer.lock);
	writer.ends = true;
	pthread_cond_signal(&writer.changed);
	pthread_mutex_unlock(&writer.lock);
	pthread_join(writer.thread, NULL);
	pthread_cond_destroy(&writer.changed);
	writer.runs = false;
	memset(writer.file, 0, sizeof(writer.file));
}

/* --- the event loop ------------------------------------------------------------------- */

static struct waiting *file_find(const char *path)
{
	for (unsigned int i = 0; i < STATE_FILES; i++) {
		struct waiting *file = &writer.file[i];

		if (!*file->path)
			snprintf(file->path, sizeof(file->path), "%s", path);
		if (!strcmp(file->path, path))
			return file;
	}
	return NULL;
}

int state_writer_put(const char *path, char *text)
{
	struct waiting *file = NULL;
	int err = 0;

	pthread_mutex_lock(&writer.lock);
	if (writer.runs)
		file = file_find(path);
	if (file) {
		free(file->text);
		file->text = text;
		pthread_cond_signal(&writer.changed);
	}
	pthread_mutex_unlock(&writer.lock);
	if (file)
		return 0;
	err = state_writer_replace(path, text);
	free(text);
	return err;
}
