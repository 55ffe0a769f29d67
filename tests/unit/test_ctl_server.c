/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Server and client over a real socket, with a provider that has a million
 * sessions and a settings file in a temporary directory. The server runs in a
 * thread of its own, as the daemon's loop does; the tests are the clients.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "conf/field.h"
#include "conf/load.h"
#include "conf/store.h"
#include "ctl/client.h"
#include "ctl/document.h"
#include "ctl/server.h"

#define SESSIONS       1000000
#define SLOTS_PER_CALL 4096
/* any group that is there and that root is no member of */
#define GROUP "nogroup"

static char directory[64];
static char settings_path[96];
static struct event_base *base;
static struct ctl_server *server;
static struct ctl_change *change;
static pthread_t loop_thread;
static atomic_bool stopping;

/* --- the provider -------------------------------------------------------------------- */

static int provide_status(void *daemon, json_t **result)
{
	struct ctl_status status = {
		.version = "test",
		.pid = getpid(),
		.translating = true,
		.wan_interface = "wan0",
		.wan_address.s_addr = inet_addr("203.0.113.1"),
		.wan_dataplane = "tc",
		.lan = json_pack("[o]", ctl_interface_json("lan0", "tc")),
		.dataplane = "tc",
		.pptp = passthrough_state_name(ctl_change_settings(change)->passthrough.pptp),
		.sessions_used = SESSIONS,
	};

	*result = ctl_status_json(&status);
	return 0;
}

static json_t *session_document(uint32_t i)
{
	struct ctl_session session = {
		.protocol = i % 2 ? "tcp" : "udp",
		.class = i % 1000 ? "plain" : "ipsec",
		.inside.s_addr = htonl(0x0a000000 + (i >> 8)),
		.inside_id = 40000,
		.external.s_addr = inet_addr("203.0.113.1"),
		.external_id = i & 0xffff,
		.remote.s_addr = inet_addr("198.51.100.7"),
		.remote_id = 443,
		.state = "established",
		.interface = "wan0",
		.traffic = {.packets_out = i, .bytes_out = 100ull * i},
	};
	return ctl_session_json(&session);
}

/* Only the class is asked for in these tests. */
static int provide_sessions(void *daemon, const struct ctl_query *query, json_t *items,
			    uint64_t *next)
{
	uint32_t end = query->cursor + SLOTS_PER_CALL;
	uint32_t i = query->cursor;

	for (; i < end && i < SESSIONS && json_array_size(items) < query->limit; i++) {
		if (query->class && strcmp(query->class, i % 1000 ? "plain" : "ipsec") != 0)
			continue;
		json_array_append_new(items, session_document(i));
	}
	*next = i < SESSIONS ? i : 0;
	return 0;
}

static int provide_vpns(void *daemon, const struct ctl_query *query, json_t *items, uint64_t *next)
{
	return -EAGAIN;
}

static int provide_devices(void *daemon, const struct ctl_query *query, json_t *items,
			   uint64_t *next)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0xab, 1};
	struct ctl_device device = {
		.address.s_addr = inet_addr("10.0.0.2"),
		.mac = mac,
		.name = "evil\x1b[2J\xff",
		.interface = "lan0",
	};

	json_array_append_new(items, ctl_device_json(&device));
	return 0;
}

static int provide_counters(void *daemon, json_t *items)
{
	struct ctl_counter counter = {"no-mapping", 7, "Nobody inside asked for it.",
				      "RFC 4787 REQ-8", "drop"};

	return json_array_append_new(items, ctl_counter_json(&counter));
}

static int provide_arm(void *daemon, const struct ctl_arm *arm, json_t **result)
{
	*result = json_pack("{s:i, s:I}", "armed", (int)arm->count, "external_id",
			    (json_int_t)arm->inside_id);
	return 0;
}

static const struct ctl_provider provider = {
	.status = provide_status,
	.sessions = provide_sessions,
	.vpns = provide_vpns,
	.devices = provide_devices,
	.counters = provide_counters,
	.arm = provide_arm,
};

static int apply(void *daemon, const struct settings *present, const struct settings *wanted,
		 struct settings_error *error)
{
	if (wanted->dataplane == DATAPLANE_XDP)
		return settings_error_set(error, -EINVAL, "dataplane", "no driver here has XDP");
	return 0;
}

/* --- set up ------------------------------------------------------------------------------ */

static void stop_looked_at(evutil_socket_t fd, short events, void *data)
{
	if (atomic_load(&stopping))
		event_base_loopbreak(base);
}

static void *loop(void *data)
{
	struct timeval often = {.tv_usec = 10000};
	struct event *look = event_new(base, -1, EV_PERSIST, stop_looked_at, NULL);

	event_add(look, &often);
	event_base_dispatch(base);
	event_free(look);
	return NULL;
}

static void settings_write(void)
{
	static const char text[] = "wan: {interface: wan0}\nlan: {interfaces: [lan0]}\n";
	FILE *file = fopen(settings_path, "w");

	fwrite(text, 1, sizeof(text) - 1, file);
	fclose(file);
}

static int start(void **state)
{
	struct settings *settings;
	struct settings_error error;

	strcpy(directory, "/tmp/wayleave-ctl-XXXXXX");
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chmod(directory, 0755), 0);
	snprintf(settings_path, sizeof(settings_path), "%s/w.yaml", directory);
	settings_write();
	base = event_base_new();
	assert_int_equal(settings_load(settings_path, &settings, &error), 0);
	change = ctl_change_new(base, settings_path, settings, apply, NULL);
	struct ctl_server_options options = {
		.run_dir = directory,
		.control_group = GROUP,
		.provider = &provider,
		.change = change,
	};
	assert_int_equal(ctl_server_start(base, &options, &server), 0);
	return pthread_create(&loop_thread, NULL, loop, NULL);
}

static int stop(void **state)
{
	char command[128];

	atomic_store(&stopping, true);
	pthread_join(loop_thread, NULL);
	ctl_server_stop(server);
	ctl_change_free(change);
	event_base_free(base);
	libevent_global_shutdown();
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command);
}

static struct ctl_client *connected(void)
{
	struct ctl_client *client;
	assert_int_equal(ctl_client_open(directory, &client), 0);
	return client;
}

/* Takes REQUEST. */
static json_t *ask(json_t *request)
{
	struct ctl_client *client = connected();
	json_t *answer;

	assert_non_null(request);
	assert_int_equal(ctl_client_ask(client, request, &answer), 0);
	json_decref(request);
	ctl_client_close(client);
	return answer;
}

static const char *error_member(const json_t *answer, const char *name)
{
	const char *text =
		json_string_value(json_object_get(json_object_get(answer, "error"), name));
	return text ? text : "";
}

static void expect_refusal(json_t *answer, const char *code, const char *field)
{
	assert_true(json_is_false(json_object_get(answer, "ok")));
	assert_string_equal(error_member(answer, "code"), code);
	assert_string_equal(error_member(answer, "field"), field);
	assert_true(strlen(error_member(answer, "message")) > 5);
	json_decref(answer);
}

static json_t *expect_result(json_t *answer)
{
	if (!json_is_true(json_object_get(answer, "ok")))
		fail_msg("%s", json_dumps(answer, 0));
	return json_object_get(answer, "result");
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* --- reading -------------------------------------------------------------------------------- */

static void status_has_the_documented_members(void **state)
{
	static const char *const members[] = {
		"version", "pid",      "uptime_s",  "translating", "waiting_for",
		"wan",	   "lan",      "dataplane", "passthrough", "sessions",
		"devices", "mappings", "helper",    "warnings",	   "confirm_within_s"};
	json_t *answer = ask(json_pack("{s:s, s:i}", "request", "status", "id", 5));
	json_t *result = expect_result(answer);

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		if (!json_object_get(result, members[i]))
			fail_msg("%s is missing", members[i]);
	assert_int_equal(json_integer_value(json_object_get(answer, "id")), 5);
	assert_int_equal(json_integer_value(json_object_get(result, "pid")), getpid());
	json_decref(answer);
}

static void hostile_names_are_made_printable(void **state)
{
	json_t *answer = ask(json_pack("{s:s, s:s}", "request", "show", "what", "devices"));
	json_t *item = json_array_get(json_object_get(expect_result(answer), "items"), 0);

	assert_string_equal(json_string_value(json_object_get(item, "name")), "evil?[2J?");
	assert_string_equal(json_string_value(json_object_get(item, "mac")), "02:00:00:00:ab:01");
	json_decref(answer);
}

static void a_million_sessions_come_page_by_page_and_stall_nobody(void **state)
{
	struct ctl_client *client = connected();
	struct ctl_client *other = connected();
	json_t *request = json_pack("{s:s, s:s}", "request", "show", "what", "sessions");
	json_t *status = json_pack("{s:s}", "request", "status");
	json_t *answer;
	json_int_t cursor = 0;
	size_t count = 0;
	double slowest = 0, begun = seconds();

	do {
		json_object_set_new(request, "cursor", json_integer(cursor));
		assert_int_equal(ctl_client_ask(client, request, &answer), 0);
		json_t *result = expect_result(answer);
		size_t page = json_array_size(json_object_get(result, "items"));
		assert_true(page <= CTL_PAGE_MAX);
		count += page;
		cursor = json_integer_value(json_object_get(result, "cursor"));
		json_decref(answer);
		double asked = seconds();
		assert_int_equal(ctl_client_ask(other, status, &answer), 0);
		json_decref(answer);
		slowest = seconds() - asked > slowest ? seconds() - asked : slowest;
	} while (cursor && count < 20 * CTL_PAGE_MAX);
	assert_int_equal(count, 20 * CTL_PAGE_MAX);
	print_message("20 pages of 1000 in %.2f s, slowest status in between %.1f ms\n",
		      seconds() - begun, slowest * 1000);
	assert_true(slowest < 0.5);
	json_decref(request);
	json_decref(status);
	ctl_client_close(client);
	ctl_client_close(other);
}

static void a_filter_walks_the_whole_list(void **state)
{
	struct ctl_client *client = connected();
	json_t *answer;
	json_t *request = json_pack("{s:s, s:s, s:{s:s}}", "request", "show", "what", "sessions",
				    "filter", "class", "ipsec");

	assert_int_equal(ctl_client_list(client, request, 0, &answer), 0);
	assert_int_equal(json_array_size(json_object_get(expect_result(answer), "items")),
			 SESSIONS / 1000);
	json_decref(answer);
	assert_int_equal(ctl_client_list(client, request, 17, &answer), 0);
	assert_int_equal(json_array_size(json_object_get(expect_result(answer), "items")), 17);
	json_decref(answer);
	json_decref(request);
	ctl_client_close(client);
}

static void wrong_requests_are_refused_by_name(void **state)
{
	expect_refusal(ask(json_pack("{s:s}", "request", "reboot")), "unknown-request", "request");
	expect_refusal(ask(json_pack("{s:s}", "what", "vpn")), "bad-request", "request");
	expect_refusal(ask(json_pack("{s:s}", "request", "show")), "bad-request", "what");
	expect_refusal(ask(json_pack("{s:s, s:s}", "request", "show", "what", "x")), "bad-request",
		       "what");
	expect_refusal(ask(json_pack("{s:s, s:s}", "request", "show", "what", "vpn")), "busy", "");
	expect_refusal(ask(json_pack("{s:s, s:s, s:i}", "request", "show", "what", "sessions",
				     "limit", 1001)),
		       "bad-request", "limit");
	expect_refusal(ask(json_pack("{s:s, s:s, s:i}", "request", "show", "what", "sessions",
				     "cursor", -1)),
		       "bad-request", "cursor");
	expect_refusal(ask(json_pack("{s:s, s:s, s:{s:s}}", "request", "show", "what", "sessions",
				     "filter", "inside", "10.0.0.256")),
		       "bad-request", "filter.inside");
	expect_refusal(ask(json_pack("{s:s, s:s, s:b}", "request", "set", "name", "dataplane",
				     "value", 1)),
		       "bad-request", "value");
}

static void arming_takes_ids_of_the_right_size(void **state)
{
	json_t *answer =
		ask(json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:i}", "request", "arm", "kind",
			      "esp", "inside", "10.0.0.2", "remote", "192.0.2.1", "inside_id",
			      (json_int_t)0xfffffff0, "remote_id", (json_int_t)0x1000, "count", 3));
	assert_int_equal(json_integer_value(json_object_get(expect_result(answer), "armed")), 3);
	json_decref(answer);
	expect_refusal(ask(json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "request", "arm", "kind",
				     "pptp", "inside", "10.0.0.2", "remote", "192.0.2.1",
				     "inside_id", 65536, "remote_id", 1)),
		       "bad-request", "inside_id");
}

/* --- changing ----------------------------------------------------------------------- */

static json_t *set(const char *name, const char *value, bool confirm)
{
	return ask(json_pack("{s:s, s:s, s:s, s:b}", "request", "set", "name", name, "value", value,
			     "confirm", confirm));
}

static void expect_setting(const char *name, const char *wanted)
{
	struct settings *settings;
	struct settings_error error;
	char *value;

	assert_int_equal(settings_load(settings_path, &settings, &error), 0);
	assert_int_equal(settings_get(settings, name, &value), 0);
	assert_string_equal(value, wanted);
	free(value);
	settings_free(settings);
}

static void a_change_is_saved_and_can_be_rolled_back(void **state)
{
	json_t *answer = set("passthrough.pptp", "nat-only", false);
	expect_result(answer);
	json_decref(answer);
	expect_setting("passthrough.pptp", "nat-only");

	answer = ask(json_pack("{s:s}", "request", "rollback"));
	expect_result(answer);
	json_decref(answer);
	expect_setting("passthrough.pptp", "on");
	expect_refusal(ask(json_pack("{s:s, s:i}", "request", "rollback", "steps", 900)),
		       "not-found", "");
}

static void a_refused_change_changes_nothing(void **state)
{
	expect_refusal(set("passthrough.sstp", "off", false), "not-found", "passthrough.sstp");
	expect_refusal(set("timeouts.udp", "30", false), "invalid-setting", "timeouts.udp");
	expect_refusal(set("lan.interfaces", "wan0", false), "invalid-setting",
		       "lan.interfaces[0]");
	/* the daemon's apply refuses it */
	expect_refusal(set("dataplane", "xdp", false), "invalid-setting", "dataplane");
	expect_setting("dataplane", "auto");
	expect_refusal(ask(json_pack("{s:s}", "request", "confirm")), "not-found", "");
}

static void forwards_are_added_and_removed(void **state)
{
	json_t *answer = ask(json_pack("{s:s, s:s, s:{s:s, s:s, s:i, s:s}}", "request", "forward",
				       "action", "add", "forward", "name", "web", "protocol", "tcp",
				       "port", 8080, "to", "10.0.0.2"));
	expect_result(answer);
	json_decref(answer);
	expect_refusal(
		ask(json_pack("{s:s, s:s, s:{s:s, s:i, s:s}}", "request", "forward", "action",
			      "add", "forward", "protocol", "tcp", "port", 8080, "to", "10.0.0.3")),
		"invalid-setting", "port");
	answer = ask(json_pack("{s:s, s:s}", "request", "show", "what", "config"));
	json_t *settings = json_object_get(expect_result(answer), "settings");
	json_t *forward = json_array_get(json_object_get(settings, "port_forwards"), 0);
	assert_int_equal(json_integer_value(json_object_get(forward, "to_port")), 8080);
	json_decref(answer);
	answer = ask(json_pack("{s:s, s:s, s:s}", "request", "forward", "action", "remove", "key",
			       "web"));
	expect_result(answer);
	json_decref(answer);
	expect_refusal(ask(json_pack("{s:s, s:s, s:s}", "request", "forward", "action", "remove",
				     "key", "web")),
		       "not-found", "port_forwards");
}

static void an_unconfirmed_change_can_be_confirmed_or_taken_back(void **state)
{
	json_t *answer = set("passthrough.l2tp", "off", true);
	json_t *left = json_object_get(expect_result(answer), "confirm_within_s");
	assert_in_range(json_integer_value(left), SETTINGS_CONFIRM_SECONDS - 5,
			SETTINGS_CONFIRM_SECONDS);
	json_decref(answer);
	assert_true(settings_store_pending(settings_path));
	expect_refusal(set("passthrough.pptp", "off", false), "busy", "");
	json_decref(ask(json_pack("{s:s}", "request", "rollback")));
	assert_false(settings_store_pending(settings_path));
	expect_setting("passthrough.l2tp", "on");

	json_decref(set("passthrough.l2tp", "nat-only", true));
	json_decref(ask(json_pack("{s:s}", "request", "confirm")));
	assert_false(settings_store_pending(settings_path));
	expect_setting("passthrough.l2tp", "nat-only");
}

/* --- permissions -------------------------------------------------------------------- */

/* Asks from a child process with that user, and groups; 0: ok, 1: refused, 2: no connection. */
static int ask_as(uid_t uid, gid_t gid, gid_t extra, json_t *request)
{
	struct ctl_client *client;
	json_t *answer;
	int status;

	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		if (setgroups(extra ? 1 : 0, &extra) || setgid(gid) || setuid(uid) ||
		    ctl_client_open(directory, &client) != 0)
			_exit(2);
		if (ctl_client_ask(client, request, &answer) != 0)
			_exit(3);
		_exit(json_is_true(json_object_get(answer, "ok")) ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	json_decref(request);
	return WEXITSTATUS(status);
}

static json_t *change_request(void)
{
	return json_pack("{s:s, s:s, s:s}", "request", "set", "name", "timeouts.esp", "value",
			 "4000");
}

static json_t *arm_request(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "request", "arm", "kind", "pptp",
			 "inside", "10.0.0.2", "remote", "192.0.2.1", "inside_id", 1, "remote_id",
			 2);
}

static void only_root_and_the_group_may_change(void **state)
{
	char path[128];
	gid_t group = getgrnam(GROUP)->gr_gid;
	struct stat status;

	snprintf(path, sizeof(path), "%s/" CTL_SOCKET_NAME, directory);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0660);
	assert_int_equal(status.st_gid, group);
	if (getuid() != 0) {
		print_message("skipped: other users' permissions, needs root\n");
		skip();
	}
	assert_int_equal(ask_as(12345, 12345, 0, change_request()), 2);
	assert_int_equal(ask_as(12345, 12345, group, change_request()), 0);
	assert_int_equal(ask_as(12345, group, 0, change_request()), 0);
	assert_int_equal(ask_as(12345, 12345, group, arm_request()), 1);
	assert_int_equal(ask_as(0, 0, 0, arm_request()), 0);
	/* who gets in by a wider file mode still may only read */
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(ask_as(12345, 12345, 0, change_request()), 1);
	assert_int_equal(ask_as(12345, 12345, 0, json_pack("{s:s}", "request", "status")), 0);
	assert_int_equal(chmod(path, 0660), 0);
}

/* --- hostile clients ---------------------------------------------------------------- */

static int raw_connect(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/" CTL_SOCKET_NAME, directory);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Reads until the server closes; returns how many lines came. */
static int lines_until_close(int fd, char *last, size_t size)
{
	char byte;
	int lines = 0;
	size_t length = 0;

	while (read(fd, &byte, 1) == 1) {
		if (length < size - 1)
			last[length++] = byte;
		last[length] = '\0';
		if (byte == '\n') {
			lines++;
			length = 0;
		}
	}
	return lines;
}

static void an_endless_line_is_refused_and_cut_off(void **state)
{
	char junk[4096], last[256];
	int fd = raw_connect();
	size_t sent = 0;

	memset(junk, 'x', sizeof(junk));
	while (sent < 4 * CTL_REQUEST_MAX_BYTES) {
		ssize_t done = send(fd, junk, sizeof(junk), MSG_NOSIGNAL);
		if (done < 0)
			break;
		sent += done;
	}
	assert_true(lines_until_close(fd, last, sizeof(last)) <= 1);
	close(fd);
	json_decref(ask(json_pack("{s:s}", "request", "status")));
}

static void bytes_that_are_no_json_get_an_answer_each(void **state)
{
	static const char *const junk[] = {"\n",
					   "{\n",
					   "[]\n",
					   "{}\n",
					   "\xff\xfe\n",
					   "null\n",
					   "{\"request\":\"\\u0000\"}\n",
					   "{\"request\":{}}\n",
					   "{\"request\":\"status\",\"request\":\"show\"}\n"};
	size_t count = sizeof(junk) / sizeof(*junk);
	char last[256];
	int fd = raw_connect();

	for (size_t i = 0; i < count; i++)
		assert_true(send(fd, junk[i], strlen(junk[i]), MSG_NOSIGNAL) > 0);
	/* a NUL and half a line at the end, then no more */
	assert_int_equal(send(fd, "\0\n{\"req", 7, MSG_NOSIGNAL), 7);
	shutdown(fd, SHUT_WR);
	assert_int_equal(lines_until_close(fd, last, sizeof(last)), count + 1);
	assert_non_null(strstr(last, "bad-request"));
	close(fd);
}

static void who_does_not_read_gets_no_further_request_served(void **state)
{
	static const char request[] = "{\"request\":\"show\",\"what\":\"sessions\"}\n";
	int fd = raw_connect();

	fcntl(fd, F_SETFL, O_NONBLOCK);
	size_t sent = 0;
	for (int i = 0; i < 100; i++) {
		struct pollfd wait = {.fd = fd, .events = POLLOUT};
		if (poll(&wait, 1, 50) != 1)
			break;
		ssize_t done = send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
		sent += done > 0 ? done : 0;
	}
	double asked = seconds();
	json_decref(ask(json_pack("{s:s}", "request", "status")));
	assert_true(seconds() - asked < 0.5);
	close(fd);
}

static void too_many_clients_are_turned_away_and_room_comes_back(void **state)
{
	int fds[CTL_CLIENTS_MAX + 5];
	char last[256];
	int count = CTL_CLIENTS_MAX + 5;

	for (int i = 0; i < count; i++)
		fds[i] = raw_connect();
	assert_int_equal(lines_until_close(fds[count - 1], last, sizeof(last)), 1);
	assert_non_null(strstr(last, "\"busy\""));
	for (int i = 0; i < count; i++)
		close(fds[i]);
	/* the server sees the ends in its own time */
	json_t *answer = NULL;
	for (int i = 0; i < 200 && !json_is_true(json_object_get(answer, "ok")); i++) {
		json_decref(answer);
		struct ctl_client *client = connected();
		json_t *request = json_pack("{s:s}", "request", "status");
		answer = NULL;
		if (ctl_client_ask(client, request, &answer) != 0)
			answer = NULL;
		json_decref(request);
		ctl_client_close(client);
		poll(NULL, 0, 5);
	}
	expect_result(answer);
	json_decref(answer);
}

static void a_second_daemon_is_refused_a_dead_ones_socket_is_replaced(void **state)
{
	struct ctl_server *second = NULL;
	struct ctl_server_options options = {.run_dir = directory, .provider = &provider};
	struct ctl_client *client;
	char path[64] = "/tmp/wayleave-ctl-dead-XXXXXX", name[96];

	assert_int_equal(ctl_server_start(base, &options, &second), -EADDRINUSE);
	options.control_group = "no-such-group-here";
	assert_int_equal(ctl_server_start(base, &options, &second), -ENOENT);

	assert_non_null(mkdtemp(path));
	snprintf(name, sizeof(name), "%s/" CTL_SOCKET_NAME, path);
	assert_int_equal(ctl_client_open(path, &client), -ENOENT);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	strcpy(address.sun_path, name);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(ctl_client_open(path, &client), -ECONNREFUSED);
	struct event_base *own = event_base_new();
	options = (struct ctl_server_options){.run_dir = path, .provider = &provider};
	assert_int_equal(ctl_server_start(own, &options, &second), 0);
	ctl_server_stop(second);
	event_base_free(own);
	assert_int_equal(access(name, F_OK), -1);
	rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_has_the_documented_members),
		cmocka_unit_test(hostile_names_are_made_printable),
		cmocka_unit_test(a_million_sessions_come_page_by_page_and_stall_nobody),
		cmocka_unit_test(a_filter_walks_the_whole_list),
		cmocka_unit_test(wrong_requests_are_refused_by_name),
		cmocka_unit_test(arming_takes_ids_of_the_right_size),
		cmocka_unit_test(a_change_is_saved_and_can_be_rolled_back),
		cmocka_unit_test(a_refused_change_changes_nothing),
		cmocka_unit_test(forwards_are_added_and_removed),
		cmocka_unit_test(an_unconfirmed_change_can_be_confirmed_or_taken_back),
		cmocka_unit_test(only_root_and_the_group_may_change),
		cmocka_unit_test(an_endless_line_is_refused_and_cut_off),
		cmocka_unit_test(bytes_that_are_no_json_get_an_answer_each),
		cmocka_unit_test(who_does_not_read_gets_no_further_request_served),
		cmocka_unit_test(too_many_clients_are_turned_away_and_room_comes_back),
		cmocka_unit_test(a_second_daemon_is_refused_a_dead_ones_socket_is_replaced),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
