/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fragments, in any order and both directions (RFC 4787 REQ-14), without
 * reassembly: the first piece names the session, the later ones follow it.
 *
 * A later piece that comes before the first one is held by the daemon, which
 * sees in the FRAGMENT record when the first piece has come. Which pieces have
 * passed is kept as a few ranges: overlapping ones are an attack on whoever
 * reassembles them (RFC 1858, RFC 5722) and poison the datagram. Outbound
 * pieces get an IP id that no other datagram towards that remote has (RFC 7857
 * section 9): their own where it is free.
 *
 * Context: TC, memory; XDP leaves fragments to TC.
 */
#ifndef WAYLEAVE_CORE_FRAGMENT_H
#define WAYLEAVE_CORE_FRAGMENT_H

#include "core/contact.h"
#include "core/punt.h"
#include "core/rewrite.h"
#include "core/verdict.h"

#define FRAGMENT_FRESH_SECONDS 2  /* after that an equal IP id is another datagram */
#define FRAGMENT_STALE_SECONDS 30 /* RFC 1122 section 3.3.2: nobody reassembles that long */
#define FRAGMENT_ID_TRIES      4

static __always_inline void fragment_key(struct record_key *key, const struct facts *f,
					 __u32 direction)
{
	bool out = direction == DIRECTION_OUT;

	*key = (struct record_key){
		.remote = out ? f->destination : f->source,
		.local = out ? f->source : f->destination,
		.remote_id = direction,
		.local_id = f->ip_id,
		.protocol = f->protocol,
		.kind = KIND_FRAGMENT,
	};
}

/* --- ranges: which pieces have passed -------------------------------------------------- */

enum range_result { RANGE_ADDED, RANGE_OVERLAPS, RANGE_REPEATED, RANGE_NO_ROOM };

static __always_inline enum range_result ranges_check(const struct fragments *s, __u16 start,
						      __u16 end)
{
	UNROLLED
	for (int i = 0; i < FRAGMENT_RANGES; i++) {
		if (s->start[i] == s->end[i] || start >= s->end[i] || s->start[i] >= end)
			continue;
		/* a piece within what has passed is a copy made on the way */
		return start >= s->start[i] && end <= s->end[i] ? RANGE_REPEATED : RANGE_OVERLAPS;
	}
	return RANGE_ADDED;
}

/* Joins the range that ends where the new one begins, or begins where it ends. */
static __always_inline enum range_result ranges_join(struct fragments *s, __u16 start, __u16 end)
{
	UNROLLED
	for (int i = 0; i < FRAGMENT_RANGES; i++) {
		if (s->start[i] == s->end[i] || (s->end[i] != start && s->start[i] != end))
			continue;
		start = s->end[i] == start ? s->start[i] : start;
		end = s->start[i] == end ? s->end[i] : end;
		s->start[i] = s->end[i] = 0;
	}
	UNROLLED
	for (int i = 0; i < FRAGMENT_RANGES; i++) {
		if (s->start[i] != s->end[i])
			continue;
		s->start[i] = start;
		s->end[i] = end;
		return RANGE_ADDED;
	}
	return RANGE_NO_ROOM;
}

static __always_inline enum range_result ranges_add(struct fragments *s, const struct facts *f)
{
	enum range_result result = ranges_check(s, piece_start(f), piece_end(f));

	if (result != RANGE_ADDED)
		return result;
	/* two last pieces, or one behind the last: the same trick as an overlap */
	if (s->total && (is_last_piece(f) ? piece_end(f) != s->total : piece_end(f) > s->total))
		return RANGE_OVERLAPS;
	if (is_last_piece(f))
		s->total = piece_end(f);
	return ranges_join(s, piece_start(f), piece_end(f));
}

static __always_inline bool ranges_complete(const struct fragments *s)
{
	bool complete = false;

	UNROLLED
	for (int i = 0; i < FRAGMENT_RANGES; i++)
		complete |= s->total && !s->start[i] && s->end[i] == s->total;
	return complete;
}

/* Notes that the piece @f passes; answers an enum reason why it must not. */
SEPARATE __u32 fragment_note(const struct facts *f, __u32 pieces)
{
	struct record *r = record_at(pieces);
	const struct config *c = config_get();

	if (!f || !c || !r)
		return REASON_slow_path_stale;
	r->fragments.last_seen = clock_ticks(c);
	switch (ranges_add(&r->fragments, f)) {
	case RANGE_OVERLAPS:
		r->fragments.state = FRAGMENT_POISONED;
		return REASON_fragment_overlap;
	case RANGE_REPEATED:
		return REASON_fragment_overlap;
	case RANGE_NO_ROOM:
		return REASON_fragment_scattered;
	default:
		return REASON_forwarded;
	}
}

/* --- records --------------------------------------------------------------------------- */
/*
 * RFC 4787 REQ-14a: pieces of datagrams that never become whole take at most a
 * hundredth of the table, and those of one sender an eighth of that.
 */
#define FRAGMENT_PART  100
#define FRAGMENT_SHARE 8
#define FRAGMENTS_MIN  64 /* of a table so small that a hundredth is nothing */

/* The inside host, or the remote. */
static __always_inline __be32 fragment_sender(const struct record_key *key)
{
	return key->remote_id == DIRECTION_OUT ? key->local : key->remote;
}

/* His count. */
static __always_inline __u32 *fragment_share(struct config *c, const struct record_key *key)
{
	return &c->fragments_of[secret_slot(c->hash_key[0], fragment_sender(key), FRAGMENT_SHARES)];
}

/*
 * Datagrams whose first piece has not come have half of that: it takes no session to begin one,
 * and whoever has one shall get his pieces through that come in order.
 */
static __always_inline bool fragment_has_room(struct config *c, const struct record_key *key,
					      bool waiting)
{
	__u32 limit = (c->set_mask + 1) * RECORDS_A_SET / FRAGMENT_PART;

	if (limit < FRAGMENTS_MIN)
		limit = FRAGMENTS_MIN;
	if (waiting)
		limit /= 2;
	return READ_ONCE(c->fragments) < limit &&
	       READ_ONCE(*fragment_share(c, key)) < limit / FRAGMENT_SHARE;
}

/* A KIND_FRAGMENT record is no more. */
static __always_inline void fragment_uncount(struct config *c, const struct record_key *key)
{
	__sync_fetch_and_sub(&c->fragments, 1);
	__sync_fetch_and_sub(fragment_share(c, key), 1);
}

static __always_inline bool is_of_pieces(const struct record *r)
{
	return r->key.kind == KIND_FRAGMENT || r->key.kind == KIND_FRAGMENT_ID;
}

/* A slot of the set that an ended datagram has left, for @key: its index, or NO_RECORD. */
static __always_inline __u32 set_retake(__u32 set, const struct places *places,
					const struct record_key *key)
{
	__u64 marks = ~tags_free(set) & MARKS;

	for (__u32 i = 0; i < RECORDS_A_SET && marks; i++) {
		__u32 index = set * RECORDS_A_SET + marks_way(marks);
		struct record *r;

		compiler_barrier();
		marks = marks_next(marks);
		r = record_at(index);
		if (!r || !is_of_pieces(r) || !control_change(r, SLOT_DEAD, SLOT_BUSY))
			continue;
		slot_show(r, index, places, key);
		return index;
	}
	return NO_RECORD;
}

/*
 * Datagrams come and go faster than the sweeper does, and it may be dead: one
 * takes over, without the grace that other records have, what an ended one has
 * left. Who still holds the index of that has another datagram's record before
 * him: is_session_of() is why that leads no piece astray.
 */
SEPARATE __u32 fragment_retake(const struct record_key *key)
{
	const struct config *c = config_get();
	__u32 index = NO_RECORD;
	struct places places;
	struct record *r;

	if (!c || !key)
		return NO_RECORD;
	places = places_of(c, key);
	for (__u32 i = 0; i < CANDIDATE_SETS && index == NO_RECORD; i++) {
		compiler_barrier();
		index = set_retake(nth_set(&places, i), &places, key);
	}
	if (index == NO_RECORD || places_win(&places, key, index))
		return index;
	r = record_at(index);
	if (r)
		EXCHANGE(&r->control, SLOT_DEAD);
	return NO_RECORD;
}

static __always_inline MUST_CHECK enum claim_result fragment_claim(const struct record_key *key,
								   __u32 *index)
{
	if (table_search(key) != NO_RECORD)
		return CLAIM_EXISTS;
	*index = fragment_retake(key);
	return *index != NO_RECORD ? CLAIM_OK : table_claim(key, index);
}

/* A new record for @key: CLAIM_OK, and its index. CLAIM_EXISTS: another processor's comes. */
static __always_inline MUST_CHECK enum claim_result
fragment_add(const struct record_key *key, __u8 state, __u32 session, __u32 now, __u32 *index)
{
	enum claim_result result = fragment_claim(key, index);
	struct record *r = result == CLAIM_OK ? record_at(*index) : NULL;

	if (!r)
		return result == CLAIM_OK ? CLAIM_FULL : result;
	r->fragments = (struct fragments){
		.session = session,
		.last_seen = now,
		.new_ip_id = key->local_id,
		.state = state,
	};
	table_publish(r);
	return CLAIM_OK;
}

/* The record of a new datagram, as FORWARD's index. @key: KIND_FRAGMENT. */
SEPARATE verdict_t fragment_begin(const struct record_key *key, __u32 session, __u32 now)
{
	struct config *c = config_get();
	enum claim_result result;
	__u32 index;

	if (!c || !key)
		return drop(REASON_slow_path_stale);
	if (!fragment_has_room(c, key, session == NO_RECORD))
		return drop(REASON_fragments_full);
	result = fragment_add(key, FRAGMENT_WAITING, session, now, &index);
	if (result == CLAIM_EXISTS)
		index = table_await(key);
	if (result == CLAIM_EXISTS && index != NO_RECORD)
		return verdict(ACTION_FORWARD, REASON_forwarded, index);
	if (result != CLAIM_OK)
		return drop(result == CLAIM_FULL ? REASON_table_full : REASON_insert_race);
	__sync_fetch_and_add(&c->fragments, 1);
	__sync_fetch_and_add(fragment_share(c, key), 1);
	return verdict(ACTION_FORWARD, REASON_forwarded, index);
}

/* An IP id that is unused towards this remote: the sender's own where possible. */
SEPARATE __u32 fragment_take_id(const struct record_key *key, __be32 external, __u32 now)
{
	struct record_key id;
	__u32 index;

	if (!key)
		return 0;
	id = *key;
	id.kind = KIND_FRAGMENT_ID;
	id.local = external;
	for (int i = 0; i < FRAGMENT_ID_TRIES; i++) {
		compiler_barrier();
		if (fragment_add(&id, FRAGMENT_KNOWN, NO_RECORD, now, &index) == CLAIM_OK)
			break;
		id.local_id = random_u32();
	}
	return id.local_id;
}

/* The datagram is over, or another one has come with its id. When, the sweeper wants to know. */
static __always_inline void fragment_end(struct record *r)
{
	struct record_key key = r->key, id = key;
	struct config *c = config_get();
	struct record *owner;
	__u32 now;

	if (!c)
		return;
	now = clock_ticks(c);
	id.kind = KIND_FRAGMENT_ID;
	id.local = c->external;
	id.local_id = r->fragments.new_ip_id;
	r->fragments.last_seen = now;
	if (table_kill(r))
		fragment_uncount(c, &key);
	owner = record_at(table_search(&id));
	if (!owner)
		return;
	owner->fragments.last_seen = now;
	table_kill(owner);
}

/* A first piece, whose session is @session. FORWARD's index: the record of the pieces. */
SEPARATE verdict_t fragment_first(const struct facts *f, __u32 direction, __u32 session)
{
	struct config *c = config_get();
	struct record_key key;
	struct record *r;
	__u32 index, now;
	verdict_t v;

	if (!f || !c)
		return drop(REASON_malformed_ip);
	now = clock_ticks(c);
	fragment_key(&key, f, direction);
	index = table_search(&key);
	r = record_at(index);
	if (r && ticks_since(now, r->fragments.last_seen) > FRAGMENT_FRESH_SECONDS * c->hz) {
		fragment_end(r);
		r = NULL;
	}
	if (!r) {
		v = fragment_begin(&key, session, now);
		if (verdict_action(v) != ACTION_FORWARD)
			return v;
		index = verdict_index(v);
		r = record_at(index);
	}
	if (!r)
		return drop(REASON_table_full);
	if (r->fragments.state == FRAGMENT_POISONED)
		return drop(REASON_fragment_overlap);
	if (r->fragments.state == FRAGMENT_WAITING || r->fragments.state == FRAGMENT_LOCAL) {
		r->fragments.session = session;
		if (direction == DIRECTION_OUT)
			r->fragments.new_ip_id = fragment_take_id(&key, c->external, now);
		WRITE_ONCE(r->fragments.state, FRAGMENT_KNOWN);
	}
	return verdict(ACTION_FORWARD, REASON_forwarded, index);
}

/* The record of a later piece's datagram, as FORWARD's index. */
SEPARATE verdict_t fragment_of(const struct facts *f, __u32 direction)
{
	struct record_key key;
	__u32 index;

	if (!f)
		return drop(REASON_malformed_ip);
	fragment_key(&key, f, direction);
	index = table_search(&key);
	return index == NO_RECORD ? drop(REASON_slow_path_stale)
				  : verdict(ACTION_FORWARD, REASON_forwarded, index);
}

/*
 * The last check of a piece, and the first note of it: nothing else stands against its
 * going out. @session: of a first piece the record to remember. FORWARD's index: the IP id
 * to leave with.
 */
static __always_inline verdict_t fragment_pass(const struct facts *f, __u32 direction,
					       __u32 session)
{
	verdict_t v = has_transport(f) ? fragment_first(f, direction, session)
				       : fragment_of(f, direction);
	__u32 reason, id;
	struct record *r;

	if (verdict_action(v) != ACTION_FORWARD)
		return v;
	reason = fragment_note(f, verdict_index(v));
	r = record_at(verdict_index(v));
	if (reason != REASON_forwarded || !r)
		return drop(reason);
	id = r->fragments.new_ip_id;
	if (ranges_complete(&r->fragments))
		fragment_end(r);
	return verdict(ACTION_FORWARD, REASON_forwarded, id);
}

/*
 * A piece for the gateway itself, by our external address. The first one notes where the
 * later ones go: that address may lead inside as well. Noted or not, it passes.
 */
SEPARATE __u32 fragment_local(const struct facts *f)
{
	const struct config *c = config_get();
	struct record_key key;
	struct record *r;
	verdict_t v;

	if (!f || !c)
		return false;
	fragment_key(&key, f, DIRECTION_OUT);
	r = record_at(table_search(&key));
	if (!r) {
		v = fragment_begin(&key, NO_RECORD, clock_ticks(c));
		if (verdict_action(v) != ACTION_FORWARD)
			return false;
		r = record_at(verdict_index(v));
	}
	if (!r)
		return false;
	WRITE_ONCE(r->fragments.state, FRAGMENT_LOCAL);
	fragment_note(f, table_index(r));
	if (ranges_complete(&r->fragments))
		fragment_end(r);
	return true;
}

static __always_inline bool is_stale(const struct config *c, const struct record *r)
{
	return ticks_since(clock_ticks(c), r->fragments.last_seen) > FRAGMENT_STALE_SECONDS * c->hz;
}

/* --- later pieces -------------------------------------------------------------------------- */

/* Would a whole packet with this header go out by the WAN? A later piece has no ports. */
SEPARATE __u32 BACKEND_NAME(piece_leads_out)(packet_context *context, __u32 base, __u32 ifindex)
{
	struct packet p = {.context = context, .base = base};
	const struct ipv4_header *ip = packet_at(&p, 0, sizeof(*ip));
	const struct config *c = config_get();
	struct flow_ends ends;
	struct query q;

	if (!c || !ip)
		return false;
	ends = (struct flow_ends){
		.remote = ip->destination,
		.inside = ip->source,
		.protocol = ip->protocol,
		.tos = ip->service,
	};
	query_out(&q, &ends, ifindex);
	return c->wan_ifindex && route_interface(&p, &q) == c->wan_ifindex;
}

/* The daemon holds it until the first piece comes. */
static __always_inline bool piece_may_wait(const struct record_key *key, __u32 direction)
{
	if (direction == DIRECTION_OUT)
		return budget_take(BUDGET_PIECE_OUT, key->local, host_is_known(key->local));
	return budget_take(BUDGET_PIECE_IN, key->remote, true);
}

/*
 * Before its first piece: remembered, and held by the daemon. Where nobody talks with that
 * remote it is dropped, and costs nothing that others need.
 */
static __always_inline verdict_t fragment_early(struct packet *p, struct config *c,
						const struct record_key *key, __u32 direction)
{
	verdict_t v;

	/* our own address may lead inside: only the first piece has the port */
	if (direction == DIRECTION_OUT && key->remote != c->external &&
	    !BACKEND_NAME(piece_leads_out)(p->context, p->base, p->ifindex))
		return to_stack(REASON_to_gateway);
	if (key->remote != c->external && !is_contact(key->remote))
		return drop(REASON_fragment_stray);
	if (!fragment_has_room(c, key, true))
		return drop(REASON_fragments_full);
	if (!piece_may_wait(key, direction))
		return drop(REASON_slow_path_rate);
	v = fragment_begin(key, NO_RECORD, clock_ticks(c));
	if (verdict_action(v) != ACTION_FORWARD)
		return v;
	return verdict(ACTION_PUNT, REASON_fragment_early, verdict_index(v));
}

/* A later piece. FORWARD's index: its session's record. */
SEPARATE verdict_t BACKEND_NAME(fragment_later)(packet_context *context, __u32 base, __u32 ifindex,
						const struct facts *f, __u32 direction)
{
	struct packet p = {.context = context, .base = base, .ifindex = ifindex};
	struct config *c = config_get();
	struct record_key key;
	struct record *r;
	__u32 index;

	if (!f || !c)
		return drop(REASON_malformed_ip);
	fragment_key(&key, f, direction);
	index = table_search(&key);
	r = record_at(index);
	if (r && is_stale(c, r)) {
		fragment_end(r);
		r = NULL;
	}
	if (!r)
		return fragment_early(&p, c, &key, direction);
	if (r->fragments.state == FRAGMENT_WAITING) {
		if (!piece_may_wait(&key, direction))
			return drop(REASON_slow_path_rate);
		return verdict(ACTION_PUNT, REASON_fragment_early, index);
	}
	if (r->fragments.state == FRAGMENT_POISONED)
		return drop(REASON_fragment_overlap);
	if (r->fragments.state == FRAGMENT_LOCAL)
		return to_stack(REASON_to_gateway);
	return verdict(ACTION_FORWARD, REASON_forwarded, r->fragments.session);
}

/*
 * Is the session that the record of pieces names still there, and one of this piece's
 * ends? The remote of a hairpin's reply may be the inside host itself (reply_remote()).
 */
static __always_inline bool is_session_of(const struct record *r, const struct facts *f, bool out)
{
	return record_state(r) == SLOT_LIVE && r->key.protocol == f->protocol &&
	       (r->key.remote == (out ? f->destination : f->source) ||
		(!out && r->session.flags & SESSION_HAIRPIN)) &&
	       r->key.local == (out ? f->source : f->destination);
}

/* The IP id, outbound only. */
static __always_inline void fragment_rewrite_id(struct packet *p, __be16 id)
{
	struct ipv4_header *ip = packet_at(p, 0, sizeof(*ip));

	if (!ip || ip->id == id)
		return;
	ip->check = checksum_adjust(ip->check, delta_of_16(ip->id, id));
	ip->id = id;
}

#endif
