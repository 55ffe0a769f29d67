/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/login_screen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/file.h"
#include "daemon/log.h"
#include "daemon/state_writer.h"

#define FILE_NAME	 "setup.issue"
#define AGETTY_RELOAD	 "/run/agetty.reload"
#define FINGERPRINT_LINE 48 /* "XX:" of 16 bytes; 32 do not fit beside the label */

static void addresses_write(FILE *out, const json_t *addresses)
{
	const json_t *address;
	size_t i;

	json_array_foreach (addresses, i, address)
		fprintf(out, "  %-12s %s\n", i ? "" : "Address", json_string_value(address));
}

/* Nothing of it is a stranger's, so none of it is an escape sequence of agetty's. */
static void lines_write(FILE *out, const json_t *setup)
{
	const char *fingerprint = json_string_value(json_object_get(setup, "fingerprint"));

	fputs("This gateway has no password yet. Set one in a browser:\n", out);
	addresses_write(out, json_object_get(setup, "addresses"));
	fprintf(out, "  %-12s %s  (works once)\n", "Code",
		json_string_value(json_object_get(setup, "code")));
	if (fingerprint)
		fprintf(out, "  %-12s %.*s\n  %-12s %s\n", "SHA-256 of", FINGERPRINT_LINE,
			fingerprint, "certificate",
			strlen(fingerprint) > FINGERPRINT_LINE ? fingerprint + FINGERPRINT_LINE
							       : "");
	fputc('\n', out);
}

/* "" where there is nothing to say; NULL without memory. The caller frees it. */
static char *lines_make(const json_t *setup)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	if (json_object_get(setup, "code") && json_is_true(json_object_get(setup, "enabled")) &&
	    json_array_size(json_object_get(setup, "addresses")))
		lines_write(out, setup);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

static void prompt_renew(void)
{
	int fd = open(AGETTY_RELOAD, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);

	if (fd < 0)
		return;
	futimens(fd, NULL);
	close(fd);
}

static int file_follow(const char *path, const char *lines)
{
	if (*lines)
		return state_writer_replace(path, lines);
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

static bool file_is(const char *path, const char *lines)
{
	char *present;
	size_t length;
	bool same;

	if (file_read(path, &present, &length))
		return !*lines && access(path, F_OK);
	same = strcmp(present, lines) == 0;
	free(present);
	return same;
}

void login_screen_follow(const char *run_dir, const json_t *setup)
{
	static bool failed;
	char path[PATH_MAX], *lines = lines_make(setup);
	int err = 0;

	snprintf(path, sizeof(path), "%s/" FILE_NAME, run_dir);
	if (lines && !file_is(path, lines)) {
		err = file_follow(path, lines);
		prompt_renew();
	}
	if (err && !failed)
		log_warning("%s cannot be written, so the login screen does not show the code: %s",
			    path, strerror(-err));
	failed = err;
	free(lines);
}
