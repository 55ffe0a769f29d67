/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of records: three candidate sets of four records for each key.
 *
 * Theory of operation. Processors and the daemon insert at the same time with
 * no lock, because a lock's owner may be killed while it holds it. An insert
 * takes a FREE slot (BUSY), writes its key, shows it (CLAIMED) and then looks
 * for the same key elsewhere in its sets. A LIVE one wins over a CLAIMED
 * one; of two CLAIMED ones the one in the lower slot wins and kills the other,
 * whose own step to LIVE then fails. So at most one record of a key ever
 * becomes LIVE. A pair becomes visible half after half; a look-up that finds
 * one half only is a flow's second packet overtaking its first.
 *
 * Readers compare control, then the key, and use the record: what they use
 * cannot be reused under them, for the sweeper frees a DEAD slot only after a
 * grace period longer than any run of a program.
 *
 * Context: any (XDP, TC, daemon, tests). Needs set_at() of the back end.
 */
#ifndef WAYLEAVE_CORE_TABLE_H
#define WAYLEAVE_CORE_TABLE_H

#include "core/backend.h"

static __always_inline __u32 record_state(const struct record *r)
{
	return READ_ONCE(r->control) & CONTROL_STATE_MASK;
}

/* Two ids as they lie in a key. */
static __always_inline __u32 id_word(__be16 remote_id, __be16 local_id)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (__u32)local_id << 16 | remote_id;
#else
	return (__u32)remote_id << 16 | local_id;
#endif
}

/*
 * A key as two whole words: written field by field it would have to leave the
 * registers, and reading back what was written in parts stalls.
 */
static __always_inline void key_set(struct record_key *key, __be32 remote, __be32 local, __u32 id,
				    __u8 protocol, __u8 kind, __u8 id_type)
{
	__u64 *word = (__u64 *)key;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	word[0] = (__u64)local << 32 | remote;
	word[1] = (__u64)id_type << 48 | (__u64)kind << 40 | (__u64)protocol << 32 | id;
#else
	word[0] = (__u64)remote << 32 | local;
	word[1] = (__u64)id << 32 | (__u64)protocol << 24 | (__u64)kind << 16 | id_type << 8;
#endif
}

static __always_inline bool key_equal(const struct record_key *a, const struct record_key *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return x[0] == y[0] && x[1] == y[1];
}

/*
 * Keyed with a secret, or a sender could choose ports that fill one set. Two
 * multiplications, each folded: every bit of the key reaches both halves. Not
 * by exactly half a word: then both sets of keys with equal ports are related.
 */
static __always_inline __u64 key_hash(const struct config *c, const struct record_key *key)
{
	const __u64 *word = (const __u64 *)key;
	__u64 h = (word[0] ^ c->hash_key[0]) * 0xff51afd7ed558ccdull;

	h ^= h >> 29;
	h = (h + (word[1] ^ c->hash_key[1])) * 0xc4ceb9fe1a85ec53ull;
	return h ^ h >> 29;
}

/*
 * The three sets that a key may lie in. The near one is in a small part of the
 * table that stays in the processor's caches, page tables included: a gateway
 * with a thousand sessions works there alone. The other two are anywhere else.
 * A small table has no near part; there the near set is the first one.
 */
#define NEAR_SETS      1024
#define CANDIDATE_SETS 3

static __always_inline bool has_near_sets(const struct config *c)
{
	return c->set_mask >= 4 * NEAR_SETS - 1;
}

/* A set outside the near part; @hash decides by its low half, and its next 16 bits where needed. */
static __always_inline __u32 far_set(const struct config *c, __u64 hash)
{
	__u32 set = (__u32)hash & c->set_mask;
	__u32 groups = c->set_mask / NEAR_SETS; /* of NEAR_SETS each, without the near one */

	if (unlikely(set < NEAR_SETS) && has_near_sets(c))
		set += NEAR_SETS * (1 + ((hash >> 32 & 0xffff) * groups >> 16));
	return set;
}

static __always_inline __u32 first_set(const struct config *c, __u64 hash)
{
	return far_set(c, hash);
}

static __always_inline __u32 near_set(const struct config *c, __u64 hash)
{
	if (unlikely(!has_near_sets(c)))
		return first_set(c, hash);
	return (__u32)(hash >> 48) & (NEAR_SETS - 1);
}

/* The low half differs from the first set's in its last bit. */
static __always_inline __u32 second_set(const struct config *c, __u64 hash)
{
	return far_set(c, hash ^ (hash >> 32 | 1));
}

static __always_inline __u32 candidate_set(const struct config *c, __u64 hash, __u32 i)
{
	if (i == 0)
		return near_set(c, hash);
	return i == 1 ? first_set(c, hash) : second_set(c, hash);
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

/*
 * Ways are taken in order and keep their last key, so behind one that is free
 * and has none no other was used yet. (A BUSY one may not have its key yet.)
 */
static __always_inline bool never_used(const struct record *r)
{
	return !READ_ONCE(((const __u64 *)&r->key)[1]) && record_state(r) == SLOT_FREE;
}

static __always_inline struct record *set_find(struct record_set *set, const struct record_key *key)
{
	UNROLLED
	for (int i = 0; i < RECORDS_A_SET; i++) {
		if (key_equal(&set->way[i].key, key) && record_state(&set->way[i]) == SLOT_LIVE)
			return &set->way[i];
	}
	return NULL;
}

/* The LIVE record with this key, or NULL. */
static __always_inline struct record *table_find(const struct config *c,
						 const struct record_key *key)
{
	__u64 hash = key_hash(c, key);
	struct record *r = NULL;

	UNROLLED
	for (__u32 i = 0; i < CANDIDATE_SETS; i++) {
		struct record_set *set = set_at(candidate_set(c, hash, i));

		if (set)
			r = set_find(set, key);
		if (likely(r))
			return r;
	}
	return NULL;
}

/* The index of the LIVE record with @key in the set, or NO_RECORD. */
SEPARATE __u32 set_search(__u32 set, const struct record_key *key)
{
	for (__u32 way = 0; key && way < RECORDS_A_SET; way++) {
		const struct record *r;

		compiler_barrier();
		r = record_at(set * RECORDS_A_SET + way);
		if (!r)
			break;
		if (key_equal(&r->key, key) && record_state(r) == SLOT_LIVE)
			return set * RECORDS_A_SET + way;
		if (never_used(r))
			break;
	}
	return NO_RECORD;
}

/* The three candidate sets in one number: near, first, second, 21 bits each. */
#define SET_BITS 21

static __always_inline __u64 key_sets(const struct config *c, const struct record_key *key)
{
	__u64 hash = key_hash(c, key);

	return near_set(c, hash) | (__u64)first_set(c, hash) << SET_BITS |
	       (__u64)second_set(c, hash) << 2 * SET_BITS;
}

static __always_inline __u32 nth_set(__u64 sets, __u32 i)
{
	return sets >> i * SET_BITS & ((1u << SET_BITS) - 1);
}

static __always_inline __u32 sets_search(__u64 sets, const struct record_key *key)
{
	for (__u32 i = 0; i < CANDIDATE_SETS; i++) {
		__u32 index;

		compiler_barrier();
		index = set_search(nth_set(sets, i), key);
		if (index != NO_RECORD)
			return index;
	}
	return NO_RECORD;
}

/* As table_find(), but as a function of its own: the index, or NO_RECORD. */
SEPARATE __u32 table_search(const struct record_key *key)
{
	const struct config *c = config_get();

	return c && key ? sets_search(key_sets(c, key), key) : NO_RECORD;
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

/* How many slots of a set are in use. */
static __always_inline __u32 set_used(const struct record_set *set)
{
	__u32 used = 0;

	UNROLLED
	for (int i = 0; i < RECORDS_A_SET; i++)
		used += record_state(&set->way[i]) != SLOT_FREE;
	return used;
}

/* Takes one slot of the set for @key: its way, or RECORDS_A_SET when all are in use. */
SEPARATE __u32 set_take(__u32 set, const struct record_key *key)
{
	for (__u32 way = 0; key && way < RECORDS_A_SET; way++) {
		struct record *r;

		compiler_barrier();
		r = record_at(set * RECORDS_A_SET + way);
		if (!r || record_state(r) != SLOT_FREE || !control_change(r, SLOT_FREE, SLOT_BUSY))
			continue;
		r->key = *key;
		r->partner = NO_RECORD;
		/* an exchange: the key is visible before the state is */
		__sync_lock_test_and_set(&r->control, SLOT_CLAIMED);
		return way;
	}
	return RECORDS_A_SET;
}

/*
 * Is another record with @key in the set stronger than ours? The way @ours is
 * skipped; a CLAIMED record in a way below @stronger wins, one above is killed.
 */
SEPARATE __u32 set_beats(__u32 set, const struct record_key *key, __u32 ours, __u32 stronger)
{
	for (__u32 way = 0; key && way < RECORDS_A_SET; way++) {
		struct record *r;
		__u32 state;

		compiler_barrier();
		r = record_at(set * RECORDS_A_SET + way);
		if (!r || never_used(r))
			break;
		if (way == ours || !key_equal(&r->key, key))
			continue;
		if (record_state(r) == SLOT_CLAIMED && way >= stronger &&
		    control_change(r, SLOT_CLAIMED, SLOT_DEAD))
			continue;
		/* look again: what could not be killed has gone LIVE or has given up */
		state = record_state(r);
		if (state == SLOT_LIVE || state == SLOT_CLAIMED)
			return true;
	}
	return false;
}

enum claim_result { CLAIM_OK, CLAIM_EXISTS, CLAIM_FULL };

/* A CLAIMED or BUSY record that its inserter gives up. */
static __always_inline void table_retreat(struct record *r)
{
	__sync_lock_test_and_set(&r->control, SLOT_FREE);
}

/*
 * The set to insert into: the near one while it has room, then the first one
 * unless it is the more crowded of the other two.
 */
SEPARATE __u32 sets_choose(__u64 sets)
{
	__u32 used[CANDIDATE_SETS] = {};

	UNROLLED
	for (__u32 i = 0; i < CANDIDATE_SETS; i++) {
		const struct record_set *set = set_at(nth_set(sets, i));

		used[i] = set ? set_used(set) : RECORDS_A_SET;
		if (i == 0 && used[0] < RECORDS_A_SET)
			return nth_set(sets, 0);
	}
	return nth_set(sets, used[1] >= 2 && used[1] > used[2] ? 2 : 1);
}

/*
 * Does a record with @key in one of the other sets beat ours, which is in the
 * set @mine? Every inserter sees the same order: lower set numbers come first.
 */
static __always_inline bool others_beat(__u64 sets, const struct record_key *key, __u32 mine)
{
	for (__u32 i = 0; i < CANDIDATE_SETS; i++) {
		__u32 set;

		compiler_barrier();
		set = nth_set(sets, i);
		if (set != mine &&
		    set_beats(set, key, RECORDS_A_SET, set < mine ? RECORDS_A_SET : 0))
			return true;
	}
	return false;
}

/* table_claim() as one number: enum claim_result above, index below. */
SEPARATE __u64 table_claim_slot(const struct record_key *key)
{
	const struct config *c = config_get();
	struct record *r;
	__u32 mine, way;
	__u64 sets;

	if (!key || !c)
		return (__u64)CLAIM_FULL << 32;
	sets = key_sets(c, key);
	if (sets_search(sets, key) != NO_RECORD)
		return (__u64)CLAIM_EXISTS << 32;
	mine = sets_choose(sets);
	way = set_take(mine, key);
	r = record_at(mine * RECORDS_A_SET + way);
	if (way >= RECORDS_A_SET || !r)
		return (__u64)CLAIM_FULL << 32;
	if (set_beats(mine, key, way, way) || others_beat(sets, key, mine)) {
		table_retreat(r);
		return (__u64)CLAIM_EXISTS << 32;
	}
	return mine * RECORDS_A_SET + way;
}

/*
 * Takes a slot for @key without showing it to look-ups. On CLAIM_OK the caller
 * fills the record at *@index and then calls table_publish() or
 * table_retreat(). CLAIM_EXISTS: the key is there, or is being inserted by
 * somebody stronger. Nothing is changed on failure.
 */
static __always_inline enum claim_result table_claim(const struct record_key *key, __u32 *index)
{
	__u64 slot = table_claim_slot(key);

	*index = (__u32)slot;
	return slot >> 32;
}

/* Shows a claimed record to look-ups. False: somebody stronger has killed it; it is given up. */
static __always_inline bool table_publish(struct record *r)
{
	if (control_change(r, SLOT_CLAIMED, SLOT_LIVE))
		return true;
	table_retreat(r);
	return false;
}

/* Ends a LIVE record that nobody refers to. The sweeper frees its slot later. */
static __always_inline bool table_kill(struct record *r)
{
	return control_change(r, SLOT_LIVE, SLOT_DEAD);
}

/* One more reference to a LIVE record, so that it is not swept. False: it is gone. */
static __always_inline bool record_hold(struct record *r)
{
	UNROLLED
	for (int i = 0; i < 4; i++) {
		__u32 control = READ_ONCE(r->control);

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
