/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `show devices`: inside hosts of the last sweep, with what the kernel knows of them. */
#include <stdlib.h>

#include "daemon/names.h"
#include "daemon/neighbours.h"
#include "daemon/roster.h"
#include "daemon/show_pages.h"
#include "daemon/show_words.h"
#include "daemon/sweeper.h"

static const struct neighbour *neighbour_of(const struct neighbour *list, size_t count,
					    __be32 address)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].address == address)
			return &list[i];
	return NULL;
}

static json_t *document(struct gateway *gateway, const struct roster_device *device,
			const struct neighbour *neighbour)
{
	const struct link *link =
		neighbour ? links_by_ifindex(&gateway->links, neighbour->ifindex) : NULL;
	const struct device_name name = names_of(gateway->names, device->address);
	struct ctl_device shown = {
		.address = {.s_addr = device->address},
		.mac = neighbour && neighbour->resolved ? neighbour->mac : NULL,
		.interface = link ? link->name : NULL,
		.name = name.name,
		.name_from = name.from,
		.vendor = name.vendor,
		.sessions = device->sessions,
		.mappings = device->mappings,
		.vpns = device->tunnels,
		.traffic = show_traffic(&device->traffic),
	};

	return ctl_device_json(&shown);
}

int show_devices(void *daemon, const struct ctl_query *query, json_t *items, uint64_t *next)
{
	struct gateway *gateway = daemon;
	size_t count, known = 0, i;
	uint32_t found = 0;
	int err = 0;
	const struct roster_device *devices =
		roster_devices(sweeper_roster(gateway->sweeper), &count);
	struct neighbour *neighbours = neighbours_list(&gateway->netlink, &known);

	for (i = query->cursor; i < count && found < query->limit && !err; i++) {
		const struct roster_device *device = &devices[i];

		if (query->inside.s_addr && query->inside.s_addr != device->address)
			continue;
		err = json_array_append_new(
			items, document(gateway, device,
					neighbour_of(neighbours, known, device->address)));
		found++;
	}
	free(neighbours);
	*next = i < count ? i : 0;
	return err ? -ENOMEM : 0;
}
