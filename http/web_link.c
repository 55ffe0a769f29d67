/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/web_link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int web_link_send(int socket, const struct web_link_message *message, int fd)
{
	union control control = {0};
	struct iovec bytes = {.iov_base = (void *)message, .iov_len = sizeof(*message)};
	struct msghdr datagram = {.msg_iov = &bytes, .msg_iovlen = 1};

	if (fd >= 0) {
		datagram.msg_control = control.bytes;
		datagram.msg_controllen = sizeof(control.bytes);
		control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS,
						  .cmsg_len = CMSG_LEN(sizeof(fd))};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(socket, &datagram, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int web_link_receive(int socket, struct web_link_message *message, int *fd)
{
	union control control = {0};
	struct iovec bytes = {.iov_base = message, .iov_len = sizeof(*message)};
	struct msghdr datagram = {.msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes)};
	ssize_t got = recvmsg(socket, &datagram, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&datagram) : NULL;

	*fd = -1;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	if (got == sizeof(*message))
		return 0;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return got < 0 ? -errno : got == 0 ? -EPIPE : -EPROTO;
}
