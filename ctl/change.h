/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing the settings of a running daemon: one value, port forwards, roll
 * back, confirm. Owns the present settings and the timer of an unconfirmed
 * change; knows the file (conf/store.h), not the data plane.
 *
 * Every change goes: copy, edit, check, apply, save. Apply comes before save, so
 * that a change that kills the daemon is not what it starts with again. When
 * saving fails the old settings are applied again: nothing has changed.
 */
#ifndef WAYLEAVE_CTL_CHANGE_H
#define WAYLEAVE_CTL_CHANGE_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>

#include "conf/error.h"
#include "conf/settings.h"
#include "ctl/audit.h"

struct ctl_change;

/*
 * Makes the running daemon follow WANTED. PRESENT is what it follows now; both
 * stay ctl_change's, so take copies of strings. Returns 0, or -errno with *ERROR
 * filled and nothing changed. After 0 use ctl_change_settings() for pointers that
 * outlive the call.
 */
typedef int (*ctl_apply_fn)(void *daemon, const struct settings *present,
			    const struct settings *wanted, struct settings_error *error);

/*
 * Takes SETTINGS over and frees them at the end; PATH is the file they came from. NULL without
 * memory, SETTINGS are the caller's then.
 */
struct ctl_change *ctl_change_new(struct event_base *base, const char *path,
				  struct settings *settings, ctl_apply_fn apply, void *daemon);
void ctl_change_free(struct ctl_change *change);

/*
 * CHECK is asked before a change is applied, and may refuse it: of all that somebody wants
 * (the file after SIGHUP too), not of what is taken back. As ctl_apply_fn; changes nothing.
 */
void ctl_change_check(struct ctl_change *change, ctl_apply_fn check);

/* Changes that nobody confirmed are written to AUDIT, too, which outlives CHANGE's timer. */
void ctl_change_audit(struct ctl_change *change, struct ctl_audit *audit);

/* The present settings; valid until the next change. */
const struct settings *ctl_change_settings(const struct ctl_change *change);

/* The settings file is read again and applied (SIGHUP). Ends a wait for confirmation. */
int ctl_change_reload(struct ctl_change *change, struct settings_error *error);

/*
 * With CONFIRM the change undoes itself after SETTINGS_CONFIRM_SECONDS. While one waits,
 * a further one needs CONFIRM too (both are undone together, at the first one's time),
 * else it is refused with -EBUSY.
 */
int ctl_change_set(struct ctl_change *change, const char *name, const char *value, bool confirm,
		   struct settings_error *error);
/* All of VALUES, {"name": "value"}, or none. */
int ctl_change_set_all(struct ctl_change *change, const json_t *values, bool confirm,
		       struct settings_error *error);
/* All settings from WHOLE, as settings_json() gives them, but the machine's own
 * (settings_is_machines()), which stay. */
int ctl_change_restore(struct ctl_change *change, const json_t *whole, bool confirm,
		       struct settings_error *error);
int ctl_change_forward_add(struct ctl_change *change, const json_t *forward, bool confirm,
			   struct settings_error *error);
int ctl_change_forward_remove(struct ctl_change *change, const char *key, bool confirm,
			      struct settings_error *error);
/* STEPS 1 while a change waits takes that change back at once. */
int ctl_change_rollback(struct ctl_change *change, unsigned int steps, bool confirm,
			struct settings_error *error);
int ctl_change_confirm(struct ctl_change *change, struct settings_error *error);

/*
 * With WANTED the changes above are only tried: *WANTED becomes the settings that they would
 * lead to, the caller's to free, and nothing has changed. NULL: from now on they count again.
 */
void ctl_change_rehearse(struct ctl_change *change, struct settings **wanted);

/* Seconds until an unconfirmed change is undone; 0: nothing waits. */
unsigned int ctl_change_seconds_left(const struct ctl_change *change);

/* The newest generation's number (conf/store.h): what stood before the last change. 0: none. */
unsigned int ctl_change_generation(const struct ctl_change *change);

/* {"file", "settings", "confirm_within_s", "generations"}, and "waiting", the difference that
 * the wait for confirmation is about; a new reference or NULL. */
json_t *ctl_change_json(const struct ctl_change *change);

#endif
