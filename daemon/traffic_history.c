/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/traffic_history.h"

#include <stdlib.h>
#include <string.h>

#define SERIES	     (1 + TRAFFIC_DEVICES + TRAFFIC_TUNNELS)
#define FORGOTTEN_MS (3600 * 1000) /* without traffic for so long: another may take the place */

struct point {
	uint64_t in, out; /* bytes */
};

/* Both kinds of step, for one loop over them. */
enum span { HOUR, DAY, SPANS };

static const struct {
	uint64_t step_ms;
	unsigned int steps;
} spans[SPANS] = {{HOUR_STEP_S * 1000, HOUR_STEPS}, {DAY_STEP_S * 1000, DAY_STEPS}};

struct series {
	bool used;
	struct traffic_key key;
	struct point ended; /* of sessions that are not in the roster any more */
	struct point last;  /* the sum at the last pass */
	uint64_t active_ms; /* the last pass in which it had traffic */
	struct point hour[HOUR_STEPS], day[DAY_STEPS];
};

struct traffic_history {
	uint64_t begun_ms, last_ms; /* 0: no pass yet */
	struct series series[SERIES];
};

struct traffic_history *traffic_history_new(void)
{
	struct traffic_history *history = calloc(1, sizeof(*history));

	if (history)
		history->series[0].used = true;
	return history;
}

void traffic_history_free(struct traffic_history *history)
{
	free(history);
}

/* --- whose ----------------------------------------------------------------------------------- */

static bool key_same(const struct traffic_key *a, const struct traffic_key *b)
{
	return a->inside == b->inside && a->remote == b->remote && a->class == b->class;
}

static struct series *series_find(const struct traffic_history *history,
				  const struct traffic_key *key)
{
	for (unsigned int i = 0; i < SERIES; i++)
		if (history->series[i].used && key_same(&history->series[i].key, key))
			return (struct series *)&history->series[i];
	return NULL;
}

/* A place for KEY among its kind; NULL: all are in use. */
static struct series *series_free(struct traffic_history *history, const struct traffic_key *key,
				  uint64_t now_ms)
{
	unsigned int from = key->remote ? 1 + TRAFFIC_DEVICES : 1;
	unsigned int to = key->remote ? SERIES : 1 + TRAFFIC_DEVICES;

	for (unsigned int i = from; i < to; i++)
		if (!history->series[i].used ||
		    now_ms - history->series[i].active_ms > FORGOTTEN_MS)
			return &history->series[i];
	return NULL;
}

/* --- steps --------------------------------------------------------------------------------------
 */

static struct point *point_at(struct series *series, enum span span, uint64_t step)
{
	return span == HOUR ? &series->hour[step % HOUR_STEPS] : &series->day[step % DAY_STEPS];
}

/* The steps from the last pass to NOW begin empty. */
static void steps_clear(struct traffic_history *history, enum span span, uint64_t now_ms)
{
	uint64_t newest = history->last_ms / spans[span].step_ms,
		 now = now_ms / spans[span].step_ms;

	if (now - newest > spans[span].steps)
		newest = now - spans[span].steps;
	for (uint64_t step = newest + 1; step <= now; step++)
		for (unsigned int i = 0; i < SERIES; i++)
			*point_at(&history->series[i], span, step) = (struct point){0};
}

/* BYTES that came evenly between the last pass and NOW. */
static void spread(struct series *series, enum span span, uint64_t from_ms, uint64_t now_ms,
		   const struct point *bytes)
{
	uint64_t step_ms = spans[span].step_ms, whole_ms = now_ms - from_ms;
	struct point left = *bytes;

	for (uint64_t step = from_ms / step_ms; step * step_ms < now_ms; step++) {
		uint64_t begin = step * step_ms > from_ms ? step * step_ms : from_ms;
		uint64_t end = (step + 1) * step_ms < now_ms ? (step + 1) * step_ms : now_ms;
		struct point *point = point_at(series, span, step);
		struct point part = {(double)bytes->in * (end - begin) / whole_ms,
				     (double)bytes->out * (end - begin) / whole_ms};

		if (end == now_ms || part.in > left.in || part.out > left.out)
			part = left;
		point->in += part.in;
		point->out += part.out;
		left.in -= part.in;
		left.out -= part.out;
	}
}

/* --- a pass
 * --------------------------------------------------------------------------------------- */

/* What a session that has just ended counted twice in one pass comes off in the next. */
static uint64_t growth(uint64_t sum, uint64_t *last)
{
	uint64_t more = sum > *last ? sum - *last : 0;

	*last += more;
	return more;
}

static void series_turn(struct traffic_history *history, struct series *series, uint64_t now_ms,
			const struct traffic *living)
{
	const struct point more = {
		growth(living->bytes_in + series->ended.in, &series->last.in),
		growth(living->bytes_out + series->ended.out, &series->last.out)};
	uint64_t from_ms = history->last_ms, day_ms = (uint64_t)DAY_STEPS * DAY_STEP_S * 1000;
	uint64_t hour_ms = HOUR_STEPS * HOUR_STEP_S * 1000;

	if (!more.in && !more.out)
		return;
	series->active_ms = now_ms;
	spread(series, HOUR, now_ms - from_ms < hour_ms ? from_ms : now_ms - hour_ms + 1, now_ms,
	       &more);
	spread(series, DAY, now_ms - from_ms < day_ms ? from_ms : now_ms - day_ms + 1, now_ms,
	       &more);
}

/* One that is new begins with what it had before: when that came is not known. */
static void key_turn(struct traffic_history *history, const struct traffic_key *key,
		     uint64_t now_ms, const struct traffic *living)
{
	struct series *series = series_find(history, key);

	if (!series) {
		series = series_free(history, key, now_ms);
		if (!series)
			return;
		*series = (struct series){.used = true,
					  .key = *key,
					  .last = {living->bytes_in, living->bytes_out},
					  .active_ms = now_ms};
		return;
	}
	series_turn(history, series, now_ms, living);
}

static void first_turn(struct traffic_history *history, uint64_t now_ms,
		       const struct traffic *total)
{
	history->begun_ms = now_ms;
	history->series[0].last = (struct point){total->bytes_in, total->bytes_out};
}

void traffic_history_turn(struct traffic_history *history, uint64_t now_ms,
			  const struct traffic_pass *pass)
{
	if (history->last_ms >= now_ms)
		return;
	if (!history->last_ms) {
		first_turn(history, now_ms, &pass->total);
	} else {
		for (enum span span = HOUR; span < SPANS; span++)
			steps_clear(history, span, now_ms);
		series_turn(history, &history->series[0], now_ms, &pass->total);
	}
	for (size_t i = 0; i < pass->devices; i++) {
		const struct traffic_key key = {.inside = pass->device[i].address};

		key_turn(history, &key, now_ms, &pass->device[i].traffic);
	}
	for (size_t i = 0; i < pass->tunnels; i++) {
		const struct roster_tunnel *tunnel = &pass->tunnel[i];
		const struct traffic_key key = {tunnel->inside, tunnel->remote, tunnel->class};

		key_turn(history, &key, now_ms, &tunnel->traffic);
	}
	history->last_ms = now_ms;
}

static void ended_add(struct traffic_history *history, const struct traffic_key *key,
		      const struct traffic *traffic)
{
	struct series *series = series_find(history, key);

	if (!series)
		return;
	series->ended.in += traffic->bytes_in;
	series->ended.out += traffic->bytes_out;
}

void traffic_history_ended(struct traffic_history *history, const struct traffic_key *key,
			   const struct traffic *traffic)
{
	const struct traffic_key device = {.inside = key->inside};

	if (!key->inside)
		return;
	ended_add(history, &device, traffic);
	if (key->class)
		ended_add(history, key, traffic);
}

/* --- reading
 * ---------------------------------------------------------------------------------------- */

json_t *traffic_history_json(const struct traffic_history *history, const struct traffic_key *key,
			     bool day, uint64_t now_ms, uint64_t epoch_ms)
{
	enum span span = day ? DAY : HOUR;
	uint64_t step_ms = spans[span].step_ms, now = history->last_ms / step_ms;
	uint64_t from = history->begun_ms / step_ms;
	struct series *series = series_find(history, key);
	json_t *in = json_array(), *out = json_array();

	if (!series) {
		json_decref(in);
		json_decref(out);
		return NULL;
	}
	if (now - from > spans[span].steps - 1)
		from = now - (spans[span].steps - 1);
	for (uint64_t step = from; step < now; step++) {
		const struct point *point = point_at(series, span, step);

		json_array_append_new(in, json_integer((json_int_t)point->in));
		json_array_append_new(out, json_integer((json_int_t)point->out));
	}
	return json_pack("{s:I, s:I, s:o, s:o}", "every_s", (json_int_t)(step_ms / 1000), "from",
			 (json_int_t)((epoch_ms - (now_ms - from * step_ms)) / 1000), "in", in,
			 "out", out);
}
