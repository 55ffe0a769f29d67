/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core's back end in user space: packets are plain memory, shared memory
 * is wherever `arena` points. The daemon maps the data plane's own arrays
 * there; tests and fuzzers use their own and stand in for the kernel's routes.
 *
 * Context: any user-space program; one arena a process.
 */
#ifndef WAYLEAVE_CORE_MEMORY_H
#define WAYLEAVE_CORE_MEMORY_H

#include <string.h>

#include "core/backend.h"

#define BACKEND_NAME(x)	 memory_##x
#define BACKEND_FINISHES 1

struct arena {
	struct record_set *sets;	    /* config->set_mask + 1 of them */
	struct set_tags *tags;		    /* as many */
	struct next_hop *next_hops;	    /* NEXT_HOPS */
	struct interface *interfaces;	    /* INTERFACES */
	struct known_route *known_routes;   /* KNOWN_ROUTES; NULL: none are kept */
	struct question_ring *questions;    /* QUESTION_RINGS; NULL: none are kept */
	struct route_mtu *route_mtus;	    /* ROUTE_MTUS; NULL: none */
	struct marked_route *marked_routes; /* MARKED_ROUTES; NULL: none */
	struct config *config;
	struct bucket *buckets;	      /* BUCKETS */
	__u32 *contacts;	      /* CONTACTS */
	struct complaint *complaints; /* COMPLAINTS; NULL: none are kept */
	/* tests and daemon: what the kernel is in the BPF back ends */
	__u32 (*ticks)(void);
	__u32 (*random)(void);
	void (*count)(enum reason reason, __u32 bytes);
	enum route_result (*route)(const struct query *query, struct route *route);
	__u32 (*stack_mtu)(const struct query *query); /* NULL: nobody knows */
};

/* Defined once by each program; set before any other function of the core. */
extern struct arena arena;

/* Borrowed memory: the frame from its link header on. */
typedef struct {
	__u8 *data;
	__u32 length;  /* of the frame */
	__u32 segment; /* 0: not GSO; else bytes of a segment from the IP header on */
} packet_context;

struct packet {
	packet_context *context;
	__u32 base;
	__u32 ifindex;
};

static inline struct record_set *set_at(__u32 index)
{
	return index <= arena.config->set_mask ? &arena.sets[index] : NULL;
}

static inline struct set_tags *tags_at(__u32 index)
{
	return index <= arena.config->set_mask ? &arena.tags[index] : NULL;
}

static inline struct next_hop *next_hop_at(__u32 index)
{
	return index < NEXT_HOPS ? &arena.next_hops[index] : NULL;
}

static inline struct known_route *known_route_at(__u32 index)
{
	return arena.known_routes && index < KNOWN_ROUTES ? &arena.known_routes[index] : NULL;
}

static inline struct question_ring *question_ring_at(__u32 index)
{
	return arena.questions && index < QUESTION_RINGS ? &arena.questions[index] : NULL;
}

static inline struct route_mtu *route_mtu_at(__u32 index)
{
	return arena.route_mtus && index < ROUTE_MTUS ? &arena.route_mtus[index] : NULL;
}

static inline struct marked_route *marked_route_at(__u32 index)
{
	return arena.marked_routes && index < MARKED_ROUTES ? &arena.marked_routes[index] : NULL;
}

static inline struct interface *interface_at(__u32 index)
{
	return index < INTERFACES ? &arena.interfaces[index] : NULL;
}

static inline struct bucket *bucket_at(__u32 index)
{
	return index < BUCKETS ? &arena.buckets[index] : NULL;
}

static inline __u32 *contact_at(__u32 index)
{
	return index < CONTACTS ? &arena.contacts[index] : NULL;
}

static inline struct complaint *complaint_at(__u32 index)
{
	return arena.complaints && index < COMPLAINTS ? &arena.complaints[index] : NULL;
}

static inline struct config *config_get(void)
{
	return arena.config;
}

static inline __u32 clock_ticks(const struct config *c)
{
	return arena.ticks() + c->clock_offset;
}

static inline void count(enum reason reason, __u32 bytes)
{
	arena.count(reason, bytes);
}

static inline __u32 random_u32(void)
{
	return arena.random();
}

static inline void bounded_loop(__u32 times, long (*step)(__u32, void *), void *context)
{
	for (__u32 i = 0; i < times && !step(i, context); i++)
		;
}

static inline void *packet_at(struct packet *p, __u32 offset, __u32 length)
{
	if (p->base + offset + length > p->context->length)
		return NULL;
	return p->context->data + p->base + offset;
}

static inline bool packet_make_readable(struct packet *p, __u32 length)
{
	return true;
}

static inline __u32 packet_length(const struct packet *p)
{
	return p->context->length - p->base;
}

static inline __u32 packet_segment_length(const struct packet *p)
{
	return p->context->segment ? p->context->segment : packet_length(p);
}

static inline struct packet packet_inner(const struct packet *p, __u32 offset)
{
	struct packet inner = *p;

	inner.base += offset;
	return inner;
}

static inline bool packet_copy(struct packet *p, __u32 offset, void *to, __u32 length)
{
	const void *from = packet_at(p, offset, length);

	if (from)
		__builtin_memcpy(to, from, length);
	return from;
}

static inline void packet_fix_l4_sum(struct packet *p, __u32 offset, __u16 address_delta,
				     __u16 id_delta, bool zero_is_none)
{
	__u16 *check = packet_at(p, offset, 2);

	if (!check || (zero_is_none && !*check))
		return;
	*check = checksum_adjust(*check, (__u32)address_delta + id_delta);
	if (zero_is_none && !*check)
		*check = 0xffff;
}

static inline enum route_result route_lookup(struct packet *p, const struct query *query,
					     struct route *route)
{
	return arena.route(query, route);
}

static inline __u32 route_interface(struct packet *p, const struct query *query)
{
	struct route route = {};

	return arena.route(query, &route) == ROUTE_STACK ? 0 : route.ifindex;
}

static inline __u32 stack_mtu(struct packet *p, const struct query *query)
{
	return arena.stack_mtu ? arena.stack_mtu(query) : 0;
}

static inline bool next_hop_usable(const struct next_hop *hop)
{
	return true;
}

#endif
