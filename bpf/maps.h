/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The maps, as every program of the object sees them, and the part of the back
 * end that XDP and TC have in common. The definitions stand in maps.bpf.c; the
 * daemon sets the size of `records` and `tags` before it loads.
 */
#ifndef WAYLEAVE_BPF_MAPS_H
#define WAYLEAVE_BPF_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "core/backend.h"

#ifndef MAP
#define MAP extern
#endif

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct record_set);
} records SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct set_tags);
} tags SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, NEXT_HOPS);
	__type(key, __u32);
	__type(value, struct next_hop);
} next_hops SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, KNOWN_ROUTES);
	__type(key, __u32);
	__type(value, struct known_route);
} known_routes SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, QUESTION_RINGS);
	__type(key, __u32);
	__type(value, struct question_ring);
} questions SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, ROUTE_MTUS);
	__type(key, __u32);
	__type(value, struct route_mtu);
} route_mtus SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MARKED_ROUTES);
	__type(key, __u32);
	__type(value, struct marked_route);
} marked_routes SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, INTERFACES);
	__type(key, __u32);
	__type(value, struct interface);
} interfaces SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct config);
} config SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BUCKETS);
	__type(key, __u32);
	__type(value, struct bucket);
} buckets SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, CONTACTS);
	__type(key, __u32);
	__type(value, __u32);
} contacts SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, COMPLAINTS);
	__type(key, __u32);
	__type(value, struct complaint);
} complaints SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DAEMON_COUNTERS + REASON_COUNT);
	__type(key, __u32);
	__type(value, struct counter);
} counters SEC(".maps");

static __always_inline struct record_set *set_at(__u32 index)
{
	return bpf_map_lookup_elem(&records, &index);
}

static __always_inline struct set_tags *tags_at(__u32 index)
{
	return bpf_map_lookup_elem(&tags, &index);
}

static __always_inline struct next_hop *next_hop_at(__u32 index)
{
	return bpf_map_lookup_elem(&next_hops, &index);
}

static __always_inline struct known_route *known_route_at(__u32 index)
{
	return bpf_map_lookup_elem(&known_routes, &index);
}

static __always_inline struct question_ring *question_ring_at(__u32 index)
{
	return bpf_map_lookup_elem(&questions, &index);
}

static __always_inline struct route_mtu *route_mtu_at(__u32 index)
{
	return bpf_map_lookup_elem(&route_mtus, &index);
}

static __always_inline struct marked_route *marked_route_at(__u32 index)
{
	return bpf_map_lookup_elem(&marked_routes, &index);
}

static __always_inline struct interface *interface_at(__u32 index)
{
	return bpf_map_lookup_elem(&interfaces, &index);
}

static __always_inline struct bucket *bucket_at(__u32 index)
{
	return bpf_map_lookup_elem(&buckets, &index);
}

static __always_inline __u32 *contact_at(__u32 index)
{
	return bpf_map_lookup_elem(&contacts, &index);
}

static __always_inline struct complaint *complaint_at(__u32 index)
{
	return bpf_map_lookup_elem(&complaints, &index);
}

static __always_inline struct config *config_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&config, &zero);
}

/* One load once the JIT has inlined it; needs no daemon and no timer. */
static __always_inline __u32 clock_ticks(const struct config *c)
{
	return (__u32)bpf_jiffies64() + c->clock_offset;
}

static __always_inline void count(enum reason reason, __u32 bytes)
{
	__u32 index = reason;
	struct counter *counter = bpf_map_lookup_elem(&counters, &index);

	if (!counter)
		return;
	counter->packets++;
	counter->bytes += bytes;
}

static __always_inline __u32 random_u32(void)
{
	return bpf_get_prandom_u32();
}

static __always_inline void bounded_loop(__u32 times, long (*step)(__u32, void *), void *context)
{
	bpf_loop(times, step, context, 0);
}

#endif
