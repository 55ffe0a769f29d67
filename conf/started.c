/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/started.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/file.h"

#define NOTE "the gateway has been closed to the WAN once: every later start does so at once\n"

/* Paths of FILE.d and of the note in it; false: too long. */
static bool paths_make(const char *path, char *directory, char *note)
{
	int length = snprintf(directory, PATH_MAX, "%s.d", path);

	return length > 0 && length < PATH_MAX - 16 &&
	       snprintf(note, PATH_MAX, "%.*s/started", PATH_MAX - 16, directory) > 0;
}

static bool can_note(const char *path, const char *directory)
{
	char parent[PATH_MAX];
	char *slash;

	if (access(directory, F_OK) == 0)
		return access(directory, W_OK) == 0;
	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (slash)
		slash[1] = '\0';
	return access(slash ? parent : ".", W_OK) == 0;
}

bool settings_started(const char *path)
{
	char directory[PATH_MAX], note[PATH_MAX];

	if (!paths_make(path, directory, note))
		return true;
	return access(note, F_OK) == 0 || !can_note(path, directory);
}

int settings_started_note(const char *path)
{
	char directory[PATH_MAX], note[PATH_MAX];

	if (!paths_make(path, directory, note))
		return -ENAMETOOLONG;
	if (access(note, F_OK) == 0)
		return 0;
	if (mkdir(directory, 0700) != 0 && errno != EEXIST)
		return -errno;
	return file_replace(note, NOTE, strlen(NOTE), 0600);
}
