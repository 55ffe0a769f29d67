/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys of records, and the sets of the table that a key may lie in.
 *
 * Context: any. A change of where a key lies needs a new ABI_VERSION.
 */
#ifndef WAYLEAVE_CORE_KEY_H
#define WAYLEAVE_CORE_KEY_H

#include "core/backend.h"

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

/* Zero: they are equal. */
static __always_inline __u64 keys_differ(const struct record_key *a, const struct record_key *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return (x[0] ^ y[0]) | (x[1] ^ y[1]);
}

static __always_inline bool key_equal(const struct record_key *a, const struct record_key *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return x[0] == y[0] && x[1] == y[1];
}

/* What both halves of a session have in common as long as the id stays: remote and ids. */
static __always_inline __u64 key_common(const struct record_key *key)
{
	const __u64 *word = (const __u64 *)key;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (__u32)word[0] | word[1] << 32;
#else
	return word[0] >> 32 | word[1] >> 32 << 32;
#endif
}

/* The rest of it: local, protocol, kind, id_type. */
static __always_inline __u64 key_own(const struct record_key *key)
{
	const __u64 *word = (const __u64 *)key;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return word[0] >> 32 | word[1] >> 32 << 32;
#else
	return (__u32)word[0] | word[1] << 32;
#endif
}

/* --- hash -------------------------------------------------------------------------- */

struct key_hash {
	__u64 pair; /* the same for both halves of a session whose id stays */
	__u64 own;
};

/*
 * Keyed with a secret, or a sender could choose ports that fill one set. Two
 * multiplications each, folded: every bit of the key reaches both halves. Not
 * by exactly half a word: then sets of keys with equal ports are related.
 */
static __always_inline struct key_hash key_hash(const struct config *c,
						const struct record_key *key)
{
	__u64 common = (key_common(key) ^ c->hash_key[0]) * 0xff51afd7ed558ccdull;
	struct key_hash hash;

	common ^= common >> 29;
	hash.own = (common + (key_own(key) ^ c->hash_key[1])) * 0xc4ceb9fe1a85ec53ull;
	hash.own ^= hash.own >> 29;
	hash.pair = hash.own;
	if (key->kind == KIND_SESSION_ORIG || key->kind == KIND_SESSION_REPLY) {
		hash.pair = common * 0x9e3779b97f4a7c15ull;
		hash.pair ^= hash.pair >> 29;
	}
	return hash;
}

/* --- sets -------------------------------------------------------------------------- */
/*
 * The three sets that a key may lie in. The near one is in a small part of the
 * table that stays in the processor's caches, page tables included: a gateway
 * with a thousand sessions works there alone. The other two are anywhere else.
 * A small table has no near part; there the near set is the first one.
 *
 * Both halves of a session have the near and the first set in common, so that
 * their records are neighbours in memory. The second set is a record's own:
 * there many hosts with the same ports towards one remote have room.
 */
#define NEAR_SETS      1024
#define CANDIDATE_SETS 3
#define SET_BITS       21

/* Where a key may lie, and the tag that its record has there; it is never zero. */
struct places {
	__u64 sets; /* near, first, second: SET_BITS each */
	__u32 mark; /* tag, in the upper bits the way that is tried first */
};

static __always_inline __u8 places_tag(const struct places *places)
{
	return places->mark;
}

static __always_inline __u32 places_way(const struct places *places)
{
	return places->mark >> 8;
}

static __always_inline __u32 nth_set(const struct places *places, __u32 i)
{
	return places->sets >> i * SET_BITS & ((1u << SET_BITS) - 1);
}

static __always_inline bool has_near_sets(const struct config *c)
{
	return c->set_mask >= 4 * NEAR_SETS - 1;
}

/* @set, or instead of one in the near part one that @choice decides. */
static __always_inline __u32 far_set(const struct config *c, __u32 set, __u16 choice)
{
	__u32 groups = c->set_mask / NEAR_SETS; /* of NEAR_SETS each, without the near one */

	if (unlikely(set < NEAR_SETS) && has_near_sets(c))
		set += NEAR_SETS * (1 + (choice * groups >> 16));
	return set;
}

static __always_inline __u32 near_set(const struct config *c, __u64 pair)
{
	if (unlikely(!has_near_sets(c)))
		return (__u32)pair & c->set_mask;
	return (__u32)(pair >> 48) & (NEAR_SETS - 1);
}

static __always_inline __u32 first_set(const struct config *c, __u64 pair)
{
	return far_set(c, (__u32)pair & c->set_mask, pair >> 32);
}

/* Not the first set again, but for a few that the near part has moved. */
static __always_inline __u32 second_set(const struct config *c, const struct key_hash *hash)
{
	__u32 set = (__u32)(hash->own >> 24) & c->set_mask;

	set ^= set == ((__u32)hash->pair & c->set_mask);
	return far_set(c, set & c->set_mask, hash->own);
}

/* One byte of the hash that no set depends on, in 1 to 255. */
static __always_inline __u8 key_tag(__u64 own)
{
	return 1 + ((own >> 56) * 255 >> 8);
}

/* A pair's records are side by side. */
static __always_inline __u32 key_way(const struct record_key *key, __u64 pair)
{
	return (pair >> 40 ^ (key->kind == KIND_SESSION_REPLY)) % RECORDS_A_SET;
}

static __always_inline struct places places_of(const struct config *c, const struct record_key *key)
{
	struct key_hash hash = key_hash(c, key);

	return (struct places){
		.sets = near_set(c, hash.pair) | (__u64)first_set(c, hash.pair) << SET_BITS |
			(__u64)second_set(c, &hash) << 2 * SET_BITS,
		.mark = key_tag(hash.own) | key_way(key, hash.pair) << 8,
	};
}

#endif
