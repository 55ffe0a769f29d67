/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/virtual_macs.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "core/memory.h"

#include "core/own_mac.h"
#include "daemon/log.h"

struct macvlan {
	bool is_one, elsewhere; /* elsewhere: its parent is in another namespace */
	uint32_t parent;	/* ifindex */
	uint8_t mac[6];
};

static int kind_take(const struct nlattr *attribute, void *context)
{
	struct macvlan *device = context;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
		device->is_one = !strcmp(mnl_attr_get_str(attribute), "macvlan");
	return MNL_CB_OK;
}

static int attribute_take(const struct nlattr *attribute, void *context)
{
	struct macvlan *device = context;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_LINK:
		device->parent = mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINK_NETNSID:
		device->elsewhere = true;
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attribute) == sizeof(device->mac))
			memcpy(device->mac, mnl_attr_get_payload(attribute), sizeof(device->mac));
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attribute, kind_take, device);
		break;
	}
	return MNL_CB_OK;
}

static struct macvlan message_decode(const struct nlmsghdr *message)
{
	struct macvlan device = {0};

	mnl_attr_parse(message, sizeof(struct ifinfomsg), attribute_take, &device);
	return device;
}

bool virtual_macs_concerns(const struct nlmsghdr *message)
{
	return message_decode(message).is_one;
}

struct reading {
	const struct links *links;
	uint64_t macs[FURTHER_MACS];
	unsigned int count; /* without end */
};

static bool is_ours(const struct links *links, uint32_t ifindex)
{
	for (unsigned int i = 0; i < links->count; i++)
		if (ifindex && links->link[i].ifindex == ifindex)
			return true;
	return false;
}

static int device_take(const struct nlmsghdr *message, void *context)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct macvlan device = message_decode(message);
	struct reading *reading = context;

	if (!device.is_one || device.elsewhere || !(info->ifi_flags & IFF_UP) ||
	    !is_ours(reading->links, device.parent))
		return MNL_CB_OK;
	if (reading->count < FURTHER_MACS)
		reading->macs[reading->count] = own_mac_word(device.mac, device.parent);
	reading->count++;
	return MNL_CB_OK;
}

int virtual_macs_read(struct netlink *netlink, const struct links *links, struct config *config)
{
	struct reading reading = {.links = links};
	int err = netlink_dump(netlink, RTM_GETLINK, AF_UNSPEC, device_take, &reading);

	if (err)
		return err;
	if (reading.count > FURTHER_MACS)
		log_warning("%u macvlan devices are up on the gateway's interfaces: frames for "
			    "%u of them are forwarded, for the others not",
			    reading.count, FURTHER_MACS);
	for (unsigned int i = 0; i < FURTHER_MACS; i++)
		WRITE_ONCE(config->further_macs[i].word, reading.macs[i]);
	return 0;
}
