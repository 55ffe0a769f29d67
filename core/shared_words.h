/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the data plane and the daemon change at the same time without a lock: the flags
 * of sessions and next hops, and the MAC addresses of a next hop. Both sides change them
 * by atomics of one width, on the aligned word that they stand in (programs have none
 * on bytes), so neither undoes what the other has changed.
 *
 * A MAC address is one word with what stands beside it, written and read at once: no
 * frame leaves with half of an old address and half of a new one. NEXT_HOP_RESOLVED is
 * in the source's word, and set with it, when the destination is there.
 *
 * Context: any.
 */
#ifndef WAYLEAVE_CORE_SHARED_WORDS_H
#define WAYLEAVE_CORE_SHARED_WORDS_H

#include "core/abi.h"
#include "core/bytes.h"

/* --- sessions ---------------------------------------------------------------------------- */

_Static_assert(offsetof(struct record, session.tcp_state) % 4 == 0 &&
		       offsetof(struct session, flags) == offsetof(struct session, tcp_state) + 1,
	       "a session's flags are the second byte of their word");

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SESSION_FLAGS_SHIFT 8
#else
#define SESSION_FLAGS_SHIFT 16
#endif

static __always_inline __u32 *session_flags_word(struct session *s)
{
	return (__u32 *)(void *)&s->tcp_state;
}

/* @flags: SESSION_... */
static __always_inline void session_set(struct session *s, __u8 flags)
{
	__sync_fetch_and_or(session_flags_word(s), (__u32)flags << SESSION_FLAGS_SHIFT);
}

static __always_inline void session_clear(struct session *s, __u8 flags)
{
	__sync_fetch_and_and(session_flags_word(s), ~((__u32)flags << SESSION_FLAGS_SHIFT));
}

/* --- next hops --------------------------------------------------------------------------- */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define MAC_MASK	     0x0000ffffffffffffull
#define MAC_SHIFT(byte)	     (8 * (byte))
#define MAC_PAIR_SHIFT(pair) (16 * (pair))
#define NEXT_HOP_FLAGS_SHIFT 48
#else
#define MAC_MASK	     0xffffffffffff0000ull
#define MAC_SHIFT(byte)	     (56 - 8 * (byte))
#define MAC_PAIR_SHIFT(pair) (48 - 16 * (pair))
#define NEXT_HOP_FLAGS_SHIFT 8
#endif

/* @flags: NEXT_HOP_... */
static __always_inline void next_hop_set(struct next_hop *hop, __u8 flags)
{
	__sync_fetch_and_or(&hop->from, (__u64)flags << NEXT_HOP_FLAGS_SHIFT);
}

static __always_inline void next_hop_clear(struct next_hop *hop, __u8 flags)
{
	__sync_fetch_and_and(&hop->from, ~((__u64)flags << NEXT_HOP_FLAGS_SHIFT));
}

/* The first six bytes of @word become @mac. */
static __always_inline __u64 word_with_mac(__u64 word, const __u8 *mac)
{
	word &= ~MAC_MASK;
	UNROLLED
	for (int i = 0; i < 6; i++)
		word |= (__u64)mac[i] << MAC_SHIFT(i);
	return word;
}

/* The neighbour's MAC address. */
static __always_inline void next_hop_set_destination(struct next_hop *hop, const __u8 *mac)
{
	__u64 former = READ_ONCE(hop->to), word = word_with_mac(former, mac);

	if (word != former)
		WRITE_ONCE(hop->to, word);
}

#define SOURCE_TRIES 8 /* each one that fails is a flag that another has changed */

/* The interface's own; resolved from now on, the destination has to be there. */
static __always_inline void next_hop_set_source(struct next_hop *hop, const __u8 *mac)
{
	const __u64 resolved = (__u64)NEXT_HOP_RESOLVED << NEXT_HOP_FLAGS_SHIFT;

	for (int i = 0; i < SOURCE_TRIES; i++) {
		__u64 former = READ_ONCE(hop->from), word = word_with_mac(former, mac) | resolved;

		/* the exchange also orders: what is above is visible before the flag is */
		if (word == former ||
		    __sync_val_compare_and_swap(&hop->from, former, word) == former)
			return;
	}
}

/* Writes both addresses of @hop to @frame, which is aligned to two bytes. */
static __always_inline void macs_write(void *frame, const struct next_hop *hop)
{
	__u64 to = READ_ONCE(hop->to), from = READ_ONCE(hop->from);
	__u16 *pair = frame;

	UNROLLED
	for (int i = 0; i < 3; i++) {
		pair[i] = to >> MAC_PAIR_SHIFT(i);
		pair[3 + i] = from >> MAC_PAIR_SHIFT(i);
	}
}

#endif
