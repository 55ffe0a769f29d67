/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads big-endian integers from bytes that somebody hostile may have sent.
 * The cursor fails sticky: past the end every read gives 0 and `failed` stays
 * set, so a decoder reads all its fields and asks once.
 */
#ifndef WAYLEAVE_HELPER_CURSOR_H
#define WAYLEAVE_HELPER_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const uint8_t *bytes; /* never moves: what is read is always bytes[at], at < end */
	size_t at, end;
	bool failed;
};

static inline struct cursor cursor_over(const uint8_t *bytes, size_t length)
{
	return (struct cursor){.bytes = bytes, .end = length};
}

static inline size_t cursor_left(const struct cursor *c)
{
	return c->end - c->at;
}

/*
 * The next `count` bytes as a cursor of their own, which has failed if they are not
 * there. Written so that `make prove` can follow it: no bound depends on a difference.
 */
static inline struct cursor cursor_part(struct cursor *c, size_t count)
{
	struct cursor part = *c;
	size_t past = c->at + count;

	if (c->failed || past < count || past > c->end) {
		c->failed = true;
		return (struct cursor){.bytes = c->bytes, .failed = true};
	}
	part.end = past;
	c->at = past;
	return part;
}

static inline void cursor_skip(struct cursor *c, size_t count)
{
	cursor_part(c, count);
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	if (c->failed || c->at >= c->end) {
		c->failed = true;
		return 0;
	}
	return c->bytes[c->at++];
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	uint16_t high = cursor_u8(c), low = cursor_u8(c);

	return c->failed ? 0 : (uint16_t)(high << 8 | low);
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	uint32_t high = cursor_u16(c), low = cursor_u16(c);

	return c->failed ? 0 : high << 16 | low;
}

#endif
