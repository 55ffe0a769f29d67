/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The audit log: who changed what when, and who failed to log in. The newest
 * AUDIT_ENTRIES in memory, all of them in DIR/audit.jsonl, one JSON object a line,
 * which is renamed to audit.jsonl.1 when it is full: two files, bounded.
 */
#ifndef WAYLEAVE_CTL_AUDIT_H
#define WAYLEAVE_CTL_AUDIT_H

#include <jansson.h>
#include <stdint.h>

#define AUDIT_ENTRIES	     1000
#define AUDIT_FILE_MAX_BYTES (256 * 1024)
/* Longer texts are cut. */
#define AUDIT_TEXT_MAX_BYTES 256

struct ctl_audit;

struct audit_entry {
	const char *who;    /* "page", "token NAME", "uid 0" */
	const char *source; /* address; NULL: the command line */
	const char *action; /* "set", "login" */
	const char *what;   /* "passthrough.pptp: on -> off"; may be NULL */
	const char *result; /* "ok" or the code of the error */
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

#endif
