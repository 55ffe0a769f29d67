/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation. A *message* of IKE and a *packet* of ESP each go
 * sender -> gateway -> receiver as two events. An *exchange* is a request that
 * is repeated until its answer came. Peers follow RFC 7296 section 2.8: who
 * asked for a rekey sends on the new SA at once, who answered waits until it
 * hears it or the Delete; climates have some that do not.
 */
#include "tests/simulation/world.h"

#include <stdlib.h>

#include "tests/simulation/parts.h"

uint64_t world_now_us(const struct world *w)
{
	return w->now_us;
}

/* --- the network ---------------------------------------------------------------------------- */

uint64_t us(double ms)
{
	return (uint64_t)(ms * 1000);
}

uint64_t lan_us(struct world *w, int client)
{
	double ms = chance_between(&w->chance, 0.2, 1) * w->clients[client].lan_ms;

	if (chance_is(&w->chance, w->climate.spikes))
		ms += chance_between(&w->chance, 10, 80);
	return us(ms);
}

uint64_t wan_us(struct world *w)
{
	double jitter = chance_exponential(&w->chance, w->climate.jitter_ms);

	if (w->climate.heavy_tail && chance_is(&w->chance, 0.02))
		jitter *= 8;
	return us(w->climate.wan_ms + jitter);
}

void later(struct world *w, uint64_t after_us, int what, int a, int b, int c, void *thing,
	   uint32_t number)
{
	events_put(&w->events, (struct event){.at_us = w->now_us + after_us,
					      .what = what,
					      .a = a,
					      .b = b,
					      .c = c,
					      .thing = thing,
					      .number = number});
}

/* --- SAs ---------------------------------------------------------------------------- */

static uint32_t spi_draw(struct world *w)
{
	return 256 + (uint32_t)(chance_u64(&w->chance) >> 33);
}

struct sa *sa_new(struct world *w, int client, int tunnel, bool rekey, bool by_server)
{
	struct sa *sa = calloc(1, sizeof(*sa));

	if (w->sa_count == w->sa_room) {
		w->sa_room = w->sa_room ? w->sa_room * 2 : 256;
		w->sas = realloc(w->sas, w->sa_room * sizeof(*w->sas));
	}
	if (!sa || !w->sas)
		abort();
	do {
		sa->spi_in = spi_draw(w);
	} while (world_sa(w, sa->spi_in));
	sa->spi_out = spi_draw(w);
	sa->client = client;
	sa->tunnel = tunnel;
	sa->pattern = w->clients[client].tunnels[tunnel].pattern;
	sa->rekey = rekey;
	sa->by_server = by_server;
	sa->bound = NOBODY;
	sa->next = w->by_spi[sa->spi_in % SA_BUCKETS];
	w->by_spi[sa->spi_in % SA_BUCKETS] = sa;
	sa->next_out = w->by_spi_out[sa->spi_out % SA_BUCKETS];
	w->by_spi_out[sa->spi_out % SA_BUCKETS] = sa;
	w->sas[w->sa_count++] = sa;
	return sa;
}

struct sa *world_sa(const struct world *w, uint32_t spi_in)
{
	struct sa *sa = w->by_spi[spi_in % SA_BUCKETS];

	while (sa && sa->spi_in != spi_in)
		sa = sa->next;
	return sa;
}

struct sa *world_sa_out(const struct world *w, uint32_t spi_out)
{
	struct sa *sa = w->by_spi_out[spi_out % SA_BUCKETS];

	while (sa && sa->spi_out != spi_out)
		sa = sa->next_out;
	return sa;
}

void world_bind(struct world *w, struct sa *sa, int client, enum certainty certainty)
{
	sa->bound = client;
	if (client == NOBODY)
		return;
	attacker_bound(w, sa, client, certainty);
	if (client != sa->client) {
		sa->mispaired = true;
		sa->believed_wrong |= certainty >= BELIEVED;
		sa->settled_wrong |= certainty == SETTLED;
	} else if (!sa->bound_us && sa->first_us) {
		sa->bound_us = w->now_us;
	}
}

struct tunnel *tunnel_of(struct world *w, const struct sa *sa)
{
	return &w->clients[sa->client].tunnels[sa->tunnel];
}

/* --- the loop ----------------------------------------------------------------------- */

static void tick_plan(struct world *w)
{
	uint64_t next = w->algorithm->next_us ? w->algorithm->next_us(w->gateway) : UINT64_MAX;

	if (next == UINT64_MAX)
		return;
	next = next > w->now_us + 1000 ? next : w->now_us + 1000; /* a timer of the daemon */
	if (w->tick_us > w->now_us && w->tick_us <= next)
		return; /* one is planned before */
	w->tick_us = next;
	later(w, next - w->now_us, TICK, 0, 0, 0, NULL, 0);
}

static void happen(struct world *w, const struct event *e)
{
	switch ((enum what)e->what) {
	case IKE_AT_GATEWAY:
		message_at_gateway(w, e);
		break;
	case IKE_AT_RECEIVER:
		message_received(w, e);
		break;
	case IKE_SEND:
		message_due(w, e);
		break;
	case IKE_REPEAT:
		exchange_repeat(w, e->thing);
		break;
	case ESP_AT_GATEWAY:
		(e->b ? inbound_at_gateway : outbound_at_gateway)(w, e->thing, e->number);
		break;
	case ESP_AT_CLIENT:
		esp_at_client(w, e->thing);
		break;
	case ESP_AT_SERVER:
		esp_at_server(w, e->thing);
		break;
	case TALK:
		talk(w, e);
		break;
	case SAY:
		(e->c ? server_says : client_says)(w, e->a, e->b);
		break;
	case REKEY:
		rekey(w, e);
		break;
	case LET_GO:
		let_go(w, e);
		break;
	case PING_ALL:
		ping_all(w);
		break;
	case NOISE:
		noise(w, e->a);
		break;
	case TICK:
		if (e->at_us == w->tick_us && w->algorithm->tick)
			w->algorithm->tick(w->gateway);
		break;
	case DIAL_NOW:
		dial(w, e->a);
		break;
	}
	tick_plan(w);
}

/* --- beginning and end -------------------------------------------------------------- */

static enum pattern pattern_draw(struct world *w)
{
	double sum = 0, at;
	int i;

	for (i = 0; i < PATTERNS; i++)
		sum += w->climate.patterns[i];
	at = chance_unit(&w->chance) * sum;
	for (i = 0; i < PATTERNS - 1; i++)
		if ((at -= w->climate.patterns[i]) < 0)
			break;
	return i;
}

static void client_begin(struct world *w, int i)
{
	struct client *c = &w->clients[i];
	const struct climate *climate = &w->climate;

	c->natt = chance_is(&w->chance, climate->natt);
	c->eager = chance_is(&w->chance, climate->eager);
	c->on_delete = chance_is(&w->chance, climate->on_delete);
	c->fragments = chance_is(&w->chance, climate->fragments);
	c->lan_ms = chance_log_between(&w->chance, 0.5, climate->lan_ms);
	for (unsigned j = 0; j < climate->tunnels; j++) {
		c->tunnels[j].pattern = pattern_draw(w);
		if (attacker_is(w, i)) {
			c->natt = false;
			c->tunnels[j].pattern = CLIENT_ONLY;
		}
		c->tunnels[j].rate = climate->rate * chance_log_between(&w->chance, 0.3, 3);
		for (int server = 0; server < 2; server++)
			later(w, us(chance_between(&w->chance, 0, 1000)), TALK, i, j, server, NULL,
			      0);
	}
	later(w, us(chance_between(&w->chance, 0, climate->dial_ms)), DIAL_NOW, i, 0, 0, NULL, 0);
	later(w, us(chance_between(&w->chance, 5000, 20000)), NOISE, i, 0, 0, NULL, 0);
}

static void sa_count(const struct sa *sa, struct result *r)
{
	static const double bounds[] = {0.5, 10, 100, 1000};
	int bound = 0;

	r->sas++;
	if (!sa->arrived)
		return;
	r->spoken++;
	r->by_pattern[sa->pattern]++;
	r->mispaired += sa->mispaired;
	r->mispaired_by_pattern[sa->pattern] += sa->mispaired;
	r->believed_wrong += sa->believed_wrong;
	r->settled_wrong += sa->settled_wrong;
	r->attacker_won += sa->attacker_won;
	r->attacker_packets += sa->attacker_packets;
	r->attacker_copies += sa->attacker_copies;
	r->dead += sa->right * 2 < sa->arrived;
	r->dead_by_pattern[sa->pattern] += sa->right * 2 < sa->arrived;
	r->packets += sa->arrived;
	r->lost += sa->lost;
	r->copied += sa->copied;
	r->copies += sa->copies;
	r->copied_so_often[sa->pattern][sa->copied < COPIES_MOST ? sa->copied : COPIES_MOST]++;
	if (!sa->bound_us) {
		r->unbound++;
		return;
	}
	double ms = (double)(sa->bound_us - sa->first_us) / 1000;
	while (bound < 4 && ms > bounds[bound])
		bound++;
	r->binds++;
	r->bind_ms_sum += ms;
	r->slow_binds[bound]++;
}

static void world_end(struct world *w, struct result *result)
{
	for (size_t i = 0; i < w->sa_count; i++) {
		if (!w->clients[w->sas[i]->client].natt && !attacker_is(w, w->sas[i]->client))
			sa_count(w->sas[i], result);
		free(w->sas[i]);
	}
	while (w->exchanges) {
		struct exchange *x = w->exchanges;

		w->exchanges = x->next;
		free(x);
	}
	events_free(&w->events);
	free(w->sas);
	w->algorithm->free(w->gateway);
	free(w);
}

void world_run(const struct climate *climate, uint64_t seed, const struct algorithm *algorithm,
	       struct result *result)
{
	struct world *w = calloc(1, sizeof(*w));
	struct event e;

	if (!w)
		abort();
	w->climate = *climate;
	w->chance.state = seed * 0x9e3779b97f4a7c15ull;
	w->algorithm = algorithm;
	w->now_us = us(1000);
	w->end_us = w->now_us + us(climate->seconds * 1000);
	w->server_on_delete = chance_is(&w->chance, climate->on_delete / 2);
	if (climate->attacker)
		w->attacker_answers = chance_is(&w->chance, 0.3) ? 1 : chance_unit(&w->chance);
	w->gateway = algorithm->make(w);
	for (unsigned i = 0; i < climate->clients; i++)
		client_begin(w, i);
	later(w, us(1000), PING_ALL, 0, 0, 0, NULL, 0);
	while (events_take(&w->events, &e) && e.at_us < w->end_us) {
		w->now_us = e.at_us;
		happen(w, &e);
	}
	world_end(w, result);
}
