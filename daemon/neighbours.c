/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/neighbours.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/shared_words.h"

#define NUD_USABLE (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP)

static int attribute_take(const struct nlattr *attribute, void *context)
{
	struct neighbour *neighbour = context;
	const void *value = mnl_attr_get_payload(attribute);
	uint16_t length = mnl_attr_get_payload_len(attribute);

	if (mnl_attr_get_type(attribute) == NDA_DST && length == 4)
		memcpy(&neighbour->address, value, 4);
	if (mnl_attr_get_type(attribute) == NDA_LLADDR && length == 6) {
		memcpy(neighbour->mac, value, 6);
		neighbour->resolved = true;
	}
	if (mnl_attr_get_type(attribute) == NDA_FLAGS_EXT && length == 4)
		neighbour->managed = mnl_attr_get_u32(attribute) & NTF_EXT_MANAGED;
	return MNL_CB_OK;
}

bool neighbour_decode(const struct nlmsghdr *message, struct neighbour *neighbour)
{
	const struct ndmsg *info = mnl_nlmsg_get_payload(message);

	if (info->ndm_family != AF_INET)
		return false;
	*neighbour = (struct neighbour){.ifindex = info->ndm_ifindex};
	mnl_attr_parse(message, sizeof(*info), attribute_take, neighbour);
	if (message->nlmsg_type == RTM_DELNEIGH || !(info->ndm_state & NUD_USABLE))
		neighbour->resolved = false;
	neighbour->settled = neighbour->managed || info->ndm_state & NUD_PERMANENT;
	return neighbour->address != 0;
}

static void next_hop_update(struct next_hop *hop, const struct neighbour *neighbour)
{
	static const uint8_t none[6];

	if (!neighbour->resolved) {
		next_hop_clear(hop, NEXT_HOP_RESOLVED);
		return;
	}
	if (!memcmp(hop->source, none, 6))
		return; /* the data plane has not seen the device's own address yet */
	next_hop_set_destination(hop, neighbour->mac);
	next_hop_set(hop, NEXT_HOP_RESOLVED);
}

unsigned int neighbour_apply(struct next_hop *next_hops, const struct neighbour *neighbour)
{
	unsigned int found = 0;

	for (unsigned int i = 1; i < NEXT_HOPS; i++) {
		struct next_hop *hop = &next_hops[i];

		if (hop->ifindex != neighbour->ifindex || hop->address != neighbour->address ||
		    hop->flags & NEXT_HOP_BARE)
			continue;
		next_hop_update(hop, neighbour);
		found++;
	}
	return found;
}

static int neighbour_read(const struct nlmsghdr *message, void *context)
{
	struct neighbour neighbour;

	if (neighbour_decode(message, &neighbour))
		neighbour_apply(context, &neighbour);
	return MNL_CB_OK;
}

int neighbours_read(struct netlink *netlink, struct next_hop *next_hops)
{
	return netlink_dump(netlink, RTM_GETNEIGH, AF_INET, neighbour_read, next_hops);
}

struct listing {
	struct neighbour *list;
	size_t count, room;
};

static int neighbour_append(const struct nlmsghdr *message, void *context)
{
	struct listing *listing = context;
	struct neighbour neighbour, *grown;

	if (!neighbour_decode(message, &neighbour) || !neighbour.resolved)
		return MNL_CB_OK;
	if (listing->count == listing->room) {
		listing->room = listing->room ? listing->room * 2 : 64;
		grown = realloc(listing->list, listing->room * sizeof(*grown));
		if (!grown)
			return MNL_CB_ERROR;
		listing->list = grown;
	}
	listing->list[listing->count++] = neighbour;
	return MNL_CB_OK;
}

struct neighbour *neighbours_list(struct netlink *netlink, size_t *count)
{
	struct listing listing = {0};

	netlink_dump(netlink, RTM_GETNEIGH, AF_INET, neighbour_append, &listing);
	*count = listing.count;
	return listing.list;
}

struct wanted {
	uint32_t ifindex;
	__be32 address;
	struct neighbour *found;
	bool any;
};

static int neighbour_compare(const struct nlmsghdr *message, void *context)
{
	struct wanted *wanted = context;
	struct neighbour neighbour;

	if (!neighbour_decode(message, &neighbour) || !neighbour.resolved ||
	    neighbour.address != wanted->address ||
	    (wanted->ifindex && neighbour.ifindex != wanted->ifindex))
		return MNL_CB_OK;
	*wanted->found = neighbour;
	wanted->any = true;
	return MNL_CB_OK;
}

int neighbour_find(struct netlink *netlink, uint32_t ifindex, __be32 address,
		   struct neighbour *neighbour)
{
	struct wanted wanted = {ifindex, address, neighbour, false};
	int err = netlink_dump(netlink, RTM_GETNEIGH, AF_INET, neighbour_compare, &wanted);

	if (err)
		return err;
	return wanted.any ? 0 : -ENOENT;
}

void neighbours_link_changed(struct next_hop *next_hops, const struct link *link)
{
	for (unsigned int i = 1; i < NEXT_HOPS; i++) {
		struct next_hop *hop = &next_hops[i];

		if (hop->ifindex != link->ifindex)
			continue;
		if (link->xdp_takes)
			next_hop_set(hop, NEXT_HOP_XDP);
		else
			next_hop_clear(hop, NEXT_HOP_XDP);
		if (hop->flags & NEXT_HOP_RESOLVED && !(hop->flags & NEXT_HOP_BARE) &&
		    memcmp(hop->source, link->mac, 6))
			next_hop_set_source(hop, link->mac);
	}
}

/* --- keeping them alive -------------------------------------------------------------- */

static struct nlmsghdr *request_build(char *buffer, uint16_t type, const struct next_hop *hop,
				      uint8_t flags)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ndmsg *info;

	request->nlmsg_type = type;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ndm_family = AF_INET;
	info->ndm_ifindex = hop->ifindex;
	info->ndm_flags = flags;
	mnl_attr_put_u32(request, NDA_DST, hop->address);
	return request;
}

static int neighbour_ask(struct netlink *netlink, const struct next_hop *hop, bool managed)
{
	char buffer[256];
	struct nlmsghdr *request = request_build(buffer, RTM_NEWNEIGH, hop, managed ? 0 : NTF_USE);

	request->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	if (managed)
		mnl_attr_put_u32(request, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	return netlink_request(netlink, request);
}

static int neighbour_keep(struct netlink *netlink, const struct next_hop *hop)
{
	int err = neighbour_ask(netlink, hop, true);

	return err == -EINVAL || err == -EOPNOTSUPP ? neighbour_ask(netlink, hop, false) : err;
}

struct settling {
	struct next_hop *next_hops;
	bool settled[NEXT_HOPS];
};

static int settled_mark(const struct nlmsghdr *message, void *context)
{
	struct settling *settling = context;
	struct neighbour neighbour;

	if (!neighbour_decode(message, &neighbour))
		return MNL_CB_OK;
	neighbour_apply(settling->next_hops, &neighbour);
	for (unsigned int i = 1; neighbour.settled && i < NEXT_HOPS; i++)
		if (settling->next_hops[i].ifindex == neighbour.ifindex &&
		    settling->next_hops[i].address == neighbour.address)
			settling->settled[i] = true;
	return MNL_CB_OK;
}

int neighbours_keep(struct netlink *netlink, struct next_hop *next_hops, const bool used[NEXT_HOPS])
{
	struct settling settling = {.next_hops = next_hops};
	int err = netlink_dump(netlink, RTM_GETNEIGH, AF_INET, settled_mark, &settling);

	for (unsigned int i = 1; i < NEXT_HOPS && !err; i++)
		if (used[i] && !settling.settled[i] && !(next_hops[i].flags & NEXT_HOP_BARE))
			neighbour_keep(netlink, &next_hops[i]);
	return err;
}

static void neighbour_delete(struct netlink *netlink, const struct next_hop *hop)
{
	char buffer[256];

	netlink_request(netlink, request_build(buffer, RTM_DELNEIGH, hop, 0));
}

void neighbour_release(struct netlink *netlink, const struct next_hop *hop)
{
	struct neighbour neighbour;

	if (!neighbour_find(netlink, hop->ifindex, hop->address, &neighbour) && neighbour.managed)
		neighbour_delete(netlink, hop);
}

static bool is_next_hop(const struct next_hop *next_hops, const struct neighbour *neighbour)
{
	for (unsigned int i = 1; i < NEXT_HOPS; i++)
		if (next_hops[i].ifindex == neighbour->ifindex &&
		    next_hops[i].address == neighbour->address)
			return true;
	return false;
}

static void link_release(struct netlink *netlink, const struct next_hop *next_hops,
			 uint32_t ifindex)
{
	size_t count;
	struct neighbour *list = neighbours_list(netlink, &count);

	for (size_t i = 0; i < count; i++) {
		struct next_hop hop = {.ifindex = ifindex, .address = list[i].address};

		if (list[i].ifindex == ifindex && list[i].managed &&
		    is_next_hop(next_hops, &list[i]))
			neighbour_delete(netlink, &hop);
	}
	free(list);
}

void neighbours_link_gone(struct netlink *netlink, struct next_hop *next_hops, uint32_t ifindex)
{
	link_release(netlink, next_hops, ifindex);
	for (unsigned int i = 1; i < NEXT_HOPS; i++)
		if (next_hops[i].ifindex == ifindex)
			next_hop_clear(&next_hops[i], NEXT_HOP_RESOLVED);
}

/* --- one that is watched ----------------------------------------------------------------- */

struct seeking {
	uint32_t ifindex;
	__be32 address;
	struct line_entry *entry;
};

static int entry_attribute(const struct nlattr *attribute, void *context)
{
	struct line_entry *entry = context;
	const struct nda_cacheinfo *times = mnl_attr_get_payload(attribute);

	if (mnl_attr_get_type(attribute) == NDA_CACHEINFO &&
	    mnl_attr_get_payload_len(attribute) >= sizeof(*times))
		entry->confirmed_s = times->ndm_confirmed / sysconf(_SC_CLK_TCK);
	return MNL_CB_OK;
}

static int entry_take(const struct nlmsghdr *message, void *context)
{
	const struct ndmsg *info = mnl_nlmsg_get_payload(message);
	struct seeking *seeking = context;
	struct neighbour neighbour;

	if (!neighbour_decode(message, &neighbour) || neighbour.ifindex != seeking->ifindex ||
	    neighbour.address != seeking->address)
		return MNL_CB_OK;
	*seeking->entry =
		(struct line_entry){.state = info->ndm_state, .managed = neighbour.managed};
	mnl_attr_parse(message, sizeof(*info), entry_attribute, seeking->entry);
	return MNL_CB_OK;
}

void neighbour_entry(struct netlink *netlink, uint32_t ifindex, __be32 address,
		     struct line_entry *entry)
{
	const struct next_hop hop = {.ifindex = ifindex, .address = address};
	struct seeking seeking = {ifindex, address, entry};
	char buffer[256];

	*entry = (struct line_entry){0};
	netlink_ask(netlink, request_build(buffer, RTM_GETNEIGH, &hop, 0), entry_take, &seeking);
}

/* One that has answered is asked at its own address; another one is looked for. */
int neighbour_probe(struct netlink *netlink, uint32_t ifindex, __be32 address,
		    const struct line_entry *entry)
{
	const struct next_hop hop = {.ifindex = ifindex, .address = address};
	bool answered = entry->state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY);
	char buffer[256];
	struct nlmsghdr *request =
		request_build(buffer, RTM_NEWNEIGH, &hop, answered ? 0 : NTF_USE);
	struct ndmsg *info = mnl_nlmsg_get_payload(request);

	request->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	if (answered)
		info->ndm_state = NUD_PROBE;
	if (answered && entry->managed)
		mnl_attr_put_u32(request, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	return netlink_request(netlink, request);
}
