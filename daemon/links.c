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

struct link *links_by_ifindex(const struct links *links, uint32_t ifindex)
{
	for (unsigned int i = 0; i < links->count; i++)
		if (ifindex && links->link[i].ifindex == ifindex)
			return (struct link *)&links->link[i];
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

struct said {
	struct link link;
	bool whole;	    /* the message describes the interface as it is */
	uint32_t elsewhere; /* see struct link_change */
	uint32_t master;
	char port_kind[16]; /* IFLA_INFO_SLAVE_KIND */
};

static int kind_take(const struct nlattr *attribute, void *context)
{
	struct said *said = context;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_INFO_KIND:
		snprintf(said->link.kind, sizeof(said->link.kind), "%s",
			 mnl_attr_get_str(attribute));
		break;
	case IFLA_INFO_SLAVE_KIND:
		snprintf(said->port_kind, sizeof(said->port_kind), "%s",
			 mnl_attr_get_str(attribute));
		break;
	}
	return MNL_CB_OK;
}

static void mtu_take(struct said *said, uint32_t mtu)
{
	said->link.mtu = mtu > UINT16_MAX ? UINT16_MAX : mtu;
	said->whole = true;
}

static int attribute_take(const struct nlattr *attribute, void *context)
{
	struct said *said = context;
	struct link *link = &said->link;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attribute));
		break;
	case IFLA_MTU:
		mtu_take(said, mnl_attr_get_u32(attribute));
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attribute) == sizeof(link->mac))
			memcpy(link->mac, mnl_attr_get_payload(attribute), sizeof(link->mac));
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attribute, kind_take, said);
		break;
	case IFLA_MASTER:
		said->master = mnl_attr_get_u32(attribute);
		break;
	case IFLA_NEW_IFINDEX:
		said->elsewhere = mnl_attr_get_u32(attribute);
		break;
	}
	return MNL_CB_OK;
}

/* A bridge, a bond or a team takes its ports' frames; a VRF only groups interfaces. */
static uint32_t port_of(const struct said *said)
{
	return said->master && said->port_kind[0] && strcmp(said->port_kind, "vrf") ? said->master
										    : 0;
}

/* What the message says, without what only we know. */
static struct said message_decode(const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct said said = {.link = {.ifindex = info->ifi_index,
				     .arphrd = info->ifi_type,
				     .up = (info->ifi_flags & (IFF_UP | IFF_RUNNING)) ==
					   (IFF_UP | IFF_RUNNING)}};

	mnl_attr_parse(message, sizeof(*info), attribute_take, &said);
	said.whole &= info->ifi_family == AF_UNSPEC;
	if (message->nlmsg_type == RTM_DELLINK)
		said.link.ifindex = 0;
	else
		said.link.port_of = port_of(&said);
	if (said.link.port_of)
		said.link.ifindex = 0;
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

	link->port_of = said->port_of;
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

static bool change_take(struct link_change *change, struct link *link, const struct said *said)
{
	*change = (struct link_change){.link = link, .old = *link, .elsewhere = said->elsewhere};
	change->changes = link_follow(link, &said->link);
	return change->changes;
}

bool links_renamed(struct links *links, const struct nlmsghdr *message, struct link_change *change)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct link *link = links_by_ifindex(links, info->ifi_index);
	const struct said nothing = {0};
	struct said said;

	if (!link)
		return false;
	said = message_decode(message);
	return said.whole && strcmp(link->name, said.link.name) &&
	       change_take(change, link, &nothing);
}

bool links_update(struct links *links, const struct nlmsghdr *message, struct link_change *change)
{
	struct said said = message_decode(message);
	struct link *link = said.whole ? links_by_name(links, said.link.name) : NULL;

	return link && change_take(change, link, &said);
}

static int link_read(const struct nlmsghdr *message, void *context)
{
	struct said said = message_decode(message);
	struct link *link = said.whole ? links_by_name(context, said.link.name) : NULL;

	if (link)
		link_follow(link, &said.link);
	return MNL_CB_OK;
}

int links_read(struct links *links, struct netlink *netlink)
{
	return netlink_dump(netlink, RTM_GETLINK, AF_UNSPEC, link_read, links);
}

/* --- in words ------------------------------------------------------------------------ */

const char *link_absence(const struct link *link, char text[LINK_ABSENCE])
{
	char master[IFNAMSIZ];

	if (link->port_of && if_indextoname(link->port_of, master))
		snprintf(text, LINK_ABSENCE,
			 "interface %s, which is a port of %s: name %s in the settings instead",
			 link->name, master, master);
	else
		snprintf(text, LINK_ABSENCE, "interface %s", link->name);
	return text;
}
