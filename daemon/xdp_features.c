/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/xdp_features.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* linux/netdev.h of 6.3 */
#define NETDEV_FAMILY	      "netdev"
#define NETDEV_CMD_DEV_GET    1
#define NETDEV_A_IFINDEX      1
#define NETDEV_A_XDP_FEATURES 3

/* Drivers whose native XDP and ndo_xdp_xmit are known from their source up to 6.1. */
static const char *const known_drivers[] = {
	"ixgbe", "i40e", "ice",	       "igb",	 "igc",	  "mlx5_core", "bnxt_en",
	"sfc",	 "ena",	 "virtio_net", "mvneta", "mvpp2", "dpaa2-eth", "stmmaceth"};

static int attribute_u16(const struct nlattr *attribute, void *context)
{
	if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID)
		*(uint16_t *)context = mnl_attr_get_u16(attribute);
	return MNL_CB_OK;
}

static int family_answer(const struct nlmsghdr *message, void *context)
{
	mnl_attr_parse(message, sizeof(struct genlmsghdr), attribute_u16, context);
	return MNL_CB_OK;
}

static int attribute_features(const struct nlattr *attribute, void *context)
{
	if (mnl_attr_get_type(attribute) == NETDEV_A_XDP_FEATURES)
		*(uint64_t *)context = mnl_attr_get_u64(attribute);
	return MNL_CB_OK;
}

static int features_answer(const struct nlmsghdr *message, void *context)
{
	mnl_attr_parse(message, sizeof(struct genlmsghdr), attribute_features, context);
	return MNL_CB_OK;
}

static struct nlmsghdr *request_build(char *buffer, uint16_t family, uint8_t command,
				      uint8_t version)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *generic;

	request->nlmsg_type = family;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	request->nlmsg_seq = 1;
	generic = mnl_nlmsg_put_extra_header(request, sizeof(*generic));
	generic->cmd = command;
	generic->version = version;
	return request;
}

static int exchange(struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t each,
		    void *context)
{
	_Alignas(struct nlmsghdr) char buffer[8192];
	unsigned int port = mnl_socket_get_portid(socket);
	int more = MNL_CB_OK;

	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	while (more > MNL_CB_STOP) {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		if (length < 0)
			return -errno;
		more = mnl_cb_run(buffer, length, 1, port, each, context);
	}
	return more < 0 ? -errno : 0;
}

/* 0, or -errno; -ENOENT: the kernel has no such family. */
static int features_ask(struct mnl_socket *socket, uint32_t ifindex, uint64_t *features)
{
	char buffer[256];
	struct nlmsghdr *request = request_build(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	uint16_t family = 0;
	int err;

	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, NETDEV_FAMILY);
	err = exchange(socket, request, family_answer, &family);
	if (err)
		return err;
	request = request_build(buffer, family, NETDEV_CMD_DEV_GET, 1);
	mnl_attr_put_u32(request, NETDEV_A_IFINDEX, ifindex);
	return exchange(socket, request, features_answer, features);
}

static bool driver_is_known(const char *name)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {.ifr_data = (char *)&info};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool known = false;

	if (fd < 0)
		return false;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (!ioctl(fd, SIOCETHTOOL, &request))
		for (size_t i = 0; i < sizeof(known_drivers) / sizeof(known_drivers[0]); i++)
			known |= !strcmp(info.driver, known_drivers[i]);
	close(fd);
	return known;
}

uint64_t xdp_features(uint32_t ifindex, const char *name)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	uint64_t features = 0;
	int err = -EIO;

	if (socket && mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0)
		err = features_ask(socket, ifindex, &features);
	if (socket)
		mnl_socket_close(socket);
	if (err == -ENOENT && driver_is_known(name))
		return XDP_FEATURE_BASIC | XDP_FEATURE_REDIRECT | XDP_FEATURE_NDO_XMIT;
	return features;
}
