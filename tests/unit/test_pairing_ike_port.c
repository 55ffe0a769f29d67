/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which inside socket an IKE message is for, and what a server is known to insist on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pairing/ike_port.h"

#define SERVER	      99u
#define SA_INIT	      34
#define CREATE_CHILD  36
#define INFORMATIONAL 37
#define PAYLOAD_SA    33
#define PAYLOAD_SK    46
#define RESPONSE      0x20

static struct ike_port *ike;
static uint64_t now;

static int setup(void **state)
{
	ike = ike_port_new(&(struct share_groups){0});
	now = 1000;
	return !ike;
}

static int teardown(void **state)
{
	ike_port_free(ike);
	return 0;
}

static enum port_habit habit(void)
{
	return port_habit_of(ike_port_habits(ike), SERVER, (int64_t)now);
}

static struct ike_socket host(uint32_t n)
{
	return (struct ike_socket){n, 500, 0};
}

static struct esp_ike_header message(uint64_t initiator, uint64_t responder, uint8_t exchange,
				     uint32_t id)
{
	return (struct esp_ike_header){
		.spi_initiator = initiator,
		.spi_responder = responder,
		.next_payload = exchange == SA_INIT ? PAYLOAD_SA : PAYLOAD_SK,
		.version = 0x20,
		.exchange = exchange,
		.message_id = id,
	};
}

static enum ike_action out(uint32_t from, bool from_500, struct esp_ike_header h)
{
	now += 10;
	return ike_port_outbound(ike, now, SERVER, host(from), from_500, &h);
}

static unsigned in(bool shared, bool to_500, uint32_t to, struct esp_ike_header h,
		   struct ike_socket owners[IKE_OWNERS])
{
	now += 10;
	return ike_port_inbound(ike, now, SERVER, shared, to_500, host(to), &h, owners);
}

/* @n dials from port 500 that it shares or not, and is answered there. */
static void dial_at_500(uint32_t n, bool shared)
{
	struct ike_socket owners[IKE_OWNERS];

	assert_int_equal(out(n, true, message(n, 0, SA_INIT, 0)), IKE_PASS);
	assert_int_equal(in(shared, true, n, message(n, n + 100, SA_INIT, 0), owners), 1);
	assert_int_equal(owners[0].inside, n);
}

static void insist(void)
{
	dial_at_500(1, false);
	assert_int_equal(out(2, false, message(2, 0, SA_INIT, 0)), IKE_PASS);
	assert_int_equal(out(2, false, message(2, 0, SA_INIT, 0)), IKE_SHARE);
	assert_int_equal(out(2, true, message(2, 0, SA_INIT, 0)), IKE_PASS);
}

static void a_server_that_does_not_care(void **state)
{
	struct ike_socket owners[IKE_OWNERS];

	dial_at_500(1, false);
	assert_int_equal(out(2, false, message(2, 0, SA_INIT, 0)), IKE_PASS);
	assert_int_equal(in(false, false, 2, message(2, 102, SA_INIT, 0), owners), 1);
	assert_int_equal(habit(), HABIT_ANY_PORT);
	/* and what is lost later on is not taken for an insisting server */
	for (int i = 0; i < 20; i++)
		assert_int_equal(out(3, false, message(3, 0, SA_INIT, 0)), IKE_PASS);
}

static void a_server_that_insists(void **state)
{
	struct ike_socket owners[IKE_OWNERS];

	insist();
	assert_int_equal(habit(), HABIT_UNKNOWN);
	assert_int_equal(in(true, true, 0, message(2, 102, SA_INIT, 0), owners), 1);
	assert_int_equal(owners[0].inside, 2);
	assert_int_equal(habit(), HABIT_INSISTS);
	assert_int_equal(out(3, false, message(3, 0, SA_INIT, 0)), IKE_SHARE);
	assert_int_equal(in(true, true, 0, message(1, 101, INFORMATIONAL, 0), owners), 1);
	assert_int_equal(owners[0].inside, 1);
}

static void a_server_that_is_down(void **state)
{
	enum ike_action action = IKE_PASS;

	insist();
	for (int i = 0; i < 20 && action == IKE_PASS; i++)
		action = out(2, true, message(2, 0, SA_INIT, 0));
	assert_int_equal(action, IKE_UNSHARE);
	assert_int_equal(habit(), HABIT_UNKNOWN);
}

static void three_share(void)
{
	struct ike_socket owners[IKE_OWNERS];

	insist();
	in(true, true, 0, message(2, 102, SA_INIT, 0), owners);
	out(3, false, message(3, 0, SA_INIT, 0));
	in(true, true, 0, message(3, 103, SA_INIT, 0), owners);
}

/* RFC 7296 section 1.3.2: the new SPIs were agreed under encryption. */
static void a_rekeyed_sa_is_whose_answer_moves_the_server_on(void **state)
{
	struct ike_socket owners[IKE_OWNERS];

	three_share();
	assert_int_equal(in(true, true, 0, message(77, 78, INFORMATIONAL, 0), owners), 3);
	assert_int_equal(owners[0].inside, 1); /* the oldest IKE SA first */
	assert_int_equal(out(2, true, message(77, 78, INFORMATIONAL, 0)), IKE_PASS);
	/* repeated: it was not the right answer, or was lost */
	assert_int_equal(in(true, true, 0, message(77, 78, INFORMATIONAL, 0), owners), 3);
	assert_int_equal(in(true, true, 0, message(77, 78, INFORMATIONAL, 1), owners), 1);
	assert_int_equal(owners[0].inside, 2);
}

static void who_answers_too_takes_nothing(void **state)
{
	struct ike_socket owners[IKE_OWNERS];

	three_share();
	in(true, true, 0, message(77, 78, INFORMATIONAL, 0), owners);
	assert_int_equal(out(3, true, message(77, 78, INFORMATIONAL, 0)), IKE_PASS);
	assert_int_equal(out(2, true, message(77, 78, INFORMATIONAL, 0)), IKE_PASS);
	assert_int_equal(in(true, true, 0, message(77, 78, INFORMATIONAL, 1), owners), 2);
	assert_int_equal(owners[0].inside, 2);
	assert_int_equal(owners[1].inside, 3);
}

/* RFC 7296 section 2.21: INVALID_IKE_SPI from hosts that know nothing of it */
static void answers_in_clear_do_not_count(void **state)
{
	struct ike_socket owners[IKE_OWNERS];
	struct esp_ike_header clear = message(77, 78, INFORMATIONAL, 0);

	clear.next_payload = 41;
	clear.flags = RESPONSE;
	three_share();
	in(true, true, 0, message(77, 78, INFORMATIONAL, 0), owners);
	assert_int_equal(out(3, true, clear), IKE_REFUSE);
	assert_int_equal(in(true, true, 0, message(77, 78, INFORMATIONAL, 1), owners), 3);
}

static void strangers_make_no_state(void **state)
{
	struct ike_socket owners[IKE_OWNERS];
	struct esp_ike_header clear = message(5, 6, SA_INIT, 0);

	assert_int_equal(in(true, true, 0, message(77, 78, INFORMATIONAL, 0), owners), 0);
	three_share();
	assert_int_equal(in(true, true, 0, clear, owners), 0);
	for (uint64_t spi = 1000; spi < 3000; spi++)
		in(true, true, 0, message(spi, 1, INFORMATIONAL, 0), owners);
	assert_int_equal(in(true, true, 0, message(4000, 1, INFORMATIONAL, 0), owners), 0);
	assert_int_equal(in(true, true, 0, message(2, 102, INFORMATIONAL, 0), owners), 1);
}

static void a_host_has_its_share(void **state)
{
	struct ike_socket owners[IKE_OWNERS];

	dial_at_500(1, false);
	for (uint64_t spi = 1000; spi < 6000; spi++)
		out(2, false, message(spi, 0, SA_INIT, 0));
	assert_int_equal(in(true, true, 0, message(1, 101, INFORMATIONAL, 0), owners), 1);
	assert_int_equal(owners[0].inside, 1);
}

/* --- what was learned may stop being true ---------------------------------------------------- */

#define DAY_MS (24ull * 3600 * 1000)

static void learn(enum port_habit value)
{
	port_habit_confirm(ike_port_habits(ike), SERVER, value, (int64_t)now);
}

/* @n asks so often and is not answered; what became of the last message. */
static enum ike_action asks(uint32_t n, uint64_t spi, bool from_500, unsigned times)
{
	enum ike_action action = IKE_PASS;

	while (times--)
		action = out(n, from_500, message(spi, 0, SA_INIT, 0));
	return action;
}

/* It accepted any port once. Others hear from it, and who has another port does not. */
static void any_port_is_unlearned(void **state)
{
	struct ike_socket owners[IKE_OWNERS];

	learn(HABIT_ANY_PORT);
	dial_at_500(1, false);
	assert_int_equal(asks(2, 2, false, 3), IKE_PASS);
	assert_int_equal(in(false, true, 1, message(1, 101, INFORMATIONAL, 0), owners), 1);
	assert_int_equal(asks(2, 2, false, 1), IKE_PASS);
	assert_int_equal(habit(), HABIT_UNKNOWN);
	assert_int_equal(asks(2, 2, false, 1), IKE_SHARE);
	assert_int_equal(in(true, true, 0, message(2, 102, SA_INIT, 0), owners), 1);
	assert_int_equal(habit(), HABIT_INSISTS);
}

/* A server that nobody hears from may be down: it takes a second attempt to dial. */
static void any_port_survives_a_server_that_is_down(void **state)
{
	learn(HABIT_ANY_PORT);
	assert_int_equal(asks(2, 2, false, 20), IKE_PASS);
	assert_int_equal(habit(), HABIT_ANY_PORT);
	assert_int_equal(asks(2, 3, false, 4), IKE_PASS);
	assert_int_equal(habit(), HABIT_UNKNOWN);
	assert_int_equal(asks(2, 3, false, 1), IKE_SHARE);
	learn(HABIT_ANY_PORT); /* it proves true: earlier signs count no longer */
	assert_int_equal(asks(2, 4, false, 20), IKE_PASS);
	assert_int_equal(habit(), HABIT_ANY_PORT);
}

/* It insisted once. A day later the next client finds out that it does not any more. */
static void insisting_is_tested_again(void **state)
{
	struct ike_socket owners[IKE_OWNERS];

	learn(HABIT_INSISTS);
	now += DAY_MS - 60000;
	assert_int_equal(asks(2, 2, false, 1), IKE_SHARE);
	assert_int_equal(in(true, true, 0, message(2, 102, SA_INIT, 0), owners), 1);
	now += 120000; /* an answer where it was asked for at once has confirmed nothing */
	assert_int_equal(asks(3, 3, false, 1), IKE_PASS);
	assert_int_equal(in(false, false, 3, message(3, 103, SA_INIT, 0), owners), 1);
	assert_int_equal(habit(), HABIT_ANY_PORT);
	assert_int_equal(asks(4, 4, false, 3), IKE_PASS);
}

static void insisting_that_proves_true_is_kept(void **state)
{
	struct ike_socket owners[IKE_OWNERS];

	learn(HABIT_INSISTS);
	now += DAY_MS + 1000;
	assert_int_equal(asks(2, 2, false, 1), IKE_PASS);
	assert_int_equal(asks(2, 2, false, 1), IKE_SHARE);
	assert_int_equal(in(true, true, 0, message(2, 102, SA_INIT, 0), owners), 1);
	assert_int_equal(habit(), HABIT_INSISTS);
	assert_int_equal(asks(3, 3, false, 1), IKE_SHARE);
}

/* It answers from another port by now, which port 500's owner gets: shared is no help. */
static void who_is_not_answered_at_500_goes_back(void **state)
{
	struct ike_socket owners[IKE_OWNERS];

	learn(HABIT_INSISTS);
	assert_int_equal(asks(2, 2, false, 1), IKE_SHARE);
	assert_int_equal(asks(2, 2, true, 8), IKE_UNSHARE);
	assert_int_equal(asks(2, 2, false, 10), IKE_PASS);
	assert_int_equal(in(false, false, 2, message(2, 102, SA_INIT, 0), owners), 1);
	assert_int_equal(habit(), HABIT_ANY_PORT);
}

/* @n has an IKE SA at port 500 that the server answers no more. */
static enum ike_action silent(uint32_t n, unsigned times)
{
	enum ike_action action = IKE_PASS;

	while (times-- && action == IKE_PASS)
		action = out(n, true, message(n, n + 100, INFORMATIONAL, times));
	return action;
}

/* One client at a time: the newcomer goes back to a port of its own, the first one lives on. */
static void a_server_that_tells_nobody_apart(void **state)
{
	struct ike_socket owners[IKE_OWNERS];

	insist();
	assert_int_equal(in(true, true, 0, message(2, 102, SA_INIT, 0), owners), 1);
	assert_int_equal(silent(1, 3), IKE_PASS);
	assert_int_equal(silent(1, 1), IKE_CROWDED);
	assert_int_equal(ike_port_take_back(ike, SERVER, owners), 1);
	assert_int_equal(owners[0].inside, 2);
	assert_int_equal(ike_port_take_back(ike, SERVER, owners), 0);
	assert_int_equal(habit(), HABIT_ONE_CLIENT);
	assert_int_equal(in(true, true, 0, message(1, 101, INFORMATIONAL, 9), owners), 1);
	assert_int_equal(out(2, false, message(2, 102, INFORMATIONAL, 1)), IKE_PASS);
	now += DAY_MS;
	assert_int_equal(habit(), HABIT_UNKNOWN);
}

/* Who is not heard again though the newcomer has left was silent for another reason. */
static void blame_that_proves_wrong(void **state)
{
	struct ike_socket owners[IKE_OWNERS];

	insist();
	assert_int_equal(in(true, true, 0, message(2, 102, SA_INIT, 0), owners), 1);
	assert_int_equal(silent(1, 4), IKE_CROWDED);
	ike_port_take_back(ike, SERVER, owners);
	now += 61000;
	silent(1, 1);
	assert_int_equal(habit(), HABIT_UNKNOWN);
	/* and it is not believed again */
	assert_int_equal(asks(3, 3, false, 2), IKE_SHARE);
	assert_int_equal(in(true, true, 0, message(3, 103, SA_INIT, 0), owners), 1);
	assert_int_equal(silent(1, 20), IKE_PASS);
}

/* Nobody moves a neighbour that has been there for long, or that the server does not answer. */
static void who_is_not_blamed(void **state)
{
	struct ike_socket owners[IKE_OWNERS];

	insist();
	assert_int_equal(silent(1, 20), IKE_PASS);
	assert_int_equal(in(true, true, 0, message(1, 101, INFORMATIONAL, 9), owners), 1);
	assert_int_equal(in(true, true, 0, message(2, 102, SA_INIT, 0), owners), 1);
	now += 121000;
	assert_int_equal(silent(1, 20), IKE_PASS);
	assert_int_equal(habit(), HABIT_INSISTS);
}

/* --- whose an id is ---------------------------------------------------------------------- */

static uint64_t folded_alike(uint64_t spi)
{
	return spi ^ 0x0000000500000005u;
}

/* Behind the shared port neither the SPI nor one that is found by the same word. */
static void anothers_id_does_not_leave_the_shared_port(void **state)
{
	struct ike_socket owners[IKE_OWNERS];

	three_share();
	assert_int_equal(out(3, true, message(2, 102, INFORMATIONAL, 0)), IKE_HELD);
	assert_int_equal(out(3, true, message(folded_alike(2), 0, SA_INIT, 0)), IKE_HELD);
	assert_int_equal(in(true, true, 0, message(2, 102, INFORMATIONAL, 0), owners), 1);
	assert_int_equal(owners[0].inside, 2);
	assert_int_equal(in(true, true, 0, message(folded_alike(2), 0, SA_INIT, 0), owners), 0);
	assert_int_equal(out(2, true, message(2, 102, INFORMATIONAL, 1)), IKE_PASS);
}

/* It is harmless at a port of the host's own, and gains it no place behind the shared one. */
static void anothers_id_is_not_shared(void **state)
{
	three_share();
	for (int i = 0; i < 20; i++)
		assert_int_equal(out(4, false, message(2, 0, SA_INIT, 0)), IKE_PASS);
}

static void a_file_that_gives_an_id_twice(void **state)
{
	struct ike_sa first = {
		.server = SERVER, .spi_initiator = 2, .owner = {host(1)}, .owners = 1};
	struct ike_sa second = first;
	struct ike_socket owners[IKE_OWNERS];

	second.spi_initiator = folded_alike(2);
	second.owner[0] = host(2);
	ike_port_restore_sa(ike, 5, &first);
	ike_port_restore_sa(ike, 5, &second);
	assert_int_equal(in(true, true, 0, message(2, 9, INFORMATIONAL, 0), owners), 1);
	assert_int_equal(owners[0].inside, 1);
	assert_int_equal(out(2, true, message(folded_alike(2), 0, INFORMATIONAL, 0)), IKE_HELD);
}

static bool copy_visit(void *context, const struct ike_sa *sa)
{
	ike_port_restore_sa(context, 5, sa);
	return true;
}

static bool habit_copy(void *context, uint32_t server, const struct learned *fact)
{
	port_habit_restore(context, server, fact);
	return true;
}

static void what_is_saved_is_the_same_again(void **state)
{
	struct ike_socket owners[IKE_OWNERS];
	struct ike_port *old = ike;

	three_share();
	ike = ike_port_new(&(struct share_groups){0});
	ike_port_each_sa(old, copy_visit, ike);
	port_habits_each(ike_port_habits(old), habit_copy, ike_port_habits(ike));
	ike_port_free(old);
	assert_int_equal(in(true, true, 0, message(3, 103, INFORMATIONAL, 0), owners), 1);
	assert_int_equal(owners[0].inside, 3);
	assert_int_equal(out(4, false, message(4, 0, SA_INIT, 0)), IKE_SHARE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_server_that_does_not_care),
		TEST(a_server_that_insists),
		TEST(a_server_that_is_down),
		TEST(a_rekeyed_sa_is_whose_answer_moves_the_server_on),
		TEST(who_answers_too_takes_nothing),
		TEST(answers_in_clear_do_not_count),
		TEST(strangers_make_no_state),
		TEST(a_host_has_its_share),
		TEST(any_port_is_unlearned),
		TEST(any_port_survives_a_server_that_is_down),
		TEST(insisting_is_tested_again),
		TEST(insisting_that_proves_true_is_kept),
		TEST(who_is_not_answered_at_500_goes_back),
		TEST(a_server_that_tells_nobody_apart),
		TEST(blame_that_proves_wrong),
		TEST(who_is_not_blamed),
		TEST(anothers_id_does_not_leave_the_shared_port),
		TEST(anothers_id_is_not_shared),
		TEST(a_file_that_gives_an_id_twice),
		TEST(what_is_saved_is_the_same_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
