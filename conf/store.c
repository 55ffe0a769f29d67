/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of writes is what makes this safe; each step is complete on disk
 * before the next:
 *
 *   save      1. FILE's present bytes to FILE.d/<n>.yaml
 *             2. with confirm: FILE.d/pending naming <n>
 *             3. the new text over FILE
 *   confirm   remove pending
 *   resolve   1. generation <n> over FILE   2. remove pending   3. remove <n> and newer
 *
 * Stopped after 2 of a save, resolve writes the same bytes again; stopped after 1
 * of a resolve, the next one does so. Nothing is half done anywhere.
 */
#include "conf/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/edit.h"
#include "conf/file.h"
#include "conf/load.h"

#define GENERATIONS_ON_DISK_MAX 4096

/* Paths beside FILE. */
struct store {
	char directory[PATH_MAX]; /* FILE.d */
	char pending[PATH_MAX];	  /* FILE.d/pending */
	char path[PATH_MAX];	  /* FILE.d/<n>.yaml of the last generation_path() */
};

static int failed(struct settings_error *error, const char *path, int rc)
{
	if (rc >= 0)
		return rc;
	settings_error_set(error, rc, "", "%s", strerror(-rc));
	snprintf(error->file, sizeof(error->file), "%.255s", path);
	return rc;
}

static int store_paths(struct store *store, const char *path)
{
	int length = snprintf(store->directory, sizeof(store->directory), "%s.d", path);

	if (length < 0 || length + 32 > PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(store->pending, store->directory, length);
	strcpy(store->pending + length, "/pending");
	return 0;
}

static const char *generation_path(struct store *store, unsigned int number)
{
	size_t length = strlen(store->directory);

	memcpy(store->path, store->directory, length);
	snprintf(store->path + length, sizeof(store->path) - length, "/%06u.yaml", number);
	return store->path;
}

/* --- generations ------------------------------------------------------------------- */

static int newest_first(const void *a, const void *b)
{
	const unsigned int *x = a, *y = b;
	return *x < *y ? 1 : *x > *y ? -1 : 0;
}

/* Numbers of the generations, newest first; returns how many or -errno. */
static int generations_read(const struct store *store, unsigned int *numbers, int size)
{
	DIR *directory = opendir(store->directory);
	struct dirent *entry;
	int count = 0;

	if (!directory)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(directory)) && count < size) {
		int end = 0;
		if (sscanf(entry->d_name, "%9u.yaml%n", &numbers[count], &end) == 1 && end > 0 &&
		    entry->d_name[end] == '\0')
			count++;
	}
	closedir(directory);
	qsort(numbers, count, sizeof(*numbers), newest_first);
	return count;
}

/* The one that a pending change goes back to stays, however old. */
static void generations_prune(struct store *store, const unsigned int *numbers, int count,
			      unsigned int keep)
{
	for (int i = SETTINGS_GENERATIONS; i < count; i++)
		if (numbers[i] != keep)
			unlink(generation_path(store, numbers[i]));
}

static int generation_text(struct store *store, unsigned int number, char **text, size_t *length)
{
	return file_read(generation_path(store, number), text, length);
}

/*
 * Makes FILE's present content the newest generation. Returns its number, or 0 when
 * there is no FILE yet.
 */
static int generation_add(struct store *store, const char *path, unsigned int *numbers, int count)
{
	char *text;
	size_t length;

	int rc = file_read(path, &text, &length);
	if (rc == -ENOENT)
		return 0;
	if (rc)
		return rc;
	unsigned int number = count ? numbers[0] + 1 : 1;
	if (mkdir(store->directory, 0700) != 0 && errno != EEXIST)
		rc = -errno;
	else
		rc = file_replace(generation_path(store, number), text, length, 0600);
	free(text);
	return rc ? rc : (int)number;
}

/* --- a pending change ----------------------------------------------------------------- */

/* The generation to go back to; 0: nothing is pending; -errno. */
static int pending_read(const struct store *store)
{
	unsigned int number;
	char *text;
	size_t length;

	int rc = file_read(store->pending, &text, &length);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	if (sscanf(text, "%9u", &number) != 1 || number == 0)
		number = 0;
	free(text);
	return number ? (int)number : -EBADMSG;
}

static int pending_write(const struct store *store, unsigned int number)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u\n", number);
	return file_replace(store->pending, text, length, 0600);
}

static int pending_remove(const struct store *store)
{
	return file_remove(store->pending);
}

bool settings_store_pending(const char *path)
{
	struct store store;
	return store_paths(&store, path) == 0 && access(store.pending, F_OK) == 0;
}

int settings_store_confirm(const char *path, struct settings_error *error)
{
	struct store store;

	int rc = store_paths(&store, path);
	if (!rc)
		rc = pending_remove(&store);
	if (rc == -ENOENT)
		return settings_error_set(error, rc, "", "no change waits for confirmation");
	return failed(error, path, rc);
}

/* FILE holds NUMBER's content again, and what came after it has never been confirmed. */
static void generations_drop(struct store *store, unsigned int number)
{
	unsigned int numbers[GENERATIONS_ON_DISK_MAX];
	int count = generations_read(store, numbers, GENERATIONS_ON_DISK_MAX);

	for (int i = 0; i < count && numbers[i] >= number; i++)
		unlink(generation_path(store, numbers[i]));
}

int settings_store_resolve(const char *path, bool *undone, struct settings_error *error)
{
	struct store store;
	char *text;
	size_t length;

	*undone = false;
	int rc = store_paths(&store, path);
	int number = rc ? rc : pending_read(&store);
	if (number <= 0)
		return failed(error, rc ? path : store.pending, number);
	rc = generation_text(&store, number, &text, &length);
	if (rc)
		return failed(error, store.path, rc);
	rc = file_replace(path, text, length, 0600);
	free(text);
	if (!rc)
		rc = pending_remove(&store);
	if (!rc)
		generations_drop(&store, number);
	*undone = rc == 0;
	return failed(error, path, rc);
}

int settings_store_waiting(const char *path, struct settings **settings,
			   struct settings_error *error)
{
	struct store store;
	int rc = store_paths(&store, path);
	int number = rc ? rc : pending_read(&store);

	*settings = NULL;
	if (!number)
		return settings_error_set(error, -ENOENT, "", "no change waits for confirmation");
	if (number < 0)
		return failed(error, rc ? path : store.pending, number);
	return settings_load(generation_path(&store, number), settings, error);
}

/* --- save and go back -------------------------------------------------------------------- */

/* Steps 1 and 2. Returns 1 when the change is pending by this call, 0 when not, or -errno. */
static int old_keep(struct store *store, const char *path, bool confirm)
{
	unsigned int numbers[GENERATIONS_ON_DISK_MAX];

	int pending = pending_read(store);
	int count = generations_read(store, numbers, GENERATIONS_ON_DISK_MAX);
	if (pending < 0 || count < 0)
		return pending < 0 ? pending : count;
	int number = generation_add(store, path, numbers, count);
	if (number < 0)
		return number;
	generations_prune(store, numbers, count, pending);
	/* a second unconfirmed change goes back as far as the first one */
	if (!confirm || pending || !number)
		return 0;
	int rc = pending_write(store, number);
	return rc ? rc : 1;
}

static bool same_settings(const struct settings *a, const struct settings *b)
{
	char *text = NULL, *other = NULL;
	size_t length, other_length;
	bool same = settings_format(a, &text, &length) == 0 &&
		    settings_format(b, &other, &other_length) == 0 && length == other_length &&
		    memcmp(text, other, length) == 0;

	free(text);
	free(other);
	return same;
}

/* A file that cannot be read, or says something else, would meet the next start. */
static int text_check(const struct settings *settings, const char *path, const char *text,
		      size_t length, struct settings_error *error)
{
	struct settings_error wrong = {0};
	struct settings *again;

	int rc = settings_parse(text, length, path, &again, &wrong);
	if (rc)
		return settings_error_set(error, rc, wrong.field,
					  "could not be read back and is not saved: %.190s",
					  wrong.message);
	bool same = same_settings(again, settings);
	settings_free(again);
	return same ? 0
		    : settings_error_set(error, -EINVAL, "",
					 "the settings would read differently and are not saved");
}

static int text_save(struct store *store, const char *path, bool confirm, const char *text,
		     size_t length)
{
	int kept = old_keep(store, path, confirm);
	int rc = kept < 0 ? kept : file_replace(path, text, length, 0600);

	if (rc && kept > 0)
		pending_remove(store);
	return rc;
}

/* Every setting spelt out, with a word on what became of the comments in OLD. */
static int text_anew(const char *path, const struct settings *settings, bool comments, char **text,
		     size_t *length)
{
	const char *slash = strrchr(path, '/');
	char *plain, *noted;

	int rc = settings_format(settings, &plain, length);
	if (rc || !comments) {
		*text = plain;
		return rc;
	}
	int noted_length = asprintf(&noted,
				    "# Wayleave has written this file anew, as it could not be "
				    "changed in place: its comments\n# are in the newest file in "
				    "%s.d.\n%.*s",
				    slash ? slash + 1 : path, (int)*length, plain);
	free(plain);
	if (noted_length < 0)
		return -ENOMEM;
	*text = noted;
	*length = noted_length;
	fprintf(stderr, "settings: %s was written anew, without its comments\n", path);
	return 0;
}

/* The file as it is, with what differs changed in it; or, where that is not safe, written anew. */
static int text_make(const char *path, const struct settings *settings, char **text, size_t *length)
{
	char *old = NULL;
	size_t old_length = 0;

	if (file_read(path, &old, &old_length) != 0)
		return settings_format(settings, text, length);
	int rc = settings_edit(old, old_length, settings, text, length);
	if (rc == -EINVAL)
		rc = text_anew(path, settings, settings_has_comments(old, old_length), text,
			       length);
	free(old);
	return rc;
}

int settings_store_save(const char *path, const struct settings *settings, bool confirm,
			struct settings_error *error)
{
	struct store store;
	char *text;
	size_t length;

	int rc = store_paths(&store, path);
	if (!rc)
		rc = text_make(path, settings, &text, &length);
	if (rc)
		return failed(error, path, rc);
	rc = text_check(settings, path, text, length, error);
	if (!rc)
		rc = failed(error, path, text_save(&store, path, confirm, text, length));
	free(text);
	return rc;
}

int settings_store_older(const char *path, unsigned int steps, struct settings **settings,
			 struct settings_error *error)
{
	struct store store;
	unsigned int numbers[GENERATIONS_ON_DISK_MAX];

	*settings = NULL;
	int rc = store_paths(&store, path);
	int count = rc ? rc : generations_read(&store, numbers, GENERATIONS_ON_DISK_MAX);
	if (count < 0)
		return failed(error, path, count);
	if (steps == 0 || steps > (unsigned int)count)
		return settings_error_set(error, -ENOENT, "",
					  "there are %d older generations, not %u", count, steps);
	return settings_load(generation_path(&store, numbers[steps - 1]), settings, error);
}

int settings_store_list(const char *path, struct settings_generation *list, size_t size)
{
	struct store store;
	unsigned int numbers[GENERATIONS_ON_DISK_MAX];
	struct stat status;

	int rc = store_paths(&store, path);
	int count = rc ? rc : generations_read(&store, numbers, GENERATIONS_ON_DISK_MAX);
	if (count > (int)size)
		count = size;
	for (int i = 0; i < count; i++) {
		bool there = stat(generation_path(&store, numbers[i]), &status) == 0;
		list[i] = (struct settings_generation){numbers[i], there ? status.st_mtime : 0};
	}
	return count;
}
