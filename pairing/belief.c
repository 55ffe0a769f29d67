/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation. For an arrival u and an SA c the weight is
 *
 *   w(u, c) = age(sequence) * time(c, u.first) * exp(took over + reacted + answered)
 *
 * a density per millisecond: how probable is it that c's first packet comes just
 * then and so. Weights are then balanced by rows and columns (Sinkhorn), because
 * each arrival has one owner and each SA one inbound SPI: that is elimination.
 * Every likelihood ratio has a floor: a quiet tunnel answers nothing, and silence
 * must not make its neighbour the owner.
 */
#include "pairing/belief.h"

#include <math.h>
#include <string.h>

#include "pairing/watch.h"

#define ARRIVAL_LIVES_MS 10000
#define ROUNDS		 8

/* --- sequence numbers: is the SA new? (RFC 4303 section 3.3.3) ------------------------------ */

#define FRESH_SEQUENCE 32

/* Of an SA that began a moment ago the first packet seen is one of the first. */
static double sequence_is_of_fresh(uint32_t sequence)
{
	return sequence <= FRESH_SEQUENCE ? 1 : pow(FRESH_SEQUENCE / (double)sequence, 1.5);
}

/* Of one that is old, any. */
static double sequence_is_of_old(uint32_t sequence)
{
	return sequence > 1000 ? 1 : sequence / 1e4 + 1e-4;
}

static double sequence_fits(const struct arrival *u, const struct child *c)
{
	if (!c || c->origin == ORIGIN_RESUMED)
		return sequence_is_of_old(u->first_sequence);
	if (c->origin == ORIGIN_SAVED)
		return 0.5 * sequence_is_of_fresh(u->first_sequence) +
		       0.5 * sequence_is_of_old(u->first_sequence);
	return sequence_is_of_fresh(u->first_sequence);
}

/* --- time: since when may the server send on it? --------------------------------------------- */

#define UNDECIDED_MS 30.0 /* what jitter, hosts and servers take */
#define NOT_YET	     0.02
#define IMPOSSIBLE   1e-4

/* The earliest time, and how probable it is that the server sends on it at all yet. */
struct start {
	double ms, factor;
};

static struct start start_of_auth(const struct child *c, double rtt)
{
	if (c->answered_ms)
		return (struct start){c->answered_ms, 1};
	return (struct start){c->asked_ms + rtt,
			      NOT_YET}; /* its answer was lost, or was overtaken */
}

/* RFC 7296 section 2.8: who answered a rekey waits until it hears the new SA. */
static struct start start_of_create(const struct child *c, double rtt)
{
	if (c->by_server)
		return c->answered_ms ? (struct start){c->answered_ms + rtt, 1}
				      : (struct start){c->asked_ms, IMPOSSIBLE};
	if (c->out_first_ms)
		return (struct start){c->out_first_ms + rtt, 1};
	if (c->answered_ms)
		return (struct start){c->answered_ms, NOT_YET};
	return (struct start){c->asked_ms + rtt, NOT_YET * NOT_YET};
}

static struct start start_of_quick(const struct child *c, double rtt)
{
	if (!c->answered_ms)
		return (struct start){c->asked_ms, IMPOSSIBLE};
	if (c->by_server)
		return (struct start){c->answered_ms + rtt, 1};
	if (c->confirmed_ms)
		return (struct start){c->confirmed_ms + rtt, 1};
	return (struct start){c->answered_ms + rtt, NOT_YET};
}

static struct start start_of(const struct child *c)
{
	double rtt = c->peer->server->rtt_ms * 0.5; /* measured with the server's computing in it */

	switch (c->origin) {
	case ORIGIN_AUTH:
		return start_of_auth(c, rtt);
	case ORIGIN_CREATE:
		return start_of_create(c, rtt);
	case ORIGIN_QUICK:
		return start_of_quick(c, rtt);
	case ORIGIN_SPOKE:
		return (struct start){c->out_first_ms + rtt, 0.02};
	case ORIGIN_RESUMED:
	case ORIGIN_SAVED:
		break;
	}
	return (struct start){c->pair.made_ms, 1};
}

static double too_early(double early_ms)
{
	if (early_ms < 5)
		return 0.3;
	return early_ms < 50 ? NOT_YET : IMPOSSIBLE;
}

/* Soon is likelier than late, but late has no end: an SA may be idle for hours. */
static double time_fits(const struct arrival *u, const struct child *c)
{
	struct start start = start_of(c);
	double age = u->first_ms - start.ms;

	if (age < 0)
		return start.factor * too_early(-age) / UNDECIDED_MS;
	return start.factor / (age + UNDECIDED_MS);
}

/* --- which SPI fell silent when this one began? ------------------------------------------------
 */

#define REORDERED_MS 50
#define TAKEN_FOR    5.0 /* nats, at most */
#define STILL_ON_OLD -6.0

/* The server moves a whole SA at once: one that goes on is not the one that was replaced. */
static double predecessor_says(const struct arrival *u, const struct child *old, uint64_t now_ms)
{
	if (old->pair.in_seen_ms > u->first_ms + REORDERED_MS)
		return STILL_ON_OLD;
	double silent_s = (double)(now_ms - old->pair.in_seen_ms) / 1000;
	double nats = old->in_a_second * silent_s * 0.5; /* traffic comes in bursts */
	return nats > TAKEN_FOR ? TAKEN_FOR : nats;
}

static bool is_predecessor(const struct child *old, const struct child *c, const struct arrival *u)
{
	return old != c && !child_is_open(old) && old->pair.made_ms < c->pair.made_ms &&
	       old->in_a_second > 0.5 && old->pair.in_seen_ms + 3000 > u->first_ms;
}

double belief_took_over(struct esp_pairing *p, const struct arrival *u, struct child *c,
			uint64_t now_ms)
{
	double best = -1000;
	struct child *old;

	if (!c || (c->origin != ORIGIN_CREATE && c->origin != ORIGIN_QUICK))
		return 0;
	LIST_FOREACH(old, &c->peer->children, of_peer)
	{
		if (!is_predecessor(old, c, u))
			continue;
		child_read(p, old, now_ms);
		double says = predecessor_says(u, old, now_ms);
		best = says > best ? says : best;
	}
	return best == -1000 ? 0 : best;
}

/* --- what did it do when it was given a copy?
 * ------------------------------------------------------ */

#define REACTS_MS 40
#define ONE_WAY	  0.3 /* how often traffic is such that nothing is answered */

static const struct suspect *suspect_of(const struct arrival *u, const struct peer *peer)
{
	for (unsigned i = 0; i < u->suspect_count; i++)
		if (u->suspects[i].peer == peer)
			return &u->suspects[i];
	return NULL;
}

/* A host that begins new SPIs all the time proves nothing by doing so once more. */
double belief_reacted(const struct arrival *u, const struct child *c)
{
	const struct suspect *s = c ? suspect_of(u, c->peer) : NULL;

	if (!s || !s->copies || (c->out_first_ms && c->out_first_ms < s->first_copy_ms))
		return 0;
	if (!c->out_first_ms)
		return s->copies > 3 ? -0.7 : 0;
	double after_ms = c->out_first_ms - s->first_copy_ms;
	double window_s = (after_ms < REACTS_MS ? REACTS_MS : after_ms) / 1000;
	double chance = 1 - exp(-(c->peer->new_spi_a_second + 1) * window_s);
	double nats = log(0.6 / chance);
	return nats > 0 ? nats : 0;
}

double belief_answered(const struct arrival *u, const struct peer *peer)
{
	const struct suspect *s = suspect_of(u, peer);

	return s ? log((1 - ONE_WAY) * exp(s->replies) + ONE_WAY) : 0;
}

/* --- the matrix
 * --------------------------------------------------------------------------------------- */

static double weight(struct esp_pairing *p, const struct arrival *u, const struct column *column,
		     uint64_t now_ms)
{
	struct child *c = column->child;
	double w = sequence_fits(u, c);

	if (c)
		w *= time_fits(u, c);
	else
		w *= 1e-6; /* an SA that we should know of, but do not */
	w *= exp(belief_took_over(p, u, c, now_ms) + belief_reacted(u, c) +
		 belief_answered(u, column->peer));
	return w;
}

static bool could_own(const struct child *child)
{
	return !child->pair.spi_in && (child->pair.spi_out || child->asked_ms ||
				       child->answered_ms || child->origin == ORIGIN_SAVED);
}

static void add_column(struct belief *b, struct peer *peer, struct child *child)
{
	if (b->columns < COLUMNS)
		b->column[b->columns++] = (struct column){.peer = peer, .child = child};
}

/* The child that an arrival is bound to provisionally stays among the possible ones. */
static void add_columns(struct belief *b, struct server *server)
{
	struct peer *peer;
	struct child *child;

	LIST_FOREACH(peer, &server->peers, of_server)
	LIST_FOREACH(child, &peer->children, of_peer)
	if (could_own(child) || child->pair.state == ESP_PROVISIONAL)
		add_column(b, peer, child);
	LIST_FOREACH(peer, &server->peers, of_server)
	if (!LIST_EMPTY(&peer->children))
		add_column(b, peer, NULL);
}

static void add_rows(struct belief *b, const struct server *server, uint64_t now_ms)
{
	struct arrival *arrival;

	LIST_FOREACH(arrival, &server->arrivals, entry)
	if (b->rows < ROWS && (arrival->bound || arrival->last_ms + ARRIVAL_LIVES_MS > now_ms))
		b->row[b->rows++] = arrival;
}

/* A pair whose SPI was never an arrival's (restored) is nobody else's. */
static bool is_taken(const struct belief *b, unsigned row, const struct column *column)
{
	const struct child *child = column->child;

	if (!child || child->pair.state != ESP_PROVISIONAL || b->row[row]->bound == child)
		return false;
	for (unsigned i = 0; i < b->rows; i++)
		if (b->row[i]->bound == child)
			return false;
	return true;
}

#define NOBODY_KNOWN 1e-9

static void fill(struct esp_pairing *p, struct belief *b, uint64_t now_ms)
{
	for (unsigned r = 0; r < b->rows; r++) {
		b->nobody[r] = NOBODY_KNOWN;
		for (unsigned c = 0; c < b->columns; c++)
			b->weight[r][c] = is_taken(b, r, &b->column[c])
						  ? 0
						  : weight(p, b->row[r], &b->column[c], now_ms);
	}
}

static void balance_rows(struct belief *b)
{
	for (unsigned r = 0; r < b->rows; r++) {
		double sum = b->nobody[r];

		for (unsigned c = 0; c < b->columns; c++)
			sum += b->weight[r][c];
		for (unsigned c = 0; c < b->columns; c++)
			b->weight[r][c] /= sum;
		b->nobody[r] /= sum;
	}
}

/* An SA owns one SPI at most; what a peer has beyond what we know has no bound. */
static void balance_columns(struct belief *b)
{
	for (unsigned c = 0; c < b->columns; c++) {
		double sum = 0;

		if (!b->column[c].child)
			continue;
		for (unsigned r = 0; r < b->rows; r++)
			sum += b->weight[r][c];
		for (unsigned r = 0; sum > 1 && r < b->rows; r++)
			b->weight[r][c] /= sum;
	}
}

void belief_weigh(struct esp_pairing *p, struct server *server, uint64_t now_ms)
{
	struct belief *b = &p->belief;

	b->rows = b->columns = 0;
	add_rows(b, server, now_ms);
	add_columns(b, server);
	fill(p, b, now_ms);
	balance_rows(b);
	memcpy(b->alone, b->weight, sizeof(b->alone));
	for (unsigned i = 0; i < ROUNDS && b->rows > 1; i++) {
		balance_columns(b);
		balance_rows(b);
	}
}

/* --- reading it
 * -------------------------------------------------------------------------------------------- */

static struct opinion *opinion_of(struct opinion *opinions, unsigned *count, unsigned limit,
				  struct peer *peer)
{
	for (unsigned i = 0; i < *count; i++)
		if (opinions[i].peer == peer)
			return &opinions[i];
	if (*count == limit)
		return NULL;
	opinions[*count] = (struct opinion){.peer = peer};
	return &opinions[(*count)++];
}

static void sort(struct opinion *opinions, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		struct opinion moving = opinions[i];
		unsigned j = i;

		for (; j && opinions[j - 1].probability < moving.probability; j--)
			opinions[j] = opinions[j - 1];
		opinions[j] = moving;
	}
}

unsigned belief_of(const struct esp_pairing *p, const struct arrival *arrival,
		   struct opinion *opinions, unsigned limit)
{
	const struct belief *b = &p->belief;
	struct opinion all[COLUMNS];
	double best[COLUMNS] = {0};
	unsigned count = 0, row = 0;

	while (row < b->rows && b->row[row] != arrival)
		row++;
	for (unsigned c = 0; row < b->rows && c < b->columns; c++) {
		struct opinion *o = opinion_of(all, &count, COLUMNS, b->column[c].peer);

		struct child *child = b->column[c].child;

		o->probability += b->weight[row][c];
		o->alone += b->alone[row][c];
		o->unknown += child ? 0 : b->weight[row][c];
		if (child && child_is_open(child) && b->weight[row][c] > best[o - all]) {
			best[o - all] = b->weight[row][c];
			o->child = child;
		}
	}
	sort(all, count);
	count = count < limit ? count : limit;
	memcpy(opinions, all, count * sizeof(*opinions));
	return count;
}
