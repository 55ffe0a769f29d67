/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/esp_flows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/claim.h"
#include "core/rewrite.h"
#include "daemon/claims.h"
#include "daemon/esp_records.h"
#include "daemon/esp_state.h"
#include "daemon/log.h"
#include "daemon/monotonic.h"
#include "daemon/reinject.h"
#include "daemon/stations.h"
#include "daemon/tunnels.h"
#include "daemon/rekeys.h"

#define ETHERNET	   14
#define CLAIM_TEND_SECONDS 10
#define PAIR_IS_NEW_MS	   2000

struct esp_flows {
	struct gateway *gateway;
	struct esp_pairing *pairing;
	struct event *timer;
	__be32 external;  /* that the pairs are of */
	bool changed;	  /* since the file was written */
	unsigned seconds; /* of tending */
};

/* --- what the library wants done ------------------------------------------------------- */

static void armed_check(const struct esp_flows *flows, int err)
{
	if (err == -ENOSPC)
		log_warning("an ESP tunnel does not fit into the session table");
	else if (err == -EEXIST)
		plane_count(&flows->gateway->plane, REASON_id_held, 1);
}

static void pair_arm(struct esp_flows *flows, const struct esp_pair *pair)
{
	uint32_t now = clock_ticks(arena.config);

	if (pair->spi_in)
		armed_check(flows, esp_inbound_arm(pair->server, pair->spi_in, pair->inside, now));
	if (pair->spi_out)
		armed_check(flows,
			    esp_outbound_arm(pair->server, pair->spi_out, pair->inside, now));
	if (pair->spi_in && pair->spi_out)
		esp_halves_join(pair->server, pair->inside, pair->spi_in, pair->spi_out);
	claims_refresh_by(PROTOCOL_ESP, pair->server, pair->inside, now);
	flows->changed = true;
}

/* It is bound again when more of it is known: only the first time is a rekey. */
static void pair_bound(void *context, const struct esp_pair *pair)
{
	struct esp_flows *flows = context;

	pair_arm(flows, pair);
	if (pair->spi_out && monotonic_ms() - pair->made_ms < PAIR_IS_NEW_MS)
		rekey_seen(flows->gateway->rekeys, CLASS_IPSEC, pair->inside, pair->server,
			   clock_ticks(arena.config));
}

/* The one way in which an SPI changes hands: a binding on trial, never a settled one. */
static void pair_rebound(void *context, const struct esp_pair *pair, uint32_t before)
{
	esp_inbound_end(pair->server, pair->spi_in, before);
	pair_arm(context, pair);
}

static void pair_ended(void *context, const struct esp_pair *pair, enum esp_end why)
{
	struct esp_flows *flows = context;

	if (pair->spi_in)
		esp_inbound_end(pair->server, pair->spi_in, pair->inside);
	if (pair->spi_out)
		esp_outbound_end(pair->server, pair->spi_out, pair->inside);
	flows->changed = true;
}

static void address_text(char text[INET_ADDRSTRLEN], __be32 address)
{
	inet_ntop(AF_INET, &address, text, INET_ADDRSTRLEN);
}

static void pair_chosen_twice(void *context, const struct esp_pair *pair, uint32_t other)
{
	char first[INET_ADDRSTRLEN], second[INET_ADDRSTRLEN], server[INET_ADDRSTRLEN];

	address_text(first, pair->inside);
	address_text(second, other);
	address_text(server, pair->server);
	log_warning("%s and %s have chosen the same SPI %08x with %s: the second one's tunnel "
		    "cannot work until it chooses another",
		    first, second, pair->spi_in, server);
}

static uint64_t seen_ms(const struct esp_half *half, uint64_t now)
{
	uint32_t ago = ticks_since(clock_ticks(arena.config), half->last_seen);
	uint64_t ago_ms = ago * 1000ull / arena.config->hz;

	return ago_ms < now ? now - ago_ms : 1;
}

static void pair_read(void *context, const struct esp_pair *pair, struct esp_counters *counters)
{
	uint64_t now = monotonic_ms();
	struct esp_half half;

	counters->in_known =
		pair->spi_in && esp_inbound_read(pair->server, pair->spi_in, pair->inside, &half);
	if (counters->in_known) {
		counters->in_packets = half.packets;
		counters->in_seen_ms = half.packets ? seen_ms(&half, now) : 0;
	}
	counters->out_known = pair->spi_out &&
			      esp_outbound_read(pair->server, pair->spi_out, pair->inside, &half);
	if (counters->out_known) {
		counters->out_packets = half.packets;
		counters->out_seen_ms = half.packets ? seen_ms(&half, now) : 0;
	}
}

/* --- time -------------------------------------------------------------------------------- */

static void timer_set(struct esp_flows *flows)
{
	uint64_t now = monotonic_ms(), due = esp_pairing_next_ms(flows->pairing);
	uint64_t wait = due > now ? due - now : 1;
	struct timeval interval = {wait / 1000, wait % 1000 * 1000};

	if (flows->timer)
		event_add(flows->timer, &interval);
}

static void timer_due(evutil_socket_t fd, short what, void *context)
{
	struct esp_flows *flows = context;

	esp_pairing_tick(flows->pairing, monotonic_ms());
	timer_set(flows);
}

/* --- open, close --------------------------------------------------------------------------- */

/* The pairs of the file, unless the WAN has another address by now. */
static void state_resume(struct esp_flows *flows)
{
	flows->external = arena.config->external;
	esp_records_forsake();
	if (flows->external)
		esp_state_load(flows->gateway->settings, flows->external, flows->pairing,
			       monotonic_ms());
	flows->changed = false;
}

static void state_save(struct esp_flows *flows)
{
	if (!flows->changed || !flows->external)
		return;
	esp_state_save(flows->gateway->settings, flows->external, flows->pairing);
	flows->changed = false;
}

struct esp_flows *esp_flows_open(struct gateway *gateway)
{
	struct esp_flows *flows = calloc(1, sizeof(*flows));
	struct esp_events events = {
		.bound = pair_bound,
		.rebound = pair_rebound,
		.ended = pair_ended,
		.chosen_twice = pair_chosen_twice,
		.read = pair_read,
		.context = flows,
	};

	if (!flows)
		return NULL;
	flows->gateway = gateway;
	flows->pairing = esp_pairing_new(&(struct esp_options){.groups = stations}, &events);
	flows->timer = evtimer_new(gateway->base, timer_due, flows);
	if (flows->pairing && flows->timer) {
		timer_set(flows);
		return flows;
	}
	esp_flows_close(flows);
	return NULL;
}

void esp_flows_close(struct esp_flows *flows)
{
	if (!flows)
		return;
	if (flows->pairing)
		state_save(flows);
	if (flows->timer)
		event_free(flows->timer);
	esp_pairing_free(flows->pairing);
	free(flows);
}

/* --- frames ---------------------------------------------------------------------------------- */

static uint32_t sequence_of(const uint8_t *frame, const struct facts *facts)
{
	__be32 sequence;

	memcpy(&sequence, frame + ETHERNET + facts->l4 + 4, sizeof(sequence));
	return be32_to_host(sequence);
}

static enum reason reason_of(enum esp_reason reason)
{
	switch (reason) {
	case ESP_RATE:
		return REASON_tunnel_rate;
	case ESP_QUOTA:
		return REASON_host_sessions;
	case ESP_FULL:
		return REASON_table_full;
	default:
		return REASON_tunnel_unknown;
	}
}

/* What stands against a packet on its way to @hop, or REASON_forwarded. */
static enum reason copy_objection(const struct next_hop *hop, const struct facts *facts)
{
	if (facts->ttl <= 1)
		return REASON_ttl_exceeded_inbound;
	return facts->length > hop->mtu ? REASON_too_big_inbound : REASON_forwarded;
}

/* ESP has no checksum over the addresses: the IP header is all that changes. */
static void copy_send(struct esp_flows *flows, const uint8_t *frame, const struct facts *facts,
		      __be32 inside)
{
	uint8_t copy[TAP_FRAME_BYTES];
	packet_context context = {.data = copy, .length = ETHERNET + facts->length};
	struct packet packet = {.context = &context, .base = ETHERNET};
	uint16_t index = tunnel_next_hop(PROTOCOL_ESP, facts->source, inside, false);
	const struct next_hop *hop = index ? next_hop_at(index) : NULL;

	enum reason reason = hop ? copy_objection(hop, facts) : REASON_no_route;

	if (reason != REASON_forwarded) {
		plane_count(&flows->gateway->plane, reason, 1);
		return;
	}
	memcpy(copy, frame, context.length);
	rewrite_ip(&packet, inside, delta_of_32(facts->destination, inside), false, 1);
	packet_transmit(flows->gateway, copy + ETHERNET, facts->length, index);
}

static void outbound_take(struct esp_flows *flows, uint8_t *frame, size_t length,
			  const struct facts *facts)
{
	enum esp_reason reason = ESP_KNOWN;

	if (esp_pairing_outbound(flows->pairing, monotonic_ms(), facts->source, facts->destination,
				 be32_to_host(facts->spi), sequence_of(frame, facts),
				 &reason) == ESP_PASS)
		frame_again(flows->gateway, frame, length);
	else
		plane_count(&flows->gateway->plane, reason_of(reason), 1);
}

/* Sequence number 1 on a tunnel that was set up by request, which the library does not know. */
static bool is_armed(const struct punt *punt)
{
	const struct record *r = punt->index == NO_RECORD ? NULL : record_at(punt->index);

	return r && record_state(r) == SLOT_LIVE && r->key.kind == KIND_SESSION_REPLY;
}

/* What is nobody's is the forward's: the data plane finds it where the daemon hands in. */
static bool is_forwarded(void)
{
	return is_forwarded_whole(PROTOCOL_ESP, arena.config->external);
}

static void inbound_take(struct esp_flows *flows, uint8_t *frame, size_t length,
			 const struct facts *facts)
{
	const struct punt *punt = (const struct punt *)frame;
	struct esp_decision decision = {0};

	esp_pairing_inbound(flows->pairing, monotonic_ms(), facts->source, be32_to_host(facts->spi),
			    sequence_of(frame, facts), &decision);
	switch (decision.verdict) {
	case ESP_BIND:
	case ESP_PASS:
		frame_again(flows->gateway, frame, length);
		break;
	case ESP_COPY:
		for (unsigned i = 0; i < decision.count; i++)
			copy_send(flows, frame, facts, decision.inside[i]);
		break;
	case ESP_DROP:
		if (is_armed(punt) || (decision.reason == ESP_NOBODY && is_forwarded()))
			frame_again(flows->gateway, frame, length);
		else
			plane_count(&flows->gateway->plane, reason_of(decision.reason), 1);
		break;
	}
}

void esp_flows_take(struct esp_flows *flows, uint8_t *frame, size_t length,
		    const struct facts *facts)
{
	const struct punt *punt = (const struct punt *)frame;

	if ((size_t)facts->length + ETHERNET > length || facts->l4 + 8u > facts->length)
		return;
	if (punt->side & PUNT_FROM_WAN)
		inbound_take(flows, frame, length, facts);
	else
		outbound_take(flows, frame, length, facts);
	timer_set(flows);
}

void esp_flows_ike(struct esp_flows *flows, __be32 inside, __be32 server,
		   const struct esp_ike_header *header, enum esp_direction direction)
{
	esp_pairing_ike(flows->pairing, monotonic_ms(), inside, server, header, direction);
	if (direction == ESP_INBOUND)
		claims_refresh_by(PROTOCOL_ESP, server, inside, clock_ticks(arena.config));
	timer_set(flows);
}

/* --- upkeep ------------------------------------------------------------------------- */

static bool claim_keep(void *context, const struct esp_pair *pair)
{
	claims_refresh_by(PROTOCOL_ESP, pair->server, pair->inside, *(const uint32_t *)context);
	return true;
}

/* A new address has no tunnels yet; the old one's are ended by the sweeper. */
static void address_follow(struct esp_flows *flows)
{
	__be32 external = arena.config->external;

	if (!external || external == flows->external)
		return;
	if (flows->external) {
		esp_pairing_forget(flows->pairing, 0, 0);
		flows->external = external;
	} else {
		state_resume(flows);
	}
}

void esp_flows_tend(struct esp_flows *flows, uint32_t now)
{
	address_follow(flows);
	if (flows->seconds++ % CLAIM_TEND_SECONDS == 0)
		esp_pairing_each(flows->pairing, claim_keep, &now);
	state_save(flows);
}

/* --- looking ------------------------------------------------------------------------ */

struct asked {
	__be32 inside, server;
	uint64_t now, idle_ms;
	json_t *list;
};

static bool is_asked(const struct asked *asked, const struct esp_pair *pair)
{
	return pair->inside == asked->inside && pair->server == asked->server;
}

static bool idle_visit(void *context, const struct esp_pair *pair)
{
	struct asked *asked = context;
	uint64_t last = pair->in_seen_ms > pair->out_seen_ms ? pair->in_seen_ms : pair->out_seen_ms;

	if (last < pair->made_ms)
		last = pair->made_ms;
	if (is_asked(asked, pair) && asked->now - last < asked->idle_ms)
		asked->idle_ms = asked->now - last;
	return true;
}

uint64_t esp_flows_idle_ms(const struct esp_flows *flows, __be32 inside, __be32 server)
{
	struct asked asked = {
		.inside = inside, .server = server, .now = monotonic_ms(), .idle_ms = UINT64_MAX};

	esp_pairing_each(flows->pairing, idle_visit, &asked);
	return asked.idle_ms;
}

static json_t *evidence_json(uint32_t evidence)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < ESP_EVIDENCES; i++)
		if (evidence >> i & 1)
			json_array_append_new(list, json_string(esp_evidence_sentence(i)));
	return list;
}

static bool json_visit(void *context, const struct esp_pair *pair)
{
	struct asked *asked = context;

	if (is_asked(asked, pair))
		json_array_append_new(asked->list, json_pack("{s:I, s:I, s:s, s:i, s:o}", "spi_in",
							     (json_int_t)pair->spi_in, "spi_out",
							     (json_int_t)pair->spi_out, "state",
							     esp_state_name(pair->state), "copied",
							     (int)pair->copied, "evidence",
							     evidence_json(pair->evidence)));
	return true;
}

json_t *esp_flows_json(const struct esp_flows *flows, __be32 inside, __be32 server)
{
	struct asked asked = {.inside = inside, .server = server, .list = json_array()};

	esp_pairing_each(flows->pairing, json_visit, &asked);
	return asked.list;
}
