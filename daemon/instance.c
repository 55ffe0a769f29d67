/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"

/* FNV-1a: the names only have to differ, not to resist anybody. */
static uint64_t path_hash(const char *path)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (; *path; path++)
		h = (h ^ (unsigned char)*path) * 0x100000001b3ull;
	return h;
}

/* "/run/wayleave/" and "/run/wayleave" are one instance. */
static void path_trim(char *path)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		path[--length] = '\0';
}

void instance_name(struct instance *instance, const char *run_dir)
{
	uint32_t short_hash;

	*instance = (struct instance){.lock_fd = -1};
	snprintf(instance->run_dir, sizeof(instance->run_dir), "%s", run_dir);
	path_trim(instance->run_dir);
	instance->number = path_hash(instance->run_dir);
	short_hash = (uint32_t)(instance->number ^ instance->number >> 32);
	snprintf(instance->tap, sizeof(instance->tap), "wl-%08x", short_hash);
	snprintf(instance->cutter_near, sizeof(instance->cutter_near), "wlc-%08x", short_hash);
	snprintf(instance->cutter_far, sizeof(instance->cutter_far), "wld-%08x", short_hash);
	snprintf(instance->table, sizeof(instance->table), "wayleave_%08x", short_hash);
}

static int file_path(const struct instance *instance, const char *name, char *path, size_t size)
{
	return snprintf(path, size, "%s/%s", instance->run_dir, name) < (int)size ? 0
										  : -ENAMETOOLONG;
}

/* mkdir -p; /run/wayleave is one level, a test's directory may be several. */
static int directory_make(const char *path)
{
	char part[PATH_MAX];

	snprintf(part, sizeof(part), "%s", path);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(part, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int lock_take(struct instance *instance, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int err;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
		close(fd);
		return err;
	}
	instance->lock_fd = fd;
	return 0;
}

int instance_lock(struct instance *instance)
{
	char path[PATH_MAX];
	int err = directory_make(instance->run_dir);

	if (!err)
		err = file_path(instance, "lock", path, sizeof(path));
	if (!err)
		err = lock_take(instance, path);
	if (err == -EBUSY)
		log_error("another wayleaved already runs with run_dir %s; give this one another "
			  "run_dir",
			  instance->run_dir);
	else if (err)
		log_error("run_dir %s cannot be used: %s", instance->run_dir, strerror(-err));
	return err;
}

void instance_unlock(struct instance *instance)
{
	if (instance->lock_fd >= 0)
		close(instance->lock_fd);
	instance->lock_fd = -1;
}

/* --- what --teardown puts back ------------------------------------------------------ */

struct lookup {
	const char *name;
	bool found;
};

static void lookup_line(void *context, const char *name, const char *value)
{
	struct lookup *lookup = context;

	if (!strcmp(lookup->name, name))
		lookup->found = true;
}

void instance_remembered(const struct instance *instance,
			 void (*each)(void *context, const char *name, const char *value),
			 void *context)
{
	char path[PATH_MAX], line[512], *space;
	FILE *file;

	if (file_path(instance, "restore", path, sizeof(path)))
		return;
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		space = strchr(line, ' ');
		if (!space)
			continue;
		*space = '\0';
		each(context, line, space + 1);
	}
	fclose(file);
}

bool instance_remembers(const struct instance *instance, const char *name)
{
	struct lookup lookup = {.name = name};

	instance_remembered(instance, lookup_line, &lookup);
	return lookup.found;
}

int instance_remember(const struct instance *instance, const char *name, const char *value)
{
	char path[PATH_MAX];
	FILE *file;
	int err;

	/* the first value is the one from before the first run */
	if (instance_remembers(instance, name))
		return 0;
	err = file_path(instance, "restore", path, sizeof(path));
	if (err)
		return err;
	file = fopen(path, "ae");
	if (!file)
		return -errno;
	fprintf(file, "%s %s\n", name, value);
	return fclose(file) ? -errno : 0;
}

void instance_forget(const struct instance *instance)
{
	char path[PATH_MAX];

	if (!file_path(instance, "restore", path, sizeof(path)))
		unlink(path);
}
