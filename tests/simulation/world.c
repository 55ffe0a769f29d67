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
#include <string.h>

#include "tests/simulation/chance.h"
#include "tests/simulation/events.h"

#define SA_BUCKETS 4096

enum purpose { DIAL, AUTH, CHILD, QUICK, DELETE, REKEY_IKE, ALIVE };

struct exchange {
	enum purpose purpose;
	int client, tunnel;
	struct sa *sa, *old; /* made; deleted or replaced */
	bool by_server, done, answered, confirmed;
	uint32_t message_id;
	uint64_t spi_initiator, spi_responder;
	unsigned tries;
	struct exchange *next;
};

struct tunnel {
	enum pattern pattern;
	struct sa *client_sends, *server_sends; /* on these; NULL: none yet */
	struct sa *client_waits, *server_waits; /* will move to these when they hear them */
	double rate;
};

struct client {
	bool natt, eager, on_delete, fragments;
	double lan_ms;
	uint64_t spi_initiator, spi_responder;
	uint32_t asked, served; /* message ids of each side */
	struct tunnel tunnels[TUNNELS];
};

enum what {
	IKE_AT_GATEWAY, /* thing: exchange; a: message step; b: from the server; c: pieces left */
	IKE_AT_RECEIVER,
	IKE_SEND,
	IKE_REPEAT,
	ESP_AT_GATEWAY, /* thing: sa; b: inbound; number: sequence */
	ESP_AT_CLIENT,
	ESP_AT_SERVER,
	TALK,	  /* a: client, b: tunnel, c: server's turn */
	SAY,	  /* one packet, as above */
	REKEY,	  /* a: client, b: tunnel, thing: sa */
	LET_GO,	  /* a: client, b: tunnel, thing: the old sa; c: the server asks */
	PING_ALL, /* MONITORED */
	NOISE,	  /* a: client: INFORMATIONAL */
	TICK,
	DIAL_NOW,
};

struct world {
	struct climate climate;
	struct chance chance;
	struct events events;
	uint64_t now_us, end_us, tick_us;
	const struct algorithm *algorithm;
	void *gateway;
	struct client clients[CLIENTS];
	bool server_eager, server_on_delete;
	struct sa **sas;
	size_t sa_count, sa_room;
	struct sa *by_spi[SA_BUCKETS], *by_spi_out[SA_BUCKETS];
	struct exchange *exchanges;
};

uint64_t world_now_us(const struct world *w)
{
	return w->now_us;
}

/* --- the network ---------------------------------------------------------------------------- */

static uint64_t us(double ms)
{
	return (uint64_t)(ms * 1000);
}

static uint64_t lan_us(struct world *w, int client)
{
	double ms = chance_between(&w->chance, 0.2, 1) * w->clients[client].lan_ms;

	if (chance_is(&w->chance, w->climate.spikes))
		ms += chance_between(&w->chance, 10, 80);
	return us(ms);
}

static uint64_t wan_us(struct world *w)
{
	double jitter = chance_exponential(&w->chance, w->climate.jitter_ms);

	if (w->climate.heavy_tail && chance_is(&w->chance, 0.02))
		jitter *= 8;
	return us(w->climate.wan_ms + jitter);
}

static void later(struct world *w, uint64_t after_us, int what, int a, int b, int c, void *thing,
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

/* --- SAs ---------------------------------------------------------------------------------------
 */

static uint32_t spi_draw(struct world *w)
{
	return 256 + (uint32_t)(chance_u64(&w->chance) >> 33);
}

static struct sa *sa_new(struct world *w, int client, int tunnel, bool rekey, bool by_server)
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
	if (client != sa->client) {
		sa->mispaired = true;
		sa->believed_wrong |= certainty >= BELIEVED;
		sa->settled_wrong |= certainty == SETTLED;
	} else if (!sa->bound_us && sa->first_us) {
		sa->bound_us = w->now_us;
	}
}

static struct tunnel *tunnel_of(struct world *w, const struct sa *sa)
{
	return &w->clients[sa->client].tunnels[sa->tunnel];
}

/* --- IKE messages -------------------------------------------------------------------------------
 */

/* Steps of an exchange: 0 request, 1 answer, 2 third message of Quick Mode. */
static bool step_is_from_server(const struct exchange *x, int step)
{
	return x->by_server ^ (step == 1);
}

static void message_send(struct world *w, struct exchange *x, int step)
{
	int pieces = x->purpose == AUTH && w->clients[x->client].fragments ? 3 : 1;

	for (int piece = 0; piece < pieces; piece++) {
		bool from_server = step_is_from_server(x, step);
		uint64_t way = from_server ? wan_us(w) : lan_us(w, x->client);
		double loss = from_server ? w->climate.loss : w->climate.lan_loss;

		if (!chance_is(&w->chance, loss))
			later(w, way, IKE_AT_GATEWAY, step, from_server, pieces - 1 - piece, x, 0);
	}
}

static uint8_t exchange_type(const struct world *w, const struct exchange *x)
{
	static const uint8_t types[] = {34, 35, 36, 32, 37, 36, 37},
			     types1[] = {2, 2, 32, 32, 5, 2, 5};

	return w->climate.version1 ? types1[x->purpose] : types[x->purpose];
}

static struct esp_ike_header header_of(const struct world *w, const struct exchange *x, int step)
{
	bool v1 = w->climate.version1, clear = x->purpose == DIAL;
	const struct client *c = &w->clients[x->client];

	return (struct esp_ike_header){
		.spi_initiator = x->spi_initiator,
		.spi_responder = clear && step == 0 ? 0 : x->spi_responder,
		.version = v1 ? 0x10 : 0x20,
		.exchange = exchange_type(w, x),
		.next_payload = v1 || clear			     ? 1
				: c->fragments && x->purpose == AUTH ? 53
								     : 46,
		.flags = v1 ? !clear
			    : (step == 1 ? 0x20 : 0) | (x->by_server ^ (step == 1) ? 0 : 0x08),
		.message_id = x->message_id,
		.length = 200,
		.floated = c->natt && !clear,
	};
}

static void message_at_gateway(struct world *w, const struct event *e)
{
	struct exchange *x = e->thing;
	struct esp_ike_header h = header_of(w, x, e->a);
	uint64_t way = e->b ? lan_us(w, x->client) : wan_us(w);
	double loss = e->b ? w->climate.lan_loss : w->climate.loss;

	w->algorithm->ike(w->gateway, x->client, &h, e->b ? ESP_INBOUND : ESP_OUTBOUND);
	if (!chance_is(&w->chance, loss))
		later(w, way, IKE_AT_RECEIVER, e->a, e->b, e->c, x, 0);
}

static struct exchange *exchange_new(struct world *w, enum purpose purpose, int client, int tunnel,
				     struct sa *sa, bool by_server)
{
	struct exchange *x = calloc(1, sizeof(*x));
	struct client *c = &w->clients[client];

	if (!x)
		abort();
	*x = (struct exchange){.purpose = purpose,
			       .client = client,
			       .tunnel = tunnel,
			       .sa = sa,
			       .by_server = by_server,
			       .spi_initiator = c->spi_initiator,
			       .spi_responder = c->spi_responder,
			       .next = w->exchanges};
	x->message_id = purpose == QUICK ? (uint32_t)chance_u64(&w->chance)
			: by_server	 ? c->served++
					 : c->asked++;
	w->exchanges = x;
	later(w, 0, IKE_SEND, 0, 0, 0, x, 0);
	later(w, us(500), IKE_REPEAT, 0, 0, 0, x, 0);
	return x;
}

static void exchange_repeat(struct world *w, struct exchange *x)
{
	if (x->done || x->tries++ > 6)
		return;
	message_send(w, x, 0);
	later(w, us(500 << x->tries), IKE_REPEAT, 0, 0, 0, x, 0);
}

/* --- what an exchange does
 * ------------------------------------------------------------------------ */

static void rekey_plan(struct world *w, struct sa *sa)
{
	const struct climate *c = &w->climate;
	double spread = chance_between(&w->chance, -c->rekey_spread, c->rekey_spread);

	later(w, us(c->rekey_s * (1 + spread) * 1000), REKEY, sa->client, sa->tunnel, 0, sa, 0);
}

static enum purpose child_purpose(const struct world *w)
{
	return w->climate.version1 ? QUICK : CHILD;
}

static void server_up(struct world *w, struct exchange *x)
{
	struct tunnel *t = tunnel_of(w, x->sa);
	bool must_wait = t->server_sends && x->purpose == CHILD && !x->by_server &&
			 !chance_is(&w->chance, w->climate.eager);

	x->sa->server_up = true;
	if (must_wait)
		t->server_waits = x->sa;
	else
		t->server_sends = x->sa;
}

static void client_up(struct world *w, struct exchange *x)
{
	struct tunnel *t = tunnel_of(w, x->sa);
	bool must_wait = t->client_sends && x->purpose == CHILD && x->by_server &&
			 !w->clients[x->client].eager;

	x->sa->client_up = true;
	if (must_wait)
		t->client_waits = x->sa;
	else
		t->client_sends = x->sa;
}

static void child_done(struct world *w, struct exchange *x)
{
	rekey_plan(w, x->sa);
	if (x->old)
		later(w, us(chance_exponential(&w->chance, 100)), LET_GO, x->client, x->tunnel,
		      x->by_server, x->old, 0);
}

static void auth_done(struct world *w, struct exchange *x)
{
	child_done(w, x);
	for (unsigned i = 1; i < w->climate.tunnels; i++)
		exchange_new(w, child_purpose(w), x->client, i,
			     sa_new(w, x->client, i, false, false), false);
}

/* IKEv1: the first Quick Mode takes the place of IKE_AUTH's child. */
static void dial_done(struct world *w, struct exchange *x)
{
	struct sa *sa = sa_new(w, x->client, 0, false, false);

	if (w->climate.version1) {
		for (unsigned i = 0; i < w->climate.tunnels; i++)
			exchange_new(w, QUICK, x->client, i,
				     i ? sa_new(w, x->client, i, false, false) : sa, false);
		return;
	}
	exchange_new(w, AUTH, x->client, 0, sa, false);
}

static void deleted(struct world *w, struct exchange *x)
{
	struct tunnel *t = tunnel_of(w, x->old);

	x->old->client_up = x->old->server_up = false;
	if (t->server_waits)
		t->server_sends = t->server_waits;
	if (t->client_waits)
		t->client_sends = t->client_waits;
	t->server_waits = t->client_waits = NULL;
}

/* Quick Mode's initiator is ready at the answer, its responder at the third message. */
static void responder_acts(struct world *w, struct exchange *x)
{
	if (x->purpose == DELETE)
		deleted(w, x);
	if (x->purpose == QUICK)
		*(x->by_server ? &x->sa->client_up : &x->sa->server_up) = true;
	else if (x->sa)
		(x->by_server ? client_up : server_up)(w, x);
}

static void initiator_acts(struct world *w, struct exchange *x)
{
	struct client *c = &w->clients[x->client];

	if (x->sa)
		(x->by_server ? server_up : client_up)(w, x);
	if (x->purpose == DIAL)
		dial_done(w, x);
	else if (x->purpose == AUTH)
		auth_done(w, x);
	else if (x->sa)
		child_done(w, x);
	if (x->purpose == REKEY_IKE) {
		c->spi_initiator = chance_u64(&w->chance);
		c->spi_responder = chance_u64(&w->chance);
		c->asked = c->served = 0;
	}
}

static void request_received(struct world *w, struct exchange *x)
{
	double computing = x->by_server ? chance_exponential(&w->chance, 2)
					: chance_exponential(&w->chance, w->climate.server_ms);

	if (x->answered)
		message_send(w, x, 1);
	else
		later(w, us(computing), IKE_SEND, 1, 0, 0, x, 0);
}

static void message_received(struct world *w, const struct event *e)
{
	struct exchange *x = e->thing;

	if (e->c)
		return; /* not the last piece */
	if (e->a == 0) {
		request_received(w, x);
	} else if (e->a == 1) {
		if (x->purpose == QUICK)
			message_send(w, x, 2);
		if (!x->done)
			initiator_acts(w, x);
		x->done = true;
	} else if (!x->confirmed) {
		x->confirmed = true;
		(x->by_server ? client_up : server_up)(w, x);
	}
}

static void message_due(struct world *w, const struct event *e)
{
	struct exchange *x = e->thing;

	message_send(w, x, e->a);
	if (e->a == 1 && !x->answered) {
		x->answered = true;
		responder_acts(w, x);
	}
}

/* --- ESP
 * ------------------------------------------------------------------------------------------ */

static void client_says(struct world *w, int client, int tunnel)
{
	struct sa *sa = w->clients[client].tunnels[tunnel].client_sends;

	if (sa && !chance_is(&w->chance, w->climate.lan_loss))
		later(w, lan_us(w, client), ESP_AT_GATEWAY, 0, false, 0, sa, ++sa->sequence_out);
}

static void server_says(struct world *w, int client, int tunnel)
{
	struct sa *sa = w->clients[client].tunnels[tunnel].server_sends;

	if (!sa)
		return;
	sa->sequence_in++;
	if (!chance_is(&w->chance, w->climate.loss))
		later(w, wan_us(w), ESP_AT_GATEWAY, 0, true, 0, sa, sa->sequence_in);
}

static void outbound_at_gateway(struct world *w, struct sa *sa, uint32_t sequence)
{
	if (w->clients[sa->client].natt)
		return; /* in UDP: a flow like any other */
	if (!sa->out_armed && !w->algorithm->outbound(w->gateway, sa, sequence))
		return;
	sa->out_packets++;
	sa->out_seen_us = w->now_us;
	if (!chance_is(&w->chance, w->climate.loss))
		later(w, wan_us(w), ESP_AT_SERVER, 0, 0, 0, sa, sequence);
}

static unsigned inbound_goes_to(struct world *w, struct sa *sa, uint32_t sequence, int *clients)
{
	if (sa->bound == NOBODY)
		return w->algorithm->inbound(w->gateway, sa, sequence, clients);
	clients[0] = sa->bound;
	return 1;
}

static void arrived(struct world *w, struct sa *sa, const int *clients, unsigned count)
{
	bool right = false;

	for (unsigned i = 0; i < count; i++)
		right |= clients[i] == sa->client;
	sa->arrived++;
	sa->right += right;
	sa->lost += !right;
	sa->mispaired |= count == 1 && !right;
	if (count > 1) {
		sa->copied++;
		sa->copies += count;
	}
	if (right && !sa->right_us)
		sa->right_us = w->now_us;
	if (right && !chance_is(&w->chance, w->climate.lan_loss))
		later(w, lan_us(w, sa->client), ESP_AT_CLIENT, 0, 0, 0, sa, 0);
}

static void inbound_at_gateway(struct world *w, struct sa *sa, uint32_t sequence)
{
	int clients[ESP_CANDIDATES];

	if (w->clients[sa->client].natt)
		return;
	if (!sa->first_us)
		sa->first_us = w->now_us;
	unsigned count = inbound_goes_to(w, sa, sequence, clients);
	sa->in_packets++;
	sa->in_seen_us = w->now_us;
	arrived(w, sa, clients, count);
}

static double server_answers(const struct tunnel *t)
{
	static const double often[PATTERNS] = {0.7, 0.1, 0, 0.2, 0, 0.9, 0};

	return often[t->pattern];
}

static double client_answers(const struct tunnel *t)
{
	static const double often[PATTERNS] = {0.5, 0.5, 0, 0.5, 0, 0.3, 0.95};

	return often[t->pattern];
}

static void esp_at_server(struct world *w, struct sa *sa)
{
	struct tunnel *t = tunnel_of(w, sa);

	if (!sa->server_up)
		return;
	if (t->server_waits == sa && !w->server_on_delete) {
		t->server_sends = sa;
		t->server_waits = NULL;
	}
	if (chance_is(&w->chance, server_answers(t)))
		later(w, us(chance_exponential(&w->chance, 8)), SAY, sa->client, sa->tunnel, true,
		      NULL, 0);
}

static void esp_at_client(struct world *w, struct sa *sa)
{
	struct tunnel *t = tunnel_of(w, sa);

	if (!sa->client_up)
		return;
	if (t->client_waits == sa && !w->clients[sa->client].on_delete) {
		t->client_sends = sa;
		t->client_waits = NULL;
	}
	if (chance_is(&w->chance, client_answers(t)))
		later(w, us(chance_exponential(&w->chance, 1)), SAY, sa->client, sa->tunnel, false,
		      NULL, 0);
}

/* --- traffic
 * ---------------------------------------------------------------------------------------- */

/* How often each side speaks by itself, packets a second; 0: never. */
static double rate_of(const struct tunnel *t, bool server)
{
	switch (t->pattern) {
	case BUSY:
		return t->rate;
	case BULK:
		return server ? t->rate / 30 : 0.2;
	case CLIENT_ONLY:
		return server ? 0 : t->rate;
	case SERVER_PUSH:
		return server ? t->rate : 0.1;
	case SERVER_ONLY:
		return server ? t->rate : 0;
	case IDLE:
		return 0.05;
	default:
		return 0;
	}
}

static void talk(struct world *w, const struct event *e)
{
	struct tunnel *t = &w->clients[e->a].tunnels[e->b];
	double rate = rate_of(t, e->c);
	int packets = t->pattern == BULK && e->c ? 30 : 1;

	if (!rate)
		return;
	for (int i = 0; i < packets; i++)
		later(w, us(i * 1.5), SAY, e->a, e->b, e->c, NULL, 0);
	later(w, us(chance_exponential(&w->chance, 1000 / rate)), TALK, e->a, e->b, e->c, NULL, 0);
}

static void ping_all(struct world *w)
{
	for (unsigned i = 0; i < w->climate.clients; i++)
		for (unsigned j = 0; j < w->climate.tunnels; j++)
			if (w->clients[i].tunnels[j].pattern == MONITORED)
				server_says(w, i, j);
	later(w, us(1000), PING_ALL, 0, 0, 0, NULL, 0);
}

/* --- rekeys and noise
 * --------------------------------------------------------------------------------- */

static void rekey(struct world *w, const struct event *e)
{
	struct sa *old = e->thing;
	struct tunnel *t = tunnel_of(w, old);
	bool by_server = chance_is(&w->chance, w->climate.by_server);

	if ((t->client_sends != old && t->client_waits != old) || !old->server_up)
		return; /* replaced meanwhile */
	if (chance_is(&w->chance, w->climate.ike_rekeys) && !w->climate.version1)
		exchange_new(w, REKEY_IKE, e->a, 0, NULL, false);
	exchange_new(w, child_purpose(w), e->a, e->b, sa_new(w, e->a, e->b, true, by_server),
		     by_server)
		->old = old;
}

static void let_go(struct world *w, const struct event *e)
{
	exchange_new(w, DELETE, e->a, e->b, NULL, e->c)->old = e->thing;
}

static void noise(struct world *w, int client)
{
	exchange_new(w, ALIVE, client, 0, NULL, chance_is(&w->chance, 0.3));
	later(w, us(chance_exponential(&w->chance, 15000)), NOISE, client, 0, 0, NULL, 0);
}

static void dial(struct world *w, int client)
{
	struct client *c = &w->clients[client];

	c->spi_initiator = chance_u64(&w->chance);
	c->spi_responder = chance_u64(&w->chance);
	c->asked = c->served = 0;
	exchange_new(w, DIAL, client, 0, NULL, false);
}

/* --- the loop
 * ------------------------------------------------------------------------------------------- */

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

/* --- beginning and end
 * ------------------------------------------------------------------------------------ */

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
	c->lan_ms = chance_log_between(&w->chance, 0.5, 5);
	for (unsigned j = 0; j < climate->tunnels; j++) {
		c->tunnels[j].pattern = pattern_draw(w);
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
		if (!w->clients[w->sas[i]->client].natt)
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
