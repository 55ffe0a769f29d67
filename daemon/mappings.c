/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/mappings.h"

#include <stdint.h>

#include "core/memory.h"
#include "core/mapping.h"

bool mapping_remake(__be32 inside, __be16 port, __be16 external, __u8 class)
{
	struct record_key inside_key, external_key;
	uint32_t inside_at, external_at;

	mapping_inside_key(&inside_key, PROTOCOL_UDP, inside, port);
	mapping_external_key(&external_key, PROTOCOL_UDP, arena.config->external, external);
	if (table_claim(&inside_key, &inside_at) != CLAIM_OK)
		return false;
	if (table_claim(&external_key, &external_at) != CLAIM_OK) {
		table_give_up(inside_at);
		return false;
	}
	/* held for a session, which takes a reference of its own */
	mapping_link(external_at, inside_at, class);
	record_release(record_at(external_at));
	return true;
}
