/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/routes.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

struct answer {
	uint32_t ifindex;
	__be32 gateway;
	uint8_t type; /* RTN_* */
};

static int attribute_take(const struct nlattr *attribute, void *context)
{
	struct answer *answer = context;

	if (mnl_attr_get_type(attribute) == RTA_OIF)
		answer->ifindex = mnl_attr_get_u32(attribute);
	if (mnl_attr_get_type(attribute) == RTA_GATEWAY)
		answer->gateway = mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

static int route_take(const struct nlmsghdr *message, void *context)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	struct answer *answer = context;

	answer->type = info->rtm_type;
	mnl_attr_parse(message, sizeof(*info), attribute_take, answer);
	return MNL_CB_OK;
}

static int ask(struct netlink *netlink, __be32 destination, struct answer *answer)
{
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct rtmsg *info;

	request->nlmsg_type = RTM_GETROUTE;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->rtm_family = AF_INET;
	info->rtm_dst_len = 32;
	mnl_attr_put_u32(request, RTA_DST, destination);
	return netlink_ask(netlink, request, route_take, answer);
}

enum route_result routes_lookup(struct netlink *netlink, struct links *links, __be32 destination,
				struct route *route)
{
	struct answer answer = {0};
	const struct link *link;

	if (ask(netlink, destination, &answer) || answer.type != RTN_UNICAST)
		return ROUTE_STACK;
	link = links_by_ifindex(links, answer.ifindex);
	if (!link)
		return ROUTE_STACK;
	*route = (struct route){.ifindex = answer.ifindex,
				.next_hop = answer.gateway ? answer.gateway : destination,
				.mtu = link->mtu};
	return ROUTE_UNRESOLVED;
}
