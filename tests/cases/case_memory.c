/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packet cases' memory back end: the core under sanitizers, no kernel in it. */
#include <stdlib.h>

#include "tests/cases/case_protocol.h"

#define ETHERNET 14

/*
 * The frame in memory of just its size, so that a sanitizer sees each access
 * past its end; two bytes in, so that the IP header is aligned.
 */
struct exact {
	packet_context context;
	__u8 *memory;
};

static void exact_open(struct exact *e, const struct case_frame *frame)
{
	e->memory = malloc(2 + frame->length);
	if (!e->memory)
		abort();
	e->context = (packet_context){.data = e->memory + 2, .length = frame->length};
	memcpy(e->context.data, frame->data, frame->length);
	if (frame->segment)
		e->context.segment = 40 + frame->segment;
}

static void exact_close(struct exact *e, struct case_frame *frame, __u32 at)
{
	memcpy(frame->data + at, e->context.data, e->context.length);
	frame->length = at + e->context.length;
	free(e->memory);
}

static const char *transmit(struct case_frame *frame, __u32 index)
{
	const struct next_hop *hop = next_hop_at(index);

	if (!hop || !hop->ifindex)
		return "drop";
	memcpy(frame->data, hop->destination, 6);
	memcpy(frame->data + 6, hop->source, 6);
	return "forward";
}

static const char *punt(struct case_frame *frame, verdict_t v, enum direction direction)
{
	struct punt record = {
		.action = PUNT_DOWN,
		.reason = verdict_reason(v),
		.side = world.turned		    ? PUNT_FROM_WAN | PUNT_HAIRPIN
			: direction == DIRECTION_IN ? PUNT_FROM_WAN
						    : 0,
		.index = verdict_index(v),
		.ifindex = frame->ifindex,
	};

	if (!arena.config->tap_ifindex)
		return "drop";
	memcpy(frame->data, &record, sizeof(record));
	return "punt";
}

/* The cutter itself is the TC programs'. */
static const char *to_cutter(struct case_frame *frame, verdict_t v)
{
	struct punt record = {.action = PUNT_CUT, .index = verdict_index(v)};

	if (!arena.config->cut_ifindex)
		return "drop";
	memcpy(frame->data, &record, sizeof(record));
	return "cut";
}

static const char *finish(struct case_frame *frame, verdict_t v, enum direction direction)
{
	switch (verdict_action(v)) {
	case ACTION_FORWARD:
		return transmit(frame, verdict_index(v));
	case ACTION_CUT:
		return to_cutter(frame, v);
	case ACTION_STACK:
		return "stack";
	case ACTION_PUNT:
		return punt(frame, v, direction);
	default:
		return "drop";
	}
}

/* @base: 14 or, without Ethernet header, 0; then one is put in front of what is sent. */
static const char *translate_as(struct case_frame *frame, __u32 base, enum direction direction,
				enum origin origin, __u32 as)
{
	struct exact e;
	verdict_t v;
	__u32 grows;

	exact_open(&e, frame);
	v = world_translate(&e.context, base, frame->ifindex, direction, origin, as);
	grows = !base && (verdict_action(v) != ACTION_STACK && verdict_action(v) != ACTION_DROP)
			? ETHERNET
			: 0;
	exact_close(&e, frame, grows);
	if (grows)
		memcpy(frame->data + 12, "\x08", 2);
	return finish(frame, v, direction);
}

static const char *translate(struct case_frame *frame, __u32 base, enum direction direction,
			     enum origin origin)
{
	return translate_as(frame, base, direction, origin, NO_RECORD);
}

static const char *run_local(struct case_frame *frame, __u32 base)
{
	struct packet p = {.base = base, .ifindex = frame->ifindex};
	struct exact e;

	exact_open(&e, frame);
	p.context = &e.context;
	local_note(&p);
	exact_close(&e, frame, 0);
	return "stack";
}

static const char *run_tap(struct case_frame *frame)
{
	struct punt record;

	memcpy(&record, frame->data, sizeof(record));
	frame->ifindex = record.ifindex;
	if (record.action == PUNT_TRANSMIT)
		return transmit(frame, record.index);
	if (record.action == PUNT_SESSION && record.side & PUNT_FROM_WAN)
		return translate_as(frame, ETHERNET, DIRECTION_IN, ORIGIN_DAEMON, record.index);
	if (record.action != PUNT_TRANSLATE)
		return "drop";
	if (record.side & PUNT_HAIRPIN)
		return translate_as(frame, ETHERNET, DIRECTION_IN, ORIGIN_TURNED_DAEMON,
				    record.index);
	return translate(frame, ETHERNET,
			 record.side & PUNT_FROM_WAN ? DIRECTION_IN : DIRECTION_OUT, ORIGIN_DAEMON);
}

static const char *run(struct case_frame *frame)
{
	const char *program = frame->program;

	if (!program)
		return NULL;
	if (!strcmp(program, "inside"))
		return translate(frame, ETHERNET, DIRECTION_OUT, ORIGIN_WIRE);
	if (!strcmp(program, "outside"))
		return translate(frame, ETHERNET, DIRECTION_IN, ORIGIN_WIRE);
	if (!strcmp(program, "inside_bare"))
		return translate(frame, 0, DIRECTION_OUT, ORIGIN_WIRE);
	if (!strcmp(program, "outside_bare"))
		return translate(frame, 0, DIRECTION_IN, ORIGIN_WIRE);
	if (!strcmp(program, "local"))
		return run_local(frame, ETHERNET);
	if (!strcmp(program, "local_bare"))
		return run_local(frame, 0);
	return strcmp(program, "tap") ? NULL : run_tap(frame);
}

static void set_clock(__u32 ticks)
{
	world.now = ticks;
}

static void read_counters(struct counter *totals)
{
	memcpy(totals, world.counters, sizeof(world.counters));
}

int main(void)
{
	const struct case_backend backend = {
		.run = run, .clock = set_clock, .counters = read_counters};

	world_create(WORLD_SETS);
	return case_serve(&backend);
}
