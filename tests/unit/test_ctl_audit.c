/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The audit log: bounded, newest first, there again after a restart, and one line each. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "ctl/audit.h"

static char dir[] = "/tmp/wayleave-audit-XXXXXX";
static char path[64], older[64];
static struct ctl_audit *audit;

static int folder_make(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/audit.jsonl", dir);
	snprintf(older, sizeof(older), "%s/audit.jsonl.1", dir);
	return 0;
}

static int folder_remove(void **state)
{
	char events[64];

	snprintf(events, sizeof(events), "%s/events.jsonl", dir);
	unlink(events);
	unlink(path);
	unlink(older);
	return rmdir(dir);
}

static int begin(void **state)
{
	unlink(path);
	unlink(older);
	audit = ctl_audit_new();
	return ctl_audit_open(audit, dir);
}

static int end(void **state)
{
	ctl_audit_free(audit);
	return 0;
}

static void add(const char *what)
{
	const struct audit_entry entry = {.who = "page",
					  .source = "192.168.1.2",
					  .action = "set",
					  .what = what,
					  .result = "ok"};

	ctl_audit_add(audit, &entry);
}

/* What the entry at PLACE, counted from the newest, is about. */
static const char *what_of(uint64_t place)
{
	static char text[AUDIT_TEXT_MAX_BYTES + 1];
	json_t *items = json_array();

	ctl_audit_list(audit, place, 1, items);
	const char *what = json_string_value(json_object_get(json_array_get(items, 0), "what"));
	snprintf(text, sizeof(text), "%s", what ? what : "");
	json_decref(items);
	return text;
}

static void the_newest_comes_first_and_pages_go_on(void **state)
{
	json_t *items = json_array();
	char what[32];

	for (int i = 0; i < 25; i++) {
		snprintf(what, sizeof(what), "change %d", i);
		add(what);
	}
	assert_int_equal(ctl_audit_list(audit, 0, 10, items), 10);
	assert_int_equal(ctl_audit_list(audit, 10, 10, items), 20);
	assert_int_equal(ctl_audit_list(audit, 20, 10, items), 0);
	assert_int_equal(json_array_size(items), 25);
	assert_int_equal(ctl_audit_list(audit, 99, 10, items), 0);
	assert_string_equal(what_of(0), "change 24");
	assert_string_equal(what_of(24), "change 0");
	json_decref(items);
}

static void it_is_there_again_after_a_restart(void **state)
{
	add("before");
	ctl_audit_free(audit);
	audit = ctl_audit_new();
	assert_int_equal(ctl_audit_open(audit, dir), 0);
	add("after");
	assert_string_equal(what_of(0), "after");
	assert_string_equal(what_of(1), "before");
}

static void a_line_that_was_cut_is_left_out(void **state)
{
	struct stat info;

	add("whole");
	add("cut");
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(truncate(path, info.st_size - 10), 0);
	assert_int_equal(ctl_audit_open(audit, dir), 0);
	assert_string_equal(what_of(0), "whole");
}

static void two_files_bounded_and_nobody_elses(void **state)
{
	struct stat info;
	char what[AUDIT_TEXT_MAX_BYTES];

	memset(what, 'x', sizeof(what) - 1);
	what[sizeof(what) - 1] = '\0';
	for (int i = 0; i < 4000; i++)
		add(what);
	assert_int_equal(stat(path, &info), 0);
	assert_true(info.st_size <= AUDIT_FILE_MAX_BYTES + 1024);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(stat(older, &info), 0);
	assert_true(info.st_size <= AUDIT_FILE_MAX_BYTES + 1024);
	assert_string_equal(what_of(AUDIT_ENTRIES - 1), what);
	assert_string_equal(what_of(AUDIT_ENTRIES), "");
}

static void other_peoples_bytes_make_no_line_of_their_own(void **state)
{
	char longer[1000];

	add("a\n{\"at\":\"never\"}\n\x1b[31m\xff");
	assert_string_equal(what_of(0), "a?{\"at\":\"never\"}??[31m?");
	memset(longer, 'y', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	add(longer);
	assert_int_equal(strlen(what_of(0)), AUDIT_TEXT_MAX_BYTES);
}

static void without_a_folder_it_is_in_memory(void **state)
{
	assert_true(ctl_audit_open(audit, "/nonexistent/folder") < 0);
	add("kept");
	assert_string_equal(what_of(0), "kept");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_newest_comes_first_and_pages_go_on, begin, end),
		cmocka_unit_test_setup_teardown(it_is_there_again_after_a_restart, begin, end),
		cmocka_unit_test_setup_teardown(a_line_that_was_cut_is_left_out, begin, end),
		cmocka_unit_test_setup_teardown(two_files_bounded_and_nobody_elses, begin, end),
		cmocka_unit_test_setup_teardown(other_peoples_bytes_make_no_line_of_their_own,
						begin, end),
		cmocka_unit_test_setup_teardown(without_a_folder_it_is_in_memory, begin, end),
	};
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
