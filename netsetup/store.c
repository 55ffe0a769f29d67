/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netsetup/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void path_make(char path[PATH_MAX], const char *root, enum files_place place)
{
	snprintf(path, PATH_MAX, "%s%s", root, files_path(place));
}

static int failed(struct settings_error *error, enum files_place place, int rc, const char *what)
{
	if (!rc)
		return 0;
	return settings_error_set(
		error, rc, "", "%s cannot be %s: %s%s", files_path(place), what, strerror(-rc),
		rc == -EROFS ? "; restart wayleave once its package is installed" : "");
}

/* --- reading -------------------------------------------------------------------------------- */

static int text_read(int fd, off_t size, char **text)
{
	ssize_t bytes;

	*text = calloc(1, (size_t)size + 1);
	if (!*text)
		return -ENOMEM;
	bytes = read(fd, *text, (size_t)size);
	if (bytes == size && strlen(*text) == (size_t)size)
		return 0;
	free(*text);
	*text = NULL;
	return bytes < 0 ? -errno : -EINVAL;
}

int store_read(const char *root, enum files_place place, char **text, mode_t *mode)
{
	char path[PATH_MAX];
	struct stat status;
	int fd, rc;

	*text = NULL;
	path_make(path, root, place);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (fstat(fd, &status))
		rc = -errno;
	else if (!S_ISREG(status.st_mode))
		rc = -EINVAL;
	else
		rc = status.st_size > STORE_FILE_MAX_BYTES ? -EFBIG
							   : text_read(fd, status.st_size, text);
	*mode = rc ? 0 : status.st_mode & 0777;
	close(fd);
	return rc;
}

static json_t *kept_one(const char *root, enum files_place place, struct settings_error *error)
{
	json_t *kept;
	mode_t mode;
	char *text;
	int rc = store_read(root, place, &text, &mode);

	if (failed(error, place, rc, "read"))
		return NULL;
	if (!text)
		return json_null();
	kept = json_pack("{s:s, s:i}", "text", text, "mode", (int)mode);
	if (!kept)
		failed(error, place, -EINVAL, "kept; it is not UTF-8");
	free(text);
	return kept;
}

json_t *store_keep(const char *root, struct settings_error *error)
{
	json_t *kept = json_object();

	for (unsigned int i = 0; i < FILES_COUNT; i++) {
		json_t *one = kept_one(root, i, error);

		if (!one || json_object_set_new(kept, files_path(i), one)) {
			json_decref(kept);
			return NULL;
		}
	}
	return kept;
}

/* --- writing -------------------------------------------------------------------------------- */

static int bytes_write(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t bytes = write(fd, text, left);

		if (bytes < 0 && errno != EINTR)
			return -errno;
		if (bytes > 0) {
			text += bytes;
			left -= (size_t)bytes;
		}
	}
	return fsync(fd) ? -errno : 0;
}

static int folder_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

/* The temporary file is new: nobody has it open, and its mode is the one that it gets here. */
static int file_put(const char *path, const char *text, mode_t mode)
{
	char fresh[PATH_MAX];
	int fd, rc;

	/* a dot: no program that reads the folder takes it for one of its files */
	const char *name = strrchr(path, '/') + 1;
	if (snprintf(fresh, sizeof(fresh), "%.*s.%s.new", (int)(name - path), path, name) >=
	    (int)sizeof(fresh))
		return -ENAMETOOLONG;
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	rc = bytes_write(fd, text);
	if (!rc && fchmod(fd, mode))
		rc = -errno;
	close(fd);
	if (!rc && rename(fresh, path))
		rc = -errno;
	if (rc)
		unlink(fresh);
	return rc;
}

/* TEXT NULL: the file goes. The folder is made where it is missing, one level. */
static int place_put(const char *root, enum files_place place, const char *text, mode_t mode)
{
	char path[PATH_MAX], folder[PATH_MAX];
	int rc;

	path_make(path, root, place);
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	if (!text && unlink(path))
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (!text)
		return folder_sync(folder);
	mkdir(folder, 0755); /* if it fails, opening the file says so */
	rc = file_put(path, text, mode);
	return rc ? rc : folder_sync(folder);
}

static int place_restore(const char *root, enum files_place place, const json_t *kept,
			 struct settings_error *error)
{
	const json_t *one = json_object_get(kept, files_path(place));
	const char *text = json_string_value(json_object_get(one, "text"));
	mode_t mode = (mode_t)json_integer_value(json_object_get(one, "mode")) & 0777;

	/* not kept at all is not the same as not there */
	if (!one)
		return 0;
	return failed(error, place, place_put(root, place, text, mode), "put back");
}

int store_restore(const char *root, const json_t *kept, struct settings_error *error)
{
	struct settings_error later;
	int first = 0;

	for (unsigned int i = 0; i < FILES_COUNT; i++) {
		int rc = place_restore(root, i, kept, first ? &later : error);

		first = first ? first : rc;
	}
	return first;
}

int store_write(const char *root, const struct files *files, struct settings_error *error)
{
	json_t *kept = store_keep(root, error);
	struct settings_error ignored;
	int rc = kept ? 0 : -EIO;

	for (unsigned int i = 0; i < FILES_COUNT && !rc; i++)
		rc = failed(error, i, place_put(root, i, files->file[i].text, files->file[i].mode),
			    "written");
	if (rc && kept)
		store_restore(root, kept, &ignored);
	json_decref(kept);
	return rc;
}
