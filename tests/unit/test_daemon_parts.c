/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's pure parts: settings to configuration, call ids, fragments, clock, wall. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/icmp_build.h"
#include "core/memory.h"
#include "core/packet.h"
#include "core/tcp_state.h"
#include "daemon/apply.h"
#include "daemon/call_ids.h"
#include "daemon/clock.h"
#include "daemon/dataplane.h"
#include "daemon/instance.h"
#include "daemon/links.h"
#include "daemon/session_packet.h"
#include "daemon/wall.h"

/* --- settings -------------------------------------------------------------------------- */

static void switches_become_masks(void **state)
{
	struct settings settings = {.passthrough = {.pptp = PASSTHROUGH_ON,
						    .l2tp = PASSTHROUGH_NAT_ONLY,
						    .ipsec = PASSTHROUGH_OFF}};
	struct config config = {.hz = 250};

	apply_settings(&config, &settings, 1000);
	assert_int_equal(config.assisted, 1u << CLASS_PPTP);
	assert_int_equal(config.blocked, 1u << CLASS_IPSEC);
}

static void durations_become_ticks(void **state)
{
	struct settings settings = {.timeouts = {.udp = 300, .tcp_established = 0xffffffff}};
	struct config config = {.hz = 250};

	apply_settings(&config, &settings, 1000);
	assert_int_equal(config.timeouts[TIMEOUT_UDP], 75000);
	assert_int_equal(config.timeouts[TIMEOUT_TCP_ESTABLISHED], 0x7fffffff);
}

static void the_limit_is_never_more_than_the_table_holds(void **state)
{
	struct settings settings = {.limits = {.sessions = 5000}};
	struct config config = {.hz = 100};

	apply_settings(&config, &settings, 1000);
	assert_int_equal(config.sessions_limit, 1000);
	apply_settings(&config, &settings, 8192);
	assert_int_equal(config.sessions_limit, 5000);
}

static void the_table_has_four_records_a_session(void **state)
{
	assert_int_equal(plane_sets(16384) * RECORDS_A_SET, 4 * 16384);
	assert_int_equal(plane_sets(20000) * RECORDS_A_SET, 4 * 32768);
	assert_int_equal(plane_sessions(20000), 20000);
	assert_true(plane_sessions(0) >= 16384 && plane_sessions(0) <= 1048576);
}

/* --- call ids -------------------------------------------------------------------------- */

static void call_ids_are_unique_per_server(void **state)
{
	struct call_ids *ids = call_ids_new();
	static uint8_t seen[65536];

	for (int i = 0; i < 65535; i++) {
		uint16_t id = call_ids_take(ids, 1);

		assert_int_not_equal(id, 0);
		assert_false(seen[id]);
		seen[id] = 1;
	}
	assert_int_equal(call_ids_take(ids, 1), 0);
	assert_int_not_equal(call_ids_take(ids, 2), 0);
	call_ids_give_back(ids, 1, 1234);
	assert_int_equal(call_ids_take(ids, 1), 1234);
	call_ids_free(ids);
}

static void a_certain_call_id_is_taken_once(void **state)
{
	struct call_ids *ids = call_ids_new();

	assert_int_equal(call_ids_take_this(ids, 1, 77), 0);
	assert_int_equal(call_ids_take_this(ids, 1, 77), -EEXIST);
	assert_int_equal(call_ids_used(ids, 1), 1);
	call_ids_give_back(ids, 1, 77);
	call_ids_give_back(ids, 1, 77);
	assert_int_equal(call_ids_used(ids, 1), 0);
	call_ids_free(ids);
}

/* --- the rest -------------------------------------------------------------------------- */

static void the_clock_rate_is_one_that_kernels_have(void **state)
{
	assert_int_equal(clock_rate_nearest(50, 200000000), 250);
	assert_int_equal(clock_rate_nearest(49, 200900000), 250);
	assert_int_equal(clock_rate_nearest(60, 200100000), 300);
	assert_int_equal(clock_rate_nearest(20, 200000000), 100);
	assert_int_equal(clock_rate_nearest(201, 200000000), 1000);
}

static void the_wall_names_every_interface(void **state)
{
	struct links links = {
		.count = 3,
		.link = {{.name = "wan0", .wan = true}, {.name = "lan0"}, {.name = "lan1"}}};
	static struct wall wall = {.table = "wayleave_0"};
	char *text = NULL;

	assert_int_equal(wall_text(&wall, &links, &text), 0);
	assert_non_null(strstr(text, "delete table inet wayleave_0"));
	assert_non_null(
		strstr(text, "iifname { \"lan0\", \"lan1\" } oifname \"wan0\" counter drop"));
	assert_non_null(strstr(text, "iifname \"wan0\" ct state established,related accept"));
	assert_non_null(strstr(text, "iifname { \"lan0\", \"lan1\" } meta pkttype host"));
	assert_non_null(strstr(text, "oifname \"wan0\" rt ipsec missing"));
	assert_null(strstr(text, "dscp"));
	free(text);
	wall.by_tos = true;
	assert_int_equal(wall_text(&wall, &links, &text), 0);
	assert_non_null(strstr(text, "meta ipsec missing ip dscp 0 ip saddr != 0.0.0.0 fib"));
	assert_null(strstr(text, "kept")); /* nor an empty set */
	free(text);
}

static void the_wall_lets_in_who_is_allowed_and_who_was_there(void **state)
{
	struct links links = {.count = 2,
			      .link = {{.name = "wan0", .wan = true}, {.name = "lan0"}}};
	static struct wall wall = {.table = "wayleave_0"};
	struct settings_error error;
	char *text = NULL;

	assert_int_equal(allows_parse("ssh from 198.51.100.0/24,udp:5000-5009 from any,tcp:1 from "
				      "192.0.2.1",
				      &wall.allows, &error),
			 0);
	wall.kept.count = 1;
	wall.kept.flow[0] = (struct kept_flow){.protocol = IPPROTO_TCP,
					       .local = host_to_be32(0xc0000202),
					       .remote = host_to_be32(0xcb007109),
					       .local_port = host_to_be16(22),
					       .remote_port = host_to_be16(40000)};
	assert_int_equal(wall_text(&wall, &links, &text), 0);
	assert_non_null(strstr(text, "ip saddr 198.51.100.0/24 tcp dport 22 accept"));
	assert_non_null(strstr(text, "nfproto ipv4 udp dport 5000-5009 accept"));
	assert_non_null(strstr(text, "ip saddr 192.0.2.1/32 tcp dport 1 accept"));
	assert_non_null(strstr(text, "elements = { 203.0.113.9 . 40000 . 192.0.2.2 . 22 }"));
	assert_non_null(strstr(text, "dport @kept_tcp accept"));
	assert_null(strstr(text, "kept_udp"));
	free(text);
}

static void names_come_from_run_dir(void **state)
{
	struct instance a, b, c;

	instance_name(&a, "/run/wayleave");
	instance_name(&b, "/run/wayleave/");
	instance_name(&c, "/run/wayleave2");
	assert_string_equal(a.tap, b.tap);
	assert_int_equal(a.number, b.number);
	assert_string_not_equal(a.tap, c.tap);
	assert_true(strlen(a.tap) < IFNAMSIZ);
}

/* --- packets in the name of a session ---------------------------------------------------- */

static struct record half(uint8_t state, uint32_t tcp_next)
{
	return (struct record){.key = {.remote = host_to_be32(0xc6336409),
				       .local = host_to_be32(0x0a000002),
				       .remote_id = host_to_be16(1723),
				       .local_id = host_to_be16(40000),
				       .protocol = PROTOCOL_TCP},
			       .session = {.tcp_state = state, .tcp_next = tcp_next}};
}

/* Over what the receiver sums, a good checksum leaves nothing. */
static void assert_sums_are_good(const uint8_t *packet)
{
	uint8_t summed[32] = {[9] = PROTOCOL_TCP, [11] = sizeof(struct tcp_header)};

	assert_int_equal(icmp_build_sum(packet, sizeof(struct ipv4_header)), 0);
	memcpy(summed, packet + 12, 8);
	memcpy(summed + 12, packet + 20, 20);
	assert_int_equal(icmp_build_sum(summed, sizeof(summed)), 0);
}

static void a_reset_is_exactly_in_sequence(void **state)
{
	struct record orig = half(TCP_ESTABLISHED, 1000), reply = half(TCP_ESTABLISHED, 2000);
	const uint8_t expected[] = {0x06, 0xbb, 0x9c, 0x40, 0,	  0,	0x07,
				    0xd0, 0,	0,    0x03, 0xe8, 0x50, TCP_RST | TCP_ACK};
	uint8_t packet[SESSION_PACKET_MAX];

	assert_int_equal(session_packet_reset(packet, &orig, &reply), 40);
	assert_memory_equal(packet + 12, "\xc6\x33\x64\x09\x0a\x00\x00\x02", 8);
	assert_memory_equal(packet + 20, expected, sizeof(expected));
	assert_sums_are_good(packet);
}

static void what_is_over_is_not_reset(void **state)
{
	uint8_t packet[SESSION_PACKET_MAX];
	struct record orig = half(TCP_FIN_BOTH, 1000), reply = orig;

	assert_int_equal(session_packet_reset(packet, &orig, &reply), 0);
	orig = half(TCP_ESTABLISHED, 1000);
	orig.key.protocol = PROTOCOL_UDP;
	assert_int_equal(session_packet_reset(packet, &orig, &reply), 0);
}

/* RFC 3948 section 2.3 */
static void a_keepalive_is_one_byte_without_checksum(void **state)
{
	struct record orig = half(0, 0);
	const uint8_t expected[] = {0x9c, 0x41, 0x11, 0x94, 0, 9, 0, 0, 0xff};
	uint8_t packet[SESSION_PACKET_MAX];

	orig.key.protocol = PROTOCOL_UDP;
	orig.key.remote_id = host_to_be16(4500);
	orig.session.new_local = host_to_be32(0xcb007101);
	orig.session.new_id = host_to_be16(40001);
	assert_int_equal(session_packet_keepalive(packet, &orig), 29);
	assert_memory_equal(packet + 12, "\xcb\x00\x71\x01\xc6\x33\x64\x09", 8);
	assert_memory_equal(packet + 20, expected, sizeof(expected));
	assert_int_equal(icmp_build_sum(packet, sizeof(struct ipv4_header)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(switches_become_masks),
		cmocka_unit_test(durations_become_ticks),
		cmocka_unit_test(the_limit_is_never_more_than_the_table_holds),
		cmocka_unit_test(the_table_has_four_records_a_session),
		cmocka_unit_test(call_ids_are_unique_per_server),
		cmocka_unit_test(a_certain_call_id_is_taken_once),
		cmocka_unit_test(the_clock_rate_is_one_that_kernels_have),
		cmocka_unit_test(the_wall_names_every_interface),
		cmocka_unit_test(the_wall_lets_in_who_is_allowed_and_who_was_there),
		cmocka_unit_test(names_come_from_run_dir),
		cmocka_unit_test(a_reset_is_exactly_in_sequence),
		cmocka_unit_test(what_is_over_is_not_reset),
		cmocka_unit_test(a_keepalive_is_one_byte_without_checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
