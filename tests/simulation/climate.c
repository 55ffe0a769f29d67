/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What worlds there are. Delays: see enum delays. */
#include "tests/simulation/chance.h"
#include "tests/simulation/world.h"

const char *const pattern_name[PATTERNS] = {"busy",	   "bulk", "client only", "server push",
					    "server only", "idle", "monitored"};

static void draw_network(struct climate *c, struct chance *x, enum delays delays)
{
	c->lan_ms = 5;
	if (delays == DELAYS_FAR) {
		c->wan_ms = chance_log_between(x, 1, 300);
		c->jitter_ms = chance_log_between(x, 0.02, 25);
		c->heavy_tail = chance_is(x, 0.6);
		c->spikes = chance_between(x, 0, 0.12);
		c->server_ms = chance_log_between(x, 0.2, 120);
		c->lan_ms = 10;
	} else if (delays == DELAYS_FOREIGN) {
		c->wan_ms = chance_log_between(x, 2, 150);
		c->jitter_ms = chance_log_between(x, 0.05, 12);
		c->heavy_tail = chance_is(x, 0.5);
		c->spikes = chance_between(x, 0, 0.08);
		c->server_ms = chance_log_between(x, 0.3, 60);
	} else {
		c->wan_ms = chance_between(x, 2.5, 150);
		c->jitter_ms = chance_between(x, 0.1, 6);
		c->spikes = chance_between(x, 0, 0.04);
		c->server_ms = chance_between(x, 1, 30);
	}
	c->loss = chance_is(x, 0.4) ? 0 : chance_between(x, 0, 0.05);
	c->lan_loss = chance_is(x, 0.5) ? 0 : chance_between(x, 0, 0.01);
}

static void draw_ipsec(struct climate *c, struct chance *x)
{
	c->version1 = chance_is(x, 0.25);
	c->dial_ms = chance_is(x, 0.3) ? 10 : chance_is(x, 0.5) ? 1000 : 20000;
	c->rekey_s = chance_between(x, 15, 40);
	c->rekey_spread = chance_is(x, 0.4) ? 0 : chance_between(x, 0, 0.2);
	c->by_server = chance_is(x, 0.3) ? 0 : chance_is(x, 0.3) ? 1 : chance_unit(x);
	c->eager = chance_is(x, 0.6) ? 0 : chance_unit(x);
	c->on_delete = chance_is(x, 0.5) ? 0 : 1;
	c->natt = chance_is(x, 0.7) ? 0 : 0.3;
	c->fragments = chance_is(x, 0.7) ? 0 : 0.5;
	c->ike_rekeys = chance_is(x, 0.6) ? 0 : 0.1;
}

static void draw_traffic(struct climate *c, struct chance *x)
{
	static const double mixed[PATTERNS] = {30, 12, 6, 16, 6, 20, 10};
	bool pure = chance_is(x, 0.35);
	unsigned only = chance_below(x, PATTERNS);

	for (unsigned i = 0; i < PATTERNS; i++)
		c->patterns[i] = pure ? i == only : mixed[i];
	c->rate = chance_log_between(x, 1, 25);
	c->tunnels = chance_is(x, 0.8) ? 1 : 2 + chance_below(x, TUNNELS - 1);
	c->clients = 8 + chance_below(x, (CLIENTS - 7) / c->tunnels);
	c->seconds = c->rekey_s * 4.5;
}

/* People who come within minutes, and keys that last for hours, here for half of one. */
static void draw_office(struct climate *c, struct chance *x)
{
	c->dial_ms = chance_between(x, 60000, 600000);
	c->rekey_s = chance_between(x, 900, 2700);
	c->rekey_spread = chance_between(x, 0.05, 0.3);
	c->rate = chance_log_between(x, 0.3, 3);
	c->seconds = c->rekey_s * 2.5;
}

struct climate climate_draw(uint64_t seed, enum delays delays, bool office)
{
	static const uint64_t salt[] = {0, 0xf0e1d2c3b4a59687ull, 0x8796a5b4c3d2e1f0ull};
	struct chance x = {seed ^ salt[delays]};
	struct climate c = {0};

	draw_network(&c, &x, delays);
	draw_ipsec(&c, &x);
	draw_traffic(&c, &x);
	if (office)
		draw_office(&c, &x);
	return c;
}
