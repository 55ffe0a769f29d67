/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history: changes with their differences, what the gateway saw, bounded, in words. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "conf/field.h"
#include "conf/load.h"
#include "ctl/audit.h"
#include "ctl/difference.h"
#include "ctl/story_text.h"
#include "daemon/story_tunnels.h"

#define BEGIN "wan: {interface: wan0}\nlan: {interfaces: [lan0]}\n"

static char dir[] = "/tmp/wayleave-history-XXXXXX";
static struct ctl_audit *audit;

static int begin(void **state)
{
	strcpy(dir, "/tmp/wayleave-history-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	audit = ctl_audit_new();
	return ctl_audit_open(audit, dir);
}

static int end(void **state)
{
	char command[80];

	ctl_audit_free(audit);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void did(const char *action, const char *what, const char *result)
{
	const struct audit_entry entry = {
		.who = "uid 0", .action = action, .what = what, .result = result};

	ctl_audit_add(audit, &entry);
}

/* Borrowed from a list that lives until the next call. */
static const json_t *nth(uint64_t n)
{
	static json_t *items;

	json_decref(items);
	items = json_array();
	ctl_history_list(audit, n, 1, items);
	return json_array_get(items, 0);
}

static void assert_member(uint64_t n, const char *name, const char *value)
{
	assert_string_equal(json_string_value(json_object_get(nth(n), name)), value);
}

static size_t history_count(void)
{
	json_t *items = json_array();
	uint64_t cursor = 0;

	do
		cursor = ctl_history_list(audit, cursor, 100, items);
	while (cursor);
	size_t count = json_array_size(items);
	json_decref(items);
	return count;
}

/* --- one list of two --------------------------------------------------------------------- */

static void changes_and_events_are_one_list(void **state)
{
	did("login", NULL, "ok");
	ctl_history_event(audit, "wan", "carrier", json_pack("{s:b}", "up", 0));
	did("set", "passthrough.pptp: on -> off", "ok");
	sleep(1); /* to the second */
	ctl_history_event(audit, "wan", "carrier", json_pack("{s:b}", "up", 1));
	assert_int_equal(history_count(), 4);
	assert_member(0, "kind", "wan");
	assert_true(json_is_true(json_object_get(nth(0), "up")));
	ctl_audit_free(audit);
	audit = ctl_audit_new();
	assert_int_equal(ctl_audit_open(audit, dir), 0);
	assert_int_equal(history_count(), 4);
	assert_member(0, "kind", "wan");
	assert_null(nth(4));
	size_t access = 0, change = 0;
	for (size_t n = 1; n < 4; n++) {
		access += !strcmp(json_string_value(json_object_get(nth(n), "kind")), "access");
		change += !strcmp(json_string_value(json_object_get(nth(n), "kind")), "change");
	}
	assert_int_equal(access, 1);
	assert_int_equal(change, 1);
}

static void events_push_no_login_out_and_are_not_written_without_end(void **state)
{
	did("login", NULL, "wrong");
	for (int i = 0; i < 3000; i++)
		ctl_history_event(audit, "tunnel", "failed", json_pack("{s:i}", "n", i));
	assert_in_range(history_count(), EVENTS_BURST + 1, EVENTS_BURST + 3);
	assert_member(history_count() - 1, "kind", "access");
}

static void a_cut_line_spoils_no_other(void **state)
{
	char path[80];

	did("set", "whole", "ok");
	snprintf(path, sizeof(path), "%s/audit.jsonl", dir);
	FILE *file = fopen(path, "ae");
	fputs("{\"at\":\"2026-", file);
	fclose(file);
	assert_int_equal(ctl_audit_open(audit, dir), 0);
	did("set", "after", "ok");
	assert_int_equal(ctl_audit_open(audit, dir), 0);
	assert_int_equal(history_count(), 2);
	assert_member(0, "what", "after");
}

/* --- differences ------------------------------------------------------------------------------ */

static struct settings *parse(const char *text)
{
	struct settings *settings;
	struct settings_error error;

	assert_int_equal(settings_parse(text, strlen(text), "", &settings, &error), 0);
	return settings;
}

static void assert_difference(const char *before, const char *after, const char *wanted)
{
	struct settings *a = parse(before), *b = parse(after);
	char *text = ctl_difference(a, b);

	assert_string_equal(text, wanted);
	free(text);
	settings_free(a);
	settings_free(b);
}

static void a_difference_is_in_words(void **state)
{
	assert_difference(BEGIN, BEGIN "passthrough: {pptp: off}\nstate_dir: /x\n",
			  "passthrough.pptp: on -> off, state_dir: none -> /x");
	assert_difference(BEGIN
			  "port_forwards: [{name: a, protocol: udp, port: 1, port_last: 9, to: "
			  "10.0.0.2, to_port: 11}]\n",
			  BEGIN "port_forwards: [{protocol: esp, to: 10.0.0.3}]\n",
			  "port forward removed: udp 1-9 -> 10.0.0.2:11 (a), port forward added: "
			  "esp -> 10.0.0.3");
	assert_difference(BEGIN, BEGIN, "");
}

/* --- tunnels ------------------------------------------------------------------------------------
 */

static struct story_tunnels tunnels;

/* What is told of one that is in STATE now; "": nothing. */
static const char *seen(const char *device, const char *state)
{
	static char told[32];
	json_t *document =
		json_pack("{s:s, s:s, s:s, s:s, s:[s]}", "device", device, "kind", "pptp", "server",
			  "198.51.100.1", "state", state, "evidence", "Why.");
	const char *action = "";
	json_t *facts = story_tunnel_seen(&tunnels, document, 1000, &action);

	snprintf(told, sizeof(told), "%s", facts ? action : "");
	if (facts)
		assert_string_equal(json_string_value(json_object_get(facts, "why")), "Why.");
	json_decref(facts);
	json_decref(document);
	return told;
}

static size_t gone(void)
{
	json_t *facts;
	size_t count = 0;

	for (; (facts = story_tunnel_gone(&tunnels, 1000)); count++)
		json_decref(facts);
	story_pass_over(&tunnels);
	return count;
}

static void a_tunnel_tells_of_what_is_new(void **state)
{
	memset(&tunnels, 0, sizeof(tunnels));
	assert_string_equal(seen("10.0.0.2", "connecting"), "");
	assert_string_equal(seen("10.0.0.2", "up"), "up");
	assert_string_equal(seen("10.0.0.2", "up"), "");
	assert_string_equal(seen("10.0.0.2", "stale"), "");
	assert_string_equal(seen("10.0.0.2", "up"), "");
	assert_string_equal(seen("10.0.0.3", "failed"), "failed");
	assert_string_equal(seen("10.0.0.2", "failed"), "failed");
	assert_string_equal(seen("10.0.0.2", "up"), "up");
	assert_int_equal(gone(), 0);
	/* one pass without it may be a list that has turned; a failed one does not end */
	assert_int_equal(gone(), 0);
	assert_int_equal(gone(), 1);
	assert_int_equal(tunnels.count, 0);
	assert_string_equal(seen("10.0.0.2", "up"), "up");
}

static void one_device_does_not_fill_the_list(void **state)
{
	size_t told = 0;

	memset(&tunnels, 0, sizeof(tunnels));
	for (int i = 0; i < 100; i++)
		told += *seen("10.0.0.2", i % 2 ? "up" : "failed") != '\0';
	assert_int_equal(told, STORY_SHARE);
	assert_string_equal(seen("10.0.0.3", "up"), "up");
	for (int i = 0; i < 2 * STORY_TUNNELS; i++) {
		char device[32];

		snprintf(device, sizeof(device), "10.1.%d.%d", i / 256, i % 256);
		seen(device, "up");
	}
	assert_int_equal(tunnels.count, STORY_TUNNELS);
}

static void what_an_earlier_run_had_is_not_new(void **state)
{
	memset(&tunnels, 0, sizeof(tunnels));
	tunnels.silent_until_s = 1001;
	assert_string_equal(seen("10.0.0.2", "up"), "");
	tunnels.silent_until_s = 0;
	assert_string_equal(seen("10.0.0.2", "up"), "");
	assert_string_equal(seen("10.0.0.2", "failed"), "failed");
}

/* --- in words -----------------------------------------------------------------------------------
 */

static void assert_words(json_t *entry, const char *who, const char *what)
{
	char text[256];

	assert_non_null(entry);
	story_who(entry, text, sizeof(text));
	assert_string_equal(text, who);
	story_what(entry, text, sizeof(text));
	assert_string_equal(text, what);
	json_decref(entry);
}

static void entries_in_words(void **state)
{
	char when[32];
	json_t *entry = json_pack("{s:s}", "at", "2026-01-31T10:00:07Z");

	setenv("TZ", "UTC-1", 1);
	tzset();
	story_when(entry, when, sizeof(when));
	assert_string_equal(when, "2026-01-31 11:00:07");
	json_decref(entry);
	assert_words(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "kind", "change", "who", "page",
			       "source", "10.0.0.9", "action", "set", "what",
			       "passthrough.pptp: on -> off", "result", "ok"),
		     "page 10.0.0.9", "changed: passthrough.pptp: on -> off");
	assert_words(json_pack("{s:s, s:s, s:s, s:s, s:s}", "kind", "change", "who", "uid 0",
			       "action", "set", "what", "timeouts.udp: 300 -> 1", "result",
			       "invalid-setting"),
		     "root", "changed: timeouts.udp: 300 -> 1 - refused (invalid-setting)");
	assert_words(json_pack("{s:s, s:s, s:s, s:s}", "kind", "wan", "action", "address",
			       "interface", "ppp0", "after", "203.0.113.1"),
		     "gateway", "ppp0: WAN address none -> 203.0.113.1");
	assert_words(json_pack("{s:s, s:s, s:s, s:b}", "kind", "wan", "action", "carrier",
			       "interface", "eth0", "up", 0),
		     "gateway", "eth0: cable or link disconnected");
	assert_words(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "kind", "tunnel", "action",
			       "failed", "device", "10.0.0.2", "device_name", "phone", "protocol",
			       "pptp", "server", "198.51.100.1", "why", "No answer."),
		     "gateway", "phone (10.0.0.2): pptp to 198.51.100.1: failed (No answer.)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changes_and_events_are_one_list, begin, end),
		cmocka_unit_test_setup_teardown(
			events_push_no_login_out_and_are_not_written_without_end, begin, end),
		cmocka_unit_test_setup_teardown(a_cut_line_spoils_no_other, begin, end),
		cmocka_unit_test(a_difference_is_in_words),
		cmocka_unit_test(a_tunnel_tells_of_what_is_new),
		cmocka_unit_test(one_device_does_not_fill_the_list),
		cmocka_unit_test(what_an_earlier_run_had_is_not_new),
		cmocka_unit_test(entries_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
