/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct journal {
	const char *name;
	json_t *entries; /* oldest first */
	size_t room;
	char *path; /* NULL: in memory only */
	char *older;
	int fd; /* -1: not open */
};

struct journal *journal_new(const char *name, size_t entries)
{
	struct journal *journal = calloc(1, sizeof(*journal));

	if (!journal)
		return NULL;
	journal->name = name;
	journal->room = entries;
	journal->fd = -1;
	journal->entries = json_array();
	if (journal->entries)
		return journal;
	free(journal);
	return NULL;
}

static void file_close(struct journal *journal)
{
	if (journal->fd >= 0)
		close(journal->fd);
	free(journal->path);
	free(journal->older);
	journal->path = journal->older = NULL;
	journal->fd = -1;
}

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	file_close(journal);
	json_decref(journal->entries);
	free(journal);
}

/* Takes ENTRY. */
static void entry_remember(struct journal *journal, json_t *entry)
{
	if (json_array_size(journal->entries) >= journal->room)
		json_array_remove(journal->entries, 0);
	json_array_append_new(journal->entries, entry);
}

/* --- the file ------------------------------------------------------------------------ */

/* A line that a power cut has cut is left out. */
static void file_read(struct journal *journal, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		json_t *entry = json_loads(line, 0, NULL);

		if (json_is_object(entry))
			entry_remember(journal, entry);
		else
			json_decref(entry);
	}
	free(line);
	if (file)
		fclose(file);
}

static int file_open(struct journal *journal)
{
	journal->fd =
		open(journal->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return journal->fd < 0 ? -errno : 0;
}

/* What a power cut has cut must not spoil the next line too. */
static void line_finish(const struct journal *journal)
{
	struct stat info;
	char last = '\n';

	if (!fstat(journal->fd, &info) && info.st_size > 0 &&
	    pread(journal->fd, &last, 1, info.st_size - 1) == 1 && last != '\n')
		(void)!write(journal->fd, "\n", 1);
}

int journal_open(struct journal *journal, const char *dir)
{
	file_close(journal);
	if (asprintf(&journal->path, "%s/%s.jsonl", dir, journal->name) < 0)
		journal->path = NULL;
	if (asprintf(&journal->older, "%s/%s.jsonl.1", dir, journal->name) < 0)
		journal->older = NULL;
	if (!journal->path || !journal->older)
		return -ENOMEM;
	json_array_clear(journal->entries);
	file_read(journal, journal->older);
	file_read(journal, journal->path);
	int rc = file_open(journal);
	if (!rc)
		line_finish(journal);
	return rc;
}

static void file_turn(struct journal *journal)
{
	struct stat info;

	if (fstat(journal->fd, &info) || info.st_size < JOURNAL_FILE_MAX_BYTES)
		return;
	if (rename(journal->path, journal->older))
		return;
	close(journal->fd);
	file_open(journal);
}

static void line_write(struct journal *journal, const json_t *entry)
{
	char *text = journal->fd >= 0 ? json_dumps(entry, JSON_COMPACT) : NULL;

	if (!text)
		return;
	/* one write, so that a line is there as a whole or not at all */
	size_t length = strlen(text);
	text[length] = '\n';
	(void)!write(journal->fd, text, length + 1);
	free(text);
	file_turn(journal);
}

void journal_add(struct journal *journal, json_t *entry)
{
	if (!entry)
		return;
	line_write(journal, entry);
	entry_remember(journal, entry);
}

size_t journal_count(const struct journal *journal)
{
	return json_array_size(journal->entries);
}

json_t *journal_nth(const struct journal *journal, size_t n)
{
	size_t count = journal_count(journal);

	return n < count ? json_array_get(journal->entries, count - 1 - n) : NULL;
}

const char *journal_at(char text[JOURNAL_AT_BYTES])
{
	time_t now = time(NULL);
	struct tm utc;

	*text = '\0';
	if (gmtime_r(&now, &utc))
		strftime(text, JOURNAL_AT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &utc);
	return text;
}
