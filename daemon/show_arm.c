/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tunnels without their control traffic, for tests and benches. */
#include <errno.h>

#include "daemon/esp_records.h"
#include "daemon/gateway.h"
#include "daemon/show_pages.h"
#include "daemon/tunnels.h"

static uint32_t free_call_id(__be32 remote)
{
	uint32_t id = 1 + arena.random() % 0xfff0;

	while (id < 0x10000 && tunnel_id_in_use(PROTOCOL_GRE, remote, id))
		id++;
	return id;
}

/* The OFFSETth one that was asked for; *external_id is what the remote sends. 0 or -errno. */
static int call_make(const struct ctl_arm *arm, uint32_t offset, uint32_t now,
		     uint32_t *external_id)
{
	struct tunnel tunnel = {
		.protocol = PROTOCOL_GRE,
		.inside = arm->inside.s_addr,
		.remote = arm->remote.s_addr,
		.inside_id = arm->inside_id + offset,
		.external_id = arm->external_id ? arm->external_id + offset
						: free_call_id(arm->remote.s_addr),
		.remote_id = arm->remote_id + offset,
		.next_hop_in = tunnel_next_hop(PROTOCOL_GRE, arm->remote.s_addr, arm->inside.s_addr,
					       false),
		.next_hop_out =
			tunnel_next_hop(PROTOCOL_GRE, arm->remote.s_addr, arm->inside.s_addr, true),
	};
	int err = tunnel.next_hop_in && tunnel.next_hop_out ? 0 : -EHOSTUNREACH;

	*external_id = tunnel.external_id;
	if (!err)
		err = tunnel_arm_inbound(&tunnel, now);
	return err ? err : tunnel_arm_outbound(&tunnel, now);
}

/* An SPI cannot be translated: the remote sends what the inside host chose. */
static int pair_make(const struct ctl_arm *arm, uint32_t offset, uint32_t now,
		     uint32_t *external_id)
{
	__be32 inside = arm->inside.s_addr, remote = arm->remote.s_addr;
	uint32_t spi_in = arm->inside_id + offset, spi_out = arm->remote_id + offset;
	int err = esp_inbound_arm(remote, spi_in, inside, now);

	*external_id = spi_in;
	if (!err)
		err = esp_outbound_arm(remote, spi_out, inside, now);
	if (!err)
		esp_halves_join(remote, inside, spi_in, spi_out);
	return err;
}

int show_arm(void *daemon, const struct ctl_arm *arm, json_t **result)
{
	uint32_t now = clock_ticks(arena.config), made = 0, first = 0, id;
	int err = arena.config->external ? 0 : -ENETDOWN;

	for (; made < arm->count && !err; made += !err) {
		err = arm->kind == CTL_ARM_ESP ? pair_make(arm, made, now, &id)
					       : call_make(arm, made, now, &id);
		first = made ? first : id;
	}
	if (!made)
		return err;
	*result = json_pack("{s:i, s:i}", "armed", (int)made, "external_id", (int)first);
	return *result ? 0 : -ENOMEM;
}
