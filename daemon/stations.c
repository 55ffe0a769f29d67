/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/stations.h"

#include "core/memory.h"

#include "core/next_hop.h"

#define GROUP_UNKNOWN UINT32_MAX

uint32_t stations_group(void *context, uint32_t inside, bool *known)
{
	const struct interface *interface;
	const struct record *host, *station;
	struct record_key key;

	*known = false;
	if (is_routed(arena.config, inside))
		return 0;
	host_key(&key, inside);
	host = record_at(table_search(&key));
	station = host ? station_of(&host->host) : NULL;
	if (!station)
		return GROUP_UNKNOWN;
	interface = interface_find(station->key.local);
	if (interface && interface->flags & INTERFACE_BARE)
		return 0;
	*known = station_is_known(arena.config, station, clock_ticks(arena.config));
	return host->host.station + 1;
}
