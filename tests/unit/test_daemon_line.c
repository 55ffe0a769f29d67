/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of the internet line, by what was seen of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/neighbour.h>

#define SETS 256
#include "tests/unit/test_arena.h"

#include "daemon/line.h"
#include "daemon/sweeper.h"

#define E      host_to_be32(0xcb007101)
#define A      host_to_be32(0x0a000002)
#define REMOTE host_to_be32(0xc6336409)
#define NOW    100000u

static int arena_up(void **state)
{
	arena_clear(E, NOW);
	return 0;
}

static struct line good(void)
{
	return (struct line){.carrier = true,
			     .address = true,
			     .route = true,
			     .neighbour = NEIGHBOUR_ANSWERS,
			     .looked_at = NOW};
}

static struct line heard(struct line line, uint32_t seconds_ago)
{
	line.heard = true;
	line.heard_at = NOW - seconds_ago * HZ;
	return line;
}

#define assert_line(expression, word)                                                              \
	do {                                                                                       \
		struct line line_ = expression;                                                    \
		assert_string_equal(line_state(&line_), word);                                     \
	} while (0)

static void online_is_what_was_heard_lately(void **state)
{
	assert_line(good(), "not-checked");
	assert_line(heard(good(), 2), "online");
	assert_line(heard(good(), LINE_FRESH_SECONDS), "online");
	assert_line(heard(good(), LINE_FRESH_SECONDS + 1), "not-checked");
	assert_line(heard(good(), 90000), "not-checked");
}

static void what_is_missing_is_down_at_once(void **state)
{
	struct line line = heard(good(), 1);

	line.carrier = false;
	assert_line(line, "down");
	line = heard(good(), 1);
	line.address = false;
	assert_line(line, "down");
	line = heard(good(), 1);
	line.route = false;
	assert_line(line, "down");
}

static void packets_outweigh_a_silent_neighbour(void **state)
{
	struct line line = good();

	line.neighbour = NEIGHBOUR_SILENT;
	assert_line(line, "down");
	assert_line(heard(line, 3), "online");
	assert_line(heard(line, 30), "down");
	line.neighbour = NEIGHBOUR_UNKNOWN;
	assert_line(line, "not-checked");
	line.neighbour = NEIGHBOUR_NONE;
	assert_line(line, "not-checked");
}

static enum line_neighbour next(enum line_neighbour before, uint16_t nud, uint32_t confirmed_s)
{
	const struct line_entry entry = {.state = nud, .confirmed_s = confirmed_s};

	return line_neighbour_next(before, &entry);
}

/* An entry that was good once says nothing: it has to have answered lately. */
static void a_neighbour_is_believed_while_it_answers(void **state)
{
	assert_int_equal(next(NEIGHBOUR_UNKNOWN, NUD_REACHABLE, 1), NEIGHBOUR_ANSWERS);
	assert_int_equal(next(NEIGHBOUR_UNKNOWN, NUD_STALE, 500), NEIGHBOUR_UNKNOWN);
	assert_int_equal(next(NEIGHBOUR_ANSWERS, NUD_PROBE, 16), NEIGHBOUR_ANSWERS);
	assert_int_equal(next(NEIGHBOUR_ANSWERS, NUD_FAILED, 20), NEIGHBOUR_SILENT);
	assert_int_equal(next(NEIGHBOUR_SILENT, NUD_INCOMPLETE, 20), NEIGHBOUR_SILENT);
	assert_int_equal(next(NEIGHBOUR_SILENT, NUD_REACHABLE, 0), NEIGHBOUR_ANSWERS);
	assert_int_equal(next(NEIGHBOUR_ANSWERS, NUD_PERMANENT, 0), NEIGHBOUR_UNKNOWN);
	assert_int_equal(next(NEIGHBOUR_ANSWERS, 0, 0), NEIGHBOUR_UNKNOWN);
}

/* --- what the sweeper hears ------------------------------------------------------------------ */

static struct record *reply_make(uint16_t port, uint8_t flags)
{
	struct session_plan plan = {.timeout = TIMEOUT_UDP, .flags = flags, .now = now};

	plan.orig = (struct record_key){.remote = REMOTE,
					.local = A,
					.remote_id = host_to_be16(port),
					.local_id = host_to_be16(port),
					.protocol = PROTOCOL_UDP,
					.kind = KIND_SESSION_ORIG,
					.id_type = ID_PORTS};
	plan.reply = plan.orig;
	plan.reply.kind = KIND_SESSION_REPLY;
	plan.reply.local = E;
	config.timeouts[TIMEOUT_UDP] = 300 * HZ;
	assert_true(is_done(session_add(&plan)));
	return record_at(plan.reply_index);
}

static bool hears(uint32_t *at)
{
	struct sweeper *sweeper = sweeper_new();
	bool result;

	assert_non_null(sweeper);
	while (!sweeper_slice(sweeper, now))
		;
	result = sweeper_heard(sweeper, at);
	sweeper_free(sweeper);
	return result;
}

static void only_what_came_from_the_wan_is_heard(void **state)
{
	struct record *asked = reply_make(53, 0), *hairpin = reply_make(54, SESSION_HAIRPIN);
	uint32_t at;

	hairpin->session.packets = 5;
	assert_false(hears(&at)); /* asked, and between inside hosts */
	asked->session.packets = 1;
	asked->session.last_seen = now + 5;
	assert_true(hears(&at));
	assert_int_equal(at, now + 5);
}

#define TEST(name) cmocka_unit_test_setup(name, arena_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(online_is_what_was_heard_lately),
		TEST(what_is_missing_is_down_at_once),
		TEST(packets_outweigh_a_silent_neighbour),
		TEST(a_neighbour_is_believed_while_it_answers),
		TEST(only_what_came_from_the_wan_is_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
