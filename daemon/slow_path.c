/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/slow_path.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/gateway.h"
#include "core/icmp_build.h"
#include "daemon/addresses.h"
#include "daemon/esp_flows.h"
#include "daemon/held_fragments.h"
#include "daemon/ike_flows.h"
#include "daemon/l2tp_flows.h"
#include "daemon/pptp_flows.h"
#include "daemon/reinject.h"

#define ETHERNET	 14
#define FRAMES_AT_A_TIME 64

struct slow_path {
	struct gateway *gateway;
	struct held_fragments *held;
	uint8_t frame[TAP_FRAME_BYTES];
};

/* A punted frame, taken apart. */
struct arrival {
	struct punt punt;
	packet_context frame;
	struct packet packet;
	struct facts facts;
};

static const uint8_t *arrival_ip(const struct arrival *arrival)
{
	return arrival->frame.data + ETHERNET;
}

static void frame_return(void *context, uint8_t *frame, size_t length)
{
	frame_again(context, frame, length);
}

struct slow_path *slow_path_new(struct gateway *gateway)
{
	struct slow_path *slow_path = calloc(1, sizeof(*slow_path));

	if (!slow_path)
		return NULL;
	slow_path->gateway = gateway;
	slow_path->held = held_fragments_new(gateway->base, frame_return, gateway);
	if (slow_path->held)
		return slow_path;
	free(slow_path);
	return NULL;
}

void slow_path_free(struct slow_path *slow_path)
{
	if (!slow_path)
		return;
	held_fragments_free(slow_path->held);
	free(slow_path);
}

/* --- ICMP errors --------------------------------------------------------------------- */

/* Our address on the side that the packet came from. */
static __be32 own_address(struct gateway *gateway, const struct punt *punt)
{
	__be32 address = 0;

	if (punt->side & PUNT_FROM_WAN)
		return gateway->plane.config->external;
	addresses_choose(&gateway->netlink, punt->ifindex, &address);
	return address;
}

/*
 * A hairpinned packet, inbound, as its sender has sent it: an error quotes it so, or no
 * socket of the sender's would know it for its own (RFC 5508 REQ-7).
 */
static void sent_restore(struct arrival *arrival)
{
	const struct record *orig = record_at(arrival->punt.index);
	struct record back = {0};

	if (!orig || orig->key.kind != KIND_SESSION_ORIG)
		return;
	back.key.id_type = orig->key.id_type;
	back.session.new_local = orig->key.local;
	back.session.new_id = orig->key.local_id;
	back.session.address_delta = delta_of_32(orig->session.new_local, orig->key.local);
	rewrite(&arrival->packet, &arrival->facts, &back, true, 0);
}

static void sender_tell(struct slow_path *slow_path, struct arrival *arrival, uint8_t type,
			uint8_t code, uint16_t mtu)
{
	struct gateway *gateway = slow_path->gateway;
	struct icmp_request request = {.type = type, .code = code, .mtu = mtu};
	uint8_t message[ICMP_BUILD_MAX];
	/* the gateway's own packet: no rule about those that it forwards is for it */
	const struct query query = {.destination = arrival->facts.source};
	struct route route = {0};
	enum route_result result;
	size_t length;

	request.from = own_address(gateway, &arrival->punt);
	result = arena.route(&query, &route);
	if (!request.from || result == ROUTE_STACK || route.ifindex != arrival->punt.ifindex)
		return;
	if (arrival->facts.hairpin)
		sent_restore(arrival);
	length = icmp_build(message, &request, arrival_ip(arrival), arrival->facts.length);
	if (length)
		packet_transmit(gateway, message, length, next_hop_for(&route, result));
}

/* RFC 5508 REQ-8: the host is told, and `show vpn` tells who has what it wants. */
static void refused_tell(struct slow_path *slow_path, struct arrival *arrival)
{
	refusals_note(&slow_path->gateway->refusals, &arrival->facts, clock_ticks(arena.config));
	sender_tell(slow_path, arrival, ICMP_UNREACHABLE, ICMP_CODE_ADMIN_PROHIBITED, 0);
}

/* The WAN side hears nothing of switches. */
static void blocked_tell(struct slow_path *slow_path, struct arrival *arrival)
{
	if (!(arrival->punt.side & PUNT_FROM_WAN))
		sender_tell(slow_path, arrival, ICMP_UNREACHABLE, ICMP_CODE_ADMIN_PROHIBITED, 0);
}

/* --- one frame ----------------------------------------------------------------------- */

static struct record *arrival_session(const struct arrival *arrival)
{
	enum direction direction =
		arrival->punt.side & PUNT_FROM_WAN ? DIRECTION_IN : DIRECTION_OUT;

	return session_find(arena.config, &arrival->facts, direction);
}

static void to_helper(struct slow_path *slow_path, struct arrival *arrival)
{
	struct record *session = arrival_session(arrival);

	if (session && session->session.flags & SESSION_HELPER)
		pptp_flows_submit(slow_path->gateway->pptp, arrival->frame.data,
				  arrival->frame.length, &arrival->facts, session);
	else
		plane_count(&slow_path->gateway->plane, REASON_slow_path_stale, 1);
}

/* The MTU that stands in the way of an inbound packet; 0: its session is gone. */
static uint16_t way_mtu(const struct arrival *arrival)
{
	const struct record *session = arrival_session(arrival);
	const struct next_hop *hop = session ? next_hop_at(session->session.next_hop) : NULL;

	return hop ? hop->mtu : 0;
}

static void too_big_inbound(struct slow_path *slow_path, struct arrival *arrival)
{
	uint16_t mtu = way_mtu(arrival);

	if (mtu)
		sender_tell(slow_path, arrival, ICMP_UNREACHABLE, ICMP_CODE_FRAGMENTATION, mtu);
}

/* What the kernel's stack would not tell, or not with the MTU of this way. */
static void too_big_outbound(struct slow_path *slow_path, struct arrival *arrival)
{
	uint16_t mtu = way_mtu(arrival);

	if (mtu)
		sender_tell(slow_path, arrival, ICMP_UNREACHABLE, ICMP_CODE_FRAGMENTATION, mtu);
}

/* A tunnel's packet that the data plane cannot tell whose it is. */
static void to_pairing(struct slow_path *slow_path, struct arrival *arrival)
{
	struct gateway *gateway = slow_path->gateway;
	struct facts *facts = &arrival->facts;

	if (facts->protocol == PROTOCOL_ESP)
		esp_flows_take(gateway->esp, arrival->frame.data, arrival->frame.length, facts);
	else if (facts->source_id == host_to_be16(PORT_IKE))
		ike_flows_take(gateway->ike, arrival->frame.data, arrival->frame.length, facts);
	else if (l2tp_flows_is_for(facts))
		l2tp_flows_take(gateway->l2tp, arrival->frame.data, arrival->frame.length, facts);
}

/* A control message that goes on after it was looked at. */
static void to_watch(struct slow_path *slow_path, struct arrival *arrival)
{
	struct gateway *gateway = slow_path->gateway;
	struct facts *facts = &arrival->facts;

	if (l2tp_flows_is_for(facts))
		l2tp_flows_take(gateway->l2tp, arrival->frame.data, arrival->frame.length, facts);
	else
		ike_flows_take(gateway->ike, arrival->frame.data, arrival->frame.length, facts);
}

static void fragment_hold(struct slow_path *slow_path, const struct arrival *arrival)
{
	unsigned int lost = held_fragments_add(slow_path->held, arrival->frame.data,
					       arrival->frame.length, clock_ticks(arena.config));

	if (lost)
		plane_count(&slow_path->gateway->plane, REASON_fragments_full, lost);
}

static void arrival_dispatch(struct slow_path *slow_path, struct arrival *arrival)
{
	switch (arrival->punt.reason) {
	case REASON_to_helper:
		to_helper(slow_path, arrival);
		break;
	case REASON_to_pairing:
		to_pairing(slow_path, arrival);
		break;
	case REASON_to_watch:
		to_watch(slow_path, arrival);
		break;
	case REASON_blocked_pptp:
	case REASON_blocked_l2tp:
	case REASON_blocked_ipsec:
	case REASON_mark_rule:
		blocked_tell(slow_path, arrival);
		break;
	case REASON_table_full:
	case REASON_host_sessions:
	case REASON_host_mappings:
	case REASON_host_rate:
	case REASON_ports_exhausted:
		sender_tell(slow_path, arrival, ICMP_UNREACHABLE, ICMP_CODE_HOST_UNREACHABLE, 0);
		break;
	case REASON_server_taken:
		refused_tell(slow_path, arrival);
		break;
	case REASON_ttl_exceeded_inbound:
		sender_tell(slow_path, arrival, ICMP_TIME_EXCEEDED, ICMP_CODE_TTL_EXCEEDED, 0);
		break;
	case REASON_too_big_outbound:
		too_big_outbound(slow_path, arrival);
		break;
	case REASON_too_big_inbound:
		too_big_inbound(slow_path, arrival);
		break;
	case REASON_fragment_early:
		fragment_hold(slow_path, arrival);
		break;
	}
}

/* The core's own parser looks at the headers; the payload stays closed. */
static bool arrival_decode(struct slow_path *slow_path, size_t length, struct arrival *arrival)
{
	struct facts spare;

	*arrival = (struct arrival){0};
	if (length < ETHERNET + sizeof(struct ipv4_header))
		return false;
	memcpy(&arrival->punt, slow_path->frame, sizeof(arrival->punt));
	arrival->frame = (packet_context){.data = slow_path->frame, .length = length};
	arrival->packet = (struct packet){
		.context = &arrival->frame, .base = ETHERNET, .ifindex = arrival->punt.ifindex};
	if (arrival->punt.action != PUNT_DOWN ||
	    parse_packet(&arrival->packet, &arrival->facts, &spare) != REASON_forwarded)
		return false;
	if (arrival->punt.side & PUNT_HAIRPIN) {
		arrival->facts.hairpin = true;
		arrival->facts.source = sender_of(arrival->punt.index);
	}
	return true;
}

void slow_path_read(struct slow_path *slow_path)
{
	struct arrival arrival;

	for (int i = 0; i < FRAMES_AT_A_TIME; i++) {
		ssize_t length = tap_read(&slow_path->gateway->tap, slow_path->frame,
					  sizeof(slow_path->frame));

		if (length <= 0)
			return;
		if (arrival_decode(slow_path, length, &arrival))
			arrival_dispatch(slow_path, &arrival);
	}
}
