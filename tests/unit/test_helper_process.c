/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The helper as a process: its prison, its deaths, its queue. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "helper/sandbox.h"
#include "tests/unit/test_helper_gateway.h"

/* --- the prison --------------------------------------------------------------------- */

/* A line of /proc/PID/status behind its name and colon. */
static void status_line(pid_t pid, const char *name, char *value, size_t room)
{
	char path[64], line[256];
	size_t length = strlen(name);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	assert_non_null(f);
	value[0] = 0;
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, length) == 0 && line[length] == ':')
			snprintf(value, room, "%s", line + length + 1);
	fclose(f);
}

static unsigned long long status_number(pid_t pid, const char *name, int base)
{
	char value[128];

	status_line(pid, name, value, sizeof(value));
	return strtoull(value, NULL, base);
}

static unsigned int fds_open(pid_t pid)
{
	char path[64];
	unsigned int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *e = readdir(dir); e; e = readdir(dir))
		count += e->d_name[0] != '.';
	closedir(dir);
	return count;
}

/* The sandbox closes behind the helper a moment after its birth is told. */
static void sealed_wait(pid_t pid)
{
	for (int i = 0; i < 500 && status_number(pid, "Seccomp", 10) != 2; i++)
		poll(NULL, 0, 10);
}

static void prison_from_outside(void **state)
{
	static const char *const sets[] = {"CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"};
	struct gateway g;
	pid_t pid;

	gateway_start(&g, NULL);
	pid = gateway_helper(&g, 0);
	sealed_wait(pid);
	assert_int_equal(status_number(pid, "Seccomp", 10), 2);
	assert_int_equal(status_number(pid, "NoNewPrivs", 10), 1);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (geteuid() == 0 || strcmp(sets[i], "CapBnd"))
			assert_int_equal(status_number(pid, sets[i], 16), 0);
	assert_int_not_equal(status_number(pid, "Uid", 10), 0);
	assert_int_not_equal(status_number(pid, "Gid", 10), 0);
	if (geteuid() == 0)
		assert_int_equal(fds_open(pid), 1);
	helper_stop(g.helper);
	assert_int_equal(kill(pid, 0), -1);
}

static void do_nothing(void)
{
}

static void do_map(void)
{
	void *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(m, 4096);
}

static void do_open(void)
{
	open("/etc/passwd", O_RDONLY);
}

static void do_exec(void)
{
	execl("/bin/true", "true", NULL);
}

static void do_socket(void)
{
	socket(AF_INET, SOCK_DGRAM, 0);
}

static void do_ptrace(void)
{
	ptrace(PTRACE_ATTACH, getppid(), 0, 0);
}

static void do_fork(void)
{
	fork();
}

static void do_code(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void do_kill(void)
{
	kill(getppid(), 0);
}

static void do_setuid(void)
{
	(void)!setresuid(0, 0, 0);
}

/* How a child that does `what` in the prison ends. */
static int imprisoned(void (*what)(void))
{
	struct sandbox_options prison = {.uid = 65534, .gid = 65534, .parent = getpid()};
	int pair[2], status;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	prison.socket = pair[0];
	pid = fork();
	if (pid == 0) {
		if (sandbox_enter(&prison))
			_exit(99);
		what();
		syscall(SYS_exit_group, 7); /* _exit() of a sanitized build does more */
	}
	waitpid(pid, &status, 0);
	close(pair[0]);
	close(pair[1]);
	return status;
}

static void calls_that_kill(void **state)
{
	static void (*const forbidden[])(void) = {do_open, do_exec, do_socket, do_ptrace,
						  do_fork, do_code, do_kill,   do_setuid};
	int status = imprisoned(do_nothing);

	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	status = imprisoned(do_map);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		status = imprisoned(forbidden[i]);
		if (!WIFSIGNALED(status))
			print_error("forbidden call %zu was survived\n", i);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
}

static void wrong_parent(void **state)
{
	assert_int_equal(sandbox_bind_life(getppid() + 1), -ESRCH);
	prctl(PR_SET_PDEATHSIG, 0);
}

static void unknown_user(void **state)
{
	struct helper_options options = {.user = "no-such-user-here"};
	struct helper *h = NULL;

	assert_int_equal(helper_start(&h, &options), -ENOENT);
	assert_null(h);
}

/* Gone, or waiting to be reaped by whoever adopts orphans here. */
static bool is_dead(pid_t pid)
{
	char path[64], line[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	if (!f)
		return true;
	while (fgets(line, sizeof(line), f) && strncmp(line, "State:", 6))
		;
	fclose(f);
	return strchr(line, 'Z') != NULL;
}

/* kill -9 of the daemon: keeper and helper go with it. */
static void dies_with_the_daemon(void **state)
{
	int pipes[2], status;
	pid_t daemon, helper = 0;

	assert_int_equal(pipe(pipes), 0);
	daemon = fork();
	if (daemon == 0) {
		struct gateway g;

		gateway_start(&g, NULL);
		helper = gateway_helper(&g, 0);
		(void)!write(pipes[1], &helper, sizeof(helper));
		pause();
	}
	assert_int_equal(read(pipes[0], &helper, sizeof(helper)), sizeof(helper));
	assert_false(is_dead(helper));
	kill(daemon, SIGKILL);
	waitpid(daemon, &status, 0);
	for (int i = 0; i < 200 && !is_dead(helper); i++)
		poll(NULL, 0, 10);
	assert_true(is_dead(helper));
	close(pipes[0]);
	close(pipes[1]);
}

/* --- work ---------------------------------------------------------------------------- */

/* SYN, SYN ACK, start, accepted, one call: the frames of a client's first second. */
static void session_submit(struct gateway *g, struct helper_flow *flow)
{
	uint8_t bytes[PPTP_MESSAGE_BYTES_MAX];

	assert_int_equal(gateway_submit(g, flow, OUT, 999, TCP_SYN, NULL, 0), 0);
	assert_int_equal(gateway_submit(g, flow, IN, 4999, TCP_SYN | TCP_ACK, NULL, 0), 0);
	gateway_submit(g, flow, OUT, 1000, 0, bytes,
		       message_make(bytes, PPTP_START_REQUEST, 0, 0, 0));
	gateway_submit(g, flow, IN, 5000, 0, bytes, message_make(bytes, PPTP_START_REPLY, 0, 0, 1));
	gateway_submit(g, flow, OUT, 1156, 0, bytes,
		       message_make(bytes, PPTP_OUTGOING_CALL_REQUEST, 0x1234, 0, 0));
}

/* Submitted at once: they are answered one after the other, each with the state before it. */
static void session_through_the_process(void **state)
{
	struct gateway g;
	struct helper_flow flow;

	gateway_start(&g, NULL);
	flow_new(&flow, FIRST_SPARE);
	session_submit(&g, &flow);
	assert_int_equal(flow.waiting, 5);
	assert_int_equal(g.answered, 0);
	gateway_wait(&g, &g.answered, 5);
	assert_int_equal(flow.waiting, 0);
	assert_int_equal(g.cookie, 1156);
	assert_int_equal(g.frame[LINK_BYTES + 20 + 12], FIRST_SPARE >> 8);
	assert_int_equal(g.frame[LINK_BYTES + 20 + 13], FIRST_SPARE & 0xff);
	assert_int_equal(flow.id_count, 1);
	assert_int_equal(flow.ids[0].inside_id, 0x1234);
	assert_int_equal(helper_counters(g.helper)->answers, 5);
	helper_stop(g.helper);
}

/* Killed at any time: a frame is lost at most, and the session goes on where it was. */
static void state_outlives_the_helper(void **state)
{
	struct gateway g;
	struct helper_flow flow;
	uint8_t bytes[PPTP_MESSAGE_BYTES_MAX];
	pid_t first, second;

	gateway_start(&g, NULL);
	flow_new(&flow, FIRST_SPARE);
	session_submit(&g, &flow);
	gateway_wait(&g, &g.answered, 5);
	first = gateway_helper(&g, 0);
	kill(first, SIGKILL);
	second = gateway_helper(&g, first);
	assert_int_not_equal(first, second);
	assert_int_equal(g.crashed, 1);
	assert_int_equal(helper_counters(g.helper)->crashes, 1);
	gateway_submit(&g, &flow, OUT, 1156 + 168, 0, bytes,
		       message_make(bytes, PPTP_CALL_CLEAR_REQUEST, 0x1234, 0, 0));
	gateway_wait(&g, &g.answered, 6);
	assert_int_equal(g.frame[LINK_BYTES + 20 + 12], FIRST_SPARE >> 8);
	helper_stop(g.helper);
}

static void disabled_after_five_crashes(void **state)
{
	struct gateway g;
	struct helper_flow flow;
	pid_t pid = 0;

	gateway_start(&g, NULL);
	flow_new(&flow, FIRST_SPARE);
	for (int i = 0; i < HELPER_CRASHES_MAX; i++) {
		pid = gateway_helper(&g, pid);
		kill(pid, SIGKILL);
	}
	gateway_wait(&g, &g.disabled, 1);
	assert_int_equal(g.crashed, HELPER_CRASHES_MAX);
	assert_int_equal(gateway_submit(&g, &flow, OUT, 1, TCP_SYN, NULL, 0), -ENOTCONN);
	assert_int_equal(helper_pid(g.helper), 0);
	helper_serve(g.helper, gateway_now(&g));
	helper_stop(g.helper);
}

/* Told apart from a helper that does not stay up: another daemon can have one. */
static void keeper_killed(void **state)
{
	struct gateway g;
	struct helper_flow flow;
	pid_t pid;

	gateway_start(&g, NULL);
	flow_new(&flow, FIRST_SPARE);
	pid = gateway_helper(&g, 0);
	kill((pid_t)status_number(pid, "PPid", 10), SIGKILL);
	gateway_wait(&g, &g.orphaned, 1);
	assert_int_equal(g.disabled, 0);
	assert_int_equal(gateway_submit(&g, &flow, OUT, 1, TCP_SYN, NULL, 0), -ENOTCONN);
	helper_stop(g.helper);
}

static int never_answers(int socket)
{
	static uint8_t bytes[sizeof(struct helper_request)];

	while (recv(socket, bytes, sizeof(bytes), 0) > 0)
		;
	return 0;
}

/* A second without an answer: the frame is dropped, the helper is killed. */
static void silence(void **state)
{
	struct gateway g;
	struct helper_flow flow;

	gateway_start(&g, never_answers);
	gateway_helper(&g, 0);
	flow_new(&flow, FIRST_SPARE);
	gateway_submit(&g, &flow, OUT, 1, TCP_SYN, NULL, 0);
	helper_serve(g.helper, gateway_now(&g));
	assert_int_equal(g.answered, 0);
	g.clock_ns = HELPER_ANSWER_NS;
	gateway_wait(&g, &g.answered, 1);
	assert_int_equal(g.verdict, HELPER_DROP);
	assert_int_equal(g.reason, HELPER_REASON_no_answer);
	gateway_wait(&g, &g.crashed, 1);
	helper_stop(g.helper);
}

static int dies_of_it(int socket)
{
	static uint8_t bytes[sizeof(struct helper_request)];

	recv(socket, bytes, sizeof(bytes), 0);
	raise(SIGKILL); /* not allowed in here: SIGSYS */
	return 0;
}

/* A flow that kills helpers is given up before it costs the others theirs. */
static void flow_that_kills_helpers(void **state)
{
	struct gateway g;
	struct helper_flow flow;

	gateway_start(&g, dies_of_it);
	flow_new(&flow, FIRST_SPARE);
	for (unsigned int i = 1; i <= HELPER_FLOW_CRASHES; i++) {
		assert_int_equal(gateway_submit(&g, &flow, OUT, 1, TCP_SYN, NULL, 0), 0);
		gateway_submit(&g, &flow, OUT, 1, TCP_SYN, NULL, 0);
		gateway_wait(&g, &g.crashed, i);
		helper_forget(g.helper, &flow);
	}
	assert_int_equal(flow.flags, HELPER_ENDED | HELPER_PLAIN);
	assert_int_equal(g.claims, 1);
	assert_int_equal(g.disabled, 0);
	helper_stop(g.helper);
}

/* Its frames pass, unread. */
static void flow_without_assistance(void **state)
{
	struct gateway g;
	struct helper_flow flow;

	gateway_start(&g, NULL);
	flow_new(&flow, FIRST_SPARE);
	flow.flags = HELPER_ENDED | HELPER_PLAIN;
	memset(flow.state, 0x66, sizeof(flow.state)); /* no state that anybody wrote */
	gateway_submit(&g, &flow, OUT, 1, TCP_SYN, NULL, 0);
	gateway_wait(&g, &g.answered, 1);
	assert_int_equal(g.verdict, HELPER_FORWARD);
	assert_int_equal(helper_counters(g.helper)->reasons[HELPER_REASON_bad_state], 0);
	assert_int_equal(flow.flags, HELPER_ENDED | HELPER_PLAIN);
	helper_stop(g.helper);
}

static void queue_limits(void **state)
{
	static struct helper_flow flows[9];
	static uint8_t big[HELPER_SEGMENT_BYTES + 1];
	struct helper_frame f = {
		.bytes = big, .frame_bytes = sizeof(big), .tcp_bytes = sizeof(big)};
	struct gateway g;

	gateway_start(&g, never_answers);
	for (size_t i = 0; i < 9; i++)
		flow_new(&flows[i], (uint16_t)(i * 16));
	for (size_t i = 0; i < HELPER_QUEUE; i++)
		assert_int_equal(
			gateway_submit(&g, &flows[i / HELPER_FLOW_QUEUE], OUT, 1, TCP_SYN, NULL, 0),
			0);
	assert_int_equal(gateway_submit(&g, &flows[8], OUT, 1, TCP_SYN, NULL, 0), -ENOBUFS);
	helper_forget(g.helper, &flows[0]);
	assert_int_equal(flows[0].waiting, 0);
	assert_int_equal(gateway_submit(&g, &flows[1], OUT, 1, TCP_SYN, NULL, 0), -ENOBUFS);
	assert_int_equal(gateway_submit(&g, &flows[8], OUT, 1, TCP_SYN, NULL, 0), 0);
	assert_int_equal(helper_submit(g.helper, &flows[8], &f, 0), -EMSGSIZE);
	f.tcp_offset = 1;
	assert_int_equal(helper_submit(g.helper, &flows[8], &f, 0), -EINVAL);
	assert_int_equal(helper_counters(g.helper)->refused, 4);
	helper_stop(g.helper);
}

static void reasons_have_words(void **state)
{
	for (int r = 0; r < HELPER_REASONS; r++) {
		assert_true(strlen(helper_reason_name((enum helper_reason)r)) > 2);
		assert_true(strlen(helper_reason_text((enum helper_reason)r)) > 10);
		assert_non_null(helper_reason_source((enum helper_reason)r));
	}
	assert_string_equal(helper_reason_name(HELPER_REASONS), "?");
	assert_string_equal(helper_reason_text(HELPER_REASONS), "");
	assert_string_equal(helper_reason_source(HELPER_REASONS), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prison_from_outside),
		cmocka_unit_test(calls_that_kill),
		cmocka_unit_test(wrong_parent),
		cmocka_unit_test(unknown_user),
		cmocka_unit_test(dies_with_the_daemon),
		cmocka_unit_test(session_through_the_process),
		cmocka_unit_test(state_outlives_the_helper),
		cmocka_unit_test(disabled_after_five_crashes),
		cmocka_unit_test(keeper_killed),
		cmocka_unit_test(silence),
		cmocka_unit_test(flow_that_kills_helpers),
		cmocka_unit_test(flow_without_assistance),
		cmocka_unit_test(queue_limits),
		cmocka_unit_test(reasons_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
