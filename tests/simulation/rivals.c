/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What other systems do (docs/esp-pairing.md says who), as they describe it. */
#include <stdlib.h>
#include <string.h>

#include "tests/simulation/world.h"

#define WAITING 256

struct gateway {
	struct world *world;
	int owner, last;	     /* one client; last talker */
	struct sa *waiting[WAITING]; /* first out, first in: oldest first */
	uint64_t waiting_us[WAITING];
	unsigned waiting_count;
	struct sa *outstanding; /* Hardin */
	uint64_t outstanding_us;
	uint64_t rekeyed_us[CLIENTS];
};

static void *gateway_new(struct world *w)
{
	struct gateway *g = calloc(1, sizeof(*g));

	if (!g)
		abort();
	g->world = w;
	g->owner = g->last = NOBODY;
	return g;
}

static void gateway_free(void *gateway)
{
	free(gateway);
}

static void ike_ignored(void *gateway, int client, const struct esp_ike_header *h,
			enum esp_direction direction)
{
	(void)gateway, (void)client, (void)h, (void)direction;
}

/* --- one client for each server (IPFilter, VPP, Linux, ASA) ------------------------- */

static bool one_outbound(void *gateway, struct sa *sa, uint32_t sequence)
{
	struct gateway *g = gateway;

	(void)sequence;
	if (g->owner == NOBODY)
		g->owner = sa->client;
	return g->owner == sa->client;
}

static unsigned one_inbound(void *gateway, struct sa *sa, uint32_t sequence, int *clients)
{
	struct gateway *g = gateway;

	(void)sequence, (void)sa;
	clients[0] = g->owner;
	return g->owner != NOBODY;
}

/* --- last talker (home routers) ----------------------------------------------------- */

static bool last_outbound(void *gateway, struct sa *sa, uint32_t sequence)
{
	struct gateway *g = gateway;

	(void)sequence;
	g->last = sa->client;
	return true;
}

static unsigned last_inbound(void *gateway, struct sa *sa, uint32_t sequence, int *clients)
{
	struct gateway *g = gateway;

	(void)sequence, (void)sa;
	clients[0] = g->last;
	return g->last != NOBODY;
}

/* --- first out, first in (Lantiq, Broadcom) ----------------------------------------- */

#define WAITS_US 60000000

static void waiting_remove_first(struct gateway *g)
{
	g->waiting_count--;
	memmove(g->waiting, g->waiting + 1, g->waiting_count * sizeof(g->waiting[0]));
	memmove(g->waiting_us, g->waiting_us + 1, g->waiting_count * sizeof(g->waiting_us[0]));
}

static bool first_outbound(void *gateway, struct sa *sa, uint32_t sequence)
{
	struct gateway *g = gateway;

	(void)sequence;
	if (g->waiting_count == WAITING)
		waiting_remove_first(g);
	g->waiting_us[g->waiting_count] = world_now_us(g->world);
	g->waiting[g->waiting_count++] = sa;
	sa->out_armed = true;
	return true;
}

static unsigned first_inbound(void *gateway, struct sa *sa, uint32_t sequence, int *clients)
{
	struct gateway *g = gateway;

	(void)sequence;
	while (g->waiting_count && g->waiting_us[0] + WAITS_US < world_now_us(g->world))
		waiting_remove_first(g);
	if (!g->waiting_count)
		return 0;
	clients[0] = g->waiting[0]->client;
	waiting_remove_first(g);
	world_bind(g->world, sa, clients[0], SETTLED);
	return 1;
}

/* --- Hardin: one outstanding at a time; copies to who rekeyed lately ---------------- */

#define OUTSTANDING_US 5000000
#define LATELY_US      10000000

static void hardin_ike(void *gateway, int client, const struct esp_ike_header *h,
		       enum esp_direction direction)
{
	struct gateway *g = gateway;

	(void)direction;
	if (h->exchange != 37 && h->exchange != 5 && !h->floated)
		g->rekeyed_us[client] = world_now_us(g->world);
}

static bool hardin_outbound(void *gateway, struct sa *sa, uint32_t sequence)
{
	struct gateway *g = gateway;
	bool is_free = !g->outstanding || g->outstanding == sa ||
		       g->outstanding_us + OUTSTANDING_US < world_now_us(g->world);

	(void)sequence;
	if (sa->bound == sa->client)
		return true; /* its inbound SPI came first */
	if (!is_free)
		return false;
	if (g->outstanding != sa)
		g->outstanding_us = world_now_us(g->world);
	g->outstanding = sa;
	return true;
}

static unsigned hardin_copies(struct gateway *g, int *clients)
{
	unsigned count = 0;

	for (int i = 0; i < CLIENTS && count < ESP_CANDIDATES; i++)
		if (g->rekeyed_us[i] && g->rekeyed_us[i] + LATELY_US > world_now_us(g->world))
			clients[count++] = i;
	return count;
}

static unsigned hardin_inbound(void *gateway, struct sa *sa, uint32_t sequence, int *clients)
{
	struct gateway *g = gateway;

	(void)sequence;
	if (!g->outstanding || g->outstanding_us + OUTSTANDING_US < world_now_us(g->world))
		return hardin_copies(g, clients);
	clients[0] = g->outstanding->client;
	g->outstanding->out_armed = true;
	g->outstanding = NULL;
	world_bind(g->world, sa, clients[0], SETTLED);
	return 1;
}

const struct algorithm algorithm_one_client = {
	"one client", gateway_new, gateway_free, one_outbound, one_inbound, ike_ignored, NULL, NULL,
};
const struct algorithm algorithm_last_talker = {
	"last talker", gateway_new, gateway_free, last_outbound,
	last_inbound,  ike_ignored, NULL,	  NULL,
};
const struct algorithm algorithm_first_out = {
	"first out, first in", gateway_new, gateway_free, first_outbound,
	first_inbound,	       ike_ignored, NULL,	  NULL,
};
const struct algorithm algorithm_hardin = {
	"Hardin",	gateway_new, gateway_free, hardin_outbound,
	hardin_inbound, hardin_ike,  NULL,	   NULL,
};
