/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pairing/reply.h"

#include <math.h>

#include "pairing/belief.h"
#include "pairing/likelihood.h"
#include "pairing/watch.h"

#define CHANCE_AT_LEAST 0.1 /* hosts speak in bursts */

/* How often the owner does, where traffic goes both ways. Lower ones believe in chance: in hours
 * of tests a host whose rate is not known well seems to answer one in five. */
static const double reply_rates[REPLY_RATES] = {0.4, 0.6, 0.8};

#define USUAL_FROM  0.3 /* below it is what rates tell, with noise */
#define TESTS_DECAY 0.98
#define IN_STEP	    3 /* by so much less counts what one of several answered more than another */

static bool suspect_has_sent(struct esp_pairing *p, const struct suspect *s, uint64_t now_ms)
{
	return peer_out_packets(p, s->peer, now_ms) > s->packets;
}

/* Hosts that answer what is not their own would answer this too. */
static double peer_usual(const struct peer *peer)
{
	double usual = (peer->hits + CHANCE_AT_LEAST) / (peer->tests + 1);

	return usual > USUAL_FROM ? usual : 0;
}

/* What the peer does with packets that are likelier another's; the last fifty or so. */
static void peer_tested(struct peer *peer, bool hit)
{
	peer->hits = peer->hits * TESTS_DECAY + hit;
	peer->tests = peer->tests * TESTS_DECAY + 1;
}

/* @common: how many of the others sent something too, for whatever reason all of them have. */
static void suspect_judge(struct esp_pairing *p, struct suspect *s, double common, uint64_t now_ms)
{
	double window_s = (double)(now_ms - s->last_copy_ms) / 1000;
	double chance = 1 - exp(-peer_out_rate(p, s->peer, now_ms) * window_s);
	bool hit = suspect_has_sent(p, s, now_ms);

	if (chance < common)
		chance = common;
	if (chance < CHANCE_AT_LEAST)
		chance = CHANCE_AT_LEAST;
	if (chance < peer_usual(s->peer))
		chance = peer_usual(s->peer);
	if (!s->likeliest)
		peer_tested(s->peer, hit);
	for (unsigned i = 0; i < REPLY_RATES; i++) {
		double silent = 1 - reply_rates[i];

		s->replies[i] += log(hit ? (1 - silent * (1 - chance)) / chance : silent);
	}
}

/*
 * Where several answer, they are in step: pinged all at once, perhaps. Who of them
 * misses one says little, for the owner may miss it too.
 */
static void arrival_answered(struct arrival *u)
{
	double most = 0;

	for (unsigned i = 0; i < u->suspect_count; i++) {
		struct suspect *s = &u->suspects[i];

		s->answered = likelihood_replies(s->replies);
		if (s->answered > most)
			most = s->answered;
	}
	for (unsigned i = 0; i < u->suspect_count; i++) {
		struct suspect *s = &u->suspects[i];

		if (s->answered > 0)
			s->answered = most - (most - s->answered) / IN_STEP;
	}
}

void reply_judge(struct esp_pairing *p, struct arrival *u, uint64_t now_ms)
{
	double tested = 0, hits = 0;

	for (unsigned i = 0; i < u->suspect_count; i++) {
		if (u->suspects[i].last_copy_ms != u->test_ms)
			continue;
		tested++;
		hits += suspect_has_sent(p, &u->suspects[i], now_ms);
	}
	for (unsigned i = 0; i < u->suspect_count; i++) {
		struct suspect *s = &u->suspects[i];
		double others = hits - suspect_has_sent(p, s, now_ms);

		if (s->last_copy_ms == u->test_ms)
			suspect_judge(p, s, tested > 2 ? others / (tested - 1) : 0, now_ms);
	}
	arrival_answered(u);
	u->test_ms = 0;
	belief_stale(p);
}

/* The peer's entry, instead of the one that got fewest copies if there is no room. */
static struct suspect *suspect_get(struct arrival *u, struct peer *peer)
{
	struct suspect *least = &u->suspects[0];

	for (unsigned i = 0; i < u->suspect_count; i++) {
		if (u->suspects[i].peer == peer)
			return &u->suspects[i];
		if (u->suspects[i].last_copy_ms < least->last_copy_ms)
			least = &u->suspects[i];
	}
	if (u->suspect_count < ESP_CANDIDATES)
		least = &u->suspects[u->suspect_count++];
	*least = (struct suspect){.peer = peer};
	return least;
}

void reply_copied(struct esp_pairing *p, struct arrival *u, struct peer *peer, bool likeliest,
		  uint64_t now_ms)
{
	struct suspect *s = suspect_get(u, peer);

	if (!s->copies++)
		s->first_copy_ms = now_ms;
	if (u->test_ms && u->test_ms != now_ms)
		return; /* a test is under way */
	s->last_copy_ms = now_ms;
	s->likeliest = likeliest;
	s->packets = peer_out_packets(p, peer, now_ms);
}
