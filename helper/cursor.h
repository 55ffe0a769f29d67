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
	const uint8_t *next;
	size_t left; /* bytes */
	bool failed;
};

static inline struct cursor cursor_over(const uint8_t *bytes, size_t length)
{
	return (struct cursor){.next = bytes, .left = length};
}

/* The next `count` bytes, or NULL. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t count)
{
	const uint8_t *taken = c->next;

	if (c->failed || count > c->left) {
		c->failed = true;
		return NULL;
	}
	c->next += count;
	c->left -= count;
	return taken;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 1);

	return p ? *p : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	uint32_t high = cursor_u16(c);

	return high << 16 | cursor_u16(c);
}

#endif
