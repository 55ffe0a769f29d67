/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/packet.h"
#include "daemon/log.h"
#include "daemon/own_device.h"

#define ETHERNET 14

/* Persistence is set before anything else can fail: a tap of a failed start is reused. */
static int device_open(struct tap *tap, const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};

	tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap->fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(tap->fd, TUNSETIFF, &request) < 0 || ioctl(tap->fd, TUNSETPERSIST, 1) < 0)
		return -errno;
	tap->ifindex = if_nametoindex(name);
	return tap->ifindex ? 0 : -ENODEV;
}

static int device_up(const struct tap *tap, struct netlink *netlink)
{
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;

	request->nlmsg_type = RTM_NEWLINK;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_index = tap->ifindex;
	info->ifi_flags = info->ifi_change = IFF_UP;
	mnl_attr_put_u32(request, IFLA_MTU, TAP_MTU);
	mnl_attr_put_u32(request, IFLA_TXQLEN, TAP_QUEUE);
	return netlink_request(netlink, request);
}

int tap_open(struct tap *tap, const struct instance *instance, struct netlink *netlink)
{
	int err = device_open(tap, instance->tap);

	if (!err) {
		own_device_quiet(instance->tap);
		own_device_delivers(instance->tap);
		err = device_up(tap, netlink);
	}
	if (!err)
		return 0;
	if (err == -ENOENT)
		log_error("the kernel has no tap devices: /dev/net/tun is missing (module tun)");
	else
		log_error("the device %s for control packets cannot be made: %s", instance->tap,
			  strerror(-err));
	tap_close(tap);
	return err;
}

void tap_close(struct tap *tap)
{
	if (tap->fd >= 0)
		close(tap->fd);
	*tap = (struct tap){.fd = -1};
}

ssize_t tap_read(const struct tap *tap, void *frame, size_t size)
{
	ssize_t length = read(tap->fd, frame, size);

	return length < 0 ? -errno : length;
}

int tap_write(const struct tap *tap, const void *frame, size_t length)
{
	return write(tap->fd, frame, length) < 0 ? -errno : 0;
}

int tap_transmit(const struct tap *tap, const void *packet, size_t length, uint32_t next_hop)
{
	uint8_t frame[TAP_FRAME_BYTES];
	struct punt punt = {.action = PUNT_TRANSMIT, .index = next_hop};
	__be16 type = host_to_be16(ETHERTYPE_IPV4);

	if (length > sizeof(frame) - ETHERNET)
		return -EMSGSIZE;
	memcpy(frame, &punt, sizeof(punt));
	memcpy(frame + sizeof(punt), &type, sizeof(type));
	memcpy(frame + ETHERNET, packet, length);
	return tap_write(tap, frame, ETHERNET + length);
}

int tap_delete(const struct instance *instance, struct netlink *netlink)
{
	return own_device_delete(instance->tap, netlink);
}
