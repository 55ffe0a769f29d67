/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/addresses.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>

struct choice {
	uint32_t ifindex;
	__be32 in_use;
	bool in_use_found;
	__be32 first;
};

static int attribute_take(const struct nlattr *attribute, void *context)
{
	__be32 *local = context;

	if (mnl_attr_get_type(attribute) == IFA_LOCAL)
		*local = mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

static int address_look(const struct nlmsghdr *message, void *context)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct choice *choice = context;
	__be32 local = 0;

	if (info->ifa_index != choice->ifindex || info->ifa_scope >= RT_SCOPE_LINK)
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*info), attribute_take, &local);
	if (local && local == choice->in_use)
		choice->in_use_found = true;
	if (!choice->first && !(info->ifa_flags & IFA_F_SECONDARY))
		choice->first = local;
	return MNL_CB_OK;
}

int addresses_choose(struct netlink *netlink, uint32_t ifindex, __be32 *address)
{
	struct choice choice = {.ifindex = ifindex, .in_use = *address};
	int err = 0;

	if (ifindex)
		err = netlink_dump(netlink, RTM_GETADDR, AF_INET, address_look, &choice);
	if (err)
		return err;
	*address = choice.in_use_found ? choice.in_use : choice.first;
	return 0;
}

struct list {
	uint32_t ifindex;
	__be32 *addresses;
	unsigned int count, max;
};

static int address_collect(const struct nlmsghdr *message, void *context)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct list *list = context;
	__be32 local = 0;

	if (info->ifa_index != list->ifindex || info->ifa_scope >= RT_SCOPE_LINK)
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*info), attribute_take, &local);
	if (local && list->count < list->max)
		list->addresses[list->count++] = local;
	return MNL_CB_OK;
}

unsigned int addresses_list(struct netlink *netlink, uint32_t ifindex, __be32 *addresses,
			    unsigned int max)
{
	struct list list = {.ifindex = ifindex, .addresses = addresses, .max = max};

	return netlink_dump(netlink, RTM_GETADDR, AF_INET, address_collect, &list) ? 0 : list.count;
}

/* --- prefixes ------------------------------------------------------------------------ */

#define PREFIXES 16 /* of both interfaces; further ones are not looked at */

struct prefix {
	uint32_t ifindex;
	__be32 address, mask;
};

struct prefixes {
	uint32_t a, b; /* ifindex */
	struct prefix prefix[PREFIXES];
	unsigned int count;
};

static int prefix_collect(const struct nlmsghdr *message, void *context)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct prefixes *all = context;
	struct prefix prefix = {.ifindex = info->ifa_index};

	if ((info->ifa_index != all->a && info->ifa_index != all->b) ||
	    info->ifa_scope >= RT_SCOPE_LINK || all->count == PREFIXES)
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*info), attribute_take, &prefix.address);
	if (info->ifa_prefixlen && info->ifa_prefixlen <= 32)
		prefix.mask = htonl(0xffffffffu << (32 - info->ifa_prefixlen));
	if (prefix.address && prefix.mask)
		all->prefix[all->count++] = prefix;
	return MNL_CB_OK;
}

/* The shorter mask decides: the longer prefix lies within the other, or not. */
static bool prefixes_meet(const struct prefix *p, const struct prefix *q)
{
	return !((p->address ^ q->address) & p->mask & q->mask);
}

bool addresses_overlap(struct netlink *netlink, uint32_t a, uint32_t b)
{
	struct prefixes all = {.a = a, .b = b};
	bool overlap = false;

	if (!a || !b || netlink_dump(netlink, RTM_GETADDR, AF_INET, prefix_collect, &all))
		return false;
	for (unsigned int i = 0; i < all.count; i++)
		for (unsigned int k = 0; k < i; k++)
			overlap |= all.prefix[i].ifindex != all.prefix[k].ifindex &&
				   prefixes_meet(&all.prefix[i], &all.prefix[k]);
	return overlap;
}
