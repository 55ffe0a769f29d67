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
#include "daemon/state_writer.h"

#define FILE_MAX_BYTES (4 * 1024 * 1024)

const char *state_dir(const struct settings *settings)
{
	const char *given = getenv("STATE_DIRECTORY"); /* of the unit; one, or several by ':' */

	if (settings->state_dir)
		return settings->state_dir;
	return given && *given == '/' && !strchr(given, ':') ? given : settings->run_dir;
}

static void path_make(char path[PATH_MAX], const struct settings *settings, const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s", state_dir(settings), name);
}

json_t *state_read(const struct settings *settings, const char *name)
{
	char path[PATH_MAX];
	json_error_t error;
	json_t *object;
	int fd;

	path_make(path, settings, name);
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

int state_write(const struct settings *settings, const char *name, const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT), path[PATH_MAX];

	if (!text)
		return -ENOMEM;
	mkdir(state_dir(settings), 0700);
	path_make(path, settings, name);
	return state_writer_put(path, text);
}

int state_write_now(const struct settings *settings, const char *name, const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT), path[PATH_MAX];
	int err;

	if (!text)
		return -ENOMEM;
	mkdir(state_dir(settings), 0700);
	path_make(path, settings, name);
	err = state_writer_replace(path, text);
	if (err)
		log_warning("%s cannot be written: %s", path, strerror(-err));
	free(text);
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
