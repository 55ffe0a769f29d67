/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State files are written beside the event loop, at a bounded rate, in their newest version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/state_writer.h"

static char folder[] = "/tmp/state-writer-XXXXXX";
static char path[64];

static void content_is(const char *wanted)
{
	char text[64] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	assert_string_equal(text, wanted);
}

static int set_up(void **state)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/pairs.json", folder);
	return 0;
}

static int tear_down(void **state)
{
	unlink(path);
	return rmdir(folder);
}

/* How often the file was put in place since @fd was opened. */
static unsigned int times_replaced(int fd)
{
	_Alignas(struct inotify_event) char events[8192];
	ssize_t length = read(fd, events, sizeof(events));
	unsigned int times = 0;

	for (ssize_t at = 0; at < length;) {
		const struct inotify_event *event = (const void *)(events + at);

		times += event->mask & IN_MOVED_TO ? 1 : 0;
		at += sizeof(*event) + event->len;
	}
	return times;
}

static void without_a_thread_at_once(void **state)
{
	assert_int_equal(state_writer_put(path, strdup("one")), 0);
	content_is("one");
	assert_int_not_equal(state_writer_put("/nowhere/at/all", strdup("one")), 0);
}

/* A change with each packet: once at once, and once at the end, with what was last. */
static void many_changes_are_two_writes(void **state)
{
	int fd = inotify_init1(IN_NONBLOCK);
	char text[16];

	assert_true(inotify_add_watch(fd, folder, IN_MOVED_TO) >= 0);
	assert_int_equal(state_writer_start(), 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		assert_int_equal(state_writer_put(path, strdup(text)), 0);
	}
	state_writer_stop();
	content_is("999");
	assert_in_range(times_replaced(fd), 1, 2);
	close(fd);
}

static void it_starts_again(void **state)
{
	assert_int_equal(state_writer_start(), 0);
	assert_int_equal(state_writer_put(path, strdup("again")), 0);
	state_writer_stop();
	content_is("again");
	state_writer_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_thread_at_once),
		cmocka_unit_test(many_changes_are_two_writes),
		cmocka_unit_test(it_starts_again),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
