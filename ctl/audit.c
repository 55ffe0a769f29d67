/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/audit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf/printable.h"
#include "ctl/journal.h"

struct ctl_audit {
	struct journal *people, *events;
	/* how many events may come now, and since when one more may */
	unsigned int room;
	time_t room_since_s;
	unsigned int left_out;
};

_Static_assert(AUDIT_FILE_MAX_BYTES == JOURNAL_FILE_MAX_BYTES, "one size of file");

struct ctl_audit *ctl_audit_new(void)
{
	struct ctl_audit *audit = calloc(1, sizeof(*audit));

	if (!audit)
		return NULL;
	audit->people = journal_new("audit", AUDIT_ENTRIES);
	audit->events = journal_new("events", AUDIT_ENTRIES);
	audit->room = EVENTS_BURST;
	if (audit->people && audit->events)
		return audit;
	ctl_audit_free(audit);
	return NULL;
}

void ctl_audit_free(struct ctl_audit *audit)
{
	if (!audit)
		return;
	journal_free(audit->people);
	journal_free(audit->events);
	free(audit);
}

int ctl_audit_open(struct ctl_audit *audit, const char *dir)
{
	int rc = journal_open(audit->people, dir), events_rc = journal_open(audit->events, dir);

	return rc ? rc : events_rc;
}

/* --- what people did ---------------------------------------------------------------------- */

/* Other people's bytes: cut, and printable. NULL stays NULL. */
static json_t *text_json(const char *text)
{
	char clean[AUDIT_TEXT_MAX_BYTES + 1];

	if (!text)
		return NULL;
	snprintf(clean, sizeof(clean), "%s", text);
	printable_make(clean);
	return json_string(clean);
}

void ctl_audit_add(struct ctl_audit *audit, const struct audit_entry *entry)
{
	char at[JOURNAL_AT_BYTES];

	if (!audit)
		return;
	json_t *object = json_pack("{s:s, s:o*, s:o*, s:o*, s:o*, s:o*}", "at", journal_at(at),
				   "who", text_json(entry->who), "source", text_json(entry->source),
				   "action", text_json(entry->action), "what",
				   text_json(entry->what), "result", text_json(entry->result));
	if (entry->source_name)
		json_object_set_new(object, "source_name", text_json(entry->source_name));
	if (entry->changes)
		json_object_set_new(object, "changes", json_deep_copy(entry->changes));
	if (entry->generation)
		json_object_set_new(object, "generation", json_integer(entry->generation));
	journal_add(audit->people, object);
}

uint64_t ctl_audit_list(const struct ctl_audit *audit, uint64_t cursor, uint32_t limit,
			json_t *items)
{
	uint64_t place = cursor, count = audit ? journal_count(audit->people) : 0;

	for (; place < count && place - cursor < limit; place++)
		json_array_append(items, journal_nth(audit->people, place));
	return place < count ? place : 0;
}

/* --- what the gateway saw --------------------------------------------------------------------- */

static bool event_may_come(struct ctl_audit *audit)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	time_t more = (now.tv_sec - audit->room_since_s) / EVENTS_EVERY_S;
	if (more > 0) {
		audit->room = more < EVENTS_BURST - audit->room ? audit->room + more : EVENTS_BURST;
		audit->room_since_s = now.tv_sec;
	}
	if (audit->room == 0)
		return false;
	audit->room--;
	return true;
}

void ctl_history_event(struct ctl_audit *audit, const char *kind, const char *action, json_t *facts)
{
	char at[JOURNAL_AT_BYTES];
	json_t *entry;

	if (audit && !event_may_come(audit)) {
		audit->left_out++;
		audit = NULL;
	}
	if (!audit) {
		json_decref(facts);
		return;
	}
	entry = json_pack("{s:s, s:s, s:s}", "at", journal_at(at), "kind", kind, "action", action);
	if (entry && facts)
		json_object_update(entry, facts);
	if (entry && audit->left_out)
		json_object_set_new(entry, "left_out", json_integer(audit->left_out));
	audit->left_out = 0;
	json_decref(facts);
	journal_add(audit->events, entry);
}

/* --- both --------------------------------------------------------------------------------------
 */

static const char *at_of(const json_t *entry)
{
	const char *at = json_string_value(json_object_get(entry, "at"));

	return at ? at : "";
}

static bool is_access(const json_t *entry)
{
	static const char *const actions[] = {"login",	  "logout",	"setup",
					      "password", "token-make", "token-revoke"};
	const char *action = json_string_value(json_object_get(entry, "action"));

	for (size_t i = 0; action && i < sizeof(actions) / sizeof(*actions); i++)
		if (strcmp(action, actions[i]) == 0)
			return true;
	return false;
}

/* The newest that is left of the two lists, a new reference; NULL: none is. */
static json_t *newest_take(const struct ctl_audit *audit, size_t *people, size_t *events)
{
	json_t *did = journal_nth(audit->people, *people);
	json_t *saw = journal_nth(audit->events, *events);

	if (saw && (!did || strcmp(at_of(saw), at_of(did)) >= 0)) {
		++*events;
		return json_incref(saw);
	}
	if (!did)
		return NULL;
	++*people;
	did = json_copy(did);
	json_object_set_new(did, "kind", json_string(is_access(did) ? "access" : "change"));
	return did;
}

uint64_t ctl_history_list(const struct ctl_audit *audit, uint64_t cursor, uint32_t limit,
			  json_t *items)
{
	size_t people = 0, events = 0, count;
	json_t *entry;

	if (!audit)
		return 0;
	count = journal_count(audit->people) + journal_count(audit->events);
	for (uint64_t place = 0; place - cursor < limit || place < cursor; place++) {
		entry = newest_take(audit, &people, &events);
		if (!entry)
			return 0;
		if (place >= cursor)
			json_array_append(items, entry);
		json_decref(entry);
	}
	return cursor + limit < count ? cursor + limit : 0;
}

/* The change before which the file was kept as NUMBER; NULL: it is not known any more. */
static const json_t *change_before(const struct ctl_audit *audit, json_int_t number)
{
	const json_t *entry;

	for (size_t n = 0; (entry = journal_nth(audit->people, n)); n++)
		if (json_integer_value(json_object_get(entry, "generation")) == number)
			return entry;
	return NULL;
}

void ctl_history_generations(const struct ctl_audit *audit, json_t *generations)
{
	static const char *const names[] = {"who", "what", "changes"};
	json_t *generation;
	size_t i;

	if (!audit)
		return;
	json_array_foreach (generations, i, generation) {
		const json_t *entry = change_before(
			audit, json_integer_value(json_object_get(generation, "number")));

		for (size_t k = 0; entry && k < sizeof(names) / sizeof(*names); k++)
			if (json_object_get(entry, names[k]))
				json_object_set(generation, names[k],
						json_object_get(entry, names[k]));
	}
}
