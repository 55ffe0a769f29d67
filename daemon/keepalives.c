/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/keepalives.h"

#include "core/memory.h"
#include "core/session.h"
#include "daemon/expiry.h"
#include "daemon/gateway.h"
#include "daemon/reinject.h"
#include "daemon/roster.h"
#include "daemon/session_packet.h"
#include "daemon/sweeper.h"
#include "daemon/tunnels.h"

static bool is_nat_t(const struct record *orig)
{
	return orig->key.kind == KIND_SESSION_ORIG && orig->key.protocol == PROTOCOL_UDP &&
	       orig->key.remote_id == host_to_be16(PORT_NAT_T) &&
	       orig->session.class == CLASS_IPSEC &&
	       !(orig->session.flags & (SESSION_LOCAL | SESSION_HAIRPIN));
}

/* Answered once, not yet over, and the inside host is there. */
static bool is_alive(const struct record *orig, uint32_t now)
{
	const struct record *reply = record_partner(orig);
	const struct next_hop *inside = reply ? next_hop_at(reply->session.next_hop) : NULL;

	return inside && inside->flags & (NEXT_HOP_RESOLVED | NEXT_HOP_BARE) &&
	       orig->session.flags & SESSION_REPLIED && !is_blocked(arena.config, CLASS_IPSEC) &&
	       !session_lost_address(arena.config, orig) &&
	       !session_expired(arena.config, orig, now);
}

/* Each time that the silence has grown past another interval. */
bool keepalive_is_due(const struct record *orig, uint32_t interval, uint32_t now, uint32_t elapsed)
{
	uint32_t silence = ticks_since(now, READ_ONCE(orig->session.last_seen));

	if (record_state(orig) != SLOT_LIVE || !is_nat_t(orig) || silence < interval)
		return false;
	if (elapsed < silence && silence / interval == (silence - elapsed) / interval)
		return false;
	return is_alive(orig, now);
}

static void keepalive_send(struct gateway *gateway, const struct record *orig)
{
	uint8_t packet[SESSION_PACKET_MAX];
	struct flow_ends ends = session_ends(orig, true);
	uint32_t hop = flow_next_hop(&ends, true);

	if (hop == NO_NEXT_HOP)
		return;
	if (packet_transmit(gateway, packet, session_packet_keepalive(packet, orig), hop))
		plane_count(&gateway->plane, REASON_keepalive_sent, 1);
}

static void tunnel_tend(struct gateway *gateway, const struct roster_tunnel *tunnel, uint32_t now,
			uint32_t elapsed)
{
	uint32_t interval = gateway->settings->keepalive.interval_s * gateway->plane.config->hz;

	for (uint32_t i = 0; i < tunnel->sessions && i < ROSTER_SESSIONS; i++) {
		const struct record *orig = record_at(tunnel->index[i]);

		if (orig && keepalive_is_due(orig, interval, now, elapsed))
			keepalive_send(gateway, orig);
	}
}

void keepalives_tend(struct gateway *gateway, uint32_t now)
{
	uint32_t elapsed = ticks_since(now, gateway->keepalives_tended);
	const struct roster_tunnel *tunnels;
	size_t count;

	gateway->keepalives_tended = now;
	if (!gateway->settings->keepalive.interval_s || !gateway->plane.config->external)
		return;
	tunnels = roster_tunnels(sweeper_roster(gateway->sweeper), &count);
	for (size_t i = 0; i < count; i++)
		if (tunnels[i].class == CLASS_IPSEC)
			tunnel_tend(gateway, &tunnels[i], now, elapsed);
}
