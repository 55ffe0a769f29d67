/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/state_file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"

#define FILE_MAX_BYTES (4 * 1024 * 1024)

const char *state_dir(const struct settings *settings)
{
	const char *given = getenv("STATE_DIRECTORY"); /* of the unit; one, or several by ':' */

	if (settings->state_dir)
		return settings->state_dir;
	return given && *given == '/' && !strchr(given, ':') ? given : settings->run_dir;
}

static void path_make(char path[PATH_MAX], const struct settings *settings, const char *name,
		      const char *suffix)
{
	snprintf(path, PATH_MAX, "%s/%s%s", state_dir(settings), name, suffix);
}

json_t *state_read(const struct settings *settings, const char *name)
{
	char path[PATH_MAX];
	json_error_t error;
	json_t *object;
	int fd;

	path_make(path, settings, name, "");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return NULL;
	object = lseek(fd, 0, SEEK_END) <= FILE_MAX_BYTES && !lseek(fd, 0, SEEK_SET)
			 ? json_loadfd(fd, 0, &error)
			 : NULL;
	close(fd);
	if (json_is_object(object))
		return object;
	log_warning("%s cannot be read and is ignored", path);
	json_decref(object);
	return NULL;
}

static int file_write(const char *path, const json_t *object)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (json_dumpfd(object, fd, JSON_COMPACT))
		err = -EIO;
	if (!err && fsync(fd) < 0)
		err = -errno;
	close(fd);
	return err;
}

int state_write(const struct settings *settings, const char *name, const json_t *object)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	static bool said;
	int err;

	mkdir(state_dir(settings), 0700);
	path_make(path, settings, name, "");
	path_make(fresh, settings, name, ".new");
	err = file_write(fresh, object);
	if (!err && rename(fresh, path) < 0)
		err = -errno;
	if (err && !said)
		log_warning("%s cannot be written: %s; after a restart it has to be learned again",
			    path, strerror(-err));
	said = err;
	return err;
}

/* --- addresses --------------------------------------------------------------------------- */

json_t *state_address(uint32_t address)
{
	char text[INET_ADDRSTRLEN];

	return json_string(inet_ntop(AF_INET, &address, text, sizeof(text)));
}

bool state_address_read(const json_t *object, const char *name, uint32_t *address)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text && inet_pton(AF_INET, text, address) == 1;
}
