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

static void parameter_set(const char *family, const char *device, const char *parameter,
			  const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, device, parameter);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return; /* no IPv6 in this kernel */
	if (write(fd, value, 1) < 0)
		log_warning("%s cannot be set to %s: %s", path, value, strerror(errno));
	close(fd);
}

void own_device_quiet(const char *name)
{
	parameter_set("ipv6", name, "disable_ipv6", "1");
}

/* A loose rp_filter would drop it too, for the device has no address. */
void own_device_delivers(const char *name)
{
	parameter_set("ipv4", name, "rp_filter", "0");
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
