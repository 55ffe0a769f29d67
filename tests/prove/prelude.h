/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Frama-C 25 does not know of C11 and of gcc. */
#define static_assert(...) struct prelude_nothing
#define _Static_assert(...) struct prelude_nothing
#define __builtin_bswap16(x) prelude_swap_16(x)
#define __builtin_bswap32(x) prelude_swap_32(x)

static inline unsigned short prelude_swap_16(unsigned short x)
{
	return (unsigned short)(x << 8 | x >> 8);
}

static inline unsigned int prelude_swap_32(unsigned int x)
{
	return x << 24 | (x & 0xff00) << 8 | (x >> 8 & 0xff00) | x >> 24;
}
