/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The settings file on disk: generations, roll back, confirmation; and both a crash
 * and an error at every step that changes a file system.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "conf/field.h"
#include "conf/load.h"
#include "conf/store.h"

#define CRASHED 99

/* --- a file system that crashes or fails ------------------------------------------------ */

/* Steps until it happens; negative: never. */
static int crash_after = -1, fail_after = -1;

static bool step_fails(void)
{
	if (crash_after == 0)
		_exit(CRASHED);
	if (crash_after > 0)
		crash_after--;
	if (fail_after < 0)
		return false;
	errno = ENOSPC;
	return fail_after-- == 0;
}

/* These take the C library's place for the code under test. */
int rename(const char *from, const char *to)
{
	return step_fails() ? -1 : (int)syscall(SYS_rename, from, to);
}

int fsync(int fd)
{
	return step_fails() ? -1 : (int)syscall(SYS_fsync, fd);
}

int unlink(const char *path)
{
	return step_fails() ? -1 : (int)syscall(SYS_unlink, path);
}

int mkdir(const char *path, mode_t mode)
{
	return step_fails() ? -1 : (int)syscall(SYS_mkdir, path, mode);
}

int fchmod(int fd, mode_t mode)
{
	return step_fails() ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

/* --- a directory per test ----------------------------------------------------------------- */

static char directory[64];
static char path[96];

static int start(void **state)
{
	strcpy(directory, "/tmp/wayleave-store-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/w.yaml", directory);
	FILE *file = fopen(path, "w");
	fputs("# mine\nwan: {interface: wan0}\nlan: {interfaces: [lan0]}\n", file);
	fclose(file);
	return chmod(path, 0640);
}

static int stop(void **state)
{
	char command[128];

	crash_after = fail_after = -1;
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command);
}

static struct settings *load(const char *from)
{
	struct settings *settings;
	struct settings_error error;
	char text[512];

	if (settings_load(from, &settings, &error) != 0)
		fail_msg("%s", settings_error_text(&error, text, sizeof(text)));
	return settings;
}

/* Saves the present settings with that UDP timeout. */
static int save(const char *timeout, bool confirm)
{
	struct settings_error error;
	struct settings *settings = load(path);

	assert_int_equal(settings_set(settings, "timeouts.udp", timeout, &error), 0);
	int rc = settings_store_save(path, settings, confirm, &error);
	settings_free(settings);
	return rc;
}

static unsigned int present(void)
{
	struct settings *settings = load(path);
	unsigned int udp = settings->timeouts.udp;

	settings_free(settings);
	return udp;
}

static bool resolve(void)
{
	struct settings_error error;
	bool undone;

	assert_int_equal(settings_store_resolve(path, &undone, &error), 0);
	return undone;
}

static unsigned int older(unsigned int steps)
{
	struct settings *settings;
	struct settings_error error;

	if (settings_store_older(path, steps, &settings, &error) != 0)
		return 0;
	unsigned int udp = settings->timeouts.udp;
	settings_free(settings);
	return udp;
}

/* --- saving and going back -------------------------------------------------------------------- */

static void older_generations_are_kept_newest_first(void **state)
{
	struct settings_generation list[32];
	char timeout[16];

	for (unsigned int i = 0; i < 30; i++) {
		snprintf(timeout, sizeof(timeout), "%u", 400 + i);
		assert_int_equal(save(timeout, false), 0);
	}
	assert_int_equal(present(), 429);
	for (unsigned int steps = 1; steps <= SETTINGS_GENERATIONS; steps++)
		assert_int_equal(older(steps), 429 - steps);
	int count = settings_store_list(path, list, 32);
	assert_in_range(count, SETTINGS_GENERATIONS, SETTINGS_GENERATIONS + 1);
	assert_true(list[0].number > list[1].number && list[0].saved_at > 0);
	assert_int_equal(older(count + 1), 0);
}

static void the_first_generation_is_the_file_as_its_owner_wrote_it(void **state)
{
	char first[128], text[64] = "";
	struct stat status;

	assert_int_equal(save("400", false), 0);
	snprintf(first, sizeof(first), "%s.d/000001.yaml", path);
	FILE *file = fopen(first, "r");
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_string_equal(text, "# mine\n");
	assert_int_equal(stat(first, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
}

static void a_symbolic_link_stays_one(void **state)
{
	char real[96];
	struct stat status;
	struct settings_error error;

	snprintf(real, sizeof(real), "%s/real.yaml", directory);
	assert_int_equal(rename(path, real), 0);
	assert_int_equal(symlink(real, path), 0);
	struct settings *settings = load(path);
	assert_int_equal(settings_store_save(path, settings, false, &error), 0);
	settings_free(settings);
	assert_int_equal(lstat(path, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
}

static void nothing_is_saved_that_cannot_be_read_back(void **state)
{
	struct settings_generation list[2];
	struct settings_error error;
	struct settings *settings = load(path);

	settings->timeouts.udp = 5;
	assert_int_equal(settings_store_save(path, settings, true, &error), -EINVAL);
	assert_string_equal(error.field, "timeouts.udp");
	assert_non_null(strstr(error.message, "not saved"));
	settings_free(settings);
	assert_false(settings_store_pending(path));
	assert_int_equal(settings_store_list(path, list, 2), 0);
	assert_int_equal(present(), 300);
}

/* The first above what 15 bits hold, one that is even as signed, the last. */
static void a_number_that_is_saved_is_the_one_that_is_read(void **state)
{
	static const char *const clamps[] = {"536", "32767", "32768", "40000", "65495"};

	for (size_t i = 0; i < sizeof(clamps) / sizeof(*clamps); i++) {
		struct settings *settings = load(path);
		struct settings_error error;

		assert_int_equal(settings_set(settings, "mss_clamp", clamps[i], &error), 0);
		assert_int_equal(settings_store_save(path, settings, false, &error), 0);
		settings_free(settings);
		settings = load(path);
		assert_int_equal(settings->mss_clamp, atoi(clamps[i]));
		settings_free(settings);
	}
}

/* --- confirmation ------------------------------------------------------------------- */

static void an_unconfirmed_change_is_undone_at_the_next_start(void **state)
{
	assert_false(resolve());
	assert_int_equal(save("400", true), 0);
	assert_true(settings_store_pending(path));
	assert_int_equal(present(), 400);
	assert_true(resolve());
	assert_int_equal(present(), 300);
	assert_false(settings_store_pending(path));
	assert_false(resolve());
}

static void a_confirmed_change_stays(void **state)
{
	struct settings_error error;

	assert_int_equal(save("400", true), 0);
	assert_int_equal(settings_store_confirm(path, &error), 0);
	assert_false(resolve());
	assert_int_equal(present(), 400);
	assert_int_equal(settings_store_confirm(path, &error), -ENOENT);
}

static void two_unconfirmed_changes_go_back_to_before_both(void **state)
{
	char timeout[16];

	assert_int_equal(save("400", false), 0);
	assert_int_equal(save("401", true), 0);
	for (int i = 0; i < 2 * SETTINGS_GENERATIONS; i++) {
		snprintf(timeout, sizeof(timeout), "%d", 500 + i);
		assert_int_equal(save(timeout, true), 0);
	}
	assert_true(resolve());
	assert_int_equal(present(), 400);
}

/* --- crashes and errors ------------------------------------------------------------- */

/* In a process of its own; its exit code. */
static int save_crashing(int after, const char *timeout, bool confirm)
{
	int status;

	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		crash_after = after;
		_exit(save(timeout, confirm) ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void a_crash_at_any_step_leaves_old_or_new(void **state)
{
	int after = 0, code, old = 0, new = 0;

	do {
		assert_int_equal(save("300", false), 0);
		code = save_crashing(after++, "400", false);
		assert_false(resolve());
		unsigned int udp = present();
		assert_true(udp == 300 || udp == 400);
		old += udp == 300;
		new += udp == 400;
	} while (code == CRASHED && after < 100);
	assert_int_equal(code, 0);
	print_message("%d steps: %d times old, %d times new\n", after, old, new);
	assert_true(old > 3 && new > 0);
}

static void a_crash_at_any_step_of_an_unconfirmed_change_ends_with_the_old(void **state)
{
	int after = 0, code;

	do {
		assert_int_equal(save("300", false), 0);
		code = save_crashing(after++, "400", true);
		resolve();
		assert_int_equal(present(), 300);
		assert_false(settings_store_pending(path));
	} while (code == CRASHED && after < 100);
	assert_int_equal(code, 0);
}

static void a_crash_at_any_step_of_undoing_is_made_good_by_the_next(void **state)
{
	int after = 0, status;

	do {
		assert_int_equal(save("300", false), 0);
		assert_int_equal(save("400", true), 0);
		fflush(NULL);
		pid_t pid = fork();
		if (pid == 0) {
			crash_after = after;
			resolve();
			_exit(0);
		}
		waitpid(pid, &status, 0);
		after++;
		resolve();
		assert_int_equal(present(), 300);
		assert_false(settings_store_pending(path));
	} while (WEXITSTATUS(status) == CRASHED && after < 100);
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int temporaries(void)
{
	DIR *open_directory = opendir(directory);
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(open_directory)))
		count += strncmp(entry->d_name, "w.yaml.", 7) == 0 &&
			 strcmp(entry->d_name, "w.yaml.d") != 0;
	closedir(open_directory);
	return count;
}

/* Either an error and nothing has changed, or the change is there and waits. */
static void an_error_at_any_step_changes_nothing(void **state)
{
	int errors = 0;

	for (int after = 0; after < 30; after++) {
		assert_int_equal(save("300", false), 0);
		fail_after = after;
		int rc = save("400", true);
		fail_after = -1;
		assert_true(rc == 0 || rc == -ENOSPC);
		assert_int_equal(present(), rc ? 300 : 400);
		assert_int_equal(settings_store_pending(path), rc == 0);
		errors += rc != 0;
		assert_int_equal(resolve(), rc == 0);
		assert_int_equal(present(), 300);
		assert_int_equal(temporaries(), 0);
	}
	print_message("%d steps gave an error\n", errors);
	assert_true(errors >= 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(older_generations_are_kept_newest_first, start,
						stop),
		cmocka_unit_test_setup_teardown(
			the_first_generation_is_the_file_as_its_owner_wrote_it, start, stop),
		cmocka_unit_test_setup_teardown(a_symbolic_link_stays_one, start, stop),
		cmocka_unit_test_setup_teardown(nothing_is_saved_that_cannot_be_read_back, start,
						stop),
		cmocka_unit_test_setup_teardown(a_number_that_is_saved_is_the_one_that_is_read,
						start, stop),
		cmocka_unit_test_setup_teardown(an_unconfirmed_change_is_undone_at_the_next_start,
						start, stop),
		cmocka_unit_test_setup_teardown(a_confirmed_change_stays, start, stop),
		cmocka_unit_test_setup_teardown(two_unconfirmed_changes_go_back_to_before_both,
						start, stop),
		cmocka_unit_test_setup_teardown(a_crash_at_any_step_leaves_old_or_new, start, stop),
		cmocka_unit_test_setup_teardown(
			a_crash_at_any_step_of_an_unconfirmed_change_ends_with_the_old, start,
			stop),
		cmocka_unit_test_setup_teardown(
			a_crash_at_any_step_of_undoing_is_made_good_by_the_next, start, stop),
		cmocka_unit_test_setup_teardown(an_error_at_any_step_changes_nothing, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
