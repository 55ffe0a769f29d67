/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of running settings: the 60 seconds of an unconfirmed one (made short
 * here), apply before save, and what happens when either fails.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "conf/load.h"
#include "conf/store.h"
#include "ctl/change.h"

static char directory[64], path[96];
static struct event_base *base;
static struct ctl_change *change;
static struct settings_error error;

/* Takes libevent's place: SETTINGS_CONFIRM_SECONDS pass in 20 ms. */
int event_add(struct event *event, const struct timeval *after)
{
	int (*real)(struct event *, const struct timeval *);
	struct timeval soon = {.tv_usec = 20000};

	*(void **)&real = dlsym(RTLD_NEXT, "event_add");
	return real(event, after && after->tv_sec == SETTINGS_CONFIRM_SECONDS ? &soon : after);
}

/* --- a daemon -------------------------------------------------------------------------- */

static uint32_t followed; /* the UDP timeout that the daemon follows */
static int applied;
static bool refuse;

static int apply(void *daemon, const struct settings *present, const struct settings *wanted,
		 struct settings_error *reason)
{
	if (refuse)
		return settings_error_set(reason, -EIO, "timeouts.udp", "the map is gone");
	followed = wanted->timeouts.udp;
	applied++;
	return 0;
}

static void file_write(const char *text)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
}

#define WAN_LAN "wan: {interface: wan0}\nlan: {interfaces: [lan0]}\n"

static int start(void **state)
{
	struct settings *settings;

	strcpy(directory, "/tmp/wayleave-change-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/w.yaml", directory);
	file_write(WAN_LAN);
	base = event_base_new();
	followed = 300;
	applied = 0;
	refuse = false;
	assert_int_equal(settings_load(path, &settings, &error), 0);
	change = ctl_change_new(base, path, settings, apply, NULL);
	return change ? 0 : -1;
}

static int stop(void **state)
{
	char command[128];

	ctl_change_free(change);
	event_base_free(base);
	libevent_global_shutdown();
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command);
}

static uint32_t saved(void)
{
	struct settings *settings;

	assert_int_equal(settings_load(path, &settings, &error), 0);
	uint32_t udp = settings->timeouts.udp;
	settings_free(settings);
	return udp;
}

static void expect(uint32_t udp)
{
	assert_int_equal(followed, udp);
	assert_int_equal(saved(), udp);
	assert_int_equal(ctl_change_settings(change)->timeouts.udp, udp);
}

static int set(const char *value, bool confirm)
{
	return ctl_change_set(change, "timeouts.udp", value, confirm, &error);
}

/* --- the tests ---------------------------------------------------------------------------- */

static void without_confirmation_it_undoes_itself(void **state)
{
	assert_int_equal(set("400", true), 0);
	expect(400);
	assert_in_range(ctl_change_seconds_left(change), 58, 60);
	event_base_dispatch(base);
	expect(300);
	assert_int_equal(ctl_change_seconds_left(change), 0);
	assert_false(settings_store_pending(path));
}

/* The newest entry's member NAME; "" without an entry. */
static const char *audit_tells(struct ctl_audit *audit, const char *name)
{
	static char text[256];
	json_t *items = json_array();

	ctl_audit_list(audit, 0, 1, items);
	const char *value = json_string_value(json_object_get(json_array_get(items, 0), name));
	snprintf(text, sizeof(text), "%s", value ? value : "");
	json_decref(items);
	return text;
}

static void what_nobody_confirmed_is_in_the_audit_log(void **state)
{
	struct ctl_audit *audit = ctl_audit_new();

	ctl_change_audit(change, audit);
	assert_int_equal(set("400", true), 0);
	assert_string_equal(audit_tells(audit, "action"), "");
	event_base_dispatch(base);
	assert_string_equal(audit_tells(audit, "who"), "wayleaved");
	assert_string_equal(audit_tells(audit, "action"), "undo");
	assert_string_equal(audit_tells(audit, "what"), "timeouts.udp: 400 -> 300");
	assert_string_equal(audit_tells(audit, "result"), "ok");
	ctl_audit_free(audit);
}

static void confirmed_it_stays(void **state)
{
	assert_int_equal(set("400", true), 0);
	assert_int_equal(ctl_change_confirm(change, &error), 0);
	event_base_dispatch(base);
	expect(400);
}

static void a_second_change_needs_confirmation_too(void **state)
{
	assert_int_equal(set("400", true), 0);
	assert_int_equal(set("500", false), -EBUSY);
	expect(400);
	assert_int_equal(set("500", true), 0);
	event_base_dispatch(base);
	expect(300);
}

static void rollback_takes_an_unconfirmed_change_back_at_once(void **state)
{
	assert_int_equal(set("400", true), 0);
	assert_int_equal(ctl_change_rollback(change, 1, false, &error), 0);
	expect(300);
	assert_int_equal(ctl_change_rollback(change, 7, false, &error), -ENOENT);
}

static void what_the_daemon_refuses_is_not_saved(void **state)
{
	refuse = true;
	assert_int_equal(set("400", false), -EIO);
	assert_string_equal(error.field, "timeouts.udp");
	expect(300);
	assert_int_equal(applied, 0);
}

static void what_cannot_be_saved_is_taken_back(void **state)
{
	char blocker[112];

	/* a file where the directory of generations belongs */
	snprintf(blocker, sizeof(blocker), "%s.d", path);
	FILE *file = fopen(blocker, "w");
	fclose(file);
	assert_true(set("400", false) < 0);
	expect(300);
	assert_int_equal(applied, 2);
}

static void a_reload_follows_the_file_and_ends_the_wait(void **state)
{
	assert_int_equal(set("400", true), 0);
	file_write(WAN_LAN "timeouts: {udp: 500}\n");
	assert_int_equal(ctl_change_reload(change, &error), 0);
	expect(500);
	event_base_dispatch(base);
	expect(500);
	file_write(WAN_LAN "timeouts: {udp: 5}\n");
	assert_int_equal(ctl_change_reload(change, &error), -EINVAL);
	assert_int_equal(error.line, 3);
	assert_int_equal(followed, 500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

/* What somebody asks about leads to the same settings or refusal, and changes nothing. */
static void a_rehearsal_changes_nothing(void **state)
{
	struct settings *wanted = NULL;

	ctl_change_rehearse(change, &wanted);
	assert_int_equal(set("400", false), 0);
	assert_int_equal(wanted->timeouts.udp, 400);
	assert_int_equal(set("5", false), -EINVAL);
	assert_int_equal(ctl_change_rollback(change, 1, false, &error), -ENOENT);
	ctl_change_rehearse(change, NULL);
	expect(300);
	assert_int_equal(applied, 0);

	assert_int_equal(set("500", true), 0);
	assert_int_equal(set("600", true), 0);
	ctl_change_rehearse(change, &wanted);
	assert_int_equal(ctl_change_rollback(change, 1, false, &error), 0);
	assert_int_equal(wanted->timeouts.udp, 300); /* as the first one's way back */
	assert_int_equal(set("700", false), -EBUSY);
	ctl_change_rehearse(change, NULL);
	expect(600);
	settings_free(wanted);
	event_base_dispatch(base);
	expect(300);
}

static int suspicious(void *daemon, const struct settings *present, const struct settings *wanted,
		      struct settings_error *reason)
{
	return wanted->timeouts.udp == 300
		       ? settings_error_set(reason, -EINVAL, "timeouts.udp", "not that again")
		       : 0;
}

/* Whom a check would keep from going back has no way out of an unconfirmed change. */
static void a_check_refuses_a_change_but_never_the_way_back(void **state)
{
	assert_int_equal(set("400", true), 0);
	ctl_change_check(change, suspicious);
	assert_int_equal(set("300", true), -EINVAL);
	expect(400);
	event_base_dispatch(base);
	expect(300);
	assert_int_equal(set("400", false), 0);
	assert_int_equal(ctl_change_rollback(change, 1, false, &error), -EINVAL);
	file_write(WAN_LAN);
	assert_int_equal(ctl_change_reload(change, &error), -EINVAL);
	assert_int_equal(followed, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_confirmation_it_undoes_itself),
		TEST(what_nobody_confirmed_is_in_the_audit_log),
		TEST(confirmed_it_stays),
		TEST(a_second_change_needs_confirmation_too),
		TEST(rollback_takes_an_unconfirmed_change_back_at_once),
		TEST(what_the_daemon_refuses_is_not_saved),
		TEST(what_cannot_be_saved_is_taken_back),
		TEST(a_reload_follows_the_file_and_ends_the_wait),
		TEST(a_rehearsal_changes_nothing),
		TEST(a_check_refuses_a_change_but_never_the_way_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
