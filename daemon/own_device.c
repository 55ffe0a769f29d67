/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/own_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"

void own_device_quiet(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return; /* no IPv6 in this kernel */
	if (write(fd, "1", 1) < 0)
		log_warning("IPv6 cannot be switched off on %s: %s", name, strerror(errno));
	close(fd);
}

int own_device_delete(const char *name, struct netlink *netlink)
{
	_Alignas(struct nlmsghdr) char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;

	request->nlmsg_type = RTM_DELLINK;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_index = if_nametoindex(name);
	return info->ifi_index ? netlink_request(netlink, request) : -ENODEV;
}
