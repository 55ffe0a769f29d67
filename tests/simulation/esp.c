/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of ESP on their way, and who speaks when. */
#include "tests/simulation/parts.h"

/* --- ESP ---------------------------------------------------------------------------- */

void client_says(struct world *w, int client, int tunnel)
{
	struct sa *sa = w->clients[client].tunnels[tunnel].client_sends;

	if (sa && !chance_is(&w->chance, w->climate.lan_loss))
		later(w, lan_us(w, client), ESP_AT_GATEWAY, 0, false, 0, sa, ++sa->sequence_out);
}

void server_says(struct world *w, int client, int tunnel)
{
	struct sa *sa = w->clients[client].tunnels[tunnel].server_sends;

	if (!sa)
		return;
	sa->sequence_in++;
	if (!chance_is(&w->chance, w->climate.loss))
		later(w, wan_us(w), ESP_AT_GATEWAY, 0, true, 0, sa, sa->sequence_in);
}

void outbound_at_gateway(struct world *w, struct sa *sa, uint32_t sequence)
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

	attacker_given(w, sa, clients, count);
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

void inbound_at_gateway(struct world *w, struct sa *sa, uint32_t sequence)
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

void esp_at_server(struct world *w, struct sa *sa)
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

void esp_at_client(struct world *w, struct sa *sa)
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

/* --- traffic ------------------------------------------------------------------------ */

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

void talk(struct world *w, const struct event *e)
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

void ping_all(struct world *w)
{
	for (unsigned i = 0; i < w->climate.clients; i++)
		for (unsigned j = 0; j < w->climate.tunnels; j++)
			if (w->clients[i].tunnels[j].pattern == MONITORED)
				server_says(w, i, j);
	later(w, us(1000), PING_ALL, 0, 0, 0, NULL, 0);
}
