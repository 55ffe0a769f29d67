/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tags of a set: one byte for each of its records, eight in one word that
 * is looked at as a whole.
 *
 * A mark is the upper bit of a byte; marks in a word name ways of a set.
 * Context: any. Needs tags_at() of the back end.
 */
#ifndef WAYLEAVE_CORE_TAGS_H
#define WAYLEAVE_CORE_TAGS_H

#include "core/backend.h"

#define EACH_BYTE(x) ((x)*0x0101010101010101ull)
#define MARKS	     EACH_BYTE(0x80ull)

/* Marks the bytes of @word that are zero, and no others. */
static __always_inline __u64 marks_of_zero(__u64 word)
{
	return ~(((word & ~MARKS) + ~MARKS) | word) & MARKS;
}

/* The way of one of the marks, of which there is one at least. */
static __always_inline __u32 marks_way(__u64 marks)
{
	__u64 lowest = (marks & -marks) >> 7;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return lowest * 0x0001020304050607ull >> 56;
#else
	return lowest * 0x0706050403020100ull >> 56;
#endif
}

/* Without the one that marks_way() names. */
static __always_inline __u64 marks_next(__u64 marks)
{
	return marks & (marks - 1);
}

/* Marks with those of @way first, for who begins there. */
static __always_inline __u64 marks_from(__u64 marks, __u32 way)
{
	__u32 bits = way * 8;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return marks >> bits | marks << (-bits & 63);
#else
	return marks << bits | marks >> (-bits & 63);
#endif
}

static __always_inline __u32 marks_count(__u64 marks)
{
	return EACH_BYTE(marks >> 7) >> 56;
}

static __always_inline __u64 tags_read(__u32 set)
{
	const struct set_tags *tags = tags_at(set);

	return tags ? READ_ONCE(tags->word) : 0;
}

/* Marks the ways of @set that may have what has this tag. */
static __always_inline __u64 tags_like(__u32 set, __u8 tag)
{
	return marks_of_zero(tags_read(set) ^ EACH_BYTE((__u64)tag));
}

static __always_inline __u64 tags_free(__u32 set)
{
	return marks_of_zero(tags_read(set));
}

/* Only for who has taken the record, or frees it. */
static __always_inline void tag_write(__u32 record, __u8 tag)
{
	struct set_tags *tags = tags_at(record / RECORDS_A_SET);

	if (!tags)
		return;
	compiler_hide(tags); /* no arithmetic on it before the check, says the verifier */
	WRITE_ONCE(tags->way[record % RECORDS_A_SET], tag);
}

static __always_inline __u8 tag_read(__u32 record)
{
	const struct set_tags *tags = tags_at(record / RECORDS_A_SET);

	return tags ? READ_ONCE(tags->way[record % RECORDS_A_SET]) : 0;
}

#endif
