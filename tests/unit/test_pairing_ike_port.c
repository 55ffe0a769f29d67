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
	ike = ike_port_new();
	now = 1000;
	return !ike;
}

static int teardown(void **state)
{
	ike_port_free(ike);
	return 0;
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
	assert_int_equal(ike_port_strategy(ike, SERVER), IKE_ANY_PORT);
	/* and what is lost later on is not taken for an insisting server */
	for (int i = 0; i < 20; i++)
		assert_int_equal(out(3, false, message(3, 0, SA_INIT, 0)), IKE_PASS);
}

static void a_server_that_insists(void **state)
{
	struct ike_socket owners[IKE_OWNERS];

	insist();
	assert_int_equal(ike_port_strategy(ike, SERVER), IKE_UNKNOWN);
	assert_int_equal(in(true, true, 0, message(2, 102, SA_INIT, 0), owners), 1);
	assert_int_equal(owners[0].inside, 2);
	assert_int_equal(ike_port_strategy(ike, SERVER), IKE_INSISTS);
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
	assert_int_equal(ike_port_strategy(ike, SERVER), IKE_UNKNOWN);
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

static void what_is_saved_is_the_same_again(void **state)
{
	struct ike_socket owners[IKE_OWNERS];
	struct ike_port *old = ike;

	three_share();
	ike = ike_port_new();
	ike_port_each_sa(old, copy_visit, ike);
	ike_port_restore_server(ike, SERVER, ike_port_strategy(old, SERVER));
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
		TEST(anothers_id_does_not_leave_the_shared_port),
		TEST(anothers_id_is_not_shared),
		TEST(a_file_that_gives_an_id_twice),
		TEST(what_is_saved_is_the_same_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
