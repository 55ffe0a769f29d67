/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/surroundings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "core/memory.h"

#include "core/bytes.h"
#include "core/own_mac.h"
#include "daemon/addresses.h"
#include "daemon/attach.h"
#include "daemon/closing.h"
#include "daemon/forward_report.h"
#include "daemon/forwards.h"
#include "daemon/log.h"
#include "daemon/neighbours.h"
#include "daemon/reserved.h"
#include "daemon/sweeper.h"
#include "daemon/sysctl.h"
#include "daemon/virtual_macs.h"
#include "daemon/web_process.h"

/* A next hop that nobody has chosen for this long is not kept alive. */
#define NEXT_HOP_USED_SECONDS 60
#define ROUNDS_AFTER_REFUSAL  12

/* --- one interface ------------------------------------------------------------------- */

static uint8_t interface_flags_of(const struct link *link)
{
	return (link->wan ? INTERFACE_WAN : INTERFACE_LAN) |
	       (link_is_bare(link) ? INTERFACE_BARE : 0) | (link->xdp_takes ? INTERFACE_XDP : 0);
}

/* ifindex last when it appears and first when it goes: readers compare it. */
static void slot_write(struct interface *slot, const struct link *link)
{
	WRITE_ONCE(slot->ifindex, 0);
	__sync_synchronize();
	if (!link->ifindex)
		return;
	slot->mtu = link->mtu;
	slot->flags = interface_flags_of(link);
	memcpy(slot->mac, link->mac, sizeof(slot->mac));
	__sync_synchronize();
	WRITE_ONCE(slot->ifindex, link->ifindex);
}

void surroundings_link_write(struct gateway *gateway, const struct link *link)
{
	struct config *config = gateway->plane.config;

	slot_write(&gateway->plane.interfaces[link - gateway->links.link], link);
	own_macs_write(config, gateway->plane.interfaces);
	if (!link->wan)
		return;
	WRITE_ONCE(config->wan_mtu, link->mtu);
	WRITE_ONCE(config->wan_ifindex, link->ifindex);
}

static void routes_changed(struct gateway *gateway)
{
	struct config *config = gateway->plane.config;

	WRITE_ONCE(config->route_generation, config->route_generation + 1);
}

/* --- the WAN address ----------------------------------------------------------------- */

static void address_say(const struct gateway *gateway, __be32 old, __be32 new)
{
	char text[INET_ADDRSTRLEN];
	const char *wan = gateway->links.link[0].name;

	inet_ntop(AF_INET, &new, text, sizeof(text));
	if (!new)
		log_warning("%s has no IPv4 address: nothing is translated until it gets one", wan);
	else if (old)
		log_notice("the address on %s is now %s: sessions of the old one end", wan, text);
	else
		log_notice("%s %s on %s",
			   gateway->held ? "nothing is translated yet to" : "translating to", text,
			   wan);
}

/* Forwards and the gateway's own ports move at once, sessions end with the sweep. */
static void address_taken(struct gateway *gateway)
{
	uint32_t now = clock_ticks(gateway->plane.config);

	forwards_clean(gateway->settings);
	reserved_refresh();
	forwards_tend(gateway, now);
	sweeper_hurry(gateway->sweeper);
}

/*
 * With no address the old sessions stay: a dial-up link often gets the same one
 * again. Sessions of an address that is not the present one are the sweeper's.
 */
static int address_refresh(struct gateway *gateway)
{
	struct config *config = gateway->plane.config;
	__be32 old = config->external, new = old;
	int err = addresses_choose(&gateway->netlink, gateway->links.link[0].ifindex, &new);

	if (err || new == old)
		return err;
	WRITE_ONCE(config->external, new);
	address_say(gateway, old, new);
	if (new && gateway->sweeper)
		address_taken(gateway);
	return 0;
}

/* --- links --------------------------------------------------------------------------- */

static int link_attach(struct gateway *gateway, struct link *link)
{
	bool xdp;
	int err;

	attach_probe(link);
	surroundings_link_write(gateway, link);
	if (gateway->held)
		return 0;
	xdp = attach_wants_xdp(&gateway->links, link, gateway->settings->dataplane);
	err = attach_link(link, &gateway->plane, &gateway->instance, xdp);
	if (err)
		return err;
	sysctl_interface(&gateway->instance, link->name, link->wan);
	log_info("%s %s: data plane attached by %s", link->wan ? "WAN" : "LAN", link->name,
		 link->attachment.xdp ? "XDP and TC" : "TC");
	return 0;
}

static void link_appeared(struct gateway *gateway, struct link *link)
{
	if (!link_attach(gateway, link))
		routes_changed(gateway);
}

static void link_gone(struct gateway *gateway, const struct link *link, const struct link *old)
{
	neighbours_link_gone(gateway->plane.next_hops, old->ifindex);
	surroundings_link_write(gateway, link);
	if (!link->ifindex)
		log_warning("interface %s is gone: waiting for it", link->name);
}

static void link_changed(struct gateway *gateway, struct link *link, const struct link *old)
{
	attach_probe(link);
	surroundings_link_write(gateway, link);
	neighbours_link_changed(gateway->plane.next_hops, link);
	if (link->up != old->up || link->mtu != old->mtu)
		routes_changed(gateway);
}

/* Answers what has changed, as bits. */
static unsigned int link_event(struct gateway *gateway, const struct nlmsghdr *message)
{
	unsigned int changes;
	struct link old;
	struct link *link = links_update(&gateway->links, message, &old, &changes);

	if (!link)
		return 0;
	if (changes & LINK_GONE)
		link_gone(gateway, link, &old);
	if (changes & LINK_APPEARED)
		link_appeared(gateway, link);
	if (changes & LINK_CHANGED)
		link_changed(gateway, link, &old);
	if (link->wan)
		address_refresh(gateway);
	return changes;
}

/* --- events -------------------------------------------------------------------------- */

struct batch {
	struct gateway *gateway;
	bool address, route, policy, macs;
};

static int message_take(const struct nlmsghdr *message, void *context)
{
	struct batch *batch = context;
	struct neighbour neighbour;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (link_event(batch->gateway, message)) /* rules and routes name them */
			batch->policy = batch->macs = true;
		batch->macs |= virtual_macs_concerns(message);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		batch->address = true;
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		batch->route = true;
		batch->policy |= policy_concerns(&batch->gateway->policy, message);
		break;
	case RTM_NEWRULE:
	case RTM_DELRULE:
		batch->policy = true;
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		if (neighbour_decode(message, &neighbour))
			neighbour_apply(batch->gateway->plane.next_hops, &neighbour);
		break;
	}
	return MNL_CB_OK;
}

/* A dump says nothing of what is gone: each of ours is looked for. */
static int link_dumped(const struct nlmsghdr *message, void *context)
{
	struct batch *batch = context;

	link_event(batch->gateway, message);
	return MNL_CB_OK;
}

static void links_lost_check(struct gateway *gateway)
{
	for (unsigned int i = 0; i < gateway->links.count; i++) {
		struct link *link = &gateway->links.link[i], old = *link;

		if (!link->ifindex || if_nametoindex(link->name) == link->ifindex)
			continue;
		link->ifindex = 0;
		link->attachment = (struct attachment){0};
		link_gone(gateway, link, &old);
	}
}

static void resync(struct gateway *gateway, struct batch *batch)
{
	log_info("the kernel reported faster than could be read: reading everything anew");
	links_lost_check(gateway);
	netlink_dump(&gateway->netlink, RTM_GETLINK, AF_UNSPEC, link_dumped, batch);
	neighbours_read(&gateway->netlink, gateway->plane.next_hops);
	batch->address = batch->policy = batch->macs = true;
}

/* One new generation for the whole batch: each costs every session a look-up. */
static void routing_rules_read(struct gateway *gateway)
{
	policy_read(&gateway->policy, &gateway->netlink, &gateway->links, &gateway->plane);
	wall_follow_rules(&gateway->wall, &gateway->links, gateway->policy.by_tos);
}

void surroundings_follow(struct gateway *gateway)
{
	struct batch batch = {.gateway = gateway};

	if (netlink_events_read(&gateway->netlink, message_take, &batch) == -ENOBUFS)
		resync(gateway, &batch);
	if (batch.address) {
		address_refresh(gateway);
		web_process_follow(gateway->web);
	}
	if (batch.macs)
		virtual_macs_read(&gateway->netlink, &gateway->links, gateway->plane.config);
	if (batch.policy)
		routing_rules_read(gateway);
	if (batch.route || batch.policy)
		routes_changed(gateway);
	closing_follow(gateway);
}

/* --- start and upkeep ---------------------------------------------------------------- */

int surroundings_read(struct gateway *gateway)
{
	struct interface *interfaces = gateway->plane.interfaces;

	for (unsigned int i = gateway->links.count; i < INTERFACES; i++)
		WRITE_ONCE(interfaces[i].ifindex, 0);
	for (unsigned int i = 0; i < gateway->links.count; i++) {
		struct link *link = &gateway->links.link[i];

		if (link->ifindex)
			attach_probe(link);
		surroundings_link_write(gateway, link);
		if (!link->ifindex)
			log_notice("waiting for interface %s, which does not exist yet",
				   link->name);
	}
	virtual_macs_read(&gateway->netlink, &gateway->links, gateway->plane.config);
	routing_rules_read(gateway);
	routes_changed(gateway);
	return address_refresh(gateway);
}

int surroundings_attach(struct gateway *gateway)
{
	int err;

	for (unsigned int i = 0; i < gateway->links.count; i++) {
		struct link *link = &gateway->links.link[i];

		if (!link->ifindex)
			continue;
		err = link_attach(gateway, link);
		if (err)
			return err;
	}
	return 0;
}

static void next_hops_keep(struct gateway *gateway)
{
	uint32_t now = plane_now(&gateway->plane);
	uint32_t window = NEXT_HOP_USED_SECONDS * gateway->plane.config->hz;
	bool used[NEXT_HOPS] = {false};

	sweeper_next_hops_used(gateway->sweeper, used);
	for (unsigned int i = 1; i < NEXT_HOPS; i++)
		if (gateway->plane.next_hops[i].ifindex &&
		    ticks_since(now, gateway->plane.next_hops[i].last_chosen) <= window)
			used[i] = true;
	neighbours_keep(&gateway->netlink, gateway->plane.next_hops, used);
}

/* Whoever was in the way may be gone by now; not too often, for each refusal is logged. */
static void attach_again(struct gateway *gateway, struct link *link)
{
	if (link->attachment.pause) {
		link->attachment.pause--;
		return;
	}
	link_appeared(gateway, link);
	if (!link->attachment.ingress)
		link->attachment.pause = ROUNDS_AFTER_REFUSAL;
}

/* What the kernel does not report: features of the device. */
static void link_keep(struct gateway *gateway, struct link *link)
{
	attach_check(link, &gateway->plane, &gateway->instance);
	if (!attach_probe(link))
		return;
	surroundings_link_write(gateway, link);
	neighbours_link_changed(gateway->plane.next_hops, link);
}

void surroundings_keep(struct gateway *gateway)
{
	for (unsigned int i = 0; i < gateway->links.count; i++) {
		struct link *link = &gateway->links.link[i];

		if (!link->ifindex)
			continue;
		if (!link->attachment.ingress)
			attach_again(gateway, link);
		else
			link_keep(gateway, link);
	}
	closing_follow(gateway);
	next_hops_keep(gateway);
}
