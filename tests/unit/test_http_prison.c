/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the web process cannot do: each of these is its end. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "http/process.h"

#define ALIVE 7

static int own; /* a socket that was there before */

/* --- what it may ------------------------------------------------------------------------ */

static void do_its_work(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	char byte;

	epoll_ctl(epoll, EPOLL_CTL_ADD, own, &event);
	epoll_wait(epoll, &event, 1, 0);
	(void)!recv(own, &byte, 1, MSG_DONTWAIT);
	mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	close(epoll);
}

/* --- what it may not ---------------------------------------------------------------------- */

static void do_open(void)
{
	open("/etc/passwd", O_RDONLY);
}

static void do_create(void)
{
	syscall(SYS_openat, AT_FDCWD, "/tmp/x", O_CREAT | O_WRONLY, 0600);
}

static void do_exec(void)
{
	execl("/bin/true", "true", NULL);
}

static void do_ptrace(void)
{
	ptrace(PTRACE_ATTACH, getppid(), 0, 0);
}

static void do_socket(void)
{
	socket(AF_INET, SOCK_STREAM, 0);
}

static void do_connect(void)
{
	struct sockaddr_un control = {.sun_family = AF_UNIX,
				      .sun_path = "/run/wayleave/control.sock"};

	connect(own, (struct sockaddr *)&control, sizeof(control));
}

static void do_bind(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	bind(own, (struct sockaddr *)&address, sizeof(sa_family_t));
}

static void do_listen(void)
{
	listen(own, 1);
}

static void do_fork(void)
{
	fork();
}

static void do_code(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void do_protect(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static void do_map_file(void)
{
	mmap(NULL, 4096, PROT_READ, MAP_SHARED, own, 0);
}

static void do_kill(void)
{
	kill(getppid(), 0);
}

static void do_setuid(void)
{
	(void)!setresuid(0, 0, 0);
}

static void do_chmod(void)
{
	chmod("/etc/passwd", 0666);
}

static void do_unlink(void)
{
	unlink("/tmp/x");
}

static void do_bpf(void)
{
	syscall(SYS_bpf, 0, NULL, 0);
}

static void do_reboot(void)
{
	syscall(SYS_reboot, 0, 0, 0,
		NULL); /* the magic is wrong: nothing without the prison either */
}

static void do_read_memory(void)
{
	syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

static void do_unshare(void)
{
	syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */);
}

static int imprisoned(void (*what)(void))
{
	struct sandbox_options prison = {
		.uid = 65534, .gid = 65534, .parent = getpid(), .rules = web_rules};
	int pair[2], status;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	own = prison.socket = pair[0];
	pid = fork();
	if (pid == 0) {
		if (sandbox_enter(&prison))
			_exit(99);
		what();
		syscall(SYS_exit_group, ALIVE);
	}
	waitpid(pid, &status, 0);
	close(pair[0]);
	close(pair[1]);
	return status;
}

static void its_work_is_allowed(void **state)
{
	int status = imprisoned(do_its_work);

	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == ALIVE);
}

static void the_rest_is_its_end(void **state)
{
	static void (*const forbidden[])(void) = {
		do_open,   do_create, do_exec, do_ptrace,  do_socket,	   do_connect, do_bind,
		do_listen, do_fork,   do_code, do_protect, do_map_file,	   do_kill,    do_setuid,
		do_chmod,  do_unlink, do_bpf,  do_reboot,  do_read_memory, do_unshare,
	};

	for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++) {
		int status = imprisoned(forbidden[i]);

		if (!WIFSIGNALED(status))
			print_error("forbidden call %zu was survived\n", i);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_work_is_allowed),
		cmocka_unit_test(the_rest_is_its_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
