/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of an inbound SPI:
 *
 *   unknown --- one host is all but certain ---> provisional --- confirmed ---> settled
 *      |  ^                                        |
 *      |  +---- the evidence has turned -----------+
 *      +------- several are possible: copies; what is too much to copy goes to the
 *               likeliest, and what is too much for that is bound to it for a while
 *
 * A copy to the wrong host is harmless, it has no key for it; a packet to the
 * wrong host alone is lost. So the bar for binding is high and that for copying
 * is low.
 */
#include "pairing/arrival.h"

#include "pairing/belief.h"
#include "pairing/likelihood.h"
#include "pairing/reply.h"
#include "pairing/watch.h"

#define BIND_BELOW	  5e-4 /* what all others together may have ... */
#define BIND_BELOW_EARLY  2e-6 /* ... while times alone speak: */
#define EARLY_COPIES	  4    /* fewer copies than these, */
#define BIND_BELOW_LATE	  3e-3 /* ... and when nobody else answers: */
#define LATE_COPIES	  32   /* after so many */
#define COPY_ABOVE	  1e-4 /* who gets a copy ... */
#define COPY_ABOVE_EARLY  1e-6 /* ... of the early ones */
#define DOUBT_BELOW	  0.05
#define LEAN_MS		  1000
#define LEANS_DOUBLED	  6
#define COPIES_AFTER_LEAN 8

static void decide(struct esp_decision *d, enum esp_verdict verdict, enum esp_reason reason)
{
	d->verdict = verdict;
	d->reason = reason;
	d->count = 0;
}

/* --- binding ----------------------------------------------------------------------------- */

static void note_why(const struct arrival *u, const struct opinion *best, unsigned count,
		     struct child *child)
{
	if (count == 1)
		child_note(child, ESP_EVIDENCE_only_candidate);
	else if (best->alone < 1 - BIND_BELOW)
		child_note(child, ESP_EVIDENCE_eliminated);
	else
		child_note(child, ESP_EVIDENCE_outweighed);
	if (likelihood_took_over(u, child))
		child_note(child, ESP_EVIDENCE_took_over);
	if (likelihood_reacted(u, child) > 0.5)
		child_note(child, ESP_EVIDENCE_reacted);
	if (likelihood_answered(u, best->peer) > 1)
		child_note(child, ESP_EVIDENCE_answered);
}

#define GOES_ON_PACKETS 4

/*
 * Anybody can forge a packet with a new SPI: an SA that nobody knows of is only
 * believed in when its packets go on and its host answers them.
 */
static bool goes_on(const struct arrival *u, const struct peer *peer)
{
	return u->packets >= GOES_ON_PACKETS && u->last_sequence > u->first_sequence &&
	       likelihood_answered(u, peer) > 0.5;
}

/* An SA that this arrival may have: an open one, or a new one where the belief is in none of them.
 */
static struct child *owner_of(struct esp_pairing *p, const struct arrival *u,
			      const struct opinion *best, uint64_t now_ms)
{
	enum esp_reason ignored;

	if (best->child)
		return best->child;
	if (best->unknown < best->probability / 2 || !goes_on(u, best->peer))
		return NULL;
	struct child *child = child_new(p, best->peer, ORIGIN_RESUMED, now_ms, &ignored);
	if (child)
		child_note(child, ESP_EVIDENCE_resumed);
	return child;
}

/* Without an event: false when there is no SA to give it to. */
static bool arrival_attach(struct esp_pairing *p, struct arrival *u, const struct opinion *best,
			   unsigned count, uint64_t now_ms)
{
	struct child *child = owner_of(p, u, best, now_ms);

	if (!child)
		return false;
	note_why(u, best, count, child);
	child_set_spi_in(p, child, u->spi);
	child->pair.state = ESP_PROVISIONAL;
	child->pair.bound_ms = now_ms;
	child->pair.in_packets = u->packets;
	child->pair.in_seen_ms = u->last_ms;
	child->pair.copied = u->copied;
	child->in_first_ms = u->first_ms;
	child->sampled_ms = now_ms;
	child->sampled_in = u->packets;
	u->bound = child;
	belief_stale(p);
	return true;
}

static bool arrival_bind(struct esp_pairing *p, struct arrival *u, const struct opinion *best,
			 unsigned count, uint64_t now_ms)
{
	if (!arrival_attach(p, u, best, count, now_ms))
		return false;
	say_bound(p, u->bound);
	return true;
}

/* Without an event: gives the inbound half of what it was bound to. The outbound half stays. */
static struct esp_pair arrival_detach(struct esp_pairing *p, struct arrival *u)
{
	struct child *child = u->bound;
	struct esp_pair half = child->pair;

	half.spi_out = 0;
	child_set_spi_in(p, child, 0);
	child->pair.state = ESP_OPEN;
	child->pair.evidence &= ~(1u << ESP_EVIDENCE_leaning);
	child_note(child, ESP_EVIDENCE_doubted);
	u->bound = NULL;
	belief_stale(p);
	return half;
}

/* The packets have to come here again. */
static void arrival_release(struct esp_pairing *p, struct arrival *u)
{
	struct esp_pair half = arrival_detach(p, u);

	if (u->tokens < COPIES_AFTER_LEAN)
		u->tokens = COPIES_AFTER_LEAN;
	if (p->events.ended)
		p->events.ended(p->events.context, &half, ESP_DOUBTED);
}

static void arrival_rebind(struct esp_pairing *p, struct arrival *u, const struct opinion *best,
			   unsigned count, uint64_t now_ms)
{
	struct esp_pair half = arrival_detach(p, u);

	if (!arrival_attach(p, u, best, count, now_ms)) {
		if (p->events.ended)
			p->events.ended(p->events.context, &half, ESP_DOUBTED);
	} else if (p->events.rebound) {
		p->events.rebound(p->events.context, &u->bound->pair, half.inside);
	}
}

static bool is_leaning(const struct arrival *u)
{
	return u->bound && child_has(u->bound, ESP_EVIDENCE_leaning);
}

static bool arrival_lean(struct esp_pairing *p, struct arrival *u, const struct opinion *opinions,
			 unsigned count, uint64_t now_ms)
{
	unsigned i = 0, doublings = u->leans < LEANS_DOUBLED ? u->leans : LEANS_DOUBLED;

	while (i < count && !arrival_attach(p, u, &opinions[i], count, now_ms))
		i++;
	if (i == count)
		return false;
	child_note(u->bound, ESP_EVIDENCE_leaning);
	u->lean_until_ms = now_ms + ((uint64_t)LEAN_MS << doublings);
	u->leans++;
	say_bound(p, u->bound);
	return true;
}

/* --- copying ----------------------------------------------------------------------------- */

static bool may_take(double *tokens, uint64_t *since_ms, double most, double a_second,
		     uint64_t now_ms)
{
	*tokens += (double)(now_ms - *since_ms) / 1000 * a_second;
	*since_ms = now_ms;
	if (*tokens > most)
		*tokens = most;
	return *tokens >= 1;
}

/* Within what one SPI may have, and what all of the server's may. */
static bool take_token(struct esp_pairing *p, struct arrival *u, uint64_t now_ms)
{
	const struct esp_options *o = &p->options;
	struct server *server = u->server;

	if (!may_take(&u->tokens, &u->tokens_ms, o->copies_a_spi, o->copies_a_spi_second, now_ms) ||
	    !may_take(&server->tokens, &server->tokens_ms, o->copies_a_second, o->copies_a_second,
		      now_ms))
		return false;
	u->tokens--;
	server->tokens--;
	return true;
}

static void arrival_copy(struct esp_pairing *p, struct arrival *u, const struct opinion *opinions,
			 unsigned count, uint64_t now_ms, struct esp_decision *d)
{
	double least = u->copied < EARLY_COPIES ? COPY_ABOVE_EARLY : COPY_ABOVE;

	decide(d, ESP_COPY, ESP_KNOWN);
	for (unsigned i = 0; i < count; i++) {
		if (i && opinions[i].probability < least)
			break;
		d->inside[d->count++] = opinions[i].peer->host->address;
		reply_copied(p, u, opinions[i].peer, i == 0, now_ms);
	}
	if (!u->test_ms)
		u->test_ms = now_ms;
	u->copied++;
}

/* --- guessing ---------------------------------------------------------------------------- */

#define GUESSES	       100
#define GUESSES_SECOND 200

/* What is too much to copy goes to the likeliest host; what is too much for that is bound to it. */
static bool take_guess(struct arrival *u, uint64_t now_ms)
{
	if (!may_take(&u->guesses, &u->guesses_ms, GUESSES, GUESSES_SECOND, now_ms))
		return false;
	u->guesses--;
	return true;
}

static void arrival_guess(const struct opinion *best, struct esp_decision *d)
{
	decide(d, ESP_COPY, ESP_KNOWN);
	d->count = 1;
	d->inside[0] = best->peer->host->address;
}

/* --- the decision ------------------------------------------------------------------------ */

/* Times alone are believed in too much, what hosts answered is not: measured, see the docs. */
static double bind_below(const struct arrival *u)
{
	if (u->copied < EARLY_COPIES)
		return BIND_BELOW_EARLY;
	return u->copied < LATE_COPIES ? BIND_BELOW : BIND_BELOW_LATE;
}

static bool is_certain(const struct arrival *u, const struct opinion *best)
{
	return best->probability > 1 - bind_below(u);
}

static void bound_to(struct esp_decision *d, const struct arrival *u)
{
	decide(d, ESP_BIND, ESP_KNOWN);
	d->count = 1;
	d->inside[0] = u->bound->pair.inside;
}

static void arrival_decide(struct esp_pairing *p, struct arrival *u, uint64_t now_ms,
			   struct esp_decision *d)
{
	struct opinion opinions[ESP_CANDIDATES];
	unsigned count;

	belief_weigh(p, u->server, u, now_ms);
	count = belief_of(p, u, opinions, ESP_CANDIDATES);
	if (!count)
		decide(d, ESP_DROP, ESP_NOBODY);
	else if ((is_certain(u, &opinions[0]) || count == 1) &&
		 arrival_bind(p, u, &opinions[0], count, now_ms))
		bound_to(d, u);
	else if (take_token(p, u, now_ms))
		arrival_copy(p, u, opinions, count, now_ms, d);
	else if (take_guess(u, now_ms))
		arrival_guess(&opinions[0], d);
	else if (arrival_lean(p, u, opinions, count, now_ms))
		bound_to(d, u);
	else
		decide(d, ESP_DROP, ESP_RATE);
}

static bool somebody_could_own(const struct server *server)
{
	struct peer *peer;

	LIST_FOREACH(peer, &server->peers, of_server)
	if (!LIST_EMPTY(&peer->children))
		return true;
	return false;
}

static struct arrival *arrival_get(struct esp_pairing *p, struct server *server, uint32_t spi,
				   uint32_t sequence, uint64_t now_ms)
{
	struct arrival *u = arrival_find(server, spi);

	if (u || !(u = arrival_new(p, server, spi)))
		return u;
	u->first_ms = now_ms;
	u->first_sequence = sequence;
	u->tokens = p->options.copies_a_spi;
	u->tokens_ms = u->guesses_ms = now_ms;
	u->guesses = GUESSES;
	belief_stale(p);
	return u;
}

void arrival_came(struct esp_pairing *p, uint64_t now_ms, struct server *server, uint32_t spi,
		  uint32_t sequence, struct esp_decision *decision)
{
	struct arrival *u = NULL;

	if (somebody_could_own(server))
		u = arrival_get(p, server, spi, sequence, now_ms);
	if (!u) {
		decide(decision, ESP_DROP, somebody_could_own(server) ? ESP_FULL : ESP_NOBODY);
		return;
	}
	LIST_REMOVE(u, entry); /* those that speak are weighed first */
	LIST_INSERT_HEAD(&server->arrivals, u, entry);
	u->last_ms = now_ms;
	u->last_sequence = sequence;
	u->packets++;
	if (u->test_ms && now_ms >= u->test_ms + TEST_MS)
		reply_judge(p, u, now_ms);
	tick_soon(p, now_ms);
	arrival_decide(p, u, now_ms, decision);
}

/* --- looking again ----------------------------------------------------------------------- */

#define SETTLE_MS	2000
#define SETTLE_ALONE_MS 30000
#define SETTLE_MOST_MS	60000

/* Its host has an SPI of its own for it and both directions went on after it was bound. */
static bool goes_both_ways(const struct child *child)
{
	const struct esp_pair *pair = &child->pair;

	return pair->spi_out && pair->out_seen_ms > pair->bound_ms &&
	       pair->in_seen_ms > pair->bound_ms;
}

static bool is_confirmed(const struct child *child, uint64_t now_ms)
{
	uint64_t age = now_ms - child->pair.bound_ms;

	if (child_has(child, ESP_EVIDENCE_leaning))
		return false;
	if (age >= SETTLE_MS && goes_both_ways(child))
		return true;
	return age >=
	       (child_has(child, ESP_EVIDENCE_only_candidate) ? SETTLE_ALONE_MS : SETTLE_MOST_MS);
}

#define REKEYS_REMEMBERED 32 /* a server's habit may change: half of what is older counts */

/* RFC 7296 section 2.8: does the server wait for the first packet of the new SA? */
static void server_learn(struct server *server, const struct child *child)
{
	if (child->origin != ORIGIN_CREATE || child->by_server || !child->out_first_ms ||
	    !child->in_first_ms)
		return;
	if (server->rekeys >= REKEYS_REMEMBERED) {
		server->rekeys /= 2;
		server->eager /= 2;
	}
	server->rekeys++;
	server->eager += child->in_first_ms < child->out_first_ms + server->rtt_ms / 2;
}

static void child_settle(struct esp_pairing *p, struct child *child)
{
	server_learn(child->peer->server, child);
	if (goes_both_ways(child))
		child_note(child, ESP_EVIDENCE_both_ways);
	child->pair.state = ESP_SETTLED;
	say_bound(p, child);
}

void arrival_confirm(struct esp_pairing *p, struct child *child, uint64_t now_ms)
{
	const struct arrival *u = arrival_find(child->peer->server, child->pair.spi_in);

	if (child->pair.state == ESP_PROVISIONAL && !u && is_confirmed(child, now_ms))
		child_settle(p, child);
}

static void arrival_settle(struct esp_pairing *p, struct arrival *u)
{
	struct child *child = u->bound;

	arrival_free(p, u);
	child_settle(p, child);
}

static double still_believed(const struct arrival *u, const struct opinion *opinions,
			     unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (opinions[i].peer == u->bound->peer)
			return opinions[i].probability;
	return 0;
}

static void bound_review(struct esp_pairing *p, struct arrival *u, uint64_t now_ms)
{
	struct opinion opinions[ESP_CANDIDATES];
	unsigned count = belief_of(p, u, opinions, ESP_CANDIDATES);
	bool other = count && opinions[0].peer != u->bound->peer;

	if (!count)
		return; /* something ended meanwhile: next time */
	child_read(p, u->bound, now_ms);
	if (other && is_certain(u, &opinions[0]))
		arrival_rebind(p, u, &opinions[0], count, now_ms);
	else if (!other && is_certain(u, &opinions[0]))
		u->bound->pair.evidence &= ~(1u << ESP_EVIDENCE_leaning);
	else if (is_leaning(u) ? now_ms >= u->lean_until_ms
			       : still_believed(u, opinions, count) < DOUBT_BELOW)
		arrival_release(p, u);
	if (u->bound && is_confirmed(u->bound, now_ms))
		arrival_settle(p, u);
}

static void open_review(struct esp_pairing *p, struct arrival *u, uint64_t now_ms)
{
	struct opinion opinions[ESP_CANDIDATES];
	unsigned count = belief_of(p, u, opinions, ESP_CANDIDATES);

	if (count && is_certain(u, &opinions[0]))
		arrival_bind(p, u, &opinions[0], count, now_ms);
}

#define FORGET_MS 600000

bool arrivals_review(struct esp_pairing *p, struct server *server, uint64_t now_ms)
{
	struct arrival *u, *next;
	bool open = false;

	LIST_FOREACH(u, &server->arrivals, entry)
	if (u->test_ms && now_ms >= u->test_ms + TEST_MS)
		reply_judge(p, u, now_ms);
	belief_weigh(p, server, NULL, now_ms);
	for (u = LIST_FIRST(&server->arrivals); u; u = next) {
		next = LIST_NEXT(u, entry);
		if (u->bound)
			bound_review(p, u, now_ms);
		else if (now_ms > u->last_ms + FORGET_MS)
			arrival_free(p, u);
		else
			open_review(p, u, now_ms);
	}
	LIST_FOREACH(u, &server->arrivals, entry)
	open |= u->test_ms || (!u->bound && now_ms < u->last_ms + 200);
	return open;
}
