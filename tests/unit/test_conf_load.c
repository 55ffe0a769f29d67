/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings from YAML: defaults, what is refused and where, and ten thousand mutations. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "conf/load.h"

#define WAN_LAN "wan: {interface: wan0}\nlan: {interfaces: [lan0]}\n"

static struct settings *parse(const char *text)
{
	struct settings *settings;
	struct settings_error error;
	char line[512];

	int rc = settings_parse(text, strlen(text), "test", &settings, &error);
	if (rc)
		fail_msg("%s", settings_error_text(&error, line, sizeof(line)));
	return settings;
}

static void defaults_are_those_of_the_rfcs(void **state)
{
	struct settings *s = parse(WAN_LAN);

	assert_string_equal(s->wan.interface, "wan0");
	assert_int_equal(s->lan.interfaces_count, 1);
	assert_int_equal(s->passthrough.pptp, PASSTHROUGH_ON);
	assert_int_equal(s->passthrough.l2tp, PASSTHROUGH_ON);
	assert_int_equal(s->passthrough.ipsec, PASSTHROUGH_ON);
	assert_int_equal(s->filtering.udp, FILTERING_ADDRESS_DEPENDENT);
	assert_int_equal(s->limits.sessions, 0);
	assert_int_equal(s->limits.mappings_per_host, 4096);
	assert_int_equal(s->limits.sessions_per_host, 16384);
	assert_int_equal(s->limits.new_sessions_per_second, 2000);
	assert_int_equal(s->timeouts.udp, 300);
	assert_int_equal(s->timeouts.tcp_established, 7440);
	assert_int_equal(s->timeouts.tcp_opening, 240);
	assert_int_equal(s->timeouts.tcp_closing, 240);
	assert_int_equal(s->timeouts.icmp, 60);
	assert_int_equal(s->timeouts.esp, 3600);
	assert_int_equal(s->timeouts.gre, 600);
	assert_int_equal(s->timeouts.ike, 7200);
	assert_int_equal(s->timeouts.l2tp, 3600);
	assert_int_equal(s->timeouts.wireguard, 3600);
	assert_int_equal(s->timeouts.openvpn, 3600);
	assert_int_equal(s->dataplane, DATAPLANE_AUTO);
	assert_int_equal(s->mss_clamp, 1);
	assert_string_equal(s->run_dir, "/run/wayleave");
	assert_null(s->control_group);
	settings_free(s);
}

static void old_name_sets_both_timers(void **state)
{
	struct settings *s = parse(WAN_LAN "timeouts: {tcp_transitory: 300}\n");

	assert_int_equal(s->timeouts.tcp_opening, 300);
	assert_int_equal(s->timeouts.tcp_closing, 300);
	settings_free(s);
	s = parse(WAN_LAN "timeouts: {tcp_transitory: 300, tcp_opening: 60}\n");
	assert_int_equal(s->timeouts.tcp_opening, 60);
	assert_int_equal(s->timeouts.tcp_closing, 300);
	settings_free(s);
}

static const char everything[] = "# a comment\n"
				 "wan:\n"
				 "  interface: ppp0\n"
				 "lan:\n"
				 "  interfaces: [br0, eth2]\n"
				 "passthrough: {pptp: nat-only, l2tp: off, ipsec: true}\n"
				 "port_forwards:\n"
				 "  - {name: web, protocol: tcp, port: 80, to: 192.168.1.10}\n"
				 "  - protocol: udp\n"
				 "    port: 6000\n"
				 "    port_last: 6009\n"
				 "    to: 192.168.1.11\n"
				 "    to_port: 7000\n"
				 "  - {protocol: esp, to: 192.168.1.12}\n"
				 "filtering: {udp: endpoint-independent}\n"
				 "limits: {sessions: 1000000}\n"
				 "timeouts:\n"
				 "  esp: 7200\n"
				 "dataplane: tc\n"
				 "mss_clamp: 1360\n"
				 "run_dir: /run/other\n"
				 "control_group: netadmin\n";

static void check_everything(const struct settings *s)
{
	assert_string_equal(s->lan.interfaces[1], "eth2");
	assert_int_equal(s->passthrough.pptp, PASSTHROUGH_NAT_ONLY);
	assert_int_equal(s->passthrough.l2tp, PASSTHROUGH_OFF);
	assert_int_equal(s->passthrough.ipsec, PASSTHROUGH_ON);
	assert_int_equal(s->port_forwards_count, 3);
	assert_string_equal(s->port_forwards[0].name, "web");
	assert_int_equal(s->port_forwards[0].port_last, 80);
	assert_int_equal(s->port_forwards[0].to_port, 80);
	assert_int_equal(s->port_forwards[1].port_last, 6009);
	assert_int_equal(s->port_forwards[1].to_port, 7000);
	assert_int_equal(s->port_forwards[1].to.s_addr, inet_addr("192.168.1.11"));
	assert_int_equal(s->port_forwards[2].protocol, FORWARD_ESP);
	assert_int_equal(s->port_forwards[2].port, 0);
	assert_int_equal(s->timeouts.esp, 7200);
	assert_int_equal(s->timeouts.udp, 300);
	assert_int_equal(s->mss_clamp, 1360);
	assert_string_equal(s->control_group, "netadmin");
}

static void everything_survives_writing_and_reading(void **state)
{
	struct settings *s = parse(everything);
	check_everything(s);
	struct settings *copy = settings_copy(s);
	settings_free(s);
	check_everything(copy);

	char *text, *again;
	size_t length, length_again;
	assert_int_equal(settings_format(copy, &text, &length), 0);
	struct settings *third;
	struct settings_error error;
	assert_int_equal(settings_parse(text, length, "x", &third, &error), 0);
	assert_int_equal(settings_format(third, &again, &length_again), 0);
	assert_int_equal(length, length_again);
	assert_memory_equal(text, again, length);
	free(text);
	free(again);
	settings_free(third);
	settings_free(copy);
}

struct refusal {
	const char *text;
	unsigned int line;
	const char *field;
	const char *message; /* a part of it */
};

static const struct refusal refusals[] = {
	{"", 0, "", "no settings"},
	{"lan: {interfaces: [a]}\n", 0, "wan", "missing"},
	{"wan: {interface: a}\n", 0, "lan", "missing"},
	{"wan: {}\nlan: {interfaces: [a]}\n", 1, "wan.interface", "missing"},
	{"wan: {interface: a}\nlan:\n  interfaces: []\n", 3, "lan.interfaces", "at least one"},
	{"wan: {interface: a}\nlan: {interfaces: [b, a]}\n", 2, "lan.interfaces[1]", "WAN"},
	{"wan: {interface: a}\nlan:\n  interfaces:\n    - b\n    - c\n    - b\n", 6,
	 "lan.interfaces[2]", "twice"},
	{"wan: {interface: far-too-long-name}\nlan: {interfaces: [b]}\n", 1, "wan.interface",
	 "not an interface name"},
	{"wan: {interface: a/b}\nlan: {interfaces: [b]}\n", 1, "wan.interface", "interface name"},
	{"wan: eth0\nlan: {interfaces: [b]}\n", 1, "wan", "found plain text"},
	{"wan: {interface: a}\nlan: {interfaces: b}\n", 2, "lan.interfaces", "a list"},
	{"wan: {interface: [a]}\nlan: {interfaces: [b]}\n", 1, "wan.interface", "single value"},
	{"wan: {interface: a, allow: ssh}\nlan: {interfaces: [b]}\n", 1, "wan.allow",
	 "not PORTS from SOURCE"},
	{"wan: {interface: a, allow: 'tcp:22 from 10.0.0.0/24, '}\nlan: {interfaces: [b]}\n", 1,
	 "wan.allow", "not PORTS from SOURCE"},
	{"wan: {interface: a, allow: 'ftp from any'}\nlan: {interfaces: [b]}\n", 1, "wan.allow",
	 "neither ssh nor"},
	{"wan: {interface: a, allow: 'tcp:0 from any'}\nlan: {interfaces: [b]}\n", 1, "wan.allow",
	 "neither ssh nor"},
	{"wan: {interface: a, allow: 'tcp:9-8 from any'}\nlan: {interfaces: [b]}\n", 1, "wan.allow",
	 "neither ssh nor"},
	{"wan: {interface: a, allow: 'udp:65536 from any'}\nlan: {interfaces: [b]}\n", 1,
	 "wan.allow", "neither ssh nor"},
	{"wan: {interface: a, allow: 'tcp:022 from any'}\nlan: {interfaces: [b]}\n", 1, "wan.allow",
	 "neither ssh nor"},
	{"wan: {interface: a, allow: 'ssh from 10.0.0.0/33'}\nlan: {interfaces: [b]}\n", 1,
	 "wan.allow", "neither any nor"},
	{"wan: {interface: a, allow: 'ssh from here'}\nlan: {interfaces: [b]}\n", 1, "wan.allow",
	 "neither any nor"},
	{"wan: {interface: a, allow: 'ssh from 10.0.0.7/24'}\nlan: {interfaces: [b]}\n", 1,
	 "wan.allow", "did you mean 10.0.0.0/24 or 10.0.0.7?"},
	{"wan: {interface: a, allow: 'ssh from any'}\nlan: {interfaces: [b]}\nport_forwards: "
	 "[{protocol: tcp, port: 20, port_last: 30, to: 10.0.0.2}]\n",
	 1, "wan.allow", "tcp port 20 is forwarded"},
	{WAN_LAN "nonsense: 1\n", 3, "nonsense", "no such setting"},
	{WAN_LAN "passthrough:\n  pptp: on\n  sstp: on\n", 5, "passthrough.sstp",
	 "no such setting"},
	{WAN_LAN "passthrough: {pptp: maybe}\n", 3, "passthrough.pptp", "on, off, nat-only"},
	{WAN_LAN "passthrough: {pptp: 2}\n", 3, "passthrough.pptp", "on, off, nat-only"},
	{WAN_LAN "passthrough:\n", 3, "passthrough", "found plain text"},
	{WAN_LAN "passthrough: {pptp: on}\npassthrough: {l2tp: on}\n", 4, "passthrough", "twice"},
	{WAN_LAN "dataplane: dpdk\n", 3, "dataplane", "auto, tc, xdp"},
	{WAN_LAN "mss_clamp: 70000\n", 3, "mss_clamp", "not from 536"},
	{WAN_LAN "mss_clamp: -4\n", 3, "mss_clamp", "auto, off"},
	{WAN_LAN "mss_clamp: 100\n", 3, "mss_clamp", "too small"},
	{WAN_LAN "timeouts:\n  udp: 119\n", 4, "timeouts.udp", "RFC 4787 REQ-5"},
	{WAN_LAN "timeouts:\n  tcp_established: 7439\n", 4, "timeouts.tcp_established",
	 "RFC 5382 REQ-5"},
	{WAN_LAN "timeouts:\n  tcp_closing: 239\n", 4, "timeouts.tcp_closing", "RFC 5382 REQ-5"},
	{WAN_LAN "timeouts:\n  tcp_transitory: 239\n", 4, "timeouts.tcp_transitory",
	 "RFC 5382 REQ-5"},
	{WAN_LAN "timeouts:\n  tcp_transitory: 0x200\n", 4, "timeouts.tcp_transitory",
	 "not a whole number"},
	{WAN_LAN "timeouts:\n  tcp_opening: 29\n", 4, "timeouts.tcp_opening", "not from 30"},
	{WAN_LAN "timeouts:\n  ike: 119\n", 4, "timeouts.ike", "RFC 4787 REQ-5"},
	{WAN_LAN "timeouts:\n  wireguard: 119\n", 4, "timeouts.wireguard", "RFC 4787 REQ-5"},
	{WAN_LAN "timeouts:\n  openvpn: 119\n", 4, "timeouts.openvpn", "RFC 4787 REQ-5"},
	{WAN_LAN "timeouts:\n  l2tp: 119\n", 4, "timeouts.l2tp", "RFC 4787 REQ-5"},
	{WAN_LAN "timeouts:\n  icmp: 59\n", 4, "timeouts.icmp", "RFC 5508 REQ-2"},
	{WAN_LAN "timeouts: {udp: 0300}\n", 3, "timeouts.udp", "not a whole number"},
	{WAN_LAN "timeouts: {udp: 0x200}\n", 3, "timeouts.udp", "not a whole number"},
	{WAN_LAN "timeouts: {udp: 4294967597}\n", 3, "timeouts.udp", "not a whole number"},
	{WAN_LAN "timeouts: {udp: 300 s}\n", 3, "timeouts.udp", "not a whole number"},
	{WAN_LAN "timeouts: {udp: 604801}\n", 3, "timeouts.udp", "604800"},
	{WAN_LAN "web: {interfaces: a-name-that-is-no-lan}\n", 3, "web.interfaces",
	 "none of lan.interfaces"},
	{WAN_LAN "limits: {routed_subnets: '10.1.0.0/16,10.2.0.1/16'}\n", 3,
	 "limits.routed_subnets", "is not a list"},
	{WAN_LAN "limits: {mappings_per_host: 0}\n", 3, "limits.mappings_per_host", "not from 1"},
	{WAN_LAN "run_dir: relative\n", 3, "run_dir", "absolute"},
	{WAN_LAN "state_dir: relative\n", 3, "state_dir", "absolute"},
	{WAN_LAN "control_group: ''\n", 3, "control_group", "name of a group"},
	{WAN_LAN "a: &x 1\nb: *x\n", 4, "b", "alias"},
	{WAN_LAN "---\n" WAN_LAN, 3, "", "second document"},
	{WAN_LAN "x: [[[[[[[[[1]]]]]]]]]\n", 3, "x[0][0][0][0][0][0][0]", "deeply"},
	{"wan: {interface: a\n", 2, "", "not YAML"},
	{"\twan: 1\n", 1, "", "not YAML"},
	{"- a\n- b\n", 0, "", "found plain text"},
};

#define FORWARD(text) WAN_LAN "port_forwards:\n  - " text "\n"
static const struct refusal forward_refusals[] = {
	{FORWARD("{protocol: tcp, port: 80}"), 4, "port_forwards[0].to", "missing"},
	{FORWARD("{to: 10.0.0.2, port: 80}"), 4, "port_forwards[0].protocol", "missing"},
	{FORWARD("{protocol: sctp, port: 80, to: 10.0.0.2}"), 4, "port_forwards[0].protocol",
	 "'sctp' is not known"},
	{FORWARD("{protocol: 0, to: 10.0.0.2}"), 4, "port_forwards[0].protocol", "2 to 254"},
	{FORWARD("{protocol: 1, to: 10.0.0.2}"), 4, "port_forwards[0].protocol", "ICMP"},
	{FORWARD("{protocol: 255, to: 10.0.0.2}"), 4, "port_forwards[0].protocol", "2 to 254"},
	{FORWARD("{protocol: 41, port: 80, to: 10.0.0.2}"), 4, "port_forwards[0].port",
	 "41 has no ports"},
	{FORWARD("{protocol: 47, to: 10.0.0.2}\n  - {protocol: gre, to: 10.0.0.3}"), 5,
	 "port_forwards[1].protocol", "port_forwards[0]"},
	{FORWARD("{protocol: tcp, to: 10.0.0.2}"), 4, "port_forwards[0].port", "needs a port"},
	{FORWARD("{protocol: tcp, port: 0, to: 10.0.0.2}"), 4, "port_forwards[0].port",
	 "not a port"},
	{FORWARD("{protocol: tcp, port: 80, to_port: 0, to: 10.0.0.2}"), 4,
	 "port_forwards[0].to_port", "not a port"},
	{FORWARD("{protocol: tcp, port: 65536, to: 10.0.0.2}"), 4, "port_forwards[0].port",
	 "not a port"},
	{FORWARD("{protocol: tcp, port: 90, port_last: 80, to: 10.0.0.2}"), 4,
	 "port_forwards[0].port_last", "below"},
	{FORWARD("{protocol: tcp, port: 1000, port_last: 2000, to: 10.0.0.2, to_port: 65000}"), 4,
	 "port_forwards[0].to_port", "past 65535"},
	{FORWARD("{protocol: gre, port: 80, to: 10.0.0.2}"), 4, "port_forwards[0].port",
	 "no ports"},
	{FORWARD("{protocol: tcp, port: 80, to: 10.0.0.256}"), 4, "port_forwards[0].to",
	 "not an IPv4 address"},
	{FORWARD("{protocol: tcp, port: 80, to: 0.0.0.0}"), 4, "port_forwards[0].to", "one host"},
	{FORWARD("{protocol: tcp, port: 80, to: 224.0.0.1}"), 4, "port_forwards[0].to", "one host"},
	{FORWARD("{protocol: tcp, port: 80, to: 10.0.0.2, name: '7'}"), 4, "port_forwards[0].name",
	 "a number"},
	/* a C1 control, which a terminal obeys; a mark that turns the direction; no UTF-8 at all */
	{FORWARD("{protocol: tcp, port: 80, to: 10.0.0.2, name: \"a\\u009b31mb\"}"), 4,
	 "port_forwards[0].name", "cannot be printed"},
	{FORWARD("{protocol: tcp, port: 80, to: 10.0.0.2, name: \"a\\u202eb\"}"), 4,
	 "port_forwards[0].name", "cannot be printed"},
	{FORWARD("{protocol: tcp, port: 80, to: 10.0.0.2, name: \"a\\u2028b\"}"), 4,
	 "port_forwards[0].name", "cannot be printed"},
	{FORWARD("{protocol: tcp, port: 80, port_last: 90, to: 10.0.0.2}\n"
		 "  - {protocol: udp, port: 85, to: 10.0.0.2}\n"
		 "  - {protocol: tcp, port: 90, to: 10.0.0.3}"),
	 6, "port_forwards[2].port", "port_forwards[0]"},
	{FORWARD("{protocol: esp, to: 10.0.0.2}\n  - {protocol: esp, to: 10.0.0.3}"), 5,
	 "port_forwards[1].protocol", "port_forwards[0]"},
	{FORWARD("{name: a, protocol: tcp, port: 1, to: 10.0.0.2}\n"
		 "  - {name: a, protocol: tcp, port: 2, to: 10.0.0.2}"),
	 5, "port_forwards[1].name", "twice"},
};

static void refuse(const struct refusal *row)
{
	struct settings *settings;
	struct settings_error error = {0};
	char text[512];

	int rc = settings_parse(row->text, strlen(row->text), "f.yaml", &settings, &error);
	if (rc == -EINVAL && error.line == row->line && strcmp(error.field, row->field) == 0 &&
	    strstr(error.message, row->message) && strcmp(error.file, "f.yaml") == 0)
		return;
	fail_msg("%sgave %d \"%s\"; wanted line %u, %s, ...%s...", row->text, rc,
		 settings_error_text(&error, text, sizeof(text)), row->line, row->field,
		 row->message);
}

static void wrong_settings_are_refused_with_line_and_field(void **state)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		refuse(&refusals[i]);
	for (size_t i = 0; i < sizeof(forward_refusals) / sizeof(*forward_refusals); i++)
		refuse(&forward_refusals[i]);
}

static void a_file_that_is_not_there_is_named(void **state)
{
	struct settings *settings;
	struct settings_error error;
	char text[512];

	assert_int_equal(settings_load("/nonexistent/x.yaml", &settings, &error), -ENOENT);
	assert_string_equal(settings_error_text(&error, text, sizeof(text)),
			    "/nonexistent/x.yaml: No such file or directory");
	assert_int_equal(settings_load("/dev", &settings, &error), -EISDIR);
	assert_int_equal(settings_load("/dev/zero", &settings, &error), -EFBIG);
}

/* --- mutations -------------------------------------------------------------------- */

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % limit;
}

static const char *const scraps[] = {
	"{",
	"}",
	"[",
	"]",
	": ",
	", ",
	"\n",
	"- ",
	"'",
	"\"",
	"&a",
	"*a",
	"!!x",
	"%YAML",
	"---\n",
	"...\n",
	"#",
	"\t",
	"|\n",
	">\n",
	"? ",
	"~",
	"-1",
	"0",
	"65536",
	"99999999999999999999",
	"\xff",
	"\xc3",
	"\x00",
	"wan: ",
	"to: ",
	"on",
	"lan0",
	"wan0",
	"<<: ",
	"name: a\n",
	"\xef\xbb\xbf",
	"=",
	"\r",
};

/* One cut, one copy or one scrap somewhere. */
static size_t mutate(char *text, size_t length, size_t size)
{
	size_t at = random_below(length + 1);
	const char *scrap = scraps[random_below(sizeof(scraps) / sizeof(*scraps))];
	size_t count = strlen(scrap) ? strlen(scrap) : 1;

	switch (random_below(4)) {
	case 0: /* cut */
		count = random_below(length - at + 1) % 40;
		memmove(text + at, text + at + count, length - at - count);
		return length - count;
	case 1: /* overwrite a byte */
		if (at < length)
			text[at] = random_below(256);
		return length;
	case 2: /* end here, now and then */
		if (random_below(20) == 0)
			return at;
		/* fall through */
	default:
		if (length + count > size)
			return length;
		memmove(text + at + count, text + at, length - at);
		memcpy(text + at, scrap, count);
		return length + count;
	}
}

static void mutation_judge(const char *text, size_t length, unsigned int counts[3])
{
	struct settings *settings;
	struct settings_error error = {0};

	int rc = settings_parse(text, length, "m", &settings, &error);
	if (rc == 0) {
		counts[0]++;
		assert_int_equal(settings_check(settings, &error), 0);
		struct settings *copy = settings_copy(settings);
		assert_non_null(copy);
		settings_free(copy);
		settings_free(settings);
		return;
	}
	assert_int_equal(rc, -EINVAL);
	assert_null(settings);
	assert_true(*error.message);
	/* a missing or empty whole has a field or nothing to point at; the rest has a line */
	if (error.line)
		counts[1]++;
	else if (!*error.field && length > 0 && !strstr(error.message, "no settings") &&
		 !strstr(error.message, "found plain text"))
		fail_msg("no place for: %s\n%.*s", error.message, (int)length, text);
	else
		counts[2]++;
}

static void ten_thousand_mutations_are_taken_or_refused_with_a_place(void **state)
{
	unsigned int counts[3] = {0};

	for (int i = 0; i < 10000; i++) {
		char text[2048];
		size_t length = sizeof(everything) - 1;
		memcpy(text, everything, length);
		for (uint32_t k = random_below(4) + 1; k > 0; k--)
			length = mutate(text, length, sizeof(text));
		mutation_judge(text, length, counts);
	}
	print_message("mutations: %u taken, %u refused with a line, %u as a whole\n", counts[0],
		      counts[1], counts[2]);
	assert_true(counts[0] > 100 && counts[1] > 5000);
}

static void truncated_at_every_byte(void **state)
{
	unsigned int counts[3] = {0};

	for (size_t length = 0; length < sizeof(everything); length++)
		mutation_judge(everything, length, counts);
	assert_true(counts[0] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_rfcs),
		cmocka_unit_test(old_name_sets_both_timers),
		cmocka_unit_test(everything_survives_writing_and_reading),
		cmocka_unit_test(wrong_settings_are_refused_with_line_and_field),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
		cmocka_unit_test(truncated_at_every_byte),
		cmocka_unit_test(ten_thousand_mutations_are_taken_or_refused_with_a_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
