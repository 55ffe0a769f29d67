/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/cutter.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/own_device.h"

#define CUTTER_MTU 65535 /* what a packet can be long at most */

static struct ifinfomsg *link_request(char *buffer, uint16_t type)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

	request->nlmsg_type = type;
	return mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
}

static int pair_make(const struct instance *instance, struct netlink *netlink)
{
	_Alignas(struct nlmsghdr) char buffer[512];
	struct nlattr *info, *data, *peer;
	struct nlmsghdr *request;

	link_request(buffer, RTM_NEWLINK);
	request = (struct nlmsghdr *)buffer;
	request->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_attr_put_strz(request, IFLA_IFNAME, instance->cutter_near);
	mnl_attr_put_u32(request, IFLA_MTU, CUTTER_MTU);
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(request, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(request, IFLA_IFNAME, instance->cutter_far);
	mnl_attr_put_u32(request, IFLA_MTU, CUTTER_MTU);
	mnl_attr_nest_end(request, peer);
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
	return netlink_request(netlink, request);
}

static int device_up(uint32_t ifindex, struct netlink *netlink)
{
	_Alignas(struct nlmsghdr) char buffer[256];
	struct ifinfomsg *info = link_request(buffer, RTM_NEWLINK);

	info->ifi_index = ifindex;
	info->ifi_flags = info->ifi_change = IFF_UP;
	/* of a super-packet one segment: the kernel takes it apart before it enters */
	mnl_attr_put_u32((struct nlmsghdr *)buffer, IFLA_GSO_MAX_SEGS, 1);
	return netlink_request(netlink, (struct nlmsghdr *)buffer);
}

/* The kernel finishes each checksum before it enters. */
static int checksums_complete(const char *name)
{
	struct ethtool_value value = {.cmd = ETHTOOL_STXCSUM};
	struct ifreq request = {.ifr_data = (void *)&value};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	err = ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static int pair_find(struct cutter *cutter, const struct instance *instance)
{
	cutter->near = if_nametoindex(instance->cutter_near);
	cutter->far = if_nametoindex(instance->cutter_far);
	return cutter->near && cutter->far ? 0 : -ENODEV;
}

static int pair_open(struct cutter *cutter, const struct instance *instance,
		     struct netlink *netlink)
{
	int err = pair_find(cutter, instance);

	if (err)
		err = pair_make(instance, netlink);
	if (!err)
		err = pair_find(cutter, instance);
	if (err)
		return err;
	own_device_quiet(instance->cutter_near);
	own_device_quiet(instance->cutter_far);
	err = checksums_complete(instance->cutter_near);
	if (!err)
		err = device_up(cutter->near, netlink);
	return err ? err : device_up(cutter->far, netlink);
}

int cutter_open(struct cutter *cutter, const struct instance *instance, struct netlink *netlink)
{
	int err = pair_open(cutter, instance, netlink);

	if (err)
		log_error("the devices %s and %s, which packets are cut between, cannot be made "
			  "(kernel module veth): %s",
			  instance->cutter_near, instance->cutter_far, strerror(-err));
	return err;
}

int cutter_delete(const struct instance *instance, struct netlink *netlink)
{
	return own_device_delete(instance->cutter_near, netlink);
}
