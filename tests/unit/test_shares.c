/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host with many addresses does not use up the daemon's lists: pairing/share.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SETS 64
#include "tests/unit/test_arena.h"

#include "core/session.h"
#include "daemon/stations.h"
#include "pairing/esp.h"
#include "pairing/ike_port.h"

#define EXTERNAL host_to_be32(0xcb007101)
#define SERVER	 7
#define LAN	 3

/* Addresses up to 999 are one device's, each other one is a device of its own. */
static uint32_t group_of(void *context, uint32_t inside, bool *known)
{
	*known = inside >= 2000;
	return inside < 1000 ? 1 : inside;
}

static const struct share_groups groups = {.group = group_of};

static void a_group_has_a_quarter(void **state)
{
	struct share share = share_of(&groups, 5, 1024);

	share_count(&share, 1, 255);
	assert_true(share_admits(&share));
	share_count(&share, 1, 1);
	assert_false(share_admits(&share));
	share = share_of(&groups, 1500, 1024);
	share_count(&share, 1, 256);
	assert_true(share_admits(&share));
}

/* The last eighth: one for each known group that has none. */
static void the_reserve_is_for_who_has_none(void **state)
{
	struct share stranger = share_of(&groups, 1500, 1024);
	struct share known = share_of(&groups, 2000, 1024);

	share_count(&stranger, 9, 896);
	share_count(&known, 9, 896);
	assert_false(share_admits(&stranger));
	assert_true(share_admits(&known));
	share_count(&known, known.group, 1);
	assert_false(share_admits(&known));
}

static void without_groups_nothing_is_shared(void **state)
{
	struct share share = share_of(&(struct share_groups){0}, 5, 8);

	share_count(&share, 0, 8);
	assert_true(share_admits(&share));
}

/* 66 addresses with 66 SPIs each took all 4,096 pairs, for two hours. */
static void many_addresses_do_not_use_up_esp_pairs(void **state)
{
	struct esp_pairing *p =
		esp_pairing_new(&(struct esp_options){.groups = groups}, &(struct esp_events){0});
	enum esp_reason reason;
	unsigned passed = 0;

	assert_non_null(p);
	for (uint32_t host = 1; host <= 66; host++)
		for (uint32_t spi = 0; spi < 66; spi++)
			passed += esp_pairing_outbound(p, 1000, host, SERVER,
						       0x10000 + host * 100 + spi, 1,
						       &reason) == ESP_PASS;
	for (uint32_t spi = 0; spi < 10; spi++)
		assert_int_equal(
			esp_pairing_outbound(p, 1000, 2000, SERVER, 0x90000 + spi, 1, &reason),
			ESP_PASS);
	assert_true(passed >= 1024);
	esp_pairing_free(p);
}

static bool sa_count(void *context, const struct ike_sa *sa)
{
	unsigned *of = context;

	of[sa->owner[0].inside >= 2000]++;
	return true;
}

static void many_addresses_do_not_use_up_ike_sas(void **state)
{
	struct ike_port *p = ike_port_new(&groups);
	unsigned of[2] = {0};

	assert_non_null(p);
	for (uint32_t i = 0; i < 64 * 33 + 1; i++) {
		struct ike_sa sa = {.server = SERVER,
				    .spi_initiator = 1 + i,
				    .owner = {{.inside = 1 + i / 64, .port = 500}},
				    .owners = 1};

		if (i == 64 * 33)
			sa.owner[0].inside = 2000;
		ike_port_restore_sa(p, 1000, &sa);
	}
	ike_port_each_sa(p, sa_count, of);
	assert_int_equal(of[0], 512);
	assert_int_equal(of[1], 1);
	ike_port_free(p);
}

/* --- groups of the data plane ------------------------------------------------------------ */

static void next_hop_make(uint32_t index, __be32 address, uint8_t mac)
{
	next_hops[index] =
		(struct next_hop){.ifindex = LAN,
				  .address = address,
				  .destination = {2, 0, 0, 0, 0, mac},
				  .flags = NEXT_HOP_INSIDE | (mac ? NEXT_HOP_RESOLVED : 0)};
}

static void addresses_of_one_mac_are_a_group(void **state)
{
	bool known;

	arena_clear(EXTERNAL, 1000);
	config.sessions_limit = config.sessions_per_host = config.new_per_second = 100;
	for (uint32_t i = 1; i <= 3; i++) {
		next_hop_make(i, i, i < 3 ? 9 : 8);
		assert_int_equal(verdict_action(host_admit(i, i)), ACTION_FORWARD);
	}
	assert_int_equal(stations_group(NULL, 1, &known), stations_group(NULL, 2, &known));
	assert_int_not_equal(stations_group(NULL, 1, &known), stations_group(NULL, 3, &known));
	assert_false(known);
	now += 601 * HZ;
	stations_group(NULL, 1, &known);
	assert_true(known);
	assert_int_equal(stations_group(NULL, 77, &known), UINT32_MAX);
	config.routed[0].address = 77;
	config.routed[0].mask = UINT32_MAX;
	assert_int_equal(stations_group(NULL, 77, &known), 0);
}

/* Its counts go with it, so that nothing stays behind at "not resolved". */
static void a_host_that_answers_arp_changes_its_station(void **state)
{
	struct record *host, *before, *after;

	arena_clear(EXTERNAL, 1000);
	config.sessions_limit = config.sessions_per_host = config.new_per_second = 100;
	next_hop_make(1, 1, 0);
	host = record_at(verdict_index(host_admit(1, 1)));
	host_counts_session(table_index(host));
	host_counts_mapping(&config, &host->host);
	before = station_of(&host->host);
	next_hop_make(1, 1, 9);
	host_admit(1, 1);
	after = station_of(&host->host);
	assert_ptr_not_equal(before, after);
	assert_int_equal(before->host.sessions + before->host.mappings + before->host.hosts, 0);
	assert_int_equal(after->host.sessions, 1);
	assert_int_equal(after->host.mappings, 1);
	assert_int_equal(after->host.hosts, 1);
	host_loses_session(&host->host);
	host_loses_mapping(&host->host);
	assert_int_equal(after->host.sessions + after->host.mappings, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_has_a_quarter),
		cmocka_unit_test(the_reserve_is_for_who_has_none),
		cmocka_unit_test(without_groups_nothing_is_shared),
		cmocka_unit_test(many_addresses_do_not_use_up_esp_pairs),
		cmocka_unit_test(many_addresses_do_not_use_up_ike_sas),
		cmocka_unit_test(addresses_of_one_mac_are_a_group),
		cmocka_unit_test(a_host_that_answers_arp_changes_its_station),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
