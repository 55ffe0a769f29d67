/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/links.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

bool link_is_bare(const struct link *link)
{
	return link->arphrd != ARPHRD_ETHER && link->arphrd != ARPHRD_LOOPBACK;
}

bool link_is_hardware(const struct link *link)
{
	return link->ifindex && link->arphrd == ARPHRD_ETHER && !link->kind[0];
}

static void link_name(struct links *links, const char *name, bool wan)
{
	struct link *link = &links->link[links->count++];

	*link = (struct link){.wan = wan};
	snprintf(link->name, sizeof(link->name), "%s", name);
}

int links_name(struct links *links, const struct settings *settings)
{
	links->count = 0;
	if (settings->lan.interfaces_count + 1 > INTERFACES)
		return -E2BIG;
	link_name(links, settings->wan.interface, true);
	for (unsigned int i = 0; i < settings->lan.interfaces_count; i++)
		link_name(links, settings->lan.interfaces[i], false);
	return 0;
}

struct link *links_by_ifindex(struct links *links, uint32_t ifindex)
{
	for (unsigned int i = 0; i < links->count; i++)
		if (ifindex && links->link[i].ifindex == ifindex)
			return &links->link[i];
	return NULL;
}

struct link *links_by_name(struct links *links, const char *name)
{
	for (unsigned int i = 0; i < links->count; i++)
		if (!strcmp(links->link[i].name, name))
			return &links->link[i];
	return NULL;
}

/* --- one message --------------------------------------------------------------------- */

static int kind_take(const struct nlattr *attribute, void *context)
{
	struct link *link = context;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
		snprintf(link->kind, sizeof(link->kind), "%s", mnl_attr_get_str(attribute));
	return MNL_CB_OK;
}

static int attribute_take(const struct nlattr *attribute, void *context)
{
	struct link *link = context;
	uint32_t mtu;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attribute));
		break;
	case IFLA_MTU:
		mtu = mnl_attr_get_u32(attribute);
		link->mtu = mtu > UINT16_MAX ? UINT16_MAX : mtu;
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attribute) == sizeof(link->mac))
			memcpy(link->mac, mnl_attr_get_payload(attribute), sizeof(link->mac));
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attribute, kind_take, link);
		break;
	}
	return MNL_CB_OK;
}

/* What the message says, without what only we know. */
static struct link message_decode(const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct link said = {.ifindex = info->ifi_index,
			    .arphrd = info->ifi_type,
			    .up = (info->ifi_flags & (IFF_UP | IFF_RUNNING)) ==
				  (IFF_UP | IFF_RUNNING)};

	mnl_attr_parse(message, sizeof(*info), attribute_take, &said);
	if (message->nlmsg_type == RTM_DELLINK)
		said.ifindex = 0;
	return said;
}

static void link_forget(struct link *link)
{
	link->ifindex = 0;
	link->up = link->xdp_native = link->xdp_takes = false;
	link->attachment = (struct attachment){0};
}

static bool link_differs(const struct link *link, const struct link *said)
{
	return link->mtu != said->mtu || link->up != said->up || link->arphrd != said->arphrd ||
	       memcmp(link->mac, said->mac, sizeof(link->mac));
}

static void link_take(struct link *link, const struct link *said)
{
	link->ifindex = said->ifindex;
	link->mtu = said->mtu;
	link->arphrd = said->arphrd;
	link->up = said->up;
	memcpy(link->kind, said->kind, sizeof(link->kind));
	memcpy(link->mac, said->mac, sizeof(link->mac));
}

static unsigned int link_follow(struct link *link, const struct link *said)
{
	unsigned int changes = 0;

	if (link->ifindex && link->ifindex != said->ifindex) {
		link_forget(link);
		changes |= LINK_GONE;
	}
	if (!said->ifindex)
		return changes;
	if (!link->ifindex)
		changes |= LINK_APPEARED;
	else if (link_differs(link, said))
		changes |= LINK_CHANGED;
	link_take(link, said);
	return changes;
}

/* Renamed away from the name that the settings have: gone for us. */
static struct link *link_renamed(struct links *links, const struct nlmsghdr *message,
				 const struct link *said)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct link *link = links_by_ifindex(links, info->ifi_index);

	return link && strcmp(link->name, said->name) ? link : NULL;
}

struct link *links_update(struct links *links, const struct nlmsghdr *message, struct link *old,
			  unsigned int *changes)
{
	struct link said = message_decode(message);
	struct link *link = links_by_name(links, said.name);

	if (!link) {
		link = link_renamed(links, message, &said);
		if (!link)
			return NULL;
		said.ifindex = 0;
	}
	*old = *link;
	*changes = link_follow(link, &said);
	return *changes ? link : NULL;
}

static int link_read(const struct nlmsghdr *message, void *context)
{
	struct link said = message_decode(message);
	struct link *link = links_by_name(context, said.name);

	if (link)
		link_follow(link, &said);
	return MNL_CB_OK;
}

int links_read(struct links *links, struct netlink *netlink)
{
	return netlink_dump(netlink, RTM_GETLINK, AF_UNSPEC, link_read, links);
}
