/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/call_ids.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>

#define IDS 65536u

struct pool {
	struct pool *next;
	__be32 server;
	unsigned int used;
	uint64_t taken[IDS / 64];
};

struct call_ids {
	struct pool *pools;
};

struct call_ids *call_ids_new(void)
{
	return calloc(1, sizeof(struct call_ids));
}

void call_ids_free(struct call_ids *ids)
{
	struct pool *pool = ids ? ids->pools : NULL, *next;

	for (; pool; pool = next) {
		next = pool->next;
		free(pool);
	}
	free(ids);
}

static struct pool *pool_find(const struct call_ids *ids, __be32 server)
{
	struct pool *pool = ids->pools;

	while (pool && pool->server != server)
		pool = pool->next;
	return pool;
}

/* Id 0 is never given: some servers take it for "no call". */
static struct pool *pool_get(struct call_ids *ids, __be32 server)
{
	struct pool *pool = pool_find(ids, server);

	if (pool)
		return pool;
	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return NULL;
	pool->server = server;
	pool->taken[0] = 1;
	pool->next = ids->pools;
	ids->pools = pool;
	return pool;
}

static void pool_drop(struct call_ids *ids, struct pool *pool)
{
	struct pool **link = &ids->pools;

	while (*link != pool)
		link = &(*link)->next;
	*link = pool->next;
	free(pool);
}

static bool is_taken(const struct pool *pool, uint16_t id)
{
	return pool->taken[id / 64] >> (id % 64) & 1;
}

static void take(struct pool *pool, uint16_t id)
{
	pool->taken[id / 64] |= 1ull << (id % 64);
	pool->used++;
}

uint16_t call_ids_take(struct call_ids *ids, __be32 server)
{
	struct pool *pool = pool_get(ids, server);
	uint16_t start = 0;

	if (!pool || getrandom(&start, sizeof(start), 0) != sizeof(start))
		return 0;
	for (uint32_t i = 0; i < IDS; i++) {
		uint16_t id = start + i;

		if (is_taken(pool, id))
			continue;
		take(pool, id);
		return id;
	}
	return 0;
}

int call_ids_take_this(struct call_ids *ids, __be32 server, uint16_t id)
{
	struct pool *pool = pool_get(ids, server);

	if (!pool)
		return -ENOMEM;
	if (is_taken(pool, id))
		return -EEXIST;
	take(pool, id);
	return 0;
}

void call_ids_give_back(struct call_ids *ids, __be32 server, uint16_t id)
{
	struct pool *pool = pool_find(ids, server);

	if (!pool || !id || !is_taken(pool, id))
		return;
	pool->taken[id / 64] &= ~(1ull << (id % 64));
	pool->used--;
	if (!pool->used)
		pool_drop(ids, pool);
}

unsigned int call_ids_used(const struct call_ids *ids, __be32 server)
{
	const struct pool *pool = pool_find(ids, server);

	return pool ? pool->used : 0;
}
