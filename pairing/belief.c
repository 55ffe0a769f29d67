/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation. A row of likelihoods (likelihood.c), divided by its sum, is
 * what is believed of one arrival alone. Then each is weighed by how far the SA is
 * still free, because an SA has one inbound SPI: that is elimination.
 */
#include "pairing/belief.h"

#include <math.h>
#include <string.h>

#include "pairing/likelihood.h"
#include "pairing/watch.h"

#define ARRIVAL_LIVES_MS 10000
#define REWEIGH_MS	 25
#define AGAIN_MS	 10 /* where something is new */

/* --- the matrix --------------------------------------------------------------------- */

static bool could_own(const struct child *child)
{
	return !child->pair.spi_in && (child->pair.spi_out || child->asked_ms ||
				       child->answered_ms || child->origin == ORIGIN_SAVED);
}

static bool has_busy(struct esp_pairing *p, const struct peer *peer, uint64_t now_ms)
{
	struct child *child;
	bool busy = false;

	LIST_FOREACH(child, &peer->children, of_peer)
	{
		if (child_is_open(child) || child->in_a_second < 0.5)
			continue;
		child_read(p, child, now_ms);
		busy = true;
	}
	return busy;
}

#define COLUMNS_A_PEER 16 /* the newest ones */

static void add_column(struct belief *b, struct peer *peer, struct child *child, bool busy)
{
	if (b->columns == COLUMNS)
		return;
	struct column *column = &b->column[b->columns++];
	*column = (struct column){.peer = peer, .child = child, .has_busy = busy};
	if (child)
		likelihood_prepare(column);
}

/* Only an old SA can be one that we have lost. */
static bool some_are_old(const struct belief *b)
{
	for (unsigned r = 0; r < b->rows; r++)
		if (likelihood_of_old(b->row[r]))
			return true;
	return false;
}

/* The child that an arrival is bound to provisionally stays among the possible ones. */
static void add_columns(struct esp_pairing *p, struct server *server, uint64_t now_ms)
{
	struct peer *peer;
	struct child *child;

	LIST_FOREACH(peer, &server->peers, of_server)
	{
		bool busy = has_busy(p, peer, now_ms);

		unsigned room = COLUMNS_A_PEER;

		LIST_FOREACH(child, &peer->children, of_peer)
		{
			if (room && (could_own(child) || child->pair.state == ESP_PROVISIONAL)) {
				add_column(&p->belief, peer, child, busy);
				room--;
			}
		}
	}
	if (!some_are_old(&p->belief))
		return;
	LIST_FOREACH(peer, &server->peers, of_server)
	if (!LIST_EMPTY(&peer->children))
		add_column(&p->belief, peer, NULL, false);
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

#define NOBODY_KNOWN 1e-12

static void suspects_show(const struct arrival *u, bool show)
{
	for (unsigned i = 0; i < u->suspect_count; i++)
		u->suspects[i].peer->suspect = show ? &u->suspects[i] : NULL;
}

static void fill_row(struct belief *b, unsigned r)
{
	b->nobody[r] = NOBODY_KNOWN;
	suspects_show(b->row[r], true);
	for (unsigned c = 0; c < b->columns; c++)
		b->weight[r][c] =
			is_taken(b, r, &b->column[c]) ? 0 : likelihood_of(b->row[r], &b->column[c]);
	suspects_show(b->row[r], false);
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

#define NEVER_SURE 1e-6

/* How probable it is that no row at all has the column. */
static double column_is_free(const struct belief *b, unsigned c)
{
	double free = 1;

	for (unsigned r = 0; r < b->rows; r++)
		free *= fmax(1 - b->alone[r][c], NEVER_SURE);
	return free;
}

/*
 * An SA owns one SPI at most: it can be this row's only as far as it is no other
 * row's. Exact for two rows and two SAs. What a peer has beyond what we know of
 * has no bound.
 */
static void weigh_together(struct belief *b)
{
	for (unsigned c = 0; c < b->columns; c++) {
		double free = b->column[c].child ? column_is_free(b, c) : 0;

		for (unsigned r = 0; b->column[c].child && r < b->rows; r++)
			b->weight[r][c] *= free / fmax(1 - b->alone[r][c], NEVER_SURE);
	}
}

static unsigned row_of(const struct belief *b, const struct arrival *arrival)
{
	unsigned row = 0;

	while (row < b->rows && b->row[row] != arrival)
		row++;
	return row;
}

/* Weighing is much work for a packet, and evidence does not change every microsecond. */
static bool is_recent(const struct belief *b, const struct server *server,
		      const struct arrival *arrival, uint64_t now_ms)
{
	if (b->server != server || !b->rows || (arrival && row_of(b, arrival) == b->rows))
		return false;
	return now_ms < b->weighed_ms + (b->stale ? AGAIN_MS : REWEIGH_MS);
}

void belief_weigh(struct esp_pairing *p, struct server *server, const struct arrival *arrival,
		  uint64_t now_ms)
{
	struct belief *b = &p->belief;

	if (is_recent(b, server, arrival, now_ms))
		return;
	b->server = server;
	b->weighed_ms = now_ms;
	b->stale = false;
	b->rows = b->columns = 0;
	add_rows(b, server, now_ms);
	add_columns(p, server, now_ms);
	for (unsigned r = 0; r < b->rows; r++)
		fill_row(b, r);
	balance_rows(b);
	for (unsigned r = 0; r < b->rows; r++)
		memcpy(b->alone[r], b->weight[r], b->columns * sizeof(b->alone[r][0]));
	weigh_together(b);
	balance_rows(b);
}

void belief_stale(struct esp_pairing *p)
{
	p->belief.stale = true;
}

/* --- reading it --------------------------------------------------------------------- */

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
	unsigned count = 0, row = row_of(b, arrival);

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
