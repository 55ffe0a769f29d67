/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME "audit.jsonl"

struct ctl_audit {
	json_t *entries; /* oldest first */
	char *path;	 /* NULL: in memory only */
	char *older;
	int fd; /* -1: not open */
};

struct ctl_audit *ctl_audit_new(void)
{
	struct ctl_audit *audit = calloc(1, sizeof(*audit));

	if (!audit)
		return NULL;
	audit->fd = -1;
	audit->entries = json_array();
	if (audit->entries)
		return audit;
	free(audit);
	return NULL;
}

static void file_close(struct ctl_audit *audit)
{
	if (audit->fd >= 0)
		close(audit->fd);
	free(audit->path);
	free(audit->older);
	audit->path = audit->older = NULL;
	audit->fd = -1;
}

void ctl_audit_free(struct ctl_audit *audit)
{
	if (!audit)
		return;
	file_close(audit);
	json_decref(audit->entries);
	free(audit);
}

/* Takes ENTRY. */
static void entry_remember(struct ctl_audit *audit, json_t *entry)
{
	if (json_array_size(audit->entries) >= AUDIT_ENTRIES)
		json_array_remove(audit->entries, 0);
	json_array_append_new(audit->entries, entry);
}

/* --- the file ------------------------------------------------------------------------ */

/* A line that a power cut has cut is left out. */
static void file_read(struct ctl_audit *audit, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		json_t *entry = json_loads(line, 0, NULL);

		if (json_is_object(entry))
			entry_remember(audit, entry);
		else
			json_decref(entry);
	}
	free(line);
	if (file)
		fclose(file);
}

static int file_open(struct ctl_audit *audit)
{
	audit->fd = open(audit->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return audit->fd < 0 ? -errno : 0;
}

int ctl_audit_open(struct ctl_audit *audit, const char *dir)
{
	file_close(audit);
	if (asprintf(&audit->path, "%s/" FILE_NAME, dir) < 0)
		audit->path = NULL;
	if (asprintf(&audit->older, "%s/" FILE_NAME ".1", dir) < 0)
		audit->older = NULL;
	if (!audit->path || !audit->older)
		return -ENOMEM;
	json_array_clear(audit->entries);
	file_read(audit, audit->older);
	file_read(audit, audit->path);
	return file_open(audit);
}

static void file_turn(struct ctl_audit *audit)
{
	struct stat info;

	if (fstat(audit->fd, &info) || info.st_size < AUDIT_FILE_MAX_BYTES)
		return;
	if (rename(audit->path, audit->older))
		return;
	close(audit->fd);
	file_open(audit);
}

static void line_write(struct ctl_audit *audit, const json_t *entry)
{
	char *text = audit->fd >= 0 ? json_dumps(entry, JSON_COMPACT) : NULL;

	if (!text)
		return;
	/* one write, so that a line is there as a whole or not at all */
	size_t length = strlen(text);
	text[length] = '\n';
	(void)!write(audit->fd, text, length + 1);
	free(text);
	file_turn(audit);
}

/* --- entries --------------------------------------------------------------------------- */

/* Other people's bytes: cut, and without control characters. NULL stays NULL. */
static json_t *text_json(const char *text)
{
	char clean[AUDIT_TEXT_MAX_BYTES];
	size_t length = 0;

	if (!text)
		return NULL;
	for (; text[length] && length < sizeof(clean); length++)
		clean[length] = text[length] < ' ' || text[length] > '~' ? '?' : text[length];
	return json_stringn(clean, length);
}

void ctl_audit_add(struct ctl_audit *audit, const struct audit_entry *entry)
{
	char at[32] = "";
	time_t now = time(NULL);
	struct tm utc;

	if (!audit)
		return;
	if (gmtime_r(&now, &utc))
		strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &utc);
	json_t *object = json_pack("{s:s, s:o*, s:o*, s:o*, s:o*, s:o*}", "at", at, "who",
				   text_json(entry->who), "source", text_json(entry->source),
				   "action", text_json(entry->action), "what",
				   text_json(entry->what), "result", text_json(entry->result));
	if (!object)
		return;
	line_write(audit, object);
	entry_remember(audit, object);
}

uint64_t ctl_audit_list(const struct ctl_audit *audit, uint64_t cursor, uint32_t limit,
			json_t *items)
{
	size_t count = audit ? json_array_size(audit->entries) : 0;
	uint64_t place = cursor;

	for (; place < count && place - cursor < limit; place++)
		json_array_append(items, json_array_get(audit->entries, count - 1 - place));
	return place < count ? place : 0;
}
