/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/change.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf/field.h"
#include "conf/load.h"
#include "conf/store.h"
#include "ctl/difference.h"

/* When an unconfirmed change cannot be undone (a full disk), try again after so long. */
#define UNDO_RETRY_SECONDS 5

struct ctl_change {
	char *path;
	struct settings *settings;
	struct event *timer;
	time_t deadline_s;	       /* CLOCK_BOOTTIME; 0: nothing waits */
	struct settings *waiting_from; /* what it goes back to; NULL: nothing waits */
	ctl_apply_fn apply;
	void *daemon;
	struct ctl_audit *audit;     /* NULL: none is kept */
	ctl_apply_fn check;	     /* NULL: none */
	struct settings **rehearsal; /* where the settings go instead; NULL: changes count */
};

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

static int no_memory(struct settings_error *error)
{
	return settings_error_set(error, -ENOMEM, "", "no memory");
}

/* --- the wait for confirmation ------------------------------------------------------- */

static void wait_start(struct ctl_change *change, time_t seconds)
{
	struct timeval after = {.tv_sec = seconds};

	change->deadline_s = now_s() + seconds;
	event_add(change->timer, &after);
}

static void wait_end(struct ctl_change *change)
{
	settings_free(change->waiting_from);
	change->waiting_from = NULL;
	change->deadline_s = 0;
	event_del(change->timer);
}

/* The file is right already: applies it and takes SETTINGS. */
static int follow(struct ctl_change *change, struct settings *settings,
		  struct settings_error *error)
{
	int rc = change->apply(change->daemon, change->settings, settings, error);

	if (rc) {
		settings_free(settings);
		return rc;
	}
	settings_free(change->settings);
	change->settings = settings;
	return 0;
}

static int undo(struct ctl_change *change, struct settings_error *error)
{
	struct settings *old;
	bool undone;

	int rc = settings_store_resolve(change->path, &undone, error);
	if (rc || !undone)
		return rc;
	rc = settings_load(change->path, &old, error);
	return rc ? rc : follow(change, old, error);
}

/* A change that no request made, so no request logs it. BEFORE: the settings until now. */
static void settings_audit(const struct ctl_change *change, const struct settings *before,
			   const char *who, const char *action)
{
	json_t *changes = before ? ctl_difference_json(before, change->settings) : NULL;
	char *what = changes ? ctl_difference_text(changes) : NULL;
	const struct audit_entry entry = {
		.who = who, .action = action, .what = what, .result = "ok", .changes = changes};

	ctl_audit_add(change->audit, &entry);
	free(what);
	json_decref(changes);
}

static void undo_audit(const struct ctl_change *change, const struct settings *before, int rc)
{
	const struct audit_entry failure = {.who = "wayleaved",
					    .action = "undo",
					    .what = "a change that nobody confirmed",
					    .result = "failed"};

	if (rc)
		ctl_audit_add(change->audit, &failure);
	else
		settings_audit(change, before, "wayleaved", "undo");
}

static int undo_unconfirmed(struct ctl_change *change, struct settings_error *error)
{
	struct settings *before = settings_copy(change->settings);
	int rc = undo(change, error);

	undo_audit(change, before, rc);
	settings_free(before);
	return rc;
}

static void wait_over(evutil_socket_t fd, short events, void *data)
{
	struct ctl_change *change = data;
	struct settings_error error;
	char text[512];

	wait_end(change);
	int rc = undo_unconfirmed(change, &error);
	fprintf(stderr, "settings: %s%s\n",
		rc ? "an unconfirmed change could not be undone: "
		   : "an unconfirmed change was undone",
		rc ? settings_error_text(&error, text, sizeof(text)) : "");
	if (rc && settings_store_pending(change->path))
		wait_start(change, UNDO_RETRY_SECONDS);
}

/* --- one change ------------------------------------------------------------------------ */

static int checked(struct ctl_change *change, const struct settings *wanted,
		   struct settings_error *error)
{
	return change->check ? change->check(change->daemon, change->settings, wanted, error) : 0;
}

/* A rehearsal ends where the daemon would be told: takes WORK. */
static int rehearsed(struct ctl_change *change, struct settings *work)
{
	settings_free(*change->rehearsal);
	*change->rehearsal = work;
	return 0;
}

void ctl_change_rehearse(struct ctl_change *change, struct settings **wanted)
{
	change->rehearsal = wanted;
}

/* Applies and saves WORK, takes it in every case. */
static int commit(struct ctl_change *change, struct settings *work, bool confirm,
		  struct settings_error *error)
{
	struct settings_error ignored;

	/* the undoing of the first change would take a second one with it */
	if (change->deadline_s && !confirm) {
		settings_free(work);
		return settings_error_set(error, -EBUSY, "",
					  "a change waits for confirmation; confirm it, roll it "
					  "back or wait %u s",
					  ctl_change_seconds_left(change));
	}
	if (change->rehearsal)
		return rehearsed(change, work);
	int rc = checked(change, work, error);
	if (!rc)
		rc = change->apply(change->daemon, change->settings, work, error);
	if (rc) {
		settings_free(work);
		return rc;
	}
	rc = settings_store_save(change->path, work, confirm, error);
	if (rc) {
		change->apply(change->daemon, work, change->settings, &ignored);
		settings_free(work);
		return rc;
	}
	if (confirm && !change->deadline_s) {
		wait_start(change, SETTINGS_CONFIRM_SECONDS);
		change->waiting_from = change->settings;
	} else {
		settings_free(change->settings);
	}
	change->settings = work;
	return 0;
}

/* WORK is a copy that was edited with result RC. */
static int edited(struct ctl_change *change, struct settings *work, int rc, bool confirm,
		  struct settings_error *error)
{
	if (rc == 0)
		return commit(change, work, confirm, error);
	settings_free(work);
	return rc;
}

int ctl_change_set(struct ctl_change *change, const char *name, const char *value, bool confirm,
		   struct settings_error *error)
{
	struct settings *work = settings_copy(change->settings);

	if (!work)
		return no_memory(error);
	return edited(change, work, settings_set(work, name, value, error), confirm, error);
}

int ctl_change_set_all(struct ctl_change *change, const json_t *values, bool confirm,
		       struct settings_error *error)
{
	struct settings *work = settings_copy(change->settings);

	if (!work)
		return no_memory(error);
	return edited(change, work, settings_set_all(work, values, error), confirm, error);
}

/* Puts the member NAME ("section.member") of FROM in the place of WHOLE's. */
static void member_replace(json_t *whole, const char *name, const json_t *from)
{
	size_t section = strcspn(name, ".");
	char outer[32];

	if (!name[section]) {
		json_object_set(whole, name, json_object_get(from, name));
		return;
	}
	snprintf(outer, sizeof(outer), "%.*s", (int)section, name);
	if (!json_is_object(json_object_get(whole, outer)))
		json_object_set_new(whole, outer, json_object());
	json_object_set(json_object_get(whole, outer), name + section + 1,
			json_object_get(json_object_get(from, outer), name + section + 1));
}

/* A new reference. */
static json_t *machines_kept(const struct ctl_change *change, const json_t *whole)
{
	json_t *kept = json_deep_copy(whole), *present = settings_json(change->settings);
	const char *name;

	for (size_t i = 0; json_is_object(kept) && (name = settings_name(i)); i++)
		if (settings_is_machines(name))
			member_replace(kept, name, present);
	json_decref(present);
	return kept;
}

int ctl_change_restore(struct ctl_change *change, const json_t *whole, bool confirm,
		       struct settings_error *error)
{
	struct settings *work;
	json_t *kept = machines_kept(change, whole);
	int rc = settings_from_json(kept, &work, error);

	json_decref(kept);
	return rc ? rc : commit(change, work, confirm, error);
}

int ctl_change_forward_add(struct ctl_change *change, const json_t *forward, bool confirm,
			   struct settings_error *error)
{
	struct settings *work = settings_copy(change->settings);

	if (!work)
		return no_memory(error);
	return edited(change, work, settings_forward_add(work, forward, error), confirm, error);
}

int ctl_change_forward_remove(struct ctl_change *change, const char *key, bool confirm,
			      struct settings_error *error)
{
	struct settings *work = settings_copy(change->settings);

	if (!work)
		return no_memory(error);
	return edited(change, work, settings_forward_remove(work, key, error), confirm, error);
}

int ctl_change_rollback(struct ctl_change *change, unsigned int steps, bool confirm,
			struct settings_error *error)
{
	struct settings *old;

	bool taken_back = change->deadline_s && steps == 1;

	if (taken_back && !change->rehearsal) {
		wait_end(change);
		return undo(change, error);
	}
	int rc = taken_back ? settings_store_waiting(change->path, &old, error)
			    : settings_store_older(change->path, steps, &old, error);
	return rc ? rc : commit(change, old, confirm || taken_back, error);
}

int ctl_change_confirm(struct ctl_change *change, struct settings_error *error)
{
	int rc = settings_store_confirm(change->path, error);

	if (rc == 0)
		wait_end(change);
	return rc;
}

int ctl_change_reload(struct ctl_change *change, struct settings_error *error)
{
	struct settings *settings, *before = settings_copy(change->settings);
	struct settings_error ignored;

	int rc = settings_load(change->path, &settings, error);
	if (!rc) {
		rc = checked(change, settings, error);
		if (rc)
			settings_free(settings);
	}
	if (!rc)
		rc = follow(change, settings, error);
	/* whoever edits the file by hand has spoken; going back would undo that too */
	if (!rc && change->deadline_s) {
		settings_store_confirm(change->path, &ignored);
		wait_end(change);
	}
	if (!rc)
		settings_audit(change, before, "file", "reload");
	settings_free(before);
	return rc;
}

/* --- reading --------------------------------------------------------------------------- */

const struct settings *ctl_change_settings(const struct ctl_change *change)
{
	return change->settings;
}

unsigned int ctl_change_seconds_left(const struct ctl_change *change)
{
	if (!change->deadline_s)
		return 0;
	time_t left = change->deadline_s - now_s();
	return left > 0 ? left : 1;
}

unsigned int ctl_change_generation(const struct ctl_change *change)
{
	struct settings_generation newest;

	return settings_store_list(change->path, &newest, 1) > 0 ? newest.number : 0;
}

static json_t *generations_json(const char *path)
{
	struct settings_generation list[2 * SETTINGS_GENERATIONS];
	int count = settings_store_list(path, list, sizeof(list) / sizeof(*list));
	json_t *array = json_array();

	for (int i = 0; i < count; i++) {
		char when[32] = "";
		struct tm utc;
		if (gmtime_r(&list[i].saved_at, &utc))
			strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &utc);
		json_array_append_new(array, json_pack("{s:i, s:i, s:s}", "steps", i + 1, "number",
						       (int)list[i].number, "saved_at", when));
	}
	return array;
}

json_t *ctl_change_json(const struct ctl_change *change)
{
	return json_pack("{s:s, s:o, s:i, s:o, s:o*}", "file", change->path, "settings",
			 settings_json(change->settings), "confirm_within_s",
			 (int)ctl_change_seconds_left(change), "generations",
			 generations_json(change->path), "waiting",
			 change->waiting_from
				 ? ctl_difference_json(change->waiting_from, change->settings)
				 : NULL);
}

/* --- life --------------------------------------------------------------------------------- */

struct ctl_change *ctl_change_new(struct event_base *base, const char *path,
				  struct settings *settings, ctl_apply_fn apply, void *daemon)
{
	struct ctl_change *change = calloc(1, sizeof(*change));

	if (!change)
		return NULL;
	change->apply = apply;
	change->daemon = daemon;
	change->path = strdup(path);
	change->timer = event_new(base, -1, 0, wait_over, change);
	if (!change->path || !change->timer) {
		ctl_change_free(change);
		return NULL;
	}
	change->settings = settings;
	return change;
}

void ctl_change_check(struct ctl_change *change, ctl_apply_fn check)
{
	change->check = check;
}

void ctl_change_audit(struct ctl_change *change, struct ctl_audit *audit)
{
	change->audit = audit;
}

void ctl_change_free(struct ctl_change *change)
{
	if (!change)
		return;
	if (change->timer)
		event_free(change->timer);
	settings_free(change->settings);
	settings_free(change->waiting_from);
	free(change->path);
	free(change);
}
