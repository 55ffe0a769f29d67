/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/network_setup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/field.h"
#include "daemon/gateway.h"
#include "daemon/log.h"
#include "daemon/monotonic.h"
#include "daemon/state_file.h"
#include "netsetup/machine.h"
#include "netsetup/plan.h"
#include "netsetup/store.h"
#include "netsetup/units.h"

#define FILE_NAME	"network.json"
#define UNDO_RETRY_S	5
#define RESTART_AFTER_S 1 /* the answer is on its way by then */

struct network_setup {
	struct gateway *gateway;
	/* {"kept": files, "settings": {}, "address", "units", "waiting"}; NULL: nothing to undo */
	json_t *record;
	struct event *deadline, *restart;
	json_t *units; /* that wait to be restarted; NULL: none */
	uint64_t deadline_ms;
};

static const char *const names[] = {"wan.interface", "lan.interfaces"};
#define NAMES (sizeof(names) / sizeof(*names))

static bool is_waiting(const struct network_setup *setup)
{
	return json_is_true(json_object_get(setup->record, "waiting"));
}

static unsigned int within_s(const struct network_setup *setup)
{
	return (unsigned int)json_integer_value(json_object_get(setup->record, "within_s"));
}

/* --- restarting what reads the files ------------------------------------------------------ */

static void unit_restart(const char *unit)
{
	int rc = units_restart(unit);

	if (rc == -ENOENT)
		log_notice("%s is not there to be restarted", unit);
	else if (rc)
		log_warning("%s could not be restarted: %s", unit, strerror(-rc));
}

static void restart_now(evutil_socket_t fd, short what, void *context)
{
	struct network_setup *setup = context;
	const json_t *unit;
	size_t i;

	json_array_foreach (setup->units, i, unit)
		unit_restart(json_string_value(unit));
	json_decref(setup->units);
	setup->units = NULL;
}

static void restart_soon(struct network_setup *setup, json_t *units)
{
	const struct timeval after = {.tv_sec = RESTART_AFTER_S};

	json_decref(setup->units);
	setup->units = json_incref(units);
	event_add(setup->restart, &after);
}

/* --- the settings that belong to it --------------------------------------------------------- */

static json_t *settings_values(const struct settings *settings)
{
	json_t *values = json_object();
	char *value;

	for (size_t i = 0; i < NAMES; i++) {
		if (settings_get(settings, names[i], &value))
			continue;
		json_object_set_new(values, names[i], json_string(value));
		free(value);
	}
	return values;
}

static int settings_follow(struct network_setup *setup, const json_t *values,
			   struct settings_error *error)
{
	json_t *present = settings_values(setup->gateway->settings);
	bool same = json_equal(present, values);

	json_decref(present);
	return same ? 0 : ctl_change_set_all(setup->gateway->change, values, false, error);
}

/* --- taking it back ---------------------------------------------------------------------- */

static void wait_start(struct network_setup *setup, unsigned int seconds)
{
	const struct timeval after = {.tv_sec = seconds};

	setup->deadline_ms = monotonic_ms() + seconds * 1000ull;
	event_add(setup->deadline, &after);
}

/* Takes RECORD. */
static int record_keep(struct network_setup *setup, json_t *record, struct settings_error *error)
{
	int rc = record ? state_write_now(setup->gateway->settings, FILE_NAME, record) : -ENOMEM;

	if (rc) {
		json_decref(record);
		return settings_error_set(error, rc, "", "what was there cannot be kept: %s",
					  strerror(-rc));
	}
	json_decref(setup->record);
	setup->record = record;
	return 0;
}

static int all_undo(struct network_setup *setup, struct settings_error *error)
{
	json_t *record = setup->record;
	int rc = store_restore("", json_object_get(record, "kept"), error);

	if (!rc)
		rc = settings_follow(setup, json_object_get(record, "settings"), error);
	if (rc)
		return rc;
	event_del(setup->deadline);
	restart_soon(setup, json_object_get(record, "units"));
	return record_keep(setup, json_object(), error);
}

static void time_over(evutil_socket_t fd, short what, void *context)
{
	struct network_setup *setup = context;
	struct settings_error error = {0};
	struct audit_entry entry = {.who = "wayleaved",
				    .action = "network",
				    .what = "undo: nobody confirmed it",
				    .result = "ok"};
	int rc = all_undo(setup, &error);

	if (rc) {
		log_error("the network setup cannot be taken back: %s", error.message);
		wait_start(setup, UNDO_RETRY_S);
		entry.result = "failed";
	} else {
		log_notice("nobody confirmed the network setup: it was taken back");
	}
	ctl_audit_add(setup->gateway->audit, &entry);
}

/* --- what is asked --------------------------------------------------------------------------- */

static int network_look(void *daemon, json_t **result)
{
	struct gateway *gateway = daemon;
	const struct network_setup *setup = gateway->network;
	uint64_t now_ms = monotonic_ms();
	json_int_t left_s = setup->deadline_ms > now_ms
				    ? (json_int_t)((setup->deadline_ms - now_ms + 999) / 1000)
				    : 1;

	*result = json_pack("{s:o, s:o, s:I, s:b}", "ports", machine_ports(), "settings",
			    settings_values(gateway->settings), "confirm_within_s",
			    is_waiting(setup) ? left_s : (json_int_t)0, "undo",
			    json_object_size(setup->record) > 0);
	if (*result && is_waiting(setup))
		json_object_set(*result, "address", json_object_get(setup->record, "address"));
	return *result ? 0 : -ENOMEM;
}

static int network_plan(void *daemon, const json_t *said, json_t **result,
			struct settings_error *error)
{
	struct answers answers;
	struct files files;
	int rc = answers_read(said, &answers, error);

	if (rc)
		return rc;
	*result = plan_make("", &answers, &files, error);
	files_free(&files);
	explicit_bzero(&answers, sizeof(answers));
	return *result ? 0 : -EINVAL;
}

static json_t *record_make(const struct network_setup *setup, const json_t *plan,
			   struct settings_error *error)
{
	json_t *kept = store_keep("", error);

	if (!kept)
		return NULL;
	return json_pack("{s:o, s:o, s:O, s:O, s:b, s:O}", "kept", kept, "settings",
			 settings_values(setup->gateway->settings), "address",
			 json_object_get(plan, "address"), "units", json_object_get(plan, "units"),
			 "waiting", true, "within_s", json_object_get(plan, "within_s"));
}

/* What was there is on the disk before anything changes: a crash in between is undone. */
static int all_write(struct network_setup *setup, const json_t *plan, const struct files *files,
		     struct settings_error *error)
{
	json_t *record = record_make(setup, plan, error);
	struct settings_error ignored;
	int rc = record ? record_keep(setup, record, error) : -EIO;

	if (rc)
		return rc;
	rc = store_write("", files, error);
	if (!rc)
		rc = settings_follow(setup, json_object_get(plan, "settings"), error);
	if (rc) {
		store_restore("", json_object_get(setup->record, "kept"), &ignored);
		record_keep(setup, json_object(), &ignored);
		return rc;
	}
	restart_soon(setup, json_object_get(plan, "units"));
	wait_start(setup, within_s(setup));
	return 0;
}

static int network_apply(void *daemon, const json_t *said, struct settings_error *error)
{
	struct network_setup *setup = ((struct gateway *)daemon)->network;
	struct answers answers;
	struct files files;
	json_t *plan;
	int rc = answers_read(said, &answers, error);

	if (!rc && is_waiting(setup))
		rc = settings_error_set(error, -EBUSY, "",
					"a network setup waits for confirmation; confirm it or "
					"undo it first");
	if (rc)
		return rc;
	plan = plan_make("", &answers, &files, error);
	if (plan && plan_lacks(plan, error))
		rc = -EINVAL;
	else
		rc = plan ? all_write(setup, plan, &files, error) : -EINVAL;
	files_free(&files);
	explicit_bzero(&answers, sizeof(answers));
	json_decref(plan);
	return rc;
}

/* AT is where the page was asked; NULL: the console, which sees for itself. */
static int network_confirm(void *daemon, const char *at, struct settings_error *error)
{
	struct network_setup *setup = ((struct gateway *)daemon)->network;
	const char *address = json_string_value(json_object_get(setup->record, "address"));
	json_t *record;
	int rc;

	if (!is_waiting(setup))
		return settings_error_set(error, -ENOENT, "", "no network setup waits");
	if (at && (!address || strcmp(at, address) != 0))
		return settings_error_set(
			error, -EINVAL, "address",
			"confirm it from the page at %s: only then is it sure that "
			"devices reach it there",
			address ? address : "?");
	record = json_copy(setup->record);
	json_object_set_new(record, "waiting", json_false());
	rc = record_keep(setup, record, error);
	if (!rc)
		event_del(setup->deadline);
	return rc;
}

static int network_undo(void *daemon, struct settings_error *error)
{
	struct network_setup *setup = ((struct gateway *)daemon)->network;

	if (!json_object_size(setup->record))
		return settings_error_set(error, -ENOENT, "", "there is no network setup to undo");
	return all_undo(setup, error);
}

const struct ctl_network_provider network_setup_provider = {
	.look = network_look,
	.plan = network_plan,
	.apply = network_apply,
	.confirm = network_confirm,
	.undo = network_undo,
};

/* --- life --------------------------------------------------------------------------------------
 */

struct network_setup *network_setup_new(struct gateway *gateway)
{
	struct network_setup *setup = calloc(1, sizeof(*setup));

	if (!setup)
		return NULL;
	setup->gateway = gateway;
	setup->record = state_read(gateway->settings, FILE_NAME);
	setup->deadline = event_new(gateway->base, -1, 0, time_over, setup);
	setup->restart = event_new(gateway->base, -1, 0, restart_now, setup);
	if (!setup->deadline || !setup->restart) {
		network_setup_free(setup);
		return NULL;
	}
	if (is_waiting(setup))
		wait_start(setup, within_s(setup));
	return setup;
}

void network_setup_free(struct network_setup *setup)
{
	if (!setup)
		return;
	if (setup->deadline)
		event_free(setup->deadline);
	if (setup->restart)
		event_free(setup->restart);
	json_decref(setup->units);
	json_decref(setup->record);
	free(setup);
}
