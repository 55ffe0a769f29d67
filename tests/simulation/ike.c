/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exchanges of IKE: messages on their way, and what the peers do at each. */
#include <stdlib.h>

#include "tests/simulation/parts.h"

/* --- IKE messages ------------------------------------------------------------------- */

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

void message_at_gateway(struct world *w, const struct event *e)
{
	struct exchange *x = e->thing;
	struct esp_ike_header h = header_of(w, x, e->a);
	uint64_t way = e->b ? lan_us(w, x->client) : wan_us(w);
	double loss = e->b ? w->climate.lan_loss : w->climate.loss;

	w->algorithm->ike(w->gateway, x->client, &h, e->b ? ESP_INBOUND : ESP_OUTBOUND);
	if (!chance_is(&w->chance, loss))
		later(w, way, IKE_AT_RECEIVER, e->a, e->b, e->c, x, 0);
}

struct exchange *exchange_new(struct world *w, enum purpose purpose, int client, int tunnel,
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

void exchange_repeat(struct world *w, struct exchange *x)
{
	if (x->done || x->tries++ > 6)
		return;
	message_send(w, x, 0);
	later(w, us(500 << x->tries), IKE_REPEAT, 0, 0, 0, x, 0);
}

/* --- what an exchange does ---------------------------------------------------------- */

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
	if (attacker_is(w, x->client))
		return; /* it has the next one soon */
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
	if (!attacker_is(w, x->client))
		attacker_races(w, CHILD);
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

void message_received(struct world *w, const struct event *e)
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

void message_due(struct world *w, const struct event *e)
{
	struct exchange *x = e->thing;

	message_send(w, x, e->a);
	if (e->a == 1 && !x->answered) {
		x->answered = true;
		responder_acts(w, x);
	}
}

/* --- rekeys and noise --------------------------------------------------------------- */

void rekey(struct world *w, const struct event *e)
{
	struct sa *old = e->thing;
	struct tunnel *t = tunnel_of(w, old);
	bool by_server = chance_is(&w->chance, w->climate.by_server);

	if ((t->client_sends != old && t->client_waits != old) || !old->server_up)
		return; /* replaced meanwhile */
	if (chance_is(&w->chance, w->climate.ike_rekeys) && !w->climate.version1)
		exchange_new(w, REKEY_IKE, e->a, 0, NULL, false);
	attacker_races(w, child_purpose(w));
	exchange_new(w, child_purpose(w), e->a, e->b, sa_new(w, e->a, e->b, true, by_server),
		     by_server)
		->old = old;
}

void let_go(struct world *w, const struct event *e)
{
	exchange_new(w, DELETE, e->a, e->b, NULL, e->c)->old = e->thing;
}

void noise(struct world *w, int client)
{
	exchange_new(w, ALIVE, client, 0, NULL, chance_is(&w->chance, 0.3));
	later(w, us(chance_exponential(&w->chance, 15000)), NOISE, client, 0, 0, NULL, 0);
}

void dial(struct world *w, int client)
{
	struct client *c = &w->clients[client];

	c->spi_initiator = chance_u64(&w->chance);
	c->spi_responder = chance_u64(&w->chance);
	c->asked = c->served = 0;
	exchange_new(w, DIAL, client, 0, NULL, false);
}
