/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/route_table.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* What a message says, with its ways still packed. */
struct decoded {
	struct table_route route;
	const struct nlattr *ways;
};

static int metric_take(const struct nlattr *attribute, void *context)
{
	struct table_route *route = context;
	uint32_t mtu;

	if (mnl_attr_get_type(attribute) != RTAX_MTU)
		return MNL_CB_OK;
	mtu = mnl_attr_get_u32(attribute);
	route->mtu = mtu > UINT16_MAX ? UINT16_MAX : mtu;
	return MNL_CB_OK;
}

static int attribute_take(const struct nlattr *attribute, void *context)
{
	struct decoded *decoded = context;
	struct table_route *route = &decoded->route;

	switch (mnl_attr_get_type(attribute)) {
	case RTA_DST:
		route->prefix = mnl_attr_get_u32(attribute);
		break;
	case RTA_TABLE:
		route->table = mnl_attr_get_u32(attribute);
		break;
	case RTA_OIF:
		route->ifindex = mnl_attr_get_u32(attribute);
		break;
	case RTA_GATEWAY:
		route->gateway = mnl_attr_get_u32(attribute);
		break;
	case RTA_PRIORITY:
		route->priority = mnl_attr_get_u32(attribute);
		break;
	case RTA_METRICS:
		mnl_attr_parse_nested(attribute, metric_take, route);
		break;
	case RTA_MULTIPATH:
		decoded->ways = attribute;
		route->many = true;
		break;
	}
	return MNL_CB_OK;
}

/* What the kernel has learned of a path is listed among its routes, marked as a clone. */
static bool message_decode(const struct nlmsghdr *message, struct decoded *decoded)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);

	if (info->rtm_family != AF_INET || info->rtm_flags & RTM_F_CLONED)
		return false;
	*decoded = (struct decoded){.route = {.table = info->rtm_table,
					      .length = info->rtm_dst_len,
					      .type = info->rtm_type}};
	mnl_attr_parse(message, sizeof(*info), attribute_take, decoded);
	return true;
}

bool table_route_decode(const struct nlmsghdr *message, struct table_route *route)
{
	struct decoded decoded;
	bool good = message_decode(message, &decoded);

	if (good)
		*route = decoded.route;
	return good;
}

struct reading {
	void (*each)(void *context, const struct table_route *route);
	void *context;
};

static void way_read(const struct reading *reading, const struct table_route *route,
		     const struct rtnexthop *hop)
{
	struct table_route way = *route;
	const struct rtattr *attribute = RTNH_DATA(hop);
	int left = hop->rtnh_len - sizeof(*hop);

	way.ifindex = hop->rtnh_ifindex;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if (attribute->rta_type == RTA_GATEWAY)
			way.gateway = *(const __be32 *)RTA_DATA(attribute);
	reading->each(reading->context, &way);
}

static void ways_read(const struct reading *reading, const struct decoded *decoded)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(decoded->ways);
	int left = mnl_attr_get_payload_len(decoded->ways);

	while (left >= (int)sizeof(*hop) && hop->rtnh_len >= sizeof(*hop) &&
	       hop->rtnh_len <= left) {
		way_read(reading, &decoded->route, hop);
		left -= RTNH_ALIGN(hop->rtnh_len);
		hop = RTNH_NEXT(hop);
	}
}

static int route_read(const struct nlmsghdr *message, void *context)
{
	const struct reading *reading = context;
	struct decoded decoded;

	if (!message_decode(message, &decoded))
		return MNL_CB_OK;
	if (decoded.ways)
		ways_read(reading, &decoded);
	else
		reading->each(reading->context, &decoded.route);
	return MNL_CB_OK;
}

int table_routes_read(struct netlink *netlink,
		      void (*each)(void *context, const struct table_route *route), void *context)
{
	struct reading reading = {each, context};

	return netlink_dump(netlink, RTM_GETROUTE, AF_INET, route_read, &reading);
}
