/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/routes.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "core/memory.h"
#include "core/query.h"

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

/* A forwarded packet's; the kernel takes ports and a protocol of these two only. */
static void forwarded_put(struct nlmsghdr *request, struct rtmsg *info,
			  const struct query *query)
{
	info->rtm_src_len = 32;
	info->rtm_tos = query->tos;
	mnl_attr_put_u32(request, RTA_SRC, query->source);
	mnl_attr_put_u32(request, RTA_IIF, query->ifindex);
	if (!has_ports(query->protocol))
		return;
	mnl_attr_put_u8(request, RTA_IP_PROTO, query->protocol);
	if (query->source_port)
		mnl_attr_put_u16(request, RTA_SPORT, query->source_port);
	if (query->destination_port)
		mnl_attr_put_u16(request, RTA_DPORT, query->destination_port);
}

static int ask(struct netlink *netlink, const struct query *query, bool forwarded,
	       struct answer *answer)
{
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct rtmsg *info;

	request->nlmsg_type = RTM_GETROUTE;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->rtm_family = AF_INET;
	info->rtm_dst_len = 32;
	mnl_attr_put_u32(request, RTA_DST, query->destination);
	if (forwarded)
		forwarded_put(request, info, query);
	return netlink_ask(netlink, request, route_take, answer);
}

enum route_result routes_lookup(struct netlink *netlink, struct links *links,
				const struct query *query, struct route *route)
{
	struct answer answer = {0};
	bool forwarded = arena.config->rules && query->ifindex && query->source;

	if (ask(netlink, query, forwarded, &answer) || answer.type != RTN_UNICAST ||
	    !links_by_ifindex(links, answer.ifindex))
		return ROUTE_STACK;
	*route = (struct route){.ifindex = answer.ifindex,
				.next_hop = answer.gateway ? answer.gateway : query->destination,
				.priority = ANY_PRIORITY};
	return ROUTE_UNRESOLVED;
}
