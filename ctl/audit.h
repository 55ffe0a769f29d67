/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has happened, in two bounded lists that outlive a restart (ctl/journal.h): what people
 * did (audit.jsonl: changes, logins, failed ones too), and what the gateway saw (events.jsonl:
 * the WAN, tunnels, its own starts). They are apart so that hosts which dial all day push
 * nobody's wrong password out. `show audit` is the first, `show history` both.
 */
#ifndef WAYLEAVE_CTL_AUDIT_H
#define WAYLEAVE_CTL_AUDIT_H

#include <jansson.h>
#include <stdint.h>

#define AUDIT_ENTRIES	     1000
#define AUDIT_FILE_MAX_BYTES (256 * 1024)
/* Longer texts are cut. */
#define AUDIT_TEXT_MAX_BYTES 256

/* Events that are written at once, and then one every so many seconds. */
#define EVENTS_BURST   60
#define EVENTS_EVERY_S 10

struct ctl_audit;

struct audit_entry {
	const char *who;	 /* "page", "token NAME", "uid 0" */
	const char *source;	 /* address; NULL: the command line */
	const char *source_name; /* what the device there is called; may be NULL */
	const char *action;	 /* "set", "login" */
	const char *what;	 /* "passthrough.pptp: on -> off"; may be NULL */
	const char *result;	 /* "ok" or the code of the error */
	const json_t *changes;	 /* ctl_difference_json(); may be NULL */
	unsigned int generation; /* what the file held before it (conf/store.h); 0: none */
};

/* NULL without memory. */
struct ctl_audit *ctl_audit_new(void);
void ctl_audit_free(struct ctl_audit *audit);

/* Keeps it in DIR from now on, and reads what an earlier run has left there. 0 or -errno. */
int ctl_audit_open(struct ctl_audit *audit, const char *dir);

/* What cannot be written to the file is in memory all the same. NULL AUDIT is fine. */
void ctl_audit_add(struct ctl_audit *audit, const struct audit_entry *entry);

/* Appends to ITEMS at most LIMIT entries, the newest first, from the CURSORth on; the cursor of
 * the rest, 0 at the end. */
uint64_t ctl_audit_list(const struct ctl_audit *audit, uint64_t cursor, uint32_t limit,
			json_t *items);

/*
 * The gateway saw ACTION ("address", "up") of KIND ("wan", "tunnel", "gateway"); takes FACTS, an
 * object with what there is to say. What comes too fast is only counted, and the next one says
 * how many were left out. NULL AUDIT is fine.
 */
void ctl_history_event(struct ctl_audit *audit, const char *kind, const char *action,
		       json_t *facts);

/* As ctl_audit_list(), of both lists; every entry has "kind": "change", "access" or the event's. */
uint64_t ctl_history_list(const struct ctl_audit *audit, uint64_t cursor, uint32_t limit,
			  json_t *items);

/* "what" and "who" of the change that each of GENERATIONS, as in ctl_change_json(), came before. */
void ctl_history_generations(const struct ctl_audit *audit, json_t *generations);

#endif
