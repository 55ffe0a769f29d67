/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/load.h"

static int read_all(int fd, char *buffer, size_t size, size_t *length)
{
	*length = 0;
	while (*length < size) {
		ssize_t got = read(fd, buffer + *length, size - *length);
		if (got == 0)
			return 0;
		if (got > 0)
			*length += got;
		else if (errno != EINTR)
			return -errno;
	}
	return -EFBIG;
}

int file_read(const char *path, char **text, size_t *length)
{
	/* O_NONBLOCK: a fifo in its place must not hang the start */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	char *buffer = malloc(SETTINGS_FILE_MAX_BYTES + 2);
	int rc = buffer ? read_all(fd, buffer, SETTINGS_FILE_MAX_BYTES + 1, length) : -ENOMEM;
	close(fd);
	if (rc) {
		free(buffer);
		return rc;
	}
	buffer[*length] = '\0';
	*text = buffer;
	return 0;
}

static void directory_sync(const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (slash)
		snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path + 1), path);
	int fd = open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t done = write(fd, text, length);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		text += done;
		length -= done;
	}
	return 0;
}

/* Owner and mode of PATH, if it is there. */
static int attributes_copy(int fd, const char *path, mode_t mode)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return fchmod(fd, mode) ? -errno : 0;
	if (fchown(fd, status.st_uid, status.st_gid) != 0 && errno != EPERM)
		return -errno;
	return fchmod(fd, status.st_mode & 07777) ? -errno : 0;
}

/* Writes TEMPORARY (a mkostemp template) complete and synced; gone again on failure. */
static int temporary_write(char *temporary, const char *path, const char *text, size_t length,
			   mode_t mode)
{
	int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int rc = write_all(fd, text, length);
	if (!rc)
		rc = attributes_copy(fd, path, mode);
	if (!rc && fsync(fd) != 0)
		rc = -errno;
	if (close(fd) != 0 && !rc)
		rc = -errno;
	if (rc)
		unlink(temporary);
	return rc;
}

static int real_replace(const char *path, const char *text, size_t length, mode_t mode)
{
	char temporary[PATH_MAX];

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	int rc = temporary_write(temporary, path, text, length, mode);
	if (rc)
		return rc;
	if (rename(temporary, path) != 0) {
		rc = -errno;
		unlink(temporary);
		return rc;
	}
	/*
	 * The new content is there, so to report a failure now would be untrue; where this
	 * fails a power cut may bring the old content back, whole.
	 */
	directory_sync(path);
	return 0;
}

int file_replace(const char *path, const char *text, size_t length, mode_t mode)
{
	char real[PATH_MAX];
	return real_replace(realpath(path, real) ? real : path, text, length, mode);
}

int file_remove(const char *path)
{
	if (unlink(path) != 0)
		return -errno;
	directory_sync(path);
	return 0;
}
