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
#include "daemon/strangers.h"
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

static void link_gone_say(const struct link *link)
{
	char absence[LINK_ABSENCE];

	if (link->port_of)
		log_warning("waiting for %s", link_absence(link, absence));
	else
		log_warning("interface %s is gone: waiting for it", link->name);
}

/* It may live on under another name or as a bridge's port, and is not to lose its packets there. */
static void link_gone(struct gateway *gateway, const struct link *link, const struct link *old)
{
	neighbours_link_gone(&gateway->netlink, gateway->plane.next_hops, old->ifindex);
	surroundings_link_write(gateway, link);
	attach_detach(old, &gateway->plane, &gateway->instance);
	if (!link->ifindex)
		link_gone_say(link);
}

static void link_changed(struct gateway *gateway, struct link *link, const struct link *old)
{
	attach_probe(link);
	surroundings_link_write(gateway, link);
	neighbours_link_changed(gateway->plane.next_hops, link);
	if (link->up != old->up || link->mtu != old->mtu)
		routes_changed(gateway);
}

/*
 * The kernel moves tcx and XDP programs along with an interface into another network namespace,
 * where nobody here can take them off: they are told to let everything pass.
 */
static void elsewhere_note(struct config *config, uint32_t ifindex)
{
	if (!ifindex)
		return;
	for (unsigned int i = ELSEWHERE - 1; i > 0; i--)
		WRITE_ONCE(config->elsewhere[i], config->elsewhere[i - 1]);
	WRITE_ONCE(config->elsewhere[0], ifindex);
}

static void link_change_take(struct gateway *gateway, const struct link_change *change)
{
	if (change->changes & LINK_GONE) {
		elsewhere_note(gateway->plane.config, change->elsewhere);
		link_gone(gateway, change->link, &change->old);
	}
	if (change->changes & LINK_APPEARED)
		link_appeared(gateway, change->link);
	if (change->changes & LINK_CHANGED)
		link_changed(gateway, change->link, &change->old);
	if (change->link->wan)
		address_refresh(gateway);
}

/* Returns whether anything has changed. */
static bool link_event(struct gateway *gateway, const struct nlmsghdr *message)
{
	struct link_change change;
	bool renamed = links_renamed(&gateway->links, message, &change), updated;

	if (renamed)
		link_change_take(gateway, &change);
	updated = links_update(&gateway->links, message, &change);
	if (updated)
		link_change_take(gateway, &change);
	return renamed || updated;
}

/* --- events -------------------------------------------------------------------------- */

struct batch {
	struct gateway *gateway;
	bool address, route, policy, macs;
	bool strangers; /* some may be there */
};

/* What comes back from another network namespace may have another name and our programs still. */
static bool has_come_back(const struct gateway *gateway, const struct nlmsghdr *message)
{
	return message->nlmsg_type == RTM_NEWLINK && gateway->plane.config->elsewhere[0];
}

static int message_take(const struct nlmsghdr *message, void *context)
{
	struct batch *batch = context;
	struct neighbour neighbour;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (link_event(batch->gateway, message)) /* rules and routes name them */
			batch->policy = batch->macs = true;
		else if (has_come_back(batch->gateway, message))
			batch->strangers = true;
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
	int links, neighbours;

	links_lost_check(gateway);
	links = netlink_dump(&gateway->netlink, RTM_GETLINK, AF_UNSPEC, link_dumped, batch);
	neighbours = neighbours_read(&gateway->netlink, gateway->plane.next_hops);
	gateway->unread = links || neighbours;
	if (gateway->unread)
		log_warning("interfaces or neighbours could not be read anew: %s; tried again "
			    "within seconds",
			    strerror(links ? -links : -neighbours));
	batch->address = batch->policy = batch->macs = batch->strangers = true;
}

/* One new generation for the whole batch: each costs every session a look-up. */
static void routing_rules_read(struct gateway *gateway)
{
	/* what it could not read it has logged */
	if (policy_read(&gateway->policy, &gateway->netlink, &gateway->links, &gateway->plane))
		gateway->unread = true;
	wall_follow_rules(&gateway->wall, &gateway->links, gateway->policy.by_tos);
}

static void batch_end(struct gateway *gateway, const struct batch *batch)
{
	if (batch->strangers)
		strangers_detach(&gateway->links, &gateway->plane, &gateway->instance);
	if (batch->address) {
		address_refresh(gateway);
		web_process_follow(gateway->web);
	}
	if (batch->macs)
		virtual_macs_read(&gateway->netlink, &gateway->links, gateway->plane.config);
	if (batch->policy)
		routing_rules_read(gateway);
	if (batch->route || batch->policy)
		routes_changed(gateway);
	closing_follow(gateway);
}

void surroundings_follow(struct gateway *gateway)
{
	struct batch batch = {.gateway = gateway};

	if (netlink_events_read(&gateway->netlink, message_take, &batch) == -ENOBUFS) {
		log_info("the kernel reported faster than could be read: reading everything anew");
		resync(gateway, &batch);
	}
	batch_end(gateway, &batch);
}

static void unread_read(struct gateway *gateway)
{
	struct batch batch = {.gateway = gateway};

	resync(gateway, &batch);
	batch_end(gateway, &batch);
}

/* --- start and upkeep ---------------------------------------------------------------- */

int surroundings_read(struct gateway *gateway)
{
	struct interface *interfaces = gateway->plane.interfaces;
	char absence[LINK_ABSENCE];

	for (unsigned int i = gateway->links.count; i < INTERFACES; i++)
		WRITE_ONCE(interfaces[i].ifindex, 0);
	for (unsigned int i = 0; i < gateway->links.count; i++) {
		struct link *link = &gateway->links.link[i];

		if (link->ifindex)
			attach_probe(link);
		surroundings_link_write(gateway, link);
		if (!link->ifindex)
			log_notice("waiting for %s", link_absence(link, absence));
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
	for (unsigned int i = 1; i < NEXT_HOPS; i++) {
		const struct next_hop *hop = &gateway->plane.next_hops[i];

		if (hop->ifindex && ticks_since(now, hop->last_chosen) <= window)
			used[i] = true;
		/* on an interface that is not ours any more nobody is kept */
		used[i] &= links_by_ifindex(&gateway->links, hop->ifindex) != NULL;
	}
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

/* Who takes a program off a hook, by hand or with clsact, tells nobody. */
static void attachment_check(struct gateway *gateway, struct link *link)
{
	if (!link->attachment.ingress || attach_holds(link, &gateway->plane))
		return;
	log_warning("somebody has taken the data plane off %s: attaching it again", link->name);
	link->attachment = (struct attachment){0};
}

void surroundings_keep(struct gateway *gateway)
{
	if (gateway->unread)
		unread_read(gateway);
	for (unsigned int i = 0; i < gateway->links.count; i++) {
		struct link *link = &gateway->links.link[i];

		if (!link->ifindex)
			continue;
		attachment_check(gateway, link);
		if (!link->attachment.ingress)
			attach_again(gateway, link);
		else
			link_keep(gateway, link);
	}
	closing_follow(gateway);
	next_hops_keep(gateway);
}
