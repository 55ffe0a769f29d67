/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ESP pairing, packet by packet. The host that an inbound SPI belongs to can be
 * read from the SPI (its upper half), so the stage itself sees every wrong binding.
 */
#include <setjmp.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/test_esp_stage.h"

/* --- the rows ----------------------------------------------------------------------- */

static void one_client_is_bound_by_its_first_packet(void **state)
{
	struct stage *s = *state;

	dial(s, 1);
	struct esp_decision d = in(s, IN_SPI(1, 0), 1);
	assert_int_equal(d.verdict, ESP_BIND);
	assert_int_equal(s->last.state, ESP_PROVISIONAL);
	assert_true(s->last.evidence & 1u << ESP_EVIDENCE_only_candidate);
	assert_true(s->last.evidence & 1u << ESP_EVIDENCE_exchange_auth);
	pass(s, 100);
	talk(s, 1, 0, 2, 100);
	assert_int_equal(s->last.state, ESP_SETTLED);
	assert_int_equal(s->wrong, 0);
}

static void many_clients_one_after_the_other(void **state)
{
	struct stage *s = *state;

	for (unsigned host = 1; host <= 40; host++)
		up(s, host);
	for (unsigned host = 1; host <= 40; host++)
		assert_bound(s, IN_SPI(host, 0), host);
	assert_int_equal(s->wrong, 0);
	assert_int_equal(s->settled, 40);
}

/* Both exchanges are over before any ESP packet comes, and the second client's comes first. */
static void dial_together(struct stage *s)
{
	message(s, 1, INIT, 0, false, ESP_OUTBOUND, 33);
	pass(s, 5);
	message(s, 2, INIT, 0, false, ESP_OUTBOUND, 33);
	pass(s, WAY_MS);
	message(s, 1, INIT, 0, true, ESP_INBOUND, 33);
	message(s, 2, INIT, 0, true, ESP_INBOUND, 33);
	message(s, 1, AUTH, 1, false, ESP_OUTBOUND, SK);
	message(s, 2, AUTH, 1, false, ESP_OUTBOUND, SK);
	pass(s, WAY_MS);
	message(s, 1, AUTH, 1, true, ESP_INBOUND, SK);
	message(s, 2, AUTH, 1, true, ESP_INBOUND, SK);
}

static void two_clients_within_ten_milliseconds(void **state)
{
	struct stage *s = *state;

	dial_together(s);
	pass(s, 20);
	for (unsigned i = 1; i <= 40; i++) {
		struct esp_decision d = in(s, IN_SPI(2, 0), i);

		assert_true(goes_to(&d, 2));
		if (i == 1) {
			assert_int_equal(d.verdict, ESP_COPY);
			assert_true(goes_to(&d, 1));
		}
		pass(s, 2);
		out(s, 2, 0, i);
		pass(s, 20);
		d = in(s, IN_SPI(1, 0), i);
		assert_true(goes_to(&d, 1));
		pass(s, 2);
		out(s, 1, 0, i);
		pass(s, 33);
	}
	assert_bound(s, IN_SPI(1, 0), 1);
	assert_bound(s, IN_SPI(2, 0), 2);
	assert_int_equal(s->wrong, 0);
}

/* Two hosts' tunnels are busy; both rekey in the same moment. */
static void rekey_under_load(struct stage *s, bool by_server)
{
	up(s, 1);
	up(s, 2);
	for (unsigned i = 0; i < 60; i++) { /* the rates become known */
		in(s, IN_SPI(1, 0), 500 + i);
		pass(s, 15);
		in(s, IN_SPI(2, 0), 500 + i);
		out(s, 1, 0, 500 + i);
		pass(s, 15);
		out(s, 2, 0, 500 + i);
		pass(s, 10);
	}
	message(s, 1, CREATE, 7, false, by_server ? ESP_INBOUND : ESP_OUTBOUND, SK);
	message(s, 2, CREATE, 7, false, by_server ? ESP_INBOUND : ESP_OUTBOUND, SK);
	pass(s, by_server ? 2 : WAY_MS);
	message(s, 1, CREATE, 7, true, by_server ? ESP_OUTBOUND : ESP_INBOUND, SK);
	message(s, 2, CREATE, 7, true, by_server ? ESP_OUTBOUND : ESP_INBOUND, SK);
	if (!by_server) {
		out(s, 1, 1, 1);
		out(s, 2, 1, 1);
	}
	pass(s, WAY_MS);
}

static void after_rekey(struct stage *s)
{
	for (unsigned i = 1; i < 80; i++) { /* host 2 moves first; host 1 is still on its old SA */
		struct esp_decision d = in(s, IN_SPI(2, 1), i);

		assert_true(goes_to(&d, 2));
		pass(s, 10);
		if (i < 8)
			in(s, IN_SPI(1, 0), 600 + i);
		else
			d = in(s, IN_SPI(1, 1), i - 7);
		assert_true(i < 8 || goes_to(&d, 1));
		pass(s, 10);
		out(s, 1, i < 10 ? 0 : 1, 600 + i);
		out(s, 2, i < 4 ? 0 : 1, 600 + i);
		pass(s, 20);
	}
	assert_bound(s, IN_SPI(2, 1), 2);
	assert_bound(s, IN_SPI(1, 1), 1);
	assert_int_equal(s->wrong, 0);
}

static void rekeys_of_clients_under_load(void **state)
{
	rekey_under_load(*state, false);
	after_rekey(*state);
}

static void rekeys_of_the_server_under_load(void **state)
{
	rekey_under_load(*state, true);
	after_rekey(*state);
}

static void many_children_of_each_client(void **state)
{
	struct stage *s = *state;

	for (unsigned host = 1; host <= 4; host++)
		up(s, host);
	for (unsigned child = 1; child <= 8; child++) {
		for (unsigned host = 1; host <= 4; host++) {
			exchange(s, host, CREATE, 1 + child, false);
			pass(s, 3);
			out(s, host, child, 1);
			pass(s, WAY_MS);
			talk(s, host, child, 1, 60);
		}
	}
	for (unsigned host = 1; host <= 4; host++)
		for (unsigned child = 0; child <= 8; child++)
			assert_bound(s, IN_SPI(host, child), host);
	assert_int_equal(s->wrong, 0);
}

static void idle_for_an_hour_then_the_server_speaks(void **state)
{
	struct stage *s = *state;

	for (unsigned host = 1; host <= 3; host++)
		dial(s, host);
	for (unsigned minute = 0; minute < 60; minute++) {
		for (unsigned host = 1; host <= 3; host++)
			exchange(s, host, INFO, 2 + minute, false);
		pass(s, 60000);
	}
	struct esp_decision d = in(s, IN_SPI(2, 0), 1);
	assert_int_equal(d.verdict, ESP_COPY);
	for (unsigned host = 1; host <= 3; host++)
		assert_true(goes_to(&d, host));
	pass(s, 3);
	out(s, 2, 0, 1);
	pass(s, 50);
	talk(s, 2, 0, 2, 40);
	assert_bound(s, IN_SPI(2, 0), 2);
	assert_int_equal(s->wrong, 0);
}

static void quick_mode(void **state)
{
	struct stage *s = *state;

	for (unsigned host = 1; host <= 6; host++) {
		bool by_server = host % 2;

		quick(s, host, 0x7700 + host, false, 0); /* the IKE SA is known from here on */
		pass(s, WAY_MS);
		quick(s, host, 0x7700 + host, false, 1);
		quick(s, host, 0x7700 + host, false, 2);
		pass(s, WAY_MS);
		talk(s, host, 0, 1, 50);
		quick(s, host, 0x8800 + host, by_server, 0);
		pass(s, by_server ? 3 : WAY_MS);
		quick(s, host, 0x8800 + host, by_server, 1);
		pass(s, by_server ? WAY_MS : 1);
		quick(s, host, 0x8800 + host, by_server, 2);
		pass(s, WAY_MS);
		talk(s, host, 1, 1, 50);
		assert_bound(s, IN_SPI(host, 1), host);
	}
	assert_int_equal(s->wrong, 0);
}

/* --- restarts ----------------------------------------------------------------------- */

struct saved {
	struct esp_pair pairs[64];
	unsigned count;
};

static bool save(void *context, const struct esp_pair *pair)
{
	struct saved *saved = context;

	assert_true(saved->count < 64);
	saved->pairs[saved->count++] = *pair;
	return true;
}

static void start_again(struct stage *s, const struct saved *saved)
{
	struct esp_options options = {0};

	esp_pairing_free(s->pairing);
	memset(s->in, 0, sizeof(s->in)); /* a reboot: no record is left either */
	memset(s->out, 0, sizeof(s->out));
	s->pairing = pairing_for(s, &options);
	for (unsigned i = 0; i < saved->count; i++)
		assert_int_equal(esp_pairing_restore(s->pairing, s->now_ms, &saved->pairs[i]), 0);
}

static void reboot_with_tunnels_up(void **state)
{
	struct stage *s = *state;
	struct saved saved = {0};

	for (unsigned host = 1; host <= 8; host++)
		up(s, host);
	dial(s, 9); /* an SA that nobody has spoken on yet */
	esp_pairing_each(s->pairing, save, &saved);
	start_again(s, &saved);
	for (unsigned host = 1; host <= 8; host++) {
		struct esp_decision d = in(s, IN_SPI(host, 0), 70000);

		assert_int_equal(d.verdict, ESP_BIND);
		assert_int_equal(d.inside[0], host);
	}
	struct esp_decision d = in(s, IN_SPI(9, 0), 1);
	assert_true(goes_to(&d, 9));
	assert_int_equal(s->wrong, 0);
	saved.pairs[0].inside = 77;
	if (saved.pairs[0].spi_in)
		assert_int_equal(esp_pairing_restore(s->pairing, s->now_ms, &saved.pairs[0]),
				 -EEXIST);
}

/* Everything is lost: a large sequence number is of the host that goes on too, not of a fresh SA.
 */
static void old_sa_is_not_given_to_a_fresh_candidate(void **state)
{
	struct stage *s = *state;

	out(s, 1, 0, 81234);
	pass(s, 500);
	dial(s, 2);
	struct esp_decision d = in(s, IN_SPI(1, 0), 91234);
	assert_true(goes_to(&d, 1));
	assert_int_equal(d.inside[0], 1);
	for (unsigned i = 0; i < 60; i++) {
		d = in(s, IN_SPI(1, 0), 91235 + i);
		assert_true(goes_to(&d, 1));
		pass(s, 2);
		out(s, 1, 0, 81235 + i);
		pass(s, 40);
	}
	d = in(s, IN_SPI(2, 0), 1);
	assert_true(goes_to(&d, 2));
	assert_bound(s, IN_SPI(1, 0), 1);
	assert_int_equal(s->wrong, 0);
}

/* --- one SPI, chosen twice ---------------------------------------------------------- */

static void the_same_spi_is_said(void **state)
{
	struct stage *s = *state;

	up(s, 1);
	dial(s, 2);
	struct esp_decision d = in(s, IN_SPI(1, 0), 1);
	assert_int_equal(d.verdict, ESP_COPY);
	assert_true(goes_to(&d, 1) && goes_to(&d, 2));
	assert_int_equal(s->twice, 1);
	assert_int_equal(s->twice_other, 2);
	in(s, IN_SPI(1, 0), 1);
	assert_int_equal(s->twice, 1);
	d = in(s, IN_SPI(1, 0), 300);
	assert_int_equal(d.verdict, ESP_BIND);
	assert_int_equal(d.inside[0], 1);
}

static void sequence_one_again_without_an_exchange_says_nothing(void **state)
{
	struct stage *s = *state;

	up(s, 1);
	up(s, 2);
	struct esp_decision d = in(s, IN_SPI(1, 0), 1);
	assert_int_equal(d.verdict, ESP_BIND);
	assert_int_equal(s->twice, 0);
}

/* --- hostile ------------------------------------------------------------------------ */

/* Host 66 begins a new SPI every millisecond, to look as if it answered everything. */
static void a_host_that_answers_everything_gains_nothing(void **state)
{
	struct stage *s = *state;
	unsigned noise = 0;

	for (unsigned i = 0; i < 500; i++, pass(s, 1))
		out(s, 66, noise++, 1);
	for (unsigned host = 1; host <= 3; host++) {
		dial(s, host);
		for (unsigned i = 1; i <= 60; i++) {
			struct esp_decision d = in(s, IN_SPI(host, 0), i);

			assert_true(goes_to(&d, host));
			for (unsigned j = 0; j < 10; j++, pass(s, 1))
				out(s, 66, noise++, 1);
			out(s, host, 0, i);
			pass(s, 10);
		}
		assert_bound(s, IN_SPI(host, 0), host);
	}
	assert_int_equal(s->wrong, 0);
	assert_true(pairs(s) < 64 + 3 + 1);
}

/* It even has an account with the server: exchanges of its own, all the time. */
static void a_settled_pair_cannot_be_taken(void **state)
{
	struct stage *s = *state;

	up(s, 1);
	for (unsigned i = 0; i < 200; i++) {
		exchange(s, 66, CREATE, i, false);
		out(s, 66, i % 60, 1);
		in(s, IN_SPI(1, 0), 1);
		struct esp_decision d = in(s, IN_SPI(1, 0), 2000 + i);
		assert_int_equal(d.verdict, ESP_BIND);
		assert_int_equal(d.inside[0], 1);
		pass(s, 30);
	}
	assert_int_equal(s->wrong, 0);
}

static void quota_of_one_host_is_not_its_neighbours(void **state)
{
	struct stage *s = *state;

	for (unsigned i = 0; i < 4000; i++) {
		enum esp_reason reason;

		esp_pairing_outbound(s->pairing, s->now_ms, 66, SERVER + i, 0x10000 + i, 1,
				     &reason);
	}
	assert_true(pairs(s) <= 64);
	up(s, 1);
	assert_int_equal(s->wrong, 0);
}

static void the_outside_makes_no_state(void **state)
{
	struct stage *s = *state;

	for (unsigned i = 0; i < 2000; i++) {
		struct esp_decision d = in(s, 0x50000000 + i, 1);

		assert_int_equal(d.verdict, ESP_DROP);
		assert_int_equal(d.reason, ESP_NOBODY);
		message(s, 3, CREATE, i, false, ESP_INBOUND, SK);
	}
	assert_int_equal(pairs(s), 0);
}

/* They come once each; the pool has room for the one that goes on. */
static void a_flood_of_spis_leaves_room(void **state)
{
	struct stage *s = *state;

	up(s, 1);
	for (unsigned i = 0; i < 3000; i++) {
		struct esp_decision d;

		esp_pairing_inbound(s->pairing, s->now_ms, SERVER, 0x50000000 + i, 1 + i % 2 * 7777,
				    &d);
		assert_int_not_equal(d.verdict, ESP_BIND);
	}
	assert_int_equal(pairs(s), 1);
	pass(s, 3000);
	up(s, 2);
	up(s, 3);
	assert_int_equal(s->wrong, 0);
}

static void forged_spis_do_not_hinder_tunnels(void **state)
{
	struct stage *s = *state;
	unsigned copied = 0;

	up(s, 1);
	up(s, 2);
	s->wrong = 0;
	for (unsigned i = 0; i < 3000; i++) {
		struct esp_decision d;

		esp_pairing_inbound(s->pairing, s->now_ms, SERVER, 0x50000000 + i, 1 + i * 977, &d);
		copied += d.verdict == ESP_COPY;
		pass(s, i % 10 == 0);
	}
	assert_true(copied <= 2000 + 2000);
	assert_true(pairs(s) <= 2 * 64);
	for (unsigned host = 1; host <= 2; host++) {
		struct esp_decision d = in(s, IN_SPI(host, 0), 3000);

		assert_int_equal(d.verdict, ESP_BIND);
		assert_int_equal(d.inside[0], host);
	}
}

/* --- copies ------------------------------------------------------------------------- */

/* Two hosts that never answer: nothing can tell them apart, and copying has an end. */
static void copies_are_few(void **state)
{
	struct stage *s = *state;
	unsigned copies = 0;

	dial_together(s);
	pass(s, 20);
	for (unsigned i = 1; i <= 1000; i++, pass(s, 1))
		copies += in(s, IN_SPI(2, 0), i).count > 1;
	assert_true(copies <= 128 + 50 + 8);
	assert_true(s->last.evidence & 1u << ESP_EVIDENCE_leaning);
	assert_int_equal(s->last.state, ESP_PROVISIONAL);
}

/* --- what the network does ---------------------------------------------------------- */

static void esp_may_overtake_the_answer(void **state)
{
	struct stage *s = *state;

	dial_init(s, 1);
	message(s, 1, AUTH, 1, false, ESP_OUTBOUND, SK);
	pass(s, WAY_MS);
	struct esp_decision d = in(s, IN_SPI(1, 0), 1);
	assert_true(goes_to(&d, 1));
	pass(s, 2);
	message(s, 1, AUTH, 1, true, ESP_INBOUND, SK);
	talk(s, 1, 0, 2, 20);
	assert_bound(s, IN_SPI(1, 0), 1);
	assert_int_equal(pairs(s), 1);
}

static void repeated_and_fragmented_messages_make_one_child(void **state)
{
	struct stage *s = *state;

	dial_init(s, 1);
	for (unsigned i = 0; i < 6; i++) /* three fragments (RFC 7383), sent twice */
		message(s, 1, AUTH, 1, false, ESP_OUTBOUND, SKF);
	pass(s, WAY_MS);
	for (unsigned i = 0; i < 6; i++)
		message(s, 1, AUTH, 1, true, ESP_INBOUND, SKF);
	for (unsigned id = 2; id < 5; id++) /* EAP: more rounds of the same exchange */
		exchange(s, 1, AUTH, id, false);
	assert_int_equal(pairs(s), 1);
	exchange(s, 1, CREATE, 9, false);
	exchange(s, 1, CREATE, 9, false);
	exchange(s, 1, CREATE, 9, true); /* the server counts for itself */
	assert_int_equal(pairs(s), 3);
}

static void noise_makes_no_child(void **state)
{
	struct stage *s = *state;

	dial_init(s, 1);
	for (unsigned id = 1; id < 50; id++)
		exchange(s, 1, INFO, id, id % 2);
	message(s, 1, CREATE, 60, false, ESP_OUTBOUND, 41); /* a notify in clear */
	assert_int_equal(pairs(s), 0);
}

static void a_rekeyed_ike_sa_made_no_child(void **state)
{
	struct stage *s = *state;
	struct esp_ike_header h = {.spi_initiator = 0xeeee,
				   .spi_responder = 0xffff,
				   .version = 0x20,
				   .exchange = INFO,
				   .next_payload = SK};

	up(s, 1);
	exchange(s, 1, CREATE, 2, false);
	assert_int_equal(pairs(s), 2);
	esp_pairing_ike(s->pairing, s->now_ms, 1, SERVER, &h, ESP_OUTBOUND);
	assert_int_equal(pairs(s), 1);
}

static void nat_traversal_beside_plain_esp(void **state)
{
	struct stage *s = *state;
	struct esp_ike_header h = {.spi_initiator = 0xa0002,
				   .spi_responder = 0xb0002,
				   .version = 0x20,
				   .exchange = AUTH,
				   .next_payload = SK,
				   .message_id = 1,
				   .floated = true};

	dial_init(s, 2);
	esp_pairing_ike(s->pairing, s->now_ms, 2, SERVER, &h, ESP_OUTBOUND);
	h.flags = RESPONSE;
	esp_pairing_ike(s->pairing, s->now_ms, 2, SERVER, &h, ESP_INBOUND);
	dial(s, 1);
	struct esp_decision d = in(s, IN_SPI(1, 0), 1);
	assert_int_equal(d.verdict, ESP_BIND);
	assert_int_equal(d.inside[0], 1);
}

static void two_clients_behind_one_address(void **state)
{
	struct stage *s = *state;
	struct esp_ike_header h = {.spi_initiator = 0x1111,
				   .spi_responder = 0x2222,
				   .version = 0x20,
				   .exchange = AUTH,
				   .next_payload = SK,
				   .message_id = 1};

	up(s, 1);
	up(s, 2);
	esp_pairing_ike(s->pairing, s->now_ms, 1, SERVER, &h, ESP_OUTBOUND);
	pass(s, WAY_MS);
	h.flags = RESPONSE;
	esp_pairing_ike(s->pairing, s->now_ms, 1, SERVER, &h, ESP_INBOUND);
	pass(s, 3);
	out(s, 1, 5, 1);
	pass(s, WAY_MS);
	talk(s, 1, 5, 1, 60);
	talk(s, 1, 0, 500, 20);
	assert_bound(s, IN_SPI(1, 5), 1);
	assert_bound(s, IN_SPI(1, 0), 1);
	assert_int_equal(s->wrong, 0);
}

/* --- the rest ----------------------------------------------------------------------- */

static void reserved_spis_are_dropped(void **state)
{
	struct stage *s = *state;
	enum esp_reason reason;

	dial(s, 1);
	assert_int_equal(in(s, 255, 1).reason, ESP_RESERVED_SPI);
	assert_int_equal(esp_pairing_outbound(s->pairing, s->now_ms, 1, SERVER, 0, 1, &reason),
			 ESP_DROP);
	assert_int_equal(reason, ESP_RESERVED_SPI);
}

static void silence_ends_pairs_and_forgets_peers(void **state)
{
	struct stage *s = *state;

	out(s, 1, 0, 1); /* no IKE was heard */
	pass(s, 7300000);
	assert_int_equal(pairs(s), 0);
	assert_true(s->ended > 0);
	assert_int_equal(in(s, IN_SPI(1, 0), 1).reason, ESP_NOBODY);
}

static void forgetting(void **state)
{
	struct stage *s = *state;

	up(s, 1);
	up(s, 2);
	esp_pairing_forget(s->pairing, 1, 0);
	assert_int_equal(pairs(s), 1);
	esp_pairing_forget(s->pairing, 0, 0);
	assert_int_equal(pairs(s), 0);
}

static void every_word_is_there(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ESP_EVIDENCES; i++) {
		assert_true(strlen(esp_evidence_sentence(i)) > 10);
		assert_true(strlen(esp_evidence_name(i)) > 3);
		assert_non_null(esp_evidence_rfc(i));
	}
	assert_string_equal(esp_evidence_name(ESP_EVIDENCES), "");
	assert_string_equal(esp_state_name(ESP_SETTLED), "settled");
	assert_string_equal(esp_end_name(ESP_SILENT), "silent");
	assert_string_equal(esp_reason_name(ESP_RATE), "rate");
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest rows[] = {
		ROW(one_client_is_bound_by_its_first_packet),
		ROW(many_clients_one_after_the_other),
		ROW(two_clients_within_ten_milliseconds),
		ROW(rekeys_of_clients_under_load),
		ROW(rekeys_of_the_server_under_load),
		ROW(many_children_of_each_client),
		ROW(idle_for_an_hour_then_the_server_speaks),
		ROW(quick_mode),
		ROW(reboot_with_tunnels_up),
		ROW(old_sa_is_not_given_to_a_fresh_candidate),
		ROW(the_same_spi_is_said),
		ROW(sequence_one_again_without_an_exchange_says_nothing),
		ROW(a_host_that_answers_everything_gains_nothing),
		ROW(a_settled_pair_cannot_be_taken),
		ROW(quota_of_one_host_is_not_its_neighbours),
		ROW(the_outside_makes_no_state),
		ROW(a_flood_of_spis_leaves_room),
		ROW(forged_spis_do_not_hinder_tunnels),
		ROW(copies_are_few),
		ROW(esp_may_overtake_the_answer),
		ROW(repeated_and_fragmented_messages_make_one_child),
		ROW(noise_makes_no_child),
		ROW(a_rekeyed_ike_sa_made_no_child),
		ROW(nat_traversal_beside_plain_esp),
		ROW(two_clients_behind_one_address),
		ROW(reserved_spis_are_dropped),
		ROW(silence_ends_pairs_and_forgets_peers),
		ROW(forgetting),
		ROW(every_word_is_there),
	};

	return cmocka_run_group_tests(rows, NULL, NULL);
}
