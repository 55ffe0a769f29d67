/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of records: sets of eight, three candidate sets for each key.
 *
 * Theory of operation. A record in use has a tag, one byte that its key
 * decides; the tags of a set are one word of another array, a 64th as large.
 * So a look-up reads three words that stay in the processor's caches, and then
 * the one record that it wants; in vain it reads no record at all. A tag says
 * where to look and nothing more: what counts is the record's key and state.
 *
 * Processors and the daemon insert at the same time with no lock, because a
 * lock's owner may be killed while it holds it. An insert takes a FREE slot
 * (BUSY), writes its key and its tag, shows it (WANTED) and then looks for the
 * same key elsewhere in its sets. It gives up for one that is CLAIMED or LIVE,
 * or WANTED with a lower index; it kills one WANTED with a higher index. If it
 * finds no winner and has not been killed, it is CLAIMED, and nobody can take
 * that away: what is filled in next becomes LIVE without a condition.
 * Proof that a key is CLAIMED once: of two inserters, the one that showed its
 * slot later sees the other's. If that is CLAIMED or LIVE by then, it gives up;
 * if WANTED, one of the two gives up or is killed, and a killed one's step to
 * CLAIMED (a compare-and-swap) fails. One that gives up leaves a stronger one.
 *
 * Two halves are one decision: the first one's claim is the right to insert the
 * second, and who has lost the first touches neither. They become visible one
 * after the other; a look-up that finds one half only is a flow's second packet
 * overtaking its first.
 *
 * Inserters try the slots whose tag is zero. The sweeper zeroes a tag before it
 * frees the slot. Who gives up an insert leaves its tag behind: such a slot is
 * the sweeper's to clear, as is that of an inserter that was killed.
 *
 * Readers compare the key, then control, and use the record: what they use
 * cannot be reused under them, for the sweeper frees a DEAD slot only after a
 * grace period longer than any run of a program.
 *
 * Memory order. A step of control is an exchange or a compare-and-swap: what was
 * written before it is visible before it. Readers use plain loads, key, control and
 * then the rest, which x86-64 does not reorder (Intel SDM volume 3, section 9.2.2).
 * Where loads are reordered, as on arm64, a reader could see LIVE and yet the fields
 * of the slot's former owner: BPF has a load-acquire from Linux 6.15 on only. So the
 * Makefile refuses to build for anything but x86-64.
 *
 * Context: any (XDP, TC, daemon, tests). Needs set_at() of the back end.
 */
#ifndef WAYLEAVE_CORE_TABLE_H
#define WAYLEAVE_CORE_TABLE_H

#include "core/key.h"
#include "core/tags.h"

static __always_inline __u32 record_state(const struct record *r)
{
	return READ_ONCE(r->control) & CONTROL_STATE_MASK;
}

/* The record with this index, whatever its state; NULL past the end. */
static __always_inline struct record *record_at(__u32 index)
{
	struct record_set *set = set_at(index / RECORDS_A_SET);

	if (!set)
		return NULL;
	compiler_hide(set); /* no arithmetic on it before the check, says the verifier */
	return &set->way[index % RECORDS_A_SET];
}

static __always_inline bool record_is(const struct record *r, const struct record_key *key)
{
	return key_equal(&r->key, key) && record_state(r) == SLOT_LIVE;
}

/* The LIVE record with @key where @set has its tag: its index, or NO_RECORD. */
static __always_inline __u32 set_search(__u32 set, __u8 tag, const struct record_key *key)
{
	__u64 marks = tags_like(set, tag);

	for (__u32 i = 0; i < RECORDS_A_SET && marks; i++) {
		const struct record *r;
		__u32 index;

		compiler_barrier();
		index = set * RECORDS_A_SET + marks_way(marks);
		r = record_at(index);
		if (r && record_is(r, key))
			return index;
		marks = marks_next(marks);
	}
	return NO_RECORD;
}

static __always_inline __u32 places_search(const struct places *places,
					   const struct record_key *key)
{
	for (__u32 i = 0; i < CANDIDATE_SETS; i++) {
		__u32 index;

		compiler_barrier();
		index = set_search(nth_set(places, i), places_tag(places), key);
		if (index != NO_RECORD)
			return index;
	}
	return NO_RECORD;
}

/*
 * The index of the key's own way in its first or, where another key is in that
 * one, second set. The two records are fetched from memory at the same time,
 * and no branch that cannot be foreseen chooses between them.
 */
static __always_inline __u32 favourite_choose(const struct places *places,
					      const struct record_key *key)
{
	__u32 first = nth_set(places, 1) * RECORDS_A_SET + places_way(places);
	__u32 second = nth_set(places, 2) * RECORDS_A_SET + places_way(places);
	const struct record *a = record_at(first), *b = record_at(second);
	__u64 differs;

	if (!a || !b)
		return first;
	READ_ONCE(b->control);
	differs = keys_differ(&a->key, key);
	return first ^ ((first ^ second) & -((differs | -differs) >> 63));
}

/*
 * Who looks for a session in vain makes it next. What its other half needs from
 * memory, if the id stays, is asked for now: it comes along with the first
 * half's instead of after it.
 */
static __always_inline void pair_fetch(const struct config *c, const struct record_key *key)
{
	struct record_key reply;
	struct places places;
	const struct record *r;

	if (key->kind != KIND_SESSION_ORIG)
		return;
	key_set(&reply, key->remote, c->external, key->id, key->protocol, KIND_SESSION_REPLY,
		key->id_type);
	places = places_of(c, &reply);
	tags_read(nth_set(&places, 2));
	r = record_at(nth_set(&places, 1) * RECORDS_A_SET + places_way(&places));
	if (r)
		READ_ONCE(r->control);
}

/*
 * As table_find(), but as a function of its own: the index, or NO_RECORD. Most
 * records are in their own way: that is looked at before the tags have arrived.
 */
SEPARATE __u32 table_search(const struct record_key *key)
{
	const struct config *c = config_get();
	const struct record *r;
	struct places places;
	__u32 index;

	if (!c || !key)
		return NO_RECORD;
	places = places_of(c, key);
	index = favourite_choose(&places, key);
	r = record_at(index);
	if (r && record_is(r, key))
		return index;
	pair_fetch(c, key);
	return places_search(&places, key);
}

/* The LIVE record with this key, or NULL. Inlined is the look-up in the near set. */
static __always_inline struct record *table_find(const struct config *c,
						 const struct record_key *key)
{
	struct places places = places_of(c, key);
	__u32 set = nth_set(&places, 0);
	__u64 marks = tags_like(set, places_tag(&places));
	struct record *r;

	if (marks) {
		r = record_at(set * RECORDS_A_SET + marks_way(marks));
		if (likely(r && record_is(r, key)))
			return r;
	}
	return record_at(table_search(key));
}

/* The index of a LIVE record, found again by its key; NO_RECORD: it is gone. */
static __always_inline __u32 table_index(const struct record *r)
{
	struct record_key key = r->key;

	return table_search(&key);
}

/* --- insertion ------------------------------------------------------------------- */

static __always_inline bool control_change(struct record *r, __u32 from, __u32 to)
{
	return __sync_val_compare_and_swap(&r->control, from, to) == from;
}

/* A slot that is BUSY by us gets its key and shows it. */
static __always_inline void slot_show(struct record *r, __u32 index, const struct places *places,
				      const struct record_key *key)
{
	r->key = *key;
	r->partner = NO_RECORD;
	tag_write(index, places_tag(places));
	/* an exchange: key and tag are visible before the state is */
	EXCHANGE(&r->control, SLOT_WANTED);
}

/* Takes one slot of the set for @key: its index, or NO_RECORD when all are in use. */
static __always_inline __u32 set_take(__u32 set, const struct places *places,
				      const struct record_key *key)
{
	__u64 marks = marks_from(tags_free(set), places_way(places));

	for (__u32 i = 0; i < RECORDS_A_SET && marks; i++) {
		__u32 index;
		struct record *r;

		compiler_barrier();
		index = set * RECORDS_A_SET +
			(marks_way(marks) + places_way(places)) % RECORDS_A_SET;
		marks = marks_next(marks);
		r = record_at(index);
		if (!r || !control_change(r, SLOT_FREE, SLOT_BUSY))
			continue;
		slot_show(r, index, places, key);
		return index;
	}
	return NO_RECORD;
}

/* Does another record with our key win? @stronger: it does while both are WANTED. */
static __always_inline bool record_beats(struct record *r, bool stronger)
{
	__u32 state;

	if (!stronger && control_change(r, SLOT_WANTED, SLOT_DEAD))
		return false;
	/* what could not be killed has won or given up; who takes its slot now sees ours */
	state = record_state(r);
	return state == SLOT_LIVE || state == SLOT_CLAIMED || (stronger && state == SLOT_WANTED);
}

/* Does a record with @key in the set win over ours, whose index is @ours? */
static __always_inline bool set_beats(__u32 set, __u8 tag, const struct record_key *key, __u32 ours)
{
	__u64 marks = tags_like(set, tag);

	for (__u32 i = 0; i < RECORDS_A_SET && marks; i++) {
		struct record *r;
		__u32 index;

		compiler_barrier();
		index = set * RECORDS_A_SET + marks_way(marks);
		marks = marks_next(marks);
		r = record_at(index);
		if (r && index != ours && key_equal(&r->key, key) && record_beats(r, index < ours))
			return true;
	}
	return false;
}

static __always_inline bool places_beat(const struct places *places, const struct record_key *key,
					__u32 ours)
{
	for (__u32 i = 0; i < CANDIDATE_SETS; i++) {
		compiler_barrier();
		if (set_beats(nth_set(places, i), places_tag(places), key, ours))
			return true;
	}
	return false;
}

/* Is the key ours, whose record is WANTED, at @ours? False: somebody else has it. */
static __always_inline MUST_CHECK bool places_win(const struct places *places,
						  const struct record_key *key, __u32 ours)
{
	struct record *r;

	if (places_beat(places, key, ours))
		return false;
	r = record_at(ours);
	return r && control_change(r, SLOT_WANTED, SLOT_CLAIMED);
}

/*
 * The set to insert into when the near one has no room: the one where the key's
 * own way is free, as long as there is room to spare, or the one with more room.
 */
#define ROOM_TO_SPARE 3

static __always_inline bool is_inviting(__u64 free, __u32 way)
{
	return marks_from(free, way) & 0x80 && marks_count(free) >= ROOM_TO_SPARE;
}

static __always_inline __u32 places_choose_far(const struct places *places)
{
	__u64 first = tags_free(nth_set(places, 1)), second = tags_free(nth_set(places, 2));

	if (is_inviting(first, places_way(places)))
		return nth_set(places, 1);
	if (is_inviting(second, places_way(places)))
		return nth_set(places, 2);
	return nth_set(places, marks_count(first) >= marks_count(second) ? 1 : 2);
}

/*
 * Takes a slot for @key: its index, or NO_RECORD when the table is full for it.
 * A near set may look free and have no slot: another processor was faster.
 */
static __always_inline __u32 places_take(const struct places *places, const struct record_key *key)
{
	__u32 near = nth_set(places, 0), index = NO_RECORD;

	if (near != nth_set(places, 1))
		index = set_take(near, places, key);
	if (index == NO_RECORD)
		index = set_take(places_choose_far(places), places, key);
	return index;
}

enum claim_result { CLAIM_OK, CLAIM_EXISTS, CLAIM_FULL };

/* A record that is not LIVE yet and that its inserter gives up. */
static __always_inline void table_retreat(struct record *r)
{
	EXCHANGE(&r->control, SLOT_FREE);
}

/* table_claim() as one number: enum claim_result above, index below. */
SEPARATE __u64 table_claim_slot(const struct record_key *key)
{
	const struct config *c = config_get();
	struct places places;
	struct record *r;
	__u32 index;

	if (!key || !c)
		return (__u64)CLAIM_FULL << 32;
	places = places_of(c, key);
	if (places_search(&places, key) != NO_RECORD)
		return (__u64)CLAIM_EXISTS << 32;
	index = places_take(&places, key);
	if (index == NO_RECORD)
		return (__u64)CLAIM_FULL << 32;
	if (places_win(&places, key, index))
		return index;
	r = record_at(index);
	if (r)
		table_retreat(r);
	return (__u64)CLAIM_EXISTS << 32;
}

/*
 * Takes a slot for @key without showing it to look-ups. On CLAIM_OK the key is the
 * caller's alone, who fills the record at *@index and then calls table_publish() or
 * table_give_up(). CLAIM_EXISTS: the key is there, or is being inserted by somebody
 * else: see table_await(). Nothing is changed on failure.
 */
static __always_inline MUST_CHECK enum claim_result table_claim(const struct record_key *key,
								__u32 *index)
{
	__u64 slot = table_claim_slot(key);

	*index = (__u32)slot;
	return slot >> 32;
}

static __always_inline void slot_free(struct record *r, __u32 index)
{
	tag_write(index, 0);
	EXCHANGE(&r->control, SLOT_FREE);
}

/*
 * Gives a DEAD slot back, a grace period after its end; a piece may be faster.
 * Context: the sweeper.
 */
static __always_inline void table_free(struct record *r, __u32 index)
{
	if (control_change(r, SLOT_DEAD, SLOT_BUSY))
		slot_free(r, index);
}

/* Clears what a given up insert has left. Context: the sweeper. */
static __always_inline void table_clear(struct record *r, __u32 index)
{
	/* taken, so that no inserter's tag is lost */
	if (tag_read(index) && control_change(r, SLOT_FREE, SLOT_BUSY))
		slot_free(r, index);
}

/* Gives back the slot that we have claimed, and its tag: many of these would fill the sets. */
static __always_inline void table_give_up(__u32 index)
{
	struct record *r = record_at(index);

	if (r)
		slot_free(r, index);
}

/* Shows a claimed record to look-ups, with so many references from the start. */
static __always_inline void table_publish_held(struct record *r, __u32 references)
{
	/* an exchange: what the record says is visible before it is */
	EXCHANGE(&r->control, SLOT_LIVE + references * CONTROL_REFERENCE);
}

static __always_inline void table_publish(struct record *r)
{
	table_publish_held(r, 0);
}

/* --- races ----------------------------------------------------------------------- */
/*
 * Who loses a race for a key uses what the winner has made. It is there within the
 * time that it takes to fill a record, or a second record, or to find a free port; a
 * winner that gives up leaves nothing, hence the bound. Some 20 us at most.
 */
#define AWAIT_TRIES 256

static __always_inline __u32 await_here(const struct record_key *key)
{
	__u32 index = NO_RECORD;

	for (int i = 0; i < AWAIT_TRIES && index == NO_RECORD; i++) {
		compiler_barrier();
		index = table_search(key);
	}
	return index;
}

/* The index of the record with @key that another processor is just inserting; NO_RECORD: none. */
SEPARATE __u32 table_await(const struct record_key *key)
{
	return await_here(key);
}

/* Ends a LIVE record that nobody refers to. The sweeper frees its slot later. */
static __always_inline bool table_kill(struct record *r)
{
	return control_change(r, SLOT_LIVE, SLOT_DEAD);
}

#define HOLD_TRIES 64

/* One more reference to a LIVE record, so that it is not swept. False: it is gone. */
static __always_inline MUST_CHECK bool record_hold(struct record *r)
{
	/* each try that fails is another processor's success */
	for (int i = 0; i < HOLD_TRIES; i++) {
		__u32 control;

		compiler_barrier();
		control = READ_ONCE(r->control);
		if ((control & CONTROL_STATE_MASK) != SLOT_LIVE)
			return false;
		if (control_change(r, control, control + CONTROL_REFERENCE))
			return true;
	}
	return false;
}

static __always_inline void record_release(struct record *r)
{
	__sync_fetch_and_sub(&r->control, CONTROL_REFERENCE);
}

static __always_inline __u32 record_references(const struct record *r)
{
	return READ_ONCE(r->control) / CONTROL_REFERENCE;
}

#endif
