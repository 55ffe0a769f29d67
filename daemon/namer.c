/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/namer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Receiving, answering and ending are every child's; this one lets go of what it was given. */
static const int calls[] = {SCMP_SYS(close)};
const struct sandbox_rules namer_rules = {
	.descriptors = 8, .calls = calls, .calls_count = sizeof(calls) / sizeof(*calls)};

/* --- words --------------------------------------------------------------------------------- */

/* The next word of the line at *AT, before END, into WORD, cut; false: none is left. */
static bool word_next(const char **at, const char *end, char *word, size_t size)
{
	size_t length = 0;

	while (*at < end && (**at == ' ' || **at == '\t'))
		++*at;
	for (; *at < end && **at != ' ' && **at != '\t' && **at != '\r'; ++*at)
		if (length + 1 < size)
			word[length++] = **at;
	word[length] = '\0';
	return length > 0;
}

static bool mac_read(const char *text, uint8_t mac[6])
{
	unsigned int byte[6];
	int length = 0;

	/* "06-..." names a kind of network that is not Ethernet */
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3],
		   &byte[4], &byte[5], &length) != 6 ||
	    text[length])
		return false;
	for (int i = 0; i < 6; i++)
		mac[i] = byte[i];
	return true;
}

/* Letters, digits and what else a name on a screen may have; anything else ends it. */
static void name_copy(char name[NAMER_NAME_BYTES], const char *text, size_t length)
{
	size_t used = 0;

	while (used < length && used + 1 < NAMER_NAME_BYTES && text[used] >= ' ' &&
	       text[used] <= '~') {
		name[used] = text[used];
		used++;
	}
	name[used] = '\0';
}

/* --- dnsmasq's leases: expiry, MAC, address, name or "*", client id ------------------------- */

static bool lease_read(const char *line, const char *end, struct namer_answer *answer)
{
	char word[128];

	*answer = (struct namer_answer){.kind = NAMER_LEASES};
	if (!word_next(&line, end, word, sizeof(word)) ||
	    strspn(word, "0123456789") != strlen(word) ||
	    !word_next(&line, end, word, sizeof(word)))
		return false;
	answer->has_mac = mac_read(word, answer->mac);
	if (!word_next(&line, end, word, sizeof(word)) ||
	    inet_pton(AF_INET, word, &answer->address) != 1 ||
	    !word_next(&line, end, word, sizeof(word)))
		return false;
	if (strcmp(word, "*") != 0)
		name_copy(answer->name, word, strlen(word));
	return true;
}

void namer_leases(const char *text, size_t length,
		  void (*each)(void *context, const struct namer_answer *answer), void *context)
{
	const char *end = text + length;
	struct namer_answer answer;

	while (text < end) {
		const char *line_end = memchr(text, '\n', end - text);

		if (!line_end)
			line_end = end;
		if (lease_read(text, line_end, &answer))
			each(context, &answer);
		text = line_end + 1;
	}
}

/* --- the process ------------------------------------------------------------------------------ */

static char file[NAMER_FILE_MAX];

static void answer_send(void *context, const struct namer_answer *answer)
{
	(void)!send(*(int *)context, answer, sizeof(*answer), MSG_NOSIGNAL);
}

static size_t file_read(int fd)
{
	size_t length = 0;
	ssize_t got;

	while (length < sizeof(file) && (got = read(fd, file + length, sizeof(file) - length)) > 0)
		length += got;
	return length;
}

/* "28-6F-B9   (hex)\t\tNokia Shanghai Bell Co., Ltd." */
static void vendor_line(int socket, const struct namer_question *question, const char *line,
			size_t length)
{
	struct namer_answer answer = {.kind = NAMER_VENDORS, .has_mac = true};
	unsigned int byte[3];
	int from = 0;

	if (length < 20 || line[2] != '-' || line[5] != '-' ||
	    sscanf(line, "%2x-%2x-%2x (hex) %n", &byte[0], &byte[1], &byte[2], &from) != 3 ||
	    !from || (size_t)from >= length)
		return;
	for (int i = 0; i < 3; i++)
		answer.mac[i] = byte[i];
	name_copy(answer.name, line + from, length - from);
	for (uint32_t i = 0; i < question->count && i < NAMER_ASKED; i++)
		if (memcmp(answer.mac, question->prefix[i], 3) == 0)
			answer_send(&socket, &answer);
}

/* Whole lines of a file of some megabytes, a block at a time. */
static void vendors_read(int socket, const struct namer_question *question, int fd)
{
	size_t kept = 0;
	ssize_t got;

	while ((got = read(fd, file + kept, sizeof(file) - 1 - kept)) > 0) {
		char *line = file, *end;

		kept += got;
		file[kept] = '\0';
		for (; (end = memchr(line, '\n', file + kept - line)); line = end + 1) {
			*end = '\0';
			vendor_line(socket, question, line, end - line);
		}
		kept -= line - file;
		if (kept == sizeof(file) - 1)
			return; /* no text file */
		memmove(file, line, kept);
	}
}

/* "+ 2 0 192.168.1.20 name.local"; the socket gives up waiting by itself. */
static void avahi_ask(int socket, const struct namer_question *question, int fd)
{
	struct namer_answer answer = {.kind = NAMER_AVAHI, .address = question->address};
	char text[512], address[INET_ADDRSTRLEN], word[128];
	const char *at = text;

	inet_ntop(AF_INET, &question->address, address, sizeof(address));
	int length = snprintf(text, sizeof(text), "RESOLVE-ADDRESS %s\n", address);
	if (send(fd, text, length, MSG_NOSIGNAL) != length)
		return;
	ssize_t got = recv(fd, text, sizeof(text) - 1, 0);
	if (got < 2 || text[0] != '+')
		return;
	const char *end = text + got - (text[got - 1] == '\n');
	for (int i = 0; i < 5; i++)
		if (!word_next(&at, end, word, sizeof(word)))
			return;
	char *local = strstr(word, ".local");
	name_copy(answer.name, word, local && !local[6] ? (size_t)(local - word) : strlen(word));
	answer_send(&socket, &answer);
}

static void question_answer(int socket, const struct namer_question *question, int fd)
{
	const struct namer_answer done = {.kind = NAMER_DONE};

	if (question->kind == NAMER_LEASES)
		namer_leases(file, file_read(fd), answer_send, &socket);
	else if (question->kind == NAMER_VENDORS)
		vendors_read(socket, question, fd);
	else if (question->kind == NAMER_AVAHI)
		avahi_ask(socket, question, fd);
	answer_send(&socket, &done);
}

/* --- the wire -----------------------------------------------------------------------------------
 */

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int namer_ask(int socket, const struct namer_question *question, int fd)
{
	union control control = {.header = {.cmsg_level = SOL_SOCKET,
					    .cmsg_type = SCM_RIGHTS,
					    .cmsg_len = CMSG_LEN(sizeof(fd))}};
	struct iovec bytes = {.iov_base = (void *)question, .iov_len = sizeof(*question)};
	struct msghdr datagram = {.msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes)};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(socket, &datagram, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* False: the daemon is gone. *FD may be -1. */
static bool question_take(int socket, struct namer_question *question, int *fd)
{
	union control control = {0};
	struct iovec bytes = {.iov_base = question, .iov_len = sizeof(*question)};
	struct msghdr datagram = {.msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes)};
	ssize_t got = recvmsg(socket, &datagram, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&datagram) : NULL;

	*fd = -1;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	return got == sizeof(*question);
}

int namer_run(int socket)
{
	struct namer_question question;
	int fd;

	while (question_take(socket, &question, &fd)) {
		if (fd >= 0)
			question_answer(socket, &question, fd);
		if (fd >= 0)
			close(fd);
	}
	return 0;
}
