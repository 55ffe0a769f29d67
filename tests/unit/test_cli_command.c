/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The `wayleave` command line against a server with a small network: two IPsec users,
 * one PPTP user, one device with nothing. Every command runs in a process of its own,
 * and what it prints and exits with is looked at.
 *
 * `test_cli_command --serve DIR` only serves that network in DIR, for a look at
 * `wayleave -r DIR watch`.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "cli/command.h"
#include "cli/view.h"
#include "conf/field.h"
#include "conf/load.h"
#include "ctl/document.h"
#include "ctl/server.h"

static char directory[64];
static pid_t daemon_pid;

/* --- the network ------------------------------------------------------------------------ */

static struct ctl_change *change;
/* A file of this name in the run directory: still waiting for ppp0. */
static char waiting_path[96];

static uint64_t elapsed_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static int provide_status(void *daemon, json_t **result)
{
	const struct passthrough_settings *passthrough = &ctl_change_settings(change)->passthrough;
	bool waiting = access(waiting_path, F_OK) == 0;
	struct ctl_status status = {
		.version = "0.1",
		.pid = getpid(),
		.uptime_s = 7385,
		.translating = !waiting,
		.waiting_for = waiting ? json_pack("[s]", "interface ppp0") : NULL,
		.wan_interface = "wan0",
		.wan_address.s_addr = inet_addr("203.0.113.1"),
		.wan_dataplane = "xdp",
		.lan = json_pack("[o, o]", ctl_interface_json("lan0", "tc"),
				 ctl_interface_json("lan1", NULL)),
		.dataplane = "xdp",
		.pptp = passthrough_state_name(passthrough->pptp),
		.l2tp = passthrough_state_name(passthrough->l2tp),
		.ipsec = passthrough_state_name(passthrough->ipsec),
		.sessions_used = 1234,
		.sessions_limit = 1000000,
		.mappings = 800,
		.devices = 3,
		.helper_running = true,
		.traffic = {.packets_out = 10000 * elapsed_s(),
			    .bytes_out = 1250000 * elapsed_s(),
			    .packets_in = 50000 * elapsed_s(),
			    .bytes_in = 12500000 * elapsed_s()},
		.warnings = json_pack("[s]", "lan1 is down"),
		.confirm_within_s = ctl_change_seconds_left(change),
	};

	*result = ctl_status_json(&status);
	return 0;
}

static int provide_sessions(void *daemon, const struct ctl_query *query, json_t *items,
			    uint64_t *next)
{
	for (uint64_t i = query->cursor; i < 2500; i++) {
		struct ctl_session session = {
			.protocol = i % 2 ? "tcp" : "esp",
			.class = i % 2 ? "plain" : "ipsec",
			.inside.s_addr = inet_addr("192.168.1.20"),
			.inside_id = i % 2 ? 40000 + i : 0x1000 + i,
			.external.s_addr = inet_addr("203.0.113.1"),
			.external_id = 5000 + i,
			.remote.s_addr = inet_addr("198.51.100.7"),
			.remote_id = 443,
			.state = "established",
			.age_s = 3725,
			.interface = "wan0",
		};
		if (json_array_size(items) == query->limit) {
			*next = i;
			return 0;
		}
		json_array_append_new(items, ctl_session_json(&session));
	}
	return 0;
}

static int provide_vpns(void *daemon, const struct ctl_query *query, json_t *items, uint64_t *next)
{
	static const struct {
		const char *device, *name, *kind, *class, *server, *state;
		uint64_t age_s, bytes;
	} rows[] = {
		{"192.168.1.20", "phone", "ipsec", "ipsec", "198.51.100.7", "up", 4000, 900000},
		{"192.168.1.20", "phone", "wifi-calling", "ipsec", "198.51.100.8", "stale", 90,
		 4000},
		{"192.168.1.21", NULL, "ipsec", "ipsec", "198.51.100.7", "up", 70, 80000000},
		{"192.168.1.22", "old-laptop", "pptp", "pptp", "198.51.100.9", "connecting", 3,
		 500},
		{"192.168.1.9", "desk", "wireguard", "plain", "198.51.100.10", "up", 86400 * 3,
		 7e9},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ctl_vpn vpn = {
			.device.s_addr = inet_addr(rows[i].device),
			.device_name = rows[i].name,
			.kind = rows[i].kind,
			.class = rows[i].class,
			.server.s_addr = inet_addr(rows[i].server),
			.state = rows[i].state,
			.age_s = rows[i].age_s,
			.traffic.bytes_in = rows[i].bytes,
			.detail = json_pack("{s:[{s:s, s:I, s:i}]}", "sessions", "protocol", "esp",
					    "spi_in", (json_int_t)0xc0ffee01, "spi_out", 4096),
		};
		json_array_append_new(items, ctl_vpn_json(&vpn));
	}
	return 0;
}

static int provide_devices(void *daemon, const struct ctl_query *query, json_t *items,
			   uint64_t *next)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0xab, 1};

	for (uint8_t i = 0; i < 40; i++) {
		struct ctl_device device = {
			.address.s_addr = htonl(0xc0a80109 + i),
			.mac = mac,
			.interface = "lan0",
			.sessions = i,
			.traffic.bytes_in = 1000u * i,
		};
		json_array_append_new(items, ctl_device_json(&device));
	}
	return 0;
}

static int provide_counters(void *daemon, json_t *items)
{
	struct ctl_counter counters[] = {
		{"no-mapping", 40 * elapsed_s(), "Nobody inside asked for this packet.",
		 "RFC 4787 REQ-8", "drop"},
		{"ttl-expired", 7, "The packet had come too far.", "RFC 1812 section 5.3.1",
		 "drop"},
		{"quota", 0, "One host has all the mappings it may have.", "RFC 6888 REQ-4",
		 "drop"},
		{"translated", 99999, "Packets translated.", NULL, "pass"},
	};

	for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++)
		json_array_append_new(items, ctl_counter_json(&counters[i]));
	return 0;
}

static const struct ctl_provider provider = {
	.status = provide_status,
	.sessions = provide_sessions,
	.vpns = provide_vpns,
	.devices = provide_devices,
	.counters = provide_counters,
};

static int apply(void *daemon, const struct settings *present, const struct settings *wanted,
		 struct settings_error *error)
{
	return 0;
}

static void settings_write(const char *path)
{
	FILE *file = fopen(path, "w");

	fputs("wan: {interface: wan0}\nlan: {interfaces: [lan0, lan1]}\n", file);
	fclose(file);
}

/* Serves until it is killed. */
static int serve(const char *run_dir)
{
	char path[128];
	struct settings *settings;
	struct settings_error error;
	struct ctl_server *server;
	struct event_base *base = event_base_new();

	snprintf(path, sizeof(path), "%s/w.yaml", run_dir);
	snprintf(waiting_path, sizeof(waiting_path), "%s/waiting", run_dir);
	settings_write(path);
	if (settings_load(path, &settings, &error) != 0)
		return 1;
	change = ctl_change_new(base, path, settings, apply, NULL);
	struct ctl_server_options options = {
		.run_dir = run_dir,
		.provider = &provider,
		.change = change,
		.audit = ctl_audit_new(),
	};
	if (ctl_server_start(base, &options, &server) != 0)
		return 1;
	return event_base_dispatch(base);
}

static int start(void **state)
{
	char path[128];

	strcpy(directory, "/tmp/wayleave-cli-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/" CTL_SOCKET_NAME, directory);
	daemon_pid = fork();
	if (daemon_pid == 0)
		_exit(serve(directory));
	for (int i = 0; i < 500 && access(path, F_OK) != 0; i++)
		usleep(10000);
	return access(path, F_OK);
}

static int stop(void **state)
{
	char command[128];

	kill(daemon_pid, SIGKILL);
	waitpid(daemon_pid, NULL, 0);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command);
}

/* --- running a command ------------------------------------------------------------------------ */

static char output[1 << 23];

static void run_here(const char *line, const char *path)
{
	char copy[512], *argv[32], *state;
	int argc = 0;

	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	int null = open("/dev/null", O_RDONLY);
	dup2(null, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state))
		argv[argc++] = word;
	argv[argc] = NULL;
	exit(cli_run(argc, argv));
}

/* The exit code; what was printed is in OUTPUT. */
static int run(const char *format, ...)
{
	char line[512], path[96];
	va_list arguments;
	int status;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	snprintf(path, sizeof(path), "%s/output", directory);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		run_here(line, path);
	waitpid(pid, &status, 0);
	int fd = open(path, O_RDONLY);
	ssize_t length = read(fd, output, sizeof(output) - 1);
	close(fd);
	output[length < 0 ? 0 : length] = '\0';
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect(int code, const char *part)
{
	if (!strstr(output, part))
		fail_msg("'%s' is not in:\n%s", part, output);
	assert_int_equal(code, 0);
}

#define RUN(words) run("wayleave -r %s " words, directory)

/* --- the commands ------------------------------------------------------------------- */

static void status_exits_by_whether_packets_are_translated(void **state)
{
	char path[96];

	expect(RUN("status"), "translating, up 2h03m");
	expect(0, "WAN          wan0, 203.0.113.1, xdp");
	expect(0, "lan1, not attached");
	expect(0, "PPTP on, L2TP on, IPsec on");
	expect(0, "lan1 is down");
	assert_null(strchr(output, '\x1b'));
	snprintf(path, sizeof(path), "%s/waiting", directory);
	close(open(path, O_CREAT, 0600));
	assert_int_equal(RUN("status"), CLI_NOT_TRANSLATING);
	expect(0, "interface ppp0");
	unlink(path);
	assert_int_equal(run("wayleave -r /nonexistent status"), CLI_NO_DAEMON);
	expect(0, "no wayleaved runs in /nonexistent");
	assert_int_equal(strchr(output, '\n')[1], '\0');
}

static void json_is_the_documents(void **state)
{
	assert_int_equal(RUN("--json status"), 0);
	json_t *status = json_loads(output, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(status, "mappings")), 800);
	json_decref(status);
	assert_int_equal(RUN("--json show sessions"), 0);
	json_t *sessions = json_loads(output, 0, NULL);
	assert_int_equal(json_array_size(sessions), 2500);
	json_decref(sessions);
}

static void lists_are_tables(void **state)
{
	expect(RUN("show vpn"), "192.168.1.20 phone");
	expect(0, "esp 0xc0ffee01/0x00001000");
	expect(RUN("show sessions --limit 2"), "192.168.1.20/0x00001000");
	expect(0, "192.168.1.20:40001");
	assert_null(strstr(output, "40003"));
	expect(RUN("show sessions"), "the first 1000; --limit");
	assert_int_equal(RUN("--json show sessions --limit 1500"), 0);
	json_t *sessions = json_loads(output, 0, NULL);
	assert_int_equal(json_array_size(sessions), 1500);
	json_decref(sessions);
	expect(RUN("show devices"), "02:00:00:00:ab:01");
	expect(RUN("show counters"), "1 more at zero");
	expect(RUN("show counters --all"), "RFC 6888 REQ-4");
	expect(RUN("show config"), "passthrough.ipsec                on");
	assert_int_equal(RUN("show everything"), CLI_USAGE);
	assert_int_equal(RUN("show sessions --class"), CLI_USAGE);
	assert_int_equal(RUN("show"), CLI_USAGE);
	assert_int_equal(RUN("status --limit 3"), CLI_USAGE);
	assert_int_equal(RUN("reboot"), CLI_USAGE);
	expect(0, "there is no command 'reboot'");
}

static void ipsec_off_names_who_loses_what(void **state)
{
	assert_int_equal(RUN("set passthrough.ipsec off"), CLI_USAGE);
	expect(0, "IKEv2, NAT-T and Wi-Fi calling");
	expect(0, "In use now by: 192.168.1.20 phone, 192.168.1.21.");
	expect(0, "--yes");
	expect(RUN("show config"), "passthrough.ipsec                on");
	expect(RUN("set passthrough.ipsec off --yes"), "done");
	expect(RUN("status"), "IPsec off");
	assert_int_equal(RUN("rollback"), CLI_USAGE); /* a script has to say --yes */
	expect(RUN("rollback --yes"), "done");
	expect(RUN("status"), "IPsec on");
	expect(RUN("set passthrough.l2tp off"), "In use now by: nobody");
	expect(RUN("set passthrough.l2tp on"), "done");
}

static void refusals_name_the_field(void **state)
{
	assert_int_equal(RUN("set timeouts.udp 30"), CLI_REFUSED);
	expect(0, "wayleave: timeouts.udp: 30 is too small: RFC 4787 REQ-5 asks for at least 120");
	assert_int_equal(RUN("set nothing 1"), CLI_REFUSED);
	assert_int_equal(RUN("confirm"), CLI_REFUSED);
	assert_int_equal(RUN("rollback x"), CLI_USAGE);
}

static void a_change_can_wait_for_confirmation(void **state)
{
	expect(RUN("set mss_clamp 1360 --confirm"), "will be undone in 60 s");
	expect(RUN("status"), "unless it is confirmed");
	expect(RUN("confirm"), "done");
	expect(RUN("show config"), "mss_clamp                        1360");
}

static void forwards_come_and_go(void **state)
{
	expect(RUN("forward add tcp:443 192.168.1.10 web"), "done");
	expect(RUN("forward add udp:6000-6009 192.168.1.11:7000"), "done");
	expect(RUN("forward add esp 192.168.1.12"), "done");
	expect(RUN("forward list"), "6000-6009");
	assert_int_equal(RUN("forward add tcp:443 192.168.1.13"), CLI_REFUSED);
	assert_int_equal(RUN("forward add tcp:x 192.168.1.13"), CLI_USAGE);
	assert_int_equal(RUN("forward add tcp:80"), CLI_USAGE);
	expect(RUN("forward remove web"), "done");
	expect(RUN("forward remove #2"), "done");
	expect(RUN("forward list"), "6000-6009");
	assert_null(strstr(output, "esp"));
}

static void audit_says_who_changed_what(void **state)
{
	expect(RUN("set timeouts.openvpn 200"), "");
	expect(RUN("show audit --limit 1"), "uid ");
	expect(0, "  set     ok      timeouts.openvpn: ");
	expect(0, " -> 200");
	expect(RUN("--json show audit --limit 1"), "\"action\":\"set\"");
	assert_int_equal(RUN("set timeouts.openvpn 1"), CLI_REFUSED);
	expect(RUN("show audit --limit 1"), "  invalid-setting  timeouts.openvpn: 200 -> 1");
}

static void check_needs_no_daemon(void **state)
{
	char path[96];

	expect(run("wayleave check %s/w.yaml", directory), "OK");
	snprintf(path, sizeof(path), "%s/wrong.yaml", directory);
	FILE *file = fopen(path, "w");
	fputs("wan: {interface: a}\nlan: {interfaces: [b]}\npassthrough:\n  pptp: maybe\n", file);
	fclose(file);
	assert_int_equal(run("wayleave check %s", path), CLI_REFUSED);
	expect(0, "wrong.yaml:4: passthrough.pptp: 'maybe' is none of on, off, nat-only");
}

static void every_command_has_help_with_examples(void **state)
{
	static const char *const names[] = {"status",  "show",	   "watch",   "set",
					    "confirm", "rollback", "forward", "check"};

	expect(run("wayleave --help"), "Examples:");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strstr(output, names[i]))
			fail_msg("%s is not in the general help", names[i]);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char example[64];
		snprintf(example, sizeof(example), "  wayleave %s", names[i]);
		expect(run("wayleave %s --help", names[i]), "Examples:");
		expect(0, example);
	}
	expect(run("wayleave --version"), "wayleave ");
	assert_int_equal(run("wayleave"), CLI_USAGE);
}

static void watch_without_a_terminal_is_one_snapshot(void **state)
{
	expect(RUN("watch"), "translating, up");
	expect(0, "PER SECOND");
	expect(0, "no-mapping");
	assert_null(strstr(output, "quota"));
	expect(RUN("--json watch"), "\"drops\"");
}

/* --- the view of watch -------------------------------------------------------------- */

static json_t *counters_at(int no_mapping, int expired)
{
	return json_pack("[{s:s, s:s, s:i}, {s:s, s:s, s:i}, {s:s, s:s, s:i}]", "name",
			 "no-mapping", "kind", "drop", "count", no_mapping, "name", "ttl-expired",
			 "kind", "drop", "count", expired, "name", "translated", "kind", "pass",
			 "count", 5000);
}

static json_t *status_at(int bytes_out)
{
	return json_pack("{s:{s:i, s:i, s:i, s:i}}", "traffic", "packets_out", 1, "bytes_out",
			 bytes_out, "packets_in", 0, "bytes_in", 0);
}

static void rates_are_between_two_answers(void **state)
{
	struct view view = {0};

	view_update(&view, status_at(1000), json_array(), json_array(), counters_at(500, 0), 10);
	assert_true(view.rates.bits_out == 0);
	assert_int_equal(json_array_size(view.counters), 1);
	view_update(&view, status_at(3000), json_array(), json_array(), counters_at(501, 20), 12);
	assert_true(view.rates.bits_out == 8000);
	json_t *first = json_array_get(view.counters, 0);
	assert_string_equal(json_string_value(json_object_get(first, "name")), "ttl-expired");
	assert_true(json_number_value(json_object_get(first, "rate")) == 10);
	/* a restarted daemon counts from 0 again: no rate, and none below 0 */
	view_update(&view, status_at(10), json_array(), json_array(), counters_at(1, 1), 13);
	assert_true(view.rates.bits_out == 0);
	view_clear(&view);
}

static void rows_are_sorted_by_key(void **state)
{
	struct view view = {0};
	json_t *vpns =
		json_pack("[{s:s, s:i, s:i}, {s:s, s:i, s:i}]", "device", "10.0.0.10", "age_s", 5,
			  "bytes_in", 9, "device", "10.0.0.9", "age_s", 50, "bytes_in", 1);

	view_update(&view, status_at(0), vpns, json_array(), json_array(), 1);
	for (view.order = 0; view.order < ORDER_COUNT; view.order++) {
		view_sort(&view);
		const char *device =
			json_string_value(json_object_get(json_array_get(view.vpns, 0), "device"));
		assert_string_equal(device, view.order == ORDER_TRAFFIC ? "10.0.0.10" : "10.0.0.9");
	}
	view_clear(&view);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_exits_by_whether_packets_are_translated),
		cmocka_unit_test(json_is_the_documents),
		cmocka_unit_test(lists_are_tables),
		cmocka_unit_test(ipsec_off_names_who_loses_what),
		cmocka_unit_test(refusals_name_the_field),
		cmocka_unit_test(a_change_can_wait_for_confirmation),
		cmocka_unit_test(forwards_come_and_go),
		cmocka_unit_test(audit_says_who_changed_what),
		cmocka_unit_test(check_needs_no_daemon),
		cmocka_unit_test(every_command_has_help_with_examples),
		cmocka_unit_test(watch_without_a_terminal_is_one_snapshot),
		cmocka_unit_test(rates_are_between_two_answers),
		cmocka_unit_test(rows_are_sorted_by_key),
	};

	if (argc == 3 && strcmp(argv[1], "--serve") == 0)
		return serve(argv[2]);
	return cmocka_run_group_tests(tests, start, stop);
}
