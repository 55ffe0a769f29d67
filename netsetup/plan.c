/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netsetup/plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsetup/machine.h"
#include "netsetup/store.h"

/* --- the difference ---------------------------------------------------------------------- */

#define LINES_MAX 256 /* ours have less than 30; of a longer one the rest is one line */

struct text_lines {
	const char *line[LINES_MAX];
	size_t length[LINES_MAX];
	unsigned int count;
};

static void lines_split(const char *text, struct text_lines *lines)
{
	lines->count = 0;
	while (text && *text && lines->count < LINES_MAX) {
		bool last = lines->count == LINES_MAX - 1;
		size_t length = last ? strlen(text) : strcspn(text, "\n");

		lines->line[lines->count] = text;
		lines->length[lines->count++] = length;
		text += length + (text[length] == '\n');
	}
}

static bool lines_same(const struct text_lines *a, unsigned int i, const struct text_lines *b,
		       unsigned int k)
{
	return a->length[i] == b->length[k] && !memcmp(a->line[i], b->line[k], a->length[i]);
}

static void line_write(FILE *out, char sign, const struct text_lines *lines, unsigned int i)
{
	if (lines->length[i] > 9 && strncmp(lines->line[i], "password ", 9) == 0)
		fprintf(out, "%cpassword (not shown)\n", sign);
	else
		fprintf(out, "%c%.*s\n", sign, (int)lines->length[i], lines->line[i]);
}

struct comparison {
	struct text_lines before, after;
	/* the longest common part of what follows lines i and k */
	unsigned short common[LINES_MAX + 1][LINES_MAX + 1];
};

static void common_find(struct comparison *c)
{
	for (unsigned int i = c->before.count; i-- > 0;)
		for (unsigned int k = c->after.count; k-- > 0;) {
			unsigned short down = c->common[i + 1][k], right = c->common[i][k + 1];

			c->common[i][k] = lines_same(&c->before, i, &c->after, k)
						  ? c->common[i + 1][k + 1] + 1
					  : down > right ? down
							 : right;
		}
}

static void difference_write(FILE *out, const struct comparison *c)
{
	unsigned int i = 0, k = 0;

	while (i < c->before.count || k < c->after.count)
		if (i < c->before.count && k < c->after.count &&
		    lines_same(&c->before, i, &c->after, k)) {
			line_write(out, ' ', &c->before, i++);
			k++;
		} else if (i < c->before.count &&
			   (k == c->after.count || c->common[i + 1][k] >= c->common[i][k + 1]))
			line_write(out, '-', &c->before, i++);
		else
			line_write(out, '+', &c->after, k++);
}

char *plan_diff(const char *before, const char *after)
{
	struct comparison *c = calloc(1, sizeof(*c));
	char *text = NULL;
	size_t length;
	FILE *out = c ? open_memstream(&text, &length) : NULL;

	if (out) {
		lines_split(before, &c->before);
		lines_split(after, &c->after);
		common_find(c);
		difference_write(out, c);
		fclose(out);
	}
	free(c);
	return text;
}

/* --- the plan ------------------------------------------------------------------------------ */

static const char *change_name(const char *before, const char *after)
{
	if (!before)
		return "new";
	if (!after)
		return "removed";
	return strcmp(before, after) == 0 ? "same" : "changed";
}

static json_t *file_json(enum files_place place, const char *before,
			 const struct file_wanted *wanted)
{
	char *diff = plan_diff(before, wanted->text), mode[8];
	json_t *file;

	snprintf(mode, sizeof(mode), "%04o", (unsigned int)wanted->mode);
	file = json_pack("{s:s, s:s, s:s}", "path", files_path(place), "change",
			 change_name(before, wanted->text), "diff", diff ? diff : "");
	if (wanted->text)
		json_object_set_new(file, "mode", json_string(mode));
	free(diff);
	return file;
}

static int files_add(json_t *list, const char *root, const struct files *files,
		     struct settings_error *error)
{
	for (unsigned int i = 0; i < FILES_COUNT; i++) {
		const struct file_wanted *wanted = &files->file[i];
		char *before;
		mode_t mode;
		int rc = store_read(root, i, &before, &mode);

		if (rc)
			return settings_error_set(error, rc, "", "%s cannot be read: %s",
						  files_path(i), strerror(-rc));
		if (before || wanted->text)
			json_array_append_new(list, file_json(i, before, wanted));
		if (before)
			explicit_bzero(before, strlen(before));
		free(before);
	}
	return 0;
}

static json_t *units_json(const struct answers *answers)
{
	json_t *units = json_array();

	for (const char *const *unit = files_units(answers); *unit; unit++)
		json_array_append_new(units, json_string(*unit));
	return units;
}

static json_t *plan_json(const char *root, const struct answers *answers, json_t *files)
{
	char address[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &answers->address, address, sizeof(address));
	return json_pack("{s:s, s:s, s:i, s:{s:s, s:s}, s:o, s:o, s:o, s:o}", "manager",
			 machine_manager_name(answers->manager), "address", address, "within_s",
			 (int)answers->within_s, "settings", "wan.interface",
			 answers_wan_interface(answers), "lan.interfaces",
			 answers_lan_interface(answers), "files", files, "units",
			 units_json(answers), "lacks", machine_lacks(root, answers), "notes",
			 machine_notes(root, answers));
}

json_t *plan_make(const char *root, struct answers *answers, struct files *files,
		  struct settings_error *error)
{
	json_t *list;

	*files = (struct files){0};
	if (machine_manager(root, answers, error))
		return NULL;
	if (files_make(answers, files)) {
		settings_error_set(error, -ENOMEM, "", "no memory");
		return NULL;
	}
	list = json_array();
	if (!files_add(list, root, files, error))
		return plan_json(root, answers, list);
	json_decref(list);
	return NULL;
}

int plan_lacks(const json_t *plan, struct settings_error *error)
{
	const json_t *lacks = json_object_get(plan, "lacks");
	const char *first = json_string_value(json_array_get(lacks, 0));
	const char *second = json_string_value(json_array_get(lacks, 1));

	if (!first)
		return 0;
	return settings_error_set(error, -EINVAL, "", "not installed; first: apt install %s%s%s",
				  first, second ? " " : "", second ? second : "");
}
