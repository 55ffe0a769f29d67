/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often a tunnel renews its keys, and what is kept for the next time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SETS 16
#include "tests/unit/test_arena.h"

#include "core/session.h"
#include "daemon/rekeys.h"
#include "daemon/rekeys_state.h"
#include "daemon/roster.h"

#define A      host_to_be32(0x0a000002)
#define B      host_to_be32(0x0a000003)
#define E      host_to_be32(0xcb007101)
#define SERVER host_to_be32(0xcb007109)
#define OTHER  host_to_be32(0xcb00710a)

static int rekeys_up(void **state)
{
	arena_clear(E, 0xffffff00u); /* the clock wraps meanwhile */
	config.timeouts[TIMEOUT_UDP] = 100 * HZ;
	*state = rekeys_new(HZ);
	return *state ? 0 : -1;
}

static int rekeys_down(void **state)
{
	rekeys_free(*state);
	return 0;
}

static void renewed(struct rekeys *rekeys, __be32 inside, unsigned int after_s)
{
	now += after_s * HZ;
	rekey_seen(rekeys, CLASS_WIREGUARD, inside, SERVER, now);
}

static uint32_t interval(const struct rekeys *rekeys, __be32 inside, __be32 remote)
{
	return rekey_interval_s(rekeys, CLASS_WIREGUARD, inside, remote);
}

static void an_interval_takes_two(void **state)
{
	renewed(*state, A, 0);
	assert_int_equal(interval(*state, A, SERVER), 0);
	renewed(*state, A, 120);
	assert_int_equal(interval(*state, A, SERVER), 120);
	assert_int_equal(rekey_interval_s(*state, CLASS_OPENVPN, A, SERVER), 0);
}

/* A handshake that nobody answers comes every five seconds. */
static void repetitions_are_one(void **state)
{
	renewed(*state, A, 0);
	for (int i = 0; i < 30; i++)
		renewed(*state, A, 5);
	assert_int_equal(interval(*state, A, SERVER), 0);
	renewed(*state, A, 120);
	assert_int_equal(interval(*state, A, SERVER), 120);
}

static void it_leans_to_the_longest(void **state)
{
	renewed(*state, A, 0);
	renewed(*state, A, 3000);
	renewed(*state, A, 3400);
	assert_int_equal(interval(*state, A, SERVER), 3400);
	renewed(*state, A, 3000);
	assert_int_equal(interval(*state, A, SERVER), 3300);
}

static void a_tunnel_that_was_away_teaches_nothing(void **state)
{
	renewed(*state, A, 0);
	renewed(*state, A, 3600);
	renewed(*state, A, REKEY_MAX_SECONDS + 1);
	assert_int_equal(interval(*state, A, SERVER), 3600);
}

static void a_new_client_has_its_servers(void **state)
{
	renewed(*state, A, 0);
	renewed(*state, A, 3600);
	assert_int_equal(interval(*state, B, SERVER), 3600);
	assert_int_equal(interval(*state, B, OTHER), 0);
}

static void the_oldest_makes_room(void **state)
{
	renewed(*state, A, 0);
	renewed(*state, A, 120);
	for (uint32_t i = 0; i < 1100; i++)
		renewed(*state, host_to_be32(0x0b000000 + i), 1);
	assert_int_equal(interval(*state, A, OTHER), 0);
	assert_int_equal(interval(*state, host_to_be32(0x0b000000), SERVER), 0);
}

/* --- a session in the table -------------------------------------------------------------- */

static struct record *half_make(uint8_t kind, __be32 local, uint32_t *index)
{
	struct record_key key = {.remote = SERVER,
				 .local = local,
				 .remote_id = host_to_be16(51820),
				 .local_id = host_to_be16(9),
				 .protocol = PROTOCOL_UDP,
				 .kind = kind,
				 .id_type = ID_PORTS};
	struct record *r;

	assert_int_equal(table_claim(&key, index), CLAIM_OK);
	r = record_at(*index);
	r->session = (struct session){.new_local = E,
				      .class = CLASS_WIREGUARD,
				      .timeout = TIMEOUT_UDP,
				      .flags = SESSION_STUDIED | SESSION_REPLIED,
				      .last_seen = now,
				      .created = now};
	return r;
}

static struct record *session_make(struct roster_tunnel *tunnel)
{
	uint32_t orig_at, reply_at;
	struct record *orig = half_make(KIND_SESSION_ORIG, A, &orig_at);
	struct record *reply = half_make(KIND_SESSION_REPLY, E, &reply_at);

	orig->partner = reply_at;
	reply->partner = orig_at;
	table_publish(reply);
	table_publish(orig);
	*tunnel = (struct roster_tunnel){.class = CLASS_WIREGUARD,
					 .inside = A,
					 .remote = SERVER,
					 .sessions = 1,
					 .created = now,
					 .index = {orig_at}};
	return orig;
}

static void follow_for(struct rekeys *rekeys, const struct roster_tunnel *tunnel, unsigned int s)
{
	while (s--) {
		now += HZ;
		rekeys_follow(rekeys, tunnel, now);
	}
}

static void handshakes_are_counted_both_ways(void **state)
{
	struct roster_tunnel tunnel;
	struct record *orig = session_make(&tunnel);

	orig->session.rekeys = 1;
	follow_for(*state, &tunnel, 50);
	record_at(orig->partner)->session.rekeys = 1;
	follow_for(*state, &tunnel, 80);
	assert_int_equal(interval(*state, A, SERVER), 51);
	orig->session.rekeys = 2;
	follow_for(*state, &tunnel, 1);
	assert_int_equal(interval(*state, A, SERVER), 80);
}

/* The timer is 100 s, keys are renewed every 200 s: kept for 240 s of silence, and no longer. */
static void a_timer_is_no_shorter_than_the_interval(void **state)
{
	struct roster_tunnel tunnel;
	struct record *orig = session_make(&tunnel);

	rekey_seen(*state, CLASS_WIREGUARD, A, SERVER, now - 200 * HZ);
	rekey_seen(*state, CLASS_WIREGUARD, A, SERVER, now);
	orig->session.packets = 1;
	follow_for(*state, &tunnel, 239);
	assert_false(session_expired(&config, orig, now));
	follow_for(*state, &tunnel, 60);
	assert_true(session_expired(&config, orig, now));
}

static void an_unknown_interval_keeps_nothing(void **state)
{
	struct roster_tunnel tunnel;
	struct record *orig = session_make(&tunnel);

	follow_for(*state, &tunnel, 101);
	assert_true(session_expired(&config, orig, now));
}

static void carry_for(struct rekeys *rekeys, const struct roster_tunnel *tunnel,
		      struct record *orig, unsigned int s)
{
	while (s--) {
		orig->session.packets++;
		follow_for(rekeys, tunnel, 1);
	}
}

/* Packets pass, and four times the interval later nothing was renewed; silence alone says nothing.
 */
static void an_interval_that_does_not_come_is_forgotten(void **state)
{
	struct roster_tunnel tunnel;
	struct record *orig = session_make(&tunnel);

	rekey_seen(*state, CLASS_WIREGUARD, A, SERVER, now - 200 * HZ);
	rekey_seen(*state, CLASS_WIREGUARD, A, SERVER, now);
	carry_for(*state, &tunnel, orig, 780);
	follow_for(*state, &tunnel, 2000);
	assert_int_equal(interval(*state, A, SERVER), 200);
	carry_for(*state, &tunnel, orig, 1);
	assert_int_equal(interval(*state, A, SERVER), 0);
	renewed(*state, A, 0);
	renewed(*state, A, 9000);
	assert_int_equal(interval(*state, A, SERVER), 9000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rekeys_up, rekeys_down)

static void only_a_real_change_is_worth_a_write(void **state)
{
	renewed(*state, A, 0);
	assert_false(rekeys_take_changed(*state, 60, now));
	renewed(*state, A, 1000);
	assert_true(rekeys_take_changed(*state, 60, now));
	renewed(*state, A, 990); /* drawn at random a little below */
	assert_false(rekeys_take_changed(*state, 60, now));
	renewed(*state, A, 2000);
	assert_true(rekeys_take_changed(*state, 60, now));
	renewed(*state, B, 0);
	renewed(*state, B, 50);
	assert_false(rekeys_take_changed(*state, 60, now));
	now += 10 * HZ;
	assert_true(rekeys_take_changed(*state, 60, now));
	assert_false(rekeys_take_changed(*state, 0, now));
}

static void an_interval_outlives_a_restart(void **state)
{
	char dir[] = "/tmp/wayleave-rekeys-XXXXXX", command[64];
	struct settings settings = {.state_dir = mkdtemp(dir)};
	struct rekeys *next = rekeys_new(HZ);

	assert_int_equal(rekeys_state_load(&settings, next, now), 0);
	renewed(*state, A, 0);
	renewed(*state, A, 3600);
	renewed(*state, B, 0); /* nothing learned yet: not kept */
	assert_int_equal(rekeys_state_save(&settings, *state, now), 0);
	assert_int_equal(rekeys_state_load(&settings, next, now), 1);
	assert_int_equal(interval(next, A, SERVER), 3600);
	assert_int_equal(interval(next, B, SERVER), 3600); /* the server's */
	assert_int_equal(interval(next, A, OTHER), 0);
	assert_false(rekeys_take_changed(next, 0, now));
	rekeys_free(next);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

/* How long ago a handshake has confirmed it is part of the file, and the time without us. */
static void an_interval_ages_over_restarts(void **state)
{
	char dir[] = "/tmp/wayleave-rekeys-XXXXXX", command[64];
	struct settings settings = {.state_dir = mkdtemp(dir)};
	struct rekeys *next = rekeys_new(HZ), *last = rekeys_new(HZ);

	renewed(*state, A, 0);
	renewed(*state, A, 3600);
	now += (REKEY_LASTS_SECONDS - 1000) * HZ;
	assert_int_equal(rekeys_state_save(&settings, *state, now), 0);
	assert_int_equal(rekeys_state_load(&settings, next, 500), 1);
	assert_int_equal(rekeys_state_save(&settings, next, 500 + 1100 * HZ), 0);
	assert_int_equal(rekeys_state_load(&settings, last, 500), 0);
	rekeys_free(next);
	rekeys_free(last);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

/* Whoever wrote the file: out of range is not taken. */
static void a_broken_state_file_teaches_nothing(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{\"version\":1}",
		"{\"version\":1,\"tunnels\":7}",
		"{\"version\":2,\"tunnels\":[{\"class\":\"wireguard\",\"inside\":\"10.0.0.2\","
		"\"remote\":\"203.0.113.9\",\"interval_s\":120}]}",
		"{\"version\":1,\"tunnels\":[{\"class\":\"plain\",\"inside\":\"10.0.0.2\","
		"\"remote\":\"203.0.113.9\",\"interval_s\":120}]}",
		"{\"version\":1,\"tunnels\":[{\"class\":\"wireguard\",\"inside\":\"10.0.0.2\","
		"\"remote\":\"203.0.113.9\",\"interval_s\":4294967416}]}",
		"{\"version\":1,\"tunnels\":[{\"class\":\"wireguard\",\"inside\":\"10.0.0\","
		"\"remote\":\"203.0.113.9\",\"interval_s\":120}]}",
	};
	char dir[] = "/tmp/wayleave-rekeys-XXXXXX", path[64], command[64];
	struct settings settings = {.state_dir = mkdtemp(dir)};

	snprintf(path, sizeof(path), "%s/rekeys.json", dir);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		FILE *file = fopen(path, "w");

		fputs(texts[i], file);
		fclose(file);
		assert_int_equal(rekeys_state_load(&settings, *state, now), 0);
	}
	assert_int_equal(interval(*state, A, SERVER), 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_interval_takes_two),
		TEST(repetitions_are_one),
		TEST(it_leans_to_the_longest),
		TEST(a_tunnel_that_was_away_teaches_nothing),
		TEST(a_new_client_has_its_servers),
		TEST(the_oldest_makes_room),
		TEST(handshakes_are_counted_both_ways),
		TEST(a_timer_is_no_shorter_than_the_interval),
		TEST(an_unknown_interval_keeps_nothing),
		TEST(only_a_real_change_is_worth_a_write),
		TEST(an_interval_outlives_a_restart),
		TEST(an_interval_ages_over_restarts),
		TEST(an_interval_that_does_not_come_is_forgotten),
		TEST(a_broken_state_file_teaches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
