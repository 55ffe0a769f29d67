/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation. For an arrival u and an SA c the likelihood is
 *
 *   w(u, c) = sequence fits * when fits * still alive * exp(reacted + answered)
 *
 * a density per millisecond: how probable is it that c's first packet comes just
 * then and so. Every ratio in it has a floor: a quiet tunnel answers nothing, and
 * silence must not make its neighbour the owner.
 */
#include "pairing/likelihood.h"

#include <math.h>

/* --- sequence numbers: is the SA new? (RFC 4303 section 3.3.3) ------------------------------ */

#define FRESH_SEQUENCE 32

/* Of an SA that began a moment ago the first packet seen is one of the first. */
static double sequence_is_of_fresh(uint32_t sequence)
{
	double less = FRESH_SEQUENCE / (double)sequence;

	return sequence <= FRESH_SEQUENCE ? 1 : less * sqrt(less);
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

#define NOT_YET	   0.02
#define IMPOSSIBLE 1e-4

/* The earliest time, and how probable it is that the server sends on it at all yet. */
static struct start start_of_auth(const struct child *c, double rtt)
{
	if (c->answered_ms)
		return (struct start){c->answered_ms, 1};
	return (struct start){c->asked_ms + rtt, NOT_YET}; /* its answer was lost, or overtaken */
}

/* RFC 7296 section 2.8: who answered a rekey waits until it hears the new SA. */
static struct start start_of_create(const struct child *c, double rtt)
{
	if (c->by_server)
		return c->answered_ms ? (struct start){c->answered_ms + rtt, 1}
				      : (struct start){c->asked_ms, IMPOSSIBLE};
	if (c->out_first_ms)
		return (struct start){c->out_first_ms + rtt, 1};
	return (struct start){c->asked_ms + rtt, NOT_YET * NOT_YET};
}

#define EAGER_AT_FIRST 0.1

/* Some servers do not wait. Which ones is learned. */
static struct start start_if_eager(const struct child *c)
{
	const struct server *server = c->peer->server;
	double eager = (server->eager + EAGER_AT_FIRST) / (server->rekeys + 1);

	if (c->origin != ORIGIN_CREATE || c->by_server || !c->answered_ms)
		return (struct start){0, 0};
	return (struct start){c->answered_ms, fmax(eager, NOT_YET)};
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

#define LATELY_MS 100.0
#define ANSWER_MS 15.0

/* A density that falls with the square: half of it lies before `scale_ms`. */
static double soon(double after_ms, double scale_ms)
{
	double x = 1 + after_ms / scale_ms;

	return 1 / (scale_ms * x * x);
}

/* Soon is likelier than late, but late has no end: an SA may be idle for hours. */
static double time_fits(const struct arrival *u, const struct child *c, struct start start)
{
	double age = u->first_ms - start.ms;

	if (age < 0)
		return start.factor * too_early(-age) * soon(0, LATELY_MS);
	double fits = 0.9 * soon(age, LATELY_MS) + 0.03 / (age + 1000);
	/* What answers the host's first packet comes when it can. */
	if (c->out_first_ms) {
		double after =
			(double)u->first_ms - c->out_first_ms - 0.9 * c->peer->server->rtt_ms;

		fits = 0.6 * fits + (after < -2 ? 0 : 0.4 * soon(after < 0 ? 0 : after, ANSWER_MS));
	}
	return start.factor * fits;
}

/* --- which SPI fell silent when this one began? -------------------------------------------- */

#define REORDERED_MS	 20
#define ACTIVE_WITHIN_MS 3000
#define MOVES_WITHIN_MS	 3000

/* The server moves a whole SA at once. One that goes on is not the one that was replaced. */
static double predecessor_fits(const struct arrival *u, const struct child *old)
{
	double gap = (double)u->first_ms - old->pair.in_seen_ms;
	double every_ms = 1000 / old->in_a_second;

	if (gap < -REORDERED_MS) {
		double nats = (-gap - REORDERED_MS) / 8;

		return soon(0, every_ms) * exp(nats > 12 ? -12 : -nats);
	}
	return soon(gap < 0 ? 0 : gap, every_ms < 2 ? 2 : every_ms);
}

/* Who was busy long after the exchange was not replaced by it. */
static bool is_predecessor(const struct arrival *u, const struct child *old, const struct child *c,
			   struct start start)
{
	return old != c && !child_is_open(old) && old->pair.made_ms < c->pair.made_ms &&
	       old->pair.in_seen_ms < start.ms + MOVES_WITHIN_MS && old->in_a_second > 0.5 &&
	       old->pair.in_seen_ms + ACTIVE_WITHIN_MS > u->first_ms;
}

/* A density like time_fits(), or -1: none of the host's SAs was busy just before. */
static double took_over(const struct arrival *u, const struct child *c, struct start start)
{
	const struct child *old;
	double sum = 0;
	unsigned count = 0;

	if (c->origin != ORIGIN_CREATE && c->origin != ORIGIN_QUICK)
		return -1;
	LIST_FOREACH(old, &c->peer->children, of_peer)
	{
		if (is_predecessor(u, old, c, start)) {
			sum += predecessor_fits(u, old);
			count++;
		}
	}
	return count ? sum / count : -1;
}

bool likelihood_took_over(const struct arrival *u, struct child *c)
{
	struct start start = start_of(c);

	return took_over(u, c, start) > 2 * time_fits(u, c, start);
}

/* Where no rekey goes on, an SA may still begin beside a busy one: an additional child. */
#define BESIDE_BUSY 1e-3
#define NOT_BESIDE  1e-6 /* a Delete followed: it was a rekey */

static double when_fits_from(const struct arrival *u, const struct column *column,
			     struct start start)
{
	double fits = time_fits(u, column->child, start), early_ms = start.ms - u->first_ms;
	double taken = column->has_busy ? took_over(u, column->child, start) : -1;

	if (taken < 0)
		return fits;
	taken *= start.factor * (early_ms > 0 ? too_early(early_ms) : 1);
	return (column->child->replaces ? NOT_BESIDE : BESIDE_BUSY) * fits + taken;
}

static double when_fits(const struct arrival *u, const struct column *column)
{
	double fits = when_fits_from(u, column, column->start);

	return column->eager.factor ? fits + when_fits_from(u, column, column->eager) : fits;
}

/* --- is it still there? Each rekey ends an older SA of its host (RFC 7296 section 2.8) -------- */

#define ALIVE_AT_LEAST 0.02

/* Of the SAs that the peer had with this one or after it: how many are left. */
static double left_of(const struct child *c)
{
	unsigned tunnels = c->peer->tunnels ? c->peer->tunnels : 1, ended = 0;
	const struct child *newer;

	LIST_FOREACH(newer, &c->peer->children, of_peer)
	{
		if (newer == c)
			break; /* newest first */
		ended += newer->replaces;
	}
	return 1 - (double)ended / tunnels;
}

static double still_alive(const struct child *c)
{
	double left = left_of(c);

	return left < ALIVE_AT_LEAST ? ALIVE_AT_LEAST : left;
}

#define OUTLIVED_MS 60000

bool likelihood_is_outlived(const struct child *c, uint64_t now_ms)
{
	return child_is_open(c) && c->answered_ms && now_ms > c->pair.made_ms + OUTLIVED_MS &&
	       now_ms > c->pair.out_seen_ms + OUTLIVED_MS && left_of(c) <= 0;
}

/* --- what did it do when it was given a copy? ----------------------------------------------- */

#define REACTS_MS 40
#define ONE_WAY	  0.1 /* how often traffic is such that nothing is answered */

static const struct suspect *suspect_of(const struct arrival *u, const struct peer *peer)
{
	for (unsigned i = 0; i < u->suspect_count; i++)
		if (u->suspects[i].peer == peer)
			return &u->suspects[i];
	return NULL;
}

/*
 * A host that begins new SPIs all the time proves nothing by doing so once more,
 * nor does one that was about to, because its exchange is just over.
 */
static double reacted(const struct suspect *s, const struct child *c)
{
	if (!s->copies || (c->out_first_ms && c->out_first_ms < s->first_copy_ms))
		return 0;
	if (!c->out_first_ms)
		return s->copies > 3 ? -0.7 : 0;
	double after_ms = (double)c->out_first_ms - s->first_copy_ms;
	double since_ms = (double)c->out_first_ms - (c->answered_ms ? c->answered_ms : c->asked_ms);
	if (after_ms > REACTS_MS)
		return 0;
	double each_ms = c->peer->new_spi_a_second / 1000 + 1 / (since_ms + 30);
	double nats = log(0.6 / (1 - exp(-each_ms * (after_ms + 3))));
	return nats > 0 ? nats : 0;
}

double likelihood_reacted(const struct arrival *u, const struct child *c)
{
	const struct suspect *s = c ? suspect_of(u, c->peer) : NULL;

	return s ? reacted(s, c) : 0;
}

double likelihood_replies(const double replies[REPLY_RATES])
{
	double sum = 0;

	for (unsigned i = 0; i < REPLY_RATES; i++)
		sum += exp(replies[i]);
	return log((1 - ONE_WAY) / REPLY_RATES * sum + ONE_WAY);
}

double likelihood_answered(const struct arrival *u, const struct peer *peer)
{
	const struct suspect *s = suspect_of(u, peer);

	return s ? s->answered : 0;
}

/* --- all of it -------------------------------------------------------------------------------- */

#define UNKNOWN_SA 1e-9 /* one that we should know of, but do not: a millisecond's chance */

static double suspicion(const struct suspect *s, const struct child *child)
{
	if (!s)
		return 0;
	return child ? fmax(s->answered, reacted(s, child))
		     : s->answered; /* it is the same packet */
}

void likelihood_prepare(struct column *column)
{
	column->start = start_of(column->child);
	column->eager = start_if_eager(column->child);
	column->alive = still_alive(column->child);
}

double likelihood_of(const struct arrival *u, const struct column *column)
{
	double nats = suspicion(column->peer->suspect, column->child);
	double w = column->child ? column->alive * when_fits(u, column) : UNKNOWN_SA;

	w *= sequence_fits(u, column->child);
	return nats ? w * exp(nats) : w;
}

bool likelihood_of_old(const struct arrival *u)
{
	return u->first_sequence > 2 * FRESH_SEQUENCE;
}
