/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of a frame on an interface: XDP, if it is there, and what that leaves,
 * untouched, goes to TC; a hairpinned frame comes in again by the tap.
 */
#include <stdio.h>
#include <stdlib.h>

#include <linux/bpf.h>

#include "tests/cases/programs.h"
#include "tests/cases/subject.h"

#define ETHERNET 14

/* Of the kernel's ticks: it may take that long when others want the processor too. */
const __u32 subject_blur = 25;

static bool has_xdp, held_up;
static struct counter seen[REASON_COUNT];

void subject_open(const char *which, __u32 sets)
{
	if (!which || (strcmp(which, "tc") && strcmp(which, "xdp"))) {
		fprintf(stderr, "tc or xdp?\n");
		exit(2);
	}
	has_xdp = !strcmp(which, "xdp");
	programs_open(sets);
}

/* --- verdicts ------------------------------------------------------------------------------- */

/* Some reasons are counted beside the one of the verdict. */
static bool is_event(enum reason reason)
{
	enum { FORWARD, GATEWAY, SLOW, DROP, EVENT };
#define REASON(name, kind, rfc, sentence) [REASON_##name] = (kind) == EVENT,
	static const bool events[] = {
#include "core/reason.def"
	};
#undef REASON
	return events[reason];
}

/* What has been counted since this was asked the last time; nothing: forwarded. */
static enum reason reason_counted(void)
{
	struct counter now[REASON_COUNT] = {};
	enum reason reason = REASON_forwarded;

	programs_counters(now);
	for (int i = 0; i < REASON_COUNT; i++)
		if (now[i].packets != seen[i].packets && i != REASON_forwarded && !is_event(i))
			reason = i;
	memcpy(seen, now, sizeof(seen));
	return reason;
}

static verdict_t verdict_of_redirect(const struct case_frame *frame)
{
	struct punt record;

	memcpy(&record, frame->data, sizeof(record));
	if (record.action == PUNT_DOWN)
		return verdict(ACTION_PUNT, reason_counted(), 0);
	if (record.action == PUNT_TRANSLATE)
		return verdict(ACTION_HAIRPIN, REASON_forwarded, 0);
	return verdict(ACTION_FORWARD, REASON_forwarded, 0);
}

static verdict_t run(struct case_frame *frame, const char *program)
{
	bool is_xdp = !strncmp(program, "xdp_", 4);
	int result, error;

	frame->program = program;
	error = programs_run(frame, &result);
	if (error) {
		fprintf(stderr, "%s: %s\n", program, strerror(-error));
		exit(1);
	}
	if (is_xdp && result == XDP_PASS)
		return leave();
	if (result == (is_xdp ? XDP_REDIRECT : TC_REDIRECT))
		return verdict_of_redirect(frame);
	return verdict(!is_xdp && result == TC_UNSPEC ? ACTION_STACK : ACTION_DROP,
		       reason_counted(), 0);
}

static verdict_t run_on_interface(struct case_frame *frame, enum direction direction)
{
	bool out = direction == DIRECTION_OUT;
	__u8 before[CASE_FRAME_BYTES];
	verdict_t v = leave();

	memcpy(before, frame->data, frame->length);
	if (has_xdp)
		v = run(frame, out ? "xdp_inside" : "xdp_outside");
	if (verdict_action(v) != ACTION_LEAVE)
		return v;
	if (memcmp(before, frame->data, frame->length)) {
		fprintf(stderr, "XDP changed a frame that it left\n");
		exit(1);
	}
	v = run(frame, out ? "tc_inside" : "tc_outside");
	return verdict_action(v) == ACTION_HAIRPIN ? run(frame, "tc_tap") : v;
}

/* --- time ----------------------------------------------------------------------------------- */

/* Also, the slow path has a rate that is not the model's business. */
static __u32 time_begin(void)
{
	__u32 jiffies = programs_jiffies();

	arena.config->clock_offset = world.now - jiffies;
	memset(arena.buckets, 0, BUCKETS * sizeof(struct bucket));
	return jiffies;
}

static void time_end(__u32 jiffies)
{
	__u32 passed = programs_jiffies() - jiffies;

	arena.config->clock_offset = 0; /* the daemon's parts in this process have the model's */
	world.now += passed;
	held_up = passed > subject_blur;
}

bool subject_was_held_up(void)
{
	return held_up;
}

verdict_t subject_translate(packet_context *context, __u32 ifindex, enum direction direction)
{
	__u8 data[CASE_FRAME_BYTES] = {[12] = 0x08};
	struct case_frame frame = {
		.ifindex = ifindex, .length = ETHERNET + context->length, .data = data};
	__u32 begun;
	verdict_t v;

	memcpy(data, arena.config->own_macs[ifindex % INTERFACES].mac, 6);
	memcpy(data + ETHERNET, context->data, context->length);
	begun = time_begin();
	v = run_on_interface(&frame, direction);
	time_end(begun);
	memcpy(context->data, data + ETHERNET, context->length);
	return v;
}
