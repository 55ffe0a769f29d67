/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shipped pairing code as a gateway; records as the data plane keeps them, in ticks of 4 ms. */
#include <stdlib.h>

#include "tests/simulation/world.h"

#define TICK_US 4000

struct gateway {
	struct world *world;
	struct esp_pairing *pairing;
};

static int client_of(uint32_t address)
{
	return (int)((address - INSIDE(0)) >> 24);
}

static uint64_t ms(uint64_t us)
{
	return us / 1000;
}

static enum certainty certainty_of(const struct esp_pair *pair)
{
	if (pair->state == ESP_SETTLED)
		return SETTLED;
	return pair->evidence & 1u << ESP_EVIDENCE_leaning ? GUESSED : BELIEVED;
}

static void bound(void *context, const struct esp_pair *pair)
{
	struct gateway *g = context;
	struct sa *in = pair->spi_in ? world_sa(g->world, pair->spi_in) : NULL;
	struct sa *out = pair->spi_out ? world_sa_out(g->world, pair->spi_out) : NULL;

	if (in)
		world_bind(g->world, in, client_of(pair->inside), certainty_of(pair));
	if (out)
		out->out_armed = true;
}

static void rebound(void *context, const struct esp_pair *pair, uint32_t before)
{
	(void)before;
	bound(context, pair);
}

static void ended(void *context, const struct esp_pair *pair, enum esp_end why)
{
	struct gateway *g = context;
	struct sa *in = pair->spi_in ? world_sa(g->world, pair->spi_in) : NULL;
	struct sa *out = pair->spi_out ? world_sa_out(g->world, pair->spi_out) : NULL;

	(void)why;
	if (in)
		world_bind(g->world, in, NOBODY, GUESSED);
	if (out)
		out->out_armed = false;
}

static void read_records(void *context, const struct esp_pair *pair, struct esp_counters *counters)
{
	struct gateway *g = context;
	struct sa *in = pair->spi_in ? world_sa(g->world, pair->spi_in) : NULL;
	struct sa *out = pair->spi_out ? world_sa_out(g->world, pair->spi_out) : NULL;

	*counters = (struct esp_counters){.in_known = in, .out_known = out};
	if (in) {
		counters->in_packets = in->in_packets;
		counters->in_seen_ms = ms(in->in_seen_us - in->in_seen_us % TICK_US);
	}
	if (out) {
		counters->out_packets = out->out_packets;
		counters->out_seen_ms = ms(out->out_seen_us - out->out_seen_us % TICK_US);
	}
}

static void *gateway_new(struct world *w)
{
	struct gateway *g = calloc(1, sizeof(*g));
	struct esp_options options = {0};
	struct esp_events events = {bound, rebound, ended, NULL, read_records, g};

	if (!g)
		abort();
	g->world = w;
	g->pairing = esp_pairing_new(&options, &events);
	if (!g->pairing)
		abort();
	return g;
}

static void gateway_free(void *gateway)
{
	struct gateway *g = gateway;

	esp_pairing_free(g->pairing);
	free(g);
}

static bool outbound(void *gateway, struct sa *sa, uint32_t sequence)
{
	struct gateway *g = gateway;
	enum esp_reason reason;

	return esp_pairing_outbound(g->pairing, ms(world_now_us(g->world)), INSIDE(sa->client),
				    SERVER, sa->spi_out, sequence, &reason) == ESP_PASS;
}

static unsigned inbound(void *gateway, struct sa *sa, uint32_t sequence, int *clients)
{
	struct gateway *g = gateway;
	struct esp_decision decision;

	esp_pairing_inbound(g->pairing, ms(world_now_us(g->world)), SERVER, sa->spi_in, sequence,
			    &decision);
	for (unsigned i = 0; i < decision.count; i++)
		clients[i] = client_of(decision.inside[i]);
	return decision.count;
}

static void ike(void *gateway, int client, const struct esp_ike_header *h,
		enum esp_direction direction)
{
	struct gateway *g = gateway;

	esp_pairing_ike(g->pairing, ms(world_now_us(g->world)), INSIDE(client), SERVER, h,
			direction);
}

static uint64_t next_us(void *gateway)
{
	struct gateway *g = gateway;

	return esp_pairing_next_ms(g->pairing) * 1000;
}

static void tick(void *gateway)
{
	struct gateway *g = gateway;

	esp_pairing_tick(g->pairing, ms(world_now_us(g->world)));
}

const struct algorithm algorithm_pairing = {
	"wayleave", gateway_new, gateway_free, outbound, inbound, ike, next_us, tick,
};
