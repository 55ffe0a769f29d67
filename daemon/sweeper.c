/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/sweeper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/fragment.h"
#include "daemon/roster.h"

/*
 * Only an inserter that is killed between taking a slot and writing its tag leaves
 * a slot in use without one. That is a daemon, so the next one looks into every
 * slot, until such a slot is found twice, ended, found twice again and freed.
 */
#define WHOLE_PASSES 4

/* What came from the WAN is forgotten after this. */
#define HEARD_SECONDS 86400

/* A next hop that was chosen this recently may be in a session not yet seen. */
#define NEXT_HOP_GRACE_SECONDS 60

struct sweeper {
	uint32_t position;  /* the next set */
	uint64_t *suspects; /* a bit per record: DEAD or half at the last visit */
	uint32_t records;
	struct roster *roster;
	struct census now, last; /* the pass that runs, the one before */
	struct traffic ended;
	bool heard; /* from the WAN; `heard_at` is the latest tick of it */
	uint32_t heard_at;
	bool used_now[NEXT_HOPS], used_last[NEXT_HOPS];
	unsigned int passes;
	unsigned int hurry; /* slices to run without waiting */
	struct event *timer;
	struct sweeper_calls calls;
};

struct sweeper *sweeper_new(void)
{
	struct sweeper *sweeper = calloc(1, sizeof(*sweeper));

	if (!sweeper)
		return NULL;
	sweeper->records = (arena.config->set_mask + 1) * RECORDS_A_SET;
	sweeper->suspects = calloc((sweeper->records + 63) / 64, sizeof(uint64_t));
	sweeper->roster = roster_new();
	if (sweeper->suspects && sweeper->roster)
		return sweeper;
	sweeper_free(sweeper);
	return NULL;
}

void sweeper_free(struct sweeper *sweeper)
{
	if (!sweeper)
		return;
	if (sweeper->timer)
		event_free(sweeper->timer);
	roster_free(sweeper->roster);
	free(sweeper->suspects);
	free(sweeper);
}

static bool is_suspect(const struct sweeper *sweeper, uint32_t index)
{
	return sweeper->suspects[index / 64] >> (index % 64) & 1;
}

static void suspect_set(struct sweeper *sweeper, uint32_t index, bool suspect)
{
	uint64_t bit = 1ull << (index % 64);

	if (suspect)
		sweeper->suspects[index / 64] |= bit;
	else
		sweeper->suspects[index / 64] &= ~bit;
}

/* --- next hops ----------------------------------------------------------------------- */

static bool next_hop_in_use(const struct sweeper *sweeper, uint16_t index, uint32_t now)
{
	const struct next_hop *hop = next_hop_at(index);

	if (!hop || sweeper->passes < 2)
		return true;
	return sweeper->used_now[index] || sweeper->used_last[index] ||
	       ticks_since(now, READ_ONCE(hop->last_chosen)) <=
		       NEXT_HOP_GRACE_SECONDS * arena.config->hz;
}

/* The index is given away only once nobody can find it any more: with its record's slot. */
static bool next_hop_free(struct sweeper *sweeper, const struct record *r, uint32_t now)
{
	uint16_t index = r->next_hop_index.index;
	struct next_hop *hop = next_hop_at(index);

	if (next_hop_in_use(sweeper, index, now))
		return false;
	if (sweeper->calls.freed)
		sweeper->calls.freed(sweeper->calls.context, hop);
	next_hop_clear(hop, 0xff);
	WRITE_ONCE(hop->ifindex, 0);
	return true;
}

static void next_hop_note(struct sweeper *sweeper, const struct record *r)
{
	sweeper->used_now[r->session.next_hop % NEXT_HOPS] = true;
}

/* --- one record ---------------------------------------------------------------------- */

/* Pieces take over a DEAD slot and leave it again between two visits: it has been DEAD for a
 * second. */
static bool is_long_dead(const struct record *r, uint32_t now)
{
	return !is_of_pieces(r) ||
	       ticks_since(now, READ_ONCE(r->fragments.last_seen)) > arena.config->hz;
}

static void dead_visit(struct sweeper *sweeper, struct record *r, uint32_t index, uint32_t now)
{
	if (!is_suspect(sweeper, index)) {
		suspect_set(sweeper, index, true);
		taken_over_count(r, &sweeper->ended);
		return;
	}
	if ((r->key.kind == KIND_NEXT_HOP && !next_hop_free(sweeper, r, now)) ||
	    !is_long_dead(r, now))
		return;
	suspect_set(sweeper, index, false);
	table_free(r, index);
}

/* An inserter that was killed half-way; a living one is done long before the second visit. */
static void unfinished_visit(struct sweeper *sweeper, struct record *r, uint32_t index)
{
	uint32_t control = READ_ONCE(r->control);

	if (!is_suspect(sweeper, index))
		suspect_set(sweeper, index, true);
	else if (__sync_val_compare_and_swap(&r->control, control, SLOT_DEAD) == control)
		suspect_set(sweeper, index, false);
}

/* Not what comes from the inside, and not what a reset or a daemon has written. */
static void heard_note(struct sweeper *sweeper, const struct record *reply)
{
	uint32_t at = READ_ONCE(reply->session.last_seen);

	if (reply->session.flags & SESSION_HAIRPIN || !session_packets(reply))
		return;
	if (!sweeper->heard || ticks_is_later(at, sweeper->heard_at))
		sweeper->heard_at = at;
	sweeper->heard = true;
}

static void session_census(struct sweeper *sweeper, const struct record *r)
{
	struct traffic *traffic = &sweeper->now.traffic;

	next_hop_note(sweeper, r);
	if (r->key.kind == KIND_SESSION_ORIG) {
		sweeper->now.sessions++;
		traffic->packets_out += session_packets(r);
		traffic->bytes_out += r->session.bytes;
	} else {
		heard_note(sweeper, r);
	}
	if (r->key.kind == KIND_SESSION_REPLY && !(r->session.flags & SESSION_LOCAL)) {
		traffic->packets_in += session_packets(r);
		traffic->bytes_in += r->session.bytes;
	}
}

static void census_take(struct sweeper *sweeper, const struct record *r)
{
	switch (r->key.kind) {
	case KIND_SESSION_ORIG:
	case KIND_SESSION_REPLY:
		session_census(sweeper, r);
		break;
	case KIND_MAPPING_INSIDE:
		sweeper->now.mappings++;
		break;
	case KIND_HOST:
		sweeper->now.hosts++;
		break;
	}
}

static void address_lost_tell(const struct sweeper *sweeper, const struct record *r)
{
	const struct record *partner = record_partner(r);

	if (!sweeper->calls.address_lost || !partner)
		return;
	if (r->key.kind == KIND_SESSION_ORIG)
		sweeper->calls.address_lost(sweeper->calls.context, r, partner);
	else
		sweeper->calls.address_lost(sweeper->calls.context, partner, r);
}

static void moved_tell(const struct sweeper *sweeper, const struct record *r)
{
	if (sweeper->calls.moved && record_partner(r))
		sweeper->calls.moved(sweeper->calls.context);
}

static bool is_session(const struct record *r)
{
	return r->key.kind == KIND_SESSION_ORIG || r->key.kind == KIND_SESSION_REPLY;
}

static void ended_tell(struct sweeper *sweeper, const struct record *orig,
		       const struct traffic *traffic)
{
	struct traffic *sum = &sweeper->ended;

	sum->packets_out += traffic->packets_out;
	sum->bytes_out += traffic->bytes_out;
	sum->packets_in += traffic->packets_in;
	sum->bytes_in += traffic->bytes_in;
	if (sweeper->calls.ended && orig && (traffic->packets_out || traffic->packets_in))
		sweeper->calls.ended(sweeper->calls.context, orig, traffic);
}

static void live_visit(struct sweeper *sweeper, struct record *r, uint32_t index, uint32_t now)
{
	const struct record *orig = r->key.kind == KIND_SESSION_REPLY ? record_partner(r) : r;
	struct traffic ended = {0};
	enum expiry expiry;

	if (is_session(r) && session_lost_address(arena.config, r))
		address_lost_tell(sweeper, r);
	else if (session_has_moved(r))
		moved_tell(sweeper, r);
	expiry = record_expire(arena.config, r, now, is_suspect(sweeper, index), &ended);
	ended_tell(sweeper, orig, &ended);
	suspect_set(sweeper, index, expiry == EXPIRY_SUSPECT);
	if (expiry == EXPIRY_ENDED)
		return;
	if (r->key.kind == KIND_NEXT_HOP && !next_hop_in_use(sweeper, r->next_hop_index.index, now))
		table_kill(r);
	else
		census_take(sweeper, r);
	roster_note(sweeper->roster, r, index);
}

static void record_visit(struct sweeper *sweeper, uint32_t index, uint32_t now)
{
	struct record *r = record_at(index);

	switch (record_state(r)) {
	case SLOT_LIVE:
		live_visit(sweeper, r, index, now);
		break;
	case SLOT_DEAD:
		dead_visit(sweeper, r, index, now);
		break;
	case SLOT_BUSY:
	case SLOT_WANTED:
	case SLOT_CLAIMED:
		unfinished_visit(sweeper, r, index);
		break;
	default:
		suspect_set(sweeper, index, false);
		table_clear(r, index);
	}
}

/* --- the walk ------------------------------------------------------------------------ */

static void next_hops_count(void)
{
	uint32_t used = 0;

	for (unsigned int i = 1; i < NEXT_HOPS; i++)
		used += READ_ONCE(next_hop_at(i)->ifindex) != 0;
	WRITE_ONCE(arena.config->next_hops_used, used);
}

static void pass_finish(struct sweeper *sweeper, uint32_t now)
{
	sweeper->position = 0;
	sweeper->passes++;
	sweeper->last = sweeper->now;
	sweeper->now = (struct census){0};
	roster_turn(sweeper->roster, now);
	next_hops_count();
	/* before its tick could be taken for a later one: core/ticks.h */
	sweeper->heard &= ticks_since(now, sweeper->heard_at) < HEARD_SECONDS * arena.config->hz;
	memcpy(sweeper->used_last, sweeper->used_now, sizeof(sweeper->used_last));
	memset(sweeper->used_now, 0, sizeof(sweeper->used_now));
	if (sweeper->calls.turned)
		sweeper->calls.turned(sweeper->calls.context);
}

/* Answers how many records it had a reason to look at. */
static uint32_t set_visit(struct sweeper *sweeper, uint32_t set, uint32_t now)
{
	bool used = tags_read(set);

	if (!used && sweeper->passes >= WHOLE_PASSES)
		return 0;
	for (uint32_t way = 0; way < RECORDS_A_SET; way++)
		record_visit(sweeper, set * RECORDS_A_SET + way, now);
	return used ? RECORDS_A_SET : 0;
}

static uint32_t share(uint32_t of, uint32_t slices)
{
	return (of + slices - 1) / slices;
}

bool sweeper_slice(struct sweeper *sweeper, uint32_t now)
{
	uint32_t sets = sweeper->records / RECORDS_A_SET, visited = 0;
	uint32_t end = sweeper->position + share(sets, SWEEP_SLICES_MIN);
	uint32_t enough = share(sweeper->records, SWEEP_SLICES_MAX);

	if (end > sets)
		end = sets;
	for (; sweeper->position < end && visited < enough; sweeper->position++)
		visited += set_visit(sweeper, sweeper->position, now);
	if (sweeper->position < sets)
		return false;
	pass_finish(sweeper, now);
	return true;
}

bool sweeper_slice_now(struct sweeper *sweeper)
{
	uint32_t now;

	if (!sweeper->calls.clock)
		return sweeper_slice(sweeper, clock_ticks(arena.config));
	if (sweeper->calls.clock(sweeper->calls.context, &now))
		return false;
	return sweeper_slice(sweeper, now);
}

static void slice_due(evutil_socket_t fd, short what, void *context)
{
	static const struct timeval tenth = {0, SWEEP_SLICE_MS * 1000}, at_once = {0, 0};
	struct sweeper *sweeper = context;

	sweeper_slice_now(sweeper);
	if (sweeper->hurry)
		sweeper->hurry--;
	event_add(sweeper->timer, sweeper->hurry ? &at_once : &tenth);
}

void sweeper_tell(struct sweeper *sweeper, const struct sweeper_calls *calls)
{
	sweeper->calls = *calls;
}

int sweeper_start(struct sweeper *sweeper, struct event_base *base)
{
	static const struct timeval tenth = {0, SWEEP_SLICE_MS * 1000};

	sweeper->timer = evtimer_new(base, slice_due, sweeper);
	return sweeper->timer && !event_add(sweeper->timer, &tenth) ? 0 : -ENOMEM;
}

/* A pass that runs has been over some records already: one whole pass more. */
void sweeper_hurry(struct sweeper *sweeper)
{
	static const struct timeval at_once = {0, 0};

	sweeper->hurry = 2 * SWEEP_SLICES_MAX;
	if (sweeper->timer)
		event_add(sweeper->timer, &at_once);
}

const struct roster *sweeper_roster(const struct sweeper *sweeper)
{
	return sweeper->roster;
}

bool sweeper_heard(const struct sweeper *sweeper, uint32_t *at)
{
	*at = sweeper->heard_at;
	return sweeper->heard;
}

const struct census *sweeper_census(const struct sweeper *sweeper)
{
	return &sweeper->last;
}

struct traffic sweeper_traffic(const struct sweeper *sweeper)
{
	struct traffic sum = sweeper->ended;

	sum.packets_out += sweeper->last.traffic.packets_out;
	sum.bytes_out += sweeper->last.traffic.bytes_out;
	sum.packets_in += sweeper->last.traffic.packets_in;
	sum.bytes_in += sweeper->last.traffic.bytes_in;
	return sum;
}

void sweeper_next_hops_used(const struct sweeper *sweeper, bool used[NEXT_HOPS])
{
	for (unsigned int i = 0; i < NEXT_HOPS; i++)
		used[i] = sweeper->used_now[i] || sweeper->used_last[i];
}
