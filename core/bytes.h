/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small things that the core needs in place of libc: inlining, single memory
 * accesses, byte order and the Internet checksum (RFC 1071, RFC 1624).
 */
#ifndef WAYLEAVE_CORE_BYTES_H
#define WAYLEAVE_CORE_BYTES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#undef __noinline
#define __noinline __attribute__((noinline, unused))

/*
 * SEPARATE: in the BPF object a global function, which the verifier walks once
 * by itself instead of again at each call. So its pointers may be NULL and it
 * answers a number. The same function may come from several objects; one that
 * takes the packet differs between them and has its name from BACKEND_NAME().
 */
#ifdef __bpf__
#define SEPARATE __attribute__((noinline, weak))
#else
#define SEPARATE static __attribute__((noinline, unused))
#endif

/* The answer says whether there is anything to go on with. */
#define MUST_CHECK __attribute__((warn_unused_result))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* One load or store, neither split nor repeated by the compiler. */
/*
 * An exchange that orders all that is written before it and read after it. In BPF the
 * builtin is one; gcc's is an acquire alone.
 */
#ifdef __bpf__
#define EXCHANGE(p, v) __sync_lock_test_and_set(p, v)
#else
#define EXCHANGE(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#endif
#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/* Before a short loop of constant length: no backward jump reaches the verifier. */
#ifdef __clang__
#define UNROLLED _Pragma("unroll")
#else
#define UNROLLED _Pragma("GCC unroll 16")
#endif

/* Keeps the compiler from turning a bounded loop into a shape that Linux 6.1 refuses. */
#define compiler_barrier() __asm__ volatile("" ::: "memory")

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define be16_to_host(x) ((__u16)__builtin_bswap16((__u16)(x)))
#define be32_to_host(x) ((__u32)__builtin_bswap32((__u32)(x)))
#else
#define be16_to_host(x) ((__u16)(x))
#define be32_to_host(x) ((__u32)(x))
#endif
#define host_to_be16(x) ((__be16)be16_to_host(x))
#define host_to_be32(x) ((__be32)be32_to_host(x))

/* Makes the compiler forget what it knows of @x: it may not use it before a check. */
#define compiler_hide(x) __asm__ volatile("" : "+r"(x))

/* A slot of @slots, a power of two, for @what: whoever does not know @secret cannot tell which. */
static __always_inline __u32 secret_slot(__u64 secret, __u64 what, __u32 slots)
{
	__u64 mixed = (secret ^ what) * 0x9e3779b97f4a7c15ull;

	mixed = (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93ull;
	return mixed >> 40 & (slots - 1);
}

/* --- checksum ------------------------------------------------------------------ */
/* Sums are over 16-bit words as they lie in memory, so byte order does not matter. */

static __always_inline __u16 sum_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static __always_inline __u32 sum_of_32(__u32 word)
{
	return (word & 0xffff) + (word >> 16);
}

/* What has to be added to a sum in which @from becomes @to (RFC 1624 eqn. 3). */
static __always_inline __u16 delta_of_32(__u32 from, __u32 to)
{
	return sum_fold(sum_of_32(~from) + sum_of_32(to));
}

static __always_inline __u16 delta_of_16(__u16 from, __u16 to)
{
	return sum_fold((__u32)(__u16)~from + to);
}

/* The checksum field after the change; never turns 0xffff into 0 by itself. */
static __always_inline __u16 checksum_adjust(__u16 check, __u32 delta)
{
	return (__u16)~sum_fold((__u32)(__u16)~check + delta);
}

#endif
