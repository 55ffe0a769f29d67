/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of devices: dnsmasq's leases and the list of manufacturers, read in the prison. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/namer.h"

static struct namer_answer answer[64];
static size_t answers;

static void note(void *context, const struct namer_answer *one)
{
	assert_true(answers < 64);
	answer[answers++] = *one;
}

static size_t read_leases(const char *text)
{
	/* not a byte more than the file has */
	size_t length = strlen(text);
	char *copy = malloc(length ? length : 1);

	memcpy(copy, text, length);
	answers = 0;
	namer_leases(copy, length, note, NULL);
	free(copy);
	return answers;
}

static void assert_lease(size_t i, const char *address, const char *name)
{
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &answer[i].address, text, sizeof(text));
	assert_string_equal(text, address);
	assert_string_equal(answer[i].name, name);
}

static void leases_as_dnsmasq_writes_them(void **state)
{
	static const uint8_t mac[] = {0xaa, 0xbb, 0xcc, 0x01, 0x02, 0x03};

	assert_int_equal(
		read_leases("1767225600 aa:bb:cc:01:02:03 192.168.1.20 annas-laptop 01:aa:bb\n"
			    "0 06-aa:bb 192.168.1.21 * *\n"
			    "1767225600 aa:bb:cc:01:02:04 192.168.1.22 tv\r\n"
			    "duid 00:01:00:01:2b\n"
			    "1767225600 12345 fe80::1 six 00:01\n"),
		3);
	assert_lease(0, "192.168.1.20", "annas-laptop");
	assert_true(answer[0].has_mac);
	assert_memory_equal(answer[0].mac, mac, sizeof(mac));
	assert_lease(1, "192.168.1.21", "");
	assert_false(answer[1].has_mac);
	assert_lease(2, "192.168.1.22", "tv");
}

static void what_a_device_calls_itself_is_cut_and_printable(void **state)
{
	char line[400];

	assert_int_equal(read_leases("1 aa:bb:cc:01:02:03 10.0.0.2 a\x1b[31m\xff *\n"), 1);
	assert_lease(0, "10.0.0.2", "a");
	snprintf(line, sizeof(line), "1 aa:bb:cc:01:02:03 10.0.0.2 %0300d *", 7);
	assert_int_equal(read_leases(line), 1);
	assert_int_equal(strlen(answer[0].name), NAMER_NAME_BYTES - 1);
	static const char *const broken[] = {"",
					     "\n\n\n",
					     "1",
					     "1 ",
					     "1 aa:bb:cc:01:02:03",
					     "1 x 10.0.0",
					     "1 x 10.0.0.2",
					     "x aa:bb:cc:01:02:03 10.0.0.2 n",
					     "1 aa:bb:cc:01:02:03 999.0.0.2 n"};
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++)
		assert_int_equal(read_leases(broken[i]), 0);
}

/* --- the process ------------------------------------------------------------------------------ */

static int file_of(const char *text)
{
	char path[] = "/tmp/wayleave-names-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static pid_t reader_start(int *socket)
{
	int pair[2];
	pid_t parent = getpid(), pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		const struct sandbox_options options = {.socket = pair[1],
							.uid = 65534,
							.gid = 65534,
							.parent = parent,
							.rules = namer_rules};

		if (sandbox_enter(&options))
			_exit(99);
		syscall(SYS_exit_group,
			namer_run(pair[1])); /* _exit() of the sanitizer looks for leaks */
	}
	close(pair[1]);
	*socket = pair[0];
	return pid;
}

/* Its answers to QUESTION about TEXT, without the last. */
static size_t ask(int socket, const struct namer_question *question, const char *text)
{
	int fd = file_of(text);

	assert_int_equal(namer_ask(socket, question, fd), 0);
	close(fd);
	for (answers = 0; answers < 64; answers++) {
		assert_int_equal(recv(socket, &answer[answers], sizeof(answer[0]), 0),
				 sizeof(answer[0]));
		if (answer[answers].kind == NAMER_DONE)
			break;
	}
	return answers;
}

static void the_reader_has_nothing_but_what_it_is_given(void **state)
{
	static const char vendors[] =
		"OUI/MA-L\t\t\tOrganization\r\n\r\n28-6F-B9   (hex)\t\tNokia Shanghai Bell\r\n"
		"286FB9     (base 16)\t\tNokia\r\n\t\t\t\tNo.388\r\n"
		"08-EA-44   (hex)\t\tExtreme Networks\r\nAA-BB   (hex)\r\n00-00-00   (hex)\t\t";
	struct namer_question question = {.kind = NAMER_LEASES};
	int socket, status;
	pid_t pid = reader_start(&socket);

	assert_int_equal(ask(socket, &question, "1 aa:bb:cc:01:02:03 10.0.0.2 tv *\n"), 1);
	assert_lease(0, "10.0.0.2", "tv");
	for (int i = 0; i < 20; i++) /* it lets go of what it was given */
		assert_int_equal(ask(socket, &question, "junk\n"), 0);
	question = (struct namer_question){
		.kind = NAMER_VENDORS, .count = 2, .prefix = {{0x08, 0xea, 0x44}, {1, 2, 3}}};
	assert_int_equal(ask(socket, &question, vendors), 1);
	assert_string_equal(answer[0].name, "Extreme Networks");
	close(socket);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leases_as_dnsmasq_writes_them),
		cmocka_unit_test(what_a_device_calls_itself_is_cut_and_printable),
		cmocka_unit_test(the_reader_has_nothing_but_what_it_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
