/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any order of ESP packets, IKE messages, time and restarts; after each step the
 * promises of pairing/esp.h that no input may break.
 *
 * Input: steps of a byte that names the step and three more:
 *   0 HOST SERVER SPI    an outbound packet      1 SEQUENCE SERVER SPI   an inbound one
 *   2 HOST KIND ID       an IKE message          3 N                     time: 2^N ms
 *   4 HOST               forget a host           5                       save, start again, restore
 */
#include <stdlib.h>
#include <string.h>

#include "pairing/esp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PROMISE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#define SPIS  1024
#define PAIRS 64

/* What the data plane would hold: inbound SPI of a server to its host. */
struct gateway {
	struct esp_pairing *pairing;
	uint64_t now_ms;
	uint32_t owner[4][SPIS];
	bool settled[4][SPIS];
	struct esp_pair saved[PAIRS];
	unsigned count;
};

static const struct esp_options small = {
	.pairs = PAIRS, .pairs_a_host = 12, .unknown = 16, .unknown_a_server = 6};

static uint32_t *owner_of(struct gateway *g, const struct esp_pair *pair)
{
	PROMISE(pair->spi_in < SPIS && pair->server >= 1 && pair->server <= 4);
	return &g->owner[pair->server - 1][pair->spi_in];
}

static bool *settled_of(struct gateway *g, const struct esp_pair *pair)
{
	return &g->settled[pair->server - 1][pair->spi_in];
}

/* bound() never moves an SPI: that is rebound(), and never from a settled pair. */
static void bound(void *context, const struct esp_pair *pair)
{
	struct gateway *g = context;

	PROMISE(pair->spi_in || pair->spi_out);
	if (!pair->spi_in)
		return;
	PROMISE(pair->state != ESP_OPEN);
	PROMISE(!*owner_of(g, pair) || *owner_of(g, pair) == pair->inside);
	*owner_of(g, pair) = pair->inside;
	*settled_of(g, pair) |= pair->state == ESP_SETTLED;
}

static void rebound(void *context, const struct esp_pair *pair, uint32_t before)
{
	struct gateway *g = context;

	PROMISE(before != pair->inside && *owner_of(g, pair) == before);
	PROMISE(!*settled_of(g, pair));
	*owner_of(g, pair) = pair->inside;
}

static void ended(void *context, const struct esp_pair *pair, enum esp_end why)
{
	struct gateway *g = context;

	if (!pair->spi_in)
		return;
	PROMISE(*owner_of(g, pair) == pair->inside);
	PROMISE(why != ESP_DOUBTED || !*settled_of(g, pair));
	*owner_of(g, pair) = 0;
	*settled_of(g, pair) = false;
}

static void chosen_twice(void *context, const struct esp_pair *pair, uint32_t other)
{
	(void)context;
	PROMISE(pair->inside != other);
}

static void read_records(void *context, const struct esp_pair *pair, struct esp_counters *counters)
{
	struct gateway *g = context;

	*counters = (struct esp_counters){.in_known = pair->spi_in,
					  .out_known = pair->spi_out,
					  .in_packets = g->now_ms / (1 + pair->spi_in % 7),
					  .out_packets = g->now_ms / (1 + pair->spi_out % 5),
					  .in_seen_ms = g->now_ms - pair->spi_in % 3,
					  .out_seen_ms = g->now_ms};
}

static void start(struct gateway *g)
{
	struct esp_events events = {bound, rebound, ended, chosen_twice, read_records, g};

	g->pairing = esp_pairing_new(&small, &events);
	PROMISE(g->pairing);
}

/* --- the steps ------------------------------------------------------------------------------- */

static void outbound(struct gateway *g, const uint8_t *b)
{
	enum esp_reason reason = ESP_KNOWN;
	enum esp_verdict verdict =
		esp_pairing_outbound(g->pairing, g->now_ms, 1 + b[0] % 8, 1 + b[1] % 4, 240 + b[2],
				     b[0] & 8 ? 5000 : 1, &reason);

	PROMISE(verdict == ESP_PASS ? reason == ESP_KNOWN
				    : verdict == ESP_DROP && reason != ESP_KNOWN);
}

static void inbound(struct gateway *g, const uint8_t *b)
{
	uint32_t spi = 240 + b[2], server = 1 + b[1] % 4, owner = g->owner[server - 1][spi];
	struct esp_decision d;

	if (owner && b[0] != 1)
		return; /* forwarded by its record */
	esp_pairing_inbound(g->pairing, g->now_ms, server, spi, b[0] * b[0] * b[0], &d);
	PROMISE((d.verdict == ESP_DROP) == (d.count == 0));
	PROMISE((d.verdict == ESP_DROP) == (d.reason != ESP_KNOWN));
	PROMISE(d.count <= ESP_CANDIDATES && spi >= 256 ? true : d.count == 0);
	if (d.verdict == ESP_BIND)
		PROMISE(d.count == 1 && g->owner[server - 1][spi] == d.inside[0]);
	if (owner)
		PROMISE(d.inside[0] == owner);
}

static void ike(struct gateway *g, const uint8_t *b)
{
	static const uint8_t kinds[] = {34, 35, 36, 37, 32, 2, 5, 0};
	bool v1 = b[1] & 8;
	struct esp_ike_header h = {.spi_initiator = b[0] >> 3,
				   .spi_responder = b[1] >> 6,
				   .next_payload = b[1] & 16 ? 46 : 33,
				   .version = v1 ? 0x10 : 0x20,
				   .exchange = kinds[b[1] & 7],
				   .flags = b[2] & 0x21,
				   .message_id = b[2] >> 1 & 7,
				   .floated = (b[2] & 0xc0) == 0xc0};

	esp_pairing_ike(g->pairing, g->now_ms, 1 + b[0] % 8, 1, &h,
			b[1] & 32 ? ESP_INBOUND : ESP_OUTBOUND);
}

static void pass(struct gateway *g, const uint8_t *b)
{
	g->now_ms += 1u << b[0] % 24;
	esp_pairing_tick(g->pairing, g->now_ms);
	PROMISE(esp_pairing_next_ms(g->pairing) <= g->now_ms + 1000);
}

static bool save(void *context, const struct esp_pair *pair)
{
	struct gateway *g = context;

	PROMISE(g->count < PAIRS);
	PROMISE((pair->state == ESP_OPEN) == (pair->spi_in == 0));
	g->saved[g->count++] = *pair;
	return true;
}

static void again(struct gateway *g)
{
	g->count = 0;
	esp_pairing_each(g->pairing, save, g);
	esp_pairing_free(g->pairing);
	memset(g->owner, 0, sizeof(g->owner));
	memset(g->settled, 0, sizeof(g->settled));
	start(g);
	for (unsigned i = 0; i < g->count; i++)
		esp_pairing_restore(g->pairing, g->now_ms, &g->saved[i]);
}

static void step(struct gateway *g, const uint8_t *b)
{
	switch (b[0] % 6) {
	case 0:
		outbound(g, b + 1);
		break;
	case 1:
		inbound(g, b + 1);
		break;
	case 2:
		ike(g, b + 1);
		break;
	case 3:
		pass(g, b + 1);
		break;
	case 4:
		if (b[2] == 1)
			esp_pairing_forget(g->pairing, 1 + b[1] % 8, b[3] % 5);
		break;
	case 5:
		if (b[2] == 1)
			again(g);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gateway g;

	memset(&g, 0, sizeof(g));
	g.now_ms = 1000;
	start(&g);
	for (size_t i = 0; i + 4 <= size; i += 4)
		step(&g, data + i);
	esp_pairing_forget(g.pairing, 0, 0);
	g.count = 0;
	esp_pairing_each(g.pairing, save, &g);
	PROMISE(g.count == 0);
	esp_pairing_free(g.pairing);
	return 0;
}
