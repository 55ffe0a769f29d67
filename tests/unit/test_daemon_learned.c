/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was learned of servers: how long it is believed, what unlearns it, and what the files say of
 * it. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/habit_state.h"
#include "daemon/ike_state.h"
#include "daemon/state_file.h"

#define SERVER	 htonl(0xcb007109)
#define EXTERNAL htonl(0xcb007101)
#define DAY_MS	 (24ll * 3600 * 1000)

static char directory[64];
static struct settings settings;
static struct port_habits *habits;

static int setup(void **state)
{
	strcpy(directory, "/tmp/test_learned.XXXXXX");
	settings = (struct settings){.state_dir = directory};
	habits = port_habits_new();
	return !habits || !mkdtemp(directory);
}

static int teardown(void **state)
{
	char path[128];

	port_habits_free(habits);
	snprintf(path, sizeof(path), "%s/ike.json", directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/habits.json", directory);
	unlink(path);
	return rmdir(directory);
}

static void write_text(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* --- a fact ------------------------------------------------------------------------------------
 */

static void a_fact_ages(void **state)
{
	port_habit_confirm(habits, SERVER, HABIT_INSISTS, 1000);
	assert_int_equal(port_habit_of(habits, SERVER, 1000 + DAY_MS), HABIT_INSISTS);
	assert_int_equal(port_habit_of(habits, SERVER, 1001 + DAY_MS), HABIT_UNKNOWN);
	port_habit_confirm(habits, SERVER, HABIT_INSISTS, 1001 + DAY_MS);
	assert_int_equal(port_habit_of(habits, SERVER, 1001 + DAY_MS), HABIT_INSISTS);
	/* a clock that stands a little behind takes nothing away */
	assert_int_equal(port_habit_of(habits, SERVER, 5), HABIT_INSISTS);
}

static void a_fact_is_contradicted(void **state)
{
	port_habit_confirm(habits, SERVER, HABIT_ANY_PORT, 1);
	port_habit_contradict(habits, SERVER, HABIT_INSISTS, 100); /* of another fact */
	port_habit_contradict(habits, SERVER, HABIT_ANY_PORT, HABIT_SIGN);
	assert_int_equal(port_habit_of(habits, SERVER, 1), HABIT_ANY_PORT);
	port_habit_confirm(habits, SERVER, HABIT_ANY_PORT, 1);
	port_habit_contradict(habits, SERVER, HABIT_ANY_PORT, HABIT_SIGN);
	assert_int_equal(port_habit_of(habits, SERVER, 1), HABIT_ANY_PORT);
	port_habit_contradict(habits, SERVER, HABIT_ANY_PORT, UINT32_MAX - 1);
	assert_int_equal(port_habit_of(habits, SERVER, 1), HABIT_UNKNOWN);
	port_habit_contradict(habits, SERVER, HABIT_ANY_PORT, UINT32_MAX); /* and stays so */
	assert_int_equal(port_habit_of(habits, SERVER, 1), HABIT_UNKNOWN);
	port_habit_confirm(habits, SERVER, HABIT_INSISTS, 2);
	assert_int_equal(port_habit_of(habits, SERVER, 2), HABIT_INSISTS);
}

/* What was confirmed lately is not lost to a crowd of servers. */
static void the_table_keeps_what_proved_true_last(void **state)
{
	port_habit_confirm(habits, SERVER, HABIT_INSISTS, 1);
	for (uint32_t n = 1; n < 5000; n++) {
		port_habit_confirm(habits, n, HABIT_ANY_PORT, n * 10);
		if (n % 100 == 0)
			port_habit_confirm(habits, SERVER, HABIT_INSISTS, n * 10);
	}
	assert_int_equal(port_habit_of(habits, SERVER, 50000), HABIT_INSISTS);
	assert_int_equal(port_habit_of(habits, 1, 50000), HABIT_UNKNOWN);
}

/* --- the files ----------------------------------------------------------------------------------
 */

static void reload(int64_t now_ms)
{
	port_habits_free(habits);
	habits = port_habits_new();
	habits_load(&settings, "habits.json", habits, now_ms);
}

/* The clock begins at another number after each boot. */
static void ages_outlive_a_restart(void **state)
{
	port_habit_confirm(habits, SERVER, HABIT_INSISTS, 1000);
	port_habit_contradict(habits, SERVER, HABIT_INSISTS, HABIT_SIGN);
	assert_int_equal(habits_save(&settings, "habits.json", habits, 1000 + DAY_MS / 2), 0);
	reload(77);
	assert_int_equal(port_habit_of(habits, SERVER, 77), HABIT_INSISTS);
	assert_int_equal(port_habit_of(habits, SERVER, 77 + DAY_MS / 2 - 5000), HABIT_INSISTS);
	assert_int_equal(port_habit_of(habits, SERVER, 77 + DAY_MS / 2 + 5000), HABIT_UNKNOWN);
	port_habit_contradict(habits, SERVER, HABIT_INSISTS, HABIT_SIGN); /* the second */
	assert_int_equal(port_habit_of(habits, SERVER, 77), HABIT_UNKNOWN);
}

static void the_time_without_us_counts(void **state)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "{\"version\":1,\"saved\":%lld,\"servers\":[{\"server\":\"203.0.113.9\","
		 "\"strategy\":\"insists\",\"known_s\":100,\"confirmed_s\":100}]}",
		 (long long)time(NULL) - 24 * 3600);
	write_text("habits.json", text);
	reload(77);
	assert_int_equal(port_habit_of(habits, SERVER, 77), HABIT_UNKNOWN);
	/* of a clock that was put back nothing is counted */
	snprintf(text, sizeof(text),
		 "{\"version\":1,\"saved\":%lld,\"servers\":[{\"server\":\"203.0.113.9\","
		 "\"strategy\":\"insists\",\"known_s\":100,\"confirmed_s\":100}]}",
		 (long long)time(NULL) + 24 * 3600);
	write_text("habits.json", text);
	reload(77);
	assert_int_equal(port_habit_of(habits, SERVER, 77), HABIT_INSISTS);
}

static void files_with_nonsense(void **state)
{
	write_text("habits.json",
		   "{\"saved\":-9223372036854775808,\"servers\":[7,{},{\"server\":\"x\"},"
		   "{\"server\":\"0.0.0.0\",\"strategy\":\"any\"},"
		   "{\"server\":\"203.0.113.7\",\"strategy\":\"unknown\"},"
		   "{\"server\":\"203.0.113.8\",\"strategy\":\"never\"},"
		   "{\"server\":\"203.0.113.9\",\"strategy\":\"any\",\"known_s\":-5,"
		   "\"confirmed_s\":9223372036854775807,\"contradicted\":-1}]}");
	reload(77);
	assert_int_equal(port_habit_of(habits, SERVER, 77), HABIT_UNKNOWN); /* too old */
	assert_int_equal(port_habit_of(habits, 0, 77), HABIT_UNKNOWN);
	write_text("habits.json", "[]");
	reload(77);
	write_text("habits.json", "{\"servers\":{}}");
	reload(77);
}

/* Of before facts had ages. */
static void an_old_ike_file_loads(void **state)
{
	struct ike_port *ike = ike_port_new(&(struct share_groups){0});

	write_text("ike.json",
		   "{\"version\":1,\"external\":\"203.0.113.1\",\"servers\":["
		   "{\"server\":\"203.0.113.9\",\"strategy\":\"insists\"}],\"sas\":[]}");
	ike_state_load(&settings, EXTERNAL, ike, 77);
	assert_int_equal(port_habit_of(ike_port_habits(ike), SERVER, 77), HABIT_INSISTS);
	assert_int_equal(port_habit_of(ike_port_habits(ike), SERVER, 78 + DAY_MS), HABIT_UNKNOWN);
	assert_int_equal(ike_state_save(&settings, EXTERNAL, ike, 77 + DAY_MS / 2), 0);
	ike_port_free(ike);
	ike = ike_port_new(&(struct share_groups){0});
	ike_state_load(&settings, EXTERNAL, ike, 5);
	assert_int_equal(port_habit_of(ike_port_habits(ike), SERVER, 5), HABIT_INSISTS);
	assert_int_equal(port_habit_of(ike_port_habits(ike), SERVER, 5 + DAY_MS / 2 + 5000),
			 HABIT_UNKNOWN);
	ike_port_free(ike);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_fact_ages),
		TEST(a_fact_is_contradicted),
		TEST(the_table_keeps_what_proved_true_last),
		TEST(ages_outlive_a_restart),
		TEST(the_time_without_us_counts),
		TEST(files_with_nonsense),
		TEST(an_old_ike_file_loads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
