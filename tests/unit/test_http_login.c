/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions and lock-outs of the page, with a clock of our own. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http/lockout.h"
#include "http/login.h"

#define T 1000000 /* seconds: some time */

static struct logins logins;
static struct lockouts lockouts;

static int begin_anew(void **state)
{
	memset(&logins, 0, sizeof(logins));
	memset(&lockouts, 0, sizeof(lockouts));
	return 0;
}

static struct login *look(const char *id, uint64_t now_s)
{
	return login_find(&logins, id, strlen(id), now_s);
}

static struct login *find(const char *id, uint64_t now_s)
{
	struct login *login = look(id, now_s);

	if (login)
		login_seen(login, now_s);
	return login;
}

/* --- sessions -------------------------------------------------------------------------- */

static void idle_for_15_minutes_ends_it(void **state)
{
	struct login *login = login_begin(&logins, T);
	char id[LOGIN_SECRET_BYTES];

	strcpy(id, login->id);
	assert_ptr_equal(find(id, T + 14 * 60), login);
	assert_ptr_equal(find(id, T + 28 * 60), login);
	assert_null(find(id, T + 43 * 60));
	assert_null(find(id, T + 28 * 60)); /* and for good */
}

static void what_the_page_asks_by_itself_does_not_keep_it_alive(void **state)
{
	struct login *login = login_begin(&logins, T);
	char id[LOGIN_SECRET_BYTES];

	strcpy(id, login->id);
	for (uint64_t t = T; t < T + 15 * 60; t += 2)
		assert_ptr_equal(look(id, t), login);
	assert_null(look(id, T + 15 * 60));
}

static void twelve_hours_end_it_whatever_happens(void **state)
{
	struct login *login = login_begin(&logins, T);
	char id[LOGIN_SECRET_BYTES];

	strcpy(id, login->id);
	for (uint64_t t = T; t < T + 12 * 3600; t += 600)
		assert_ptr_equal(find(id, t), login);
	assert_int_equal(login_left_s(login, T + 12 * 3600 - 60), 60);
	assert_int_equal(login_idle_left_s(login, T + 12 * 3600 - 600), 600);
	assert_null(find(id, T + 12 * 3600));
}

static void a_stream_does_not_keep_it_alive(void **state)
{
	struct login *login = login_begin(&logins, T);

	assert_non_null(login_by_number(&logins, login->number, T + 14 * 60));
	assert_null(login_by_number(&logins, login->number, T + 15 * 60));
}

static void nearly_the_id_is_not_the_id(void **state)
{
	struct login *login = login_begin(&logins, T);
	char id[LOGIN_SECRET_BYTES];

	assert_int_equal(strlen(login->id), LOGIN_SECRET_BYTES - 1);
	strcpy(id, login->id);
	for (size_t i = 0; id[i]; i++) {
		id[i] ^= 1;
		assert_null(find(id, T));
		assert_false(login_csrf_is(login, id));
		id[i] ^= 1;
	}
	assert_null(login_find(&logins, id, LOGIN_SECRET_BYTES - 2, T));
	assert_null(find("", T));
	assert_false(login_csrf_is(login, id));
	assert_true(login_csrf_is(login, login->csrf));
	assert_false(login_csrf_is(login, NULL));
}

static void the_longest_idle_makes_room(void **state)
{
	char first[LOGIN_SECRET_BYTES], second[LOGIN_SECRET_BYTES];

	strcpy(first, login_begin(&logins, T)->id);
	strcpy(second, login_begin(&logins, T + 1)->id);
	for (int i = 2; i < LOGINS_MAX; i++)
		login_begin(&logins, T + i);
	assert_non_null(find(first, T + 50));
	login_begin(&logins, T + 60);
	assert_non_null(find(first, T + 61));
	assert_null(find(second, T + 61));
}

static void the_end_of_all_is_the_end_of_all(void **state)
{
	char id[LOGIN_SECRET_BYTES];

	strcpy(id, login_begin(&logins, T)->id);
	login_end_all(&logins);
	assert_null(find(id, T));
}

/* --- lock-outs ---------------------------------------------------------------------------- */

static void wrong(__be32 address, int times, uint64_t now_s)
{
	while (times--)
		lockout_wrong(&lockouts, LOCKOUT_PASSWORD, address, now_s);
}

static uint64_t wait_s(__be32 address, uint64_t now_s)
{
	return lockout_wait_s(&lockouts, LOCKOUT_PASSWORD, address, now_s);
}

static void the_tenth_wrong_one_costs_30_seconds_and_more_cost_more(void **state)
{
	wrong(1, 9, T);
	assert_int_equal(wait_s(1, T), 0);
	wrong(1, 1, T);
	assert_int_equal(wait_s(1, T), 30);
	assert_int_equal(wait_s(1, T + 29), 1);
	assert_int_equal(wait_s(1, T + 30), 0);
	wrong(1, 1, T + 30);
	assert_int_equal(wait_s(1, T + 30), 60);
	wrong(1, 30, T + 90);
	assert_int_equal(wait_s(1, T + 90), 15 * 60);
}

static void many_addresses_lock_the_account(void **state)
{
	for (__be32 address = 1; address <= 10; address++)
		wrong(address, 1, T);
	assert_int_equal(wait_s(99, T), 30);
}

static void who_has_logged_in_is_not_held_up_by_others(void **state)
{
	lockout_right(&lockouts, 7, T);
	wrong(1, 20, T);
	assert_true(wait_s(99, T) > 0);
	assert_int_equal(wait_s(7, T), 0);
	wrong(7, 10, T);
	assert_int_equal(wait_s(7, T), 30);
}

/* Hosts without an account must not keep the first administrator out. */
static void wrong_codes_hold_up_their_own_source_alone(void **state)
{
	for (__be32 address = 1; address <= 100; address++)
		lockout_wrong(&lockouts, LOCKOUT_CODE, address, T);
	for (int i = 0; i < 10; i++)
		lockout_wrong(&lockouts, LOCKOUT_CODE, 1, T);
	assert_true(lockout_wait_s(&lockouts, LOCKOUT_CODE, 1, T) > 0);
	assert_int_equal(lockout_wait_s(&lockouts, LOCKOUT_CODE, 99, T), 0);
	assert_int_equal(wait_s(999, T), 0);
	wrong(200, 20, T);
	assert_true(wait_s(999, T) > 0);
	assert_int_equal(lockout_wait_s(&lockouts, LOCKOUT_CODE, 999, T), 0);
}

static void the_console_ends_all_of_them(void **state)
{
	wrong(1, 20, T);
	lockout_end_all(&lockouts);
	assert_int_equal(wait_s(1, T), 0);
	assert_int_equal(wait_s(2, T), 0);
}

static void an_hour_without_a_wrong_one_forgets(void **state)
{
	wrong(1, 9, T);
	wrong(1, 1, T + 3601);
	assert_int_equal(wait_s(1, T + 3601), 0);
}

/* An attacker with all the addresses of the world does not make us forget who logged in. */
static void a_full_table_keeps_who_has_logged_in(void **state)
{
	lockout_right(&lockouts, 7, T);
	for (__be32 address = 1000; address < 1000 + 4 * LOCKOUT_SOURCES; address++)
		wrong(address, 1, T + 1);
	assert_int_equal(wait_s(7, T + 1), 0);
	assert_true(wait_s(8, T + 1) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(idle_for_15_minutes_ends_it, begin_anew),
		cmocka_unit_test_setup(what_the_page_asks_by_itself_does_not_keep_it_alive,
				       begin_anew),
		cmocka_unit_test_setup(twelve_hours_end_it_whatever_happens, begin_anew),
		cmocka_unit_test_setup(a_stream_does_not_keep_it_alive, begin_anew),
		cmocka_unit_test_setup(nearly_the_id_is_not_the_id, begin_anew),
		cmocka_unit_test_setup(the_longest_idle_makes_room, begin_anew),
		cmocka_unit_test_setup(the_end_of_all_is_the_end_of_all, begin_anew),
		cmocka_unit_test_setup(the_tenth_wrong_one_costs_30_seconds_and_more_cost_more,
				       begin_anew),
		cmocka_unit_test_setup(many_addresses_lock_the_account, begin_anew),
		cmocka_unit_test_setup(who_has_logged_in_is_not_held_up_by_others, begin_anew),
		cmocka_unit_test_setup(wrong_codes_hold_up_their_own_source_alone, begin_anew),
		cmocka_unit_test_setup(the_console_ends_all_of_them, begin_anew),
		cmocka_unit_test_setup(an_hour_without_a_wrong_one_forgets, begin_anew),
		cmocka_unit_test_setup(a_full_table_keeps_who_has_logged_in, begin_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
