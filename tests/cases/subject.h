/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a specification is held against: the core in this process
 * (subject_memory.c) or the real programs in the kernel (subject_bpf.c).
 */
#ifndef WAYLEAVE_TESTS_CASES_SUBJECT_H
#define WAYLEAVE_TESTS_CASES_SUBJECT_H

#include "tests/cases/world.h"

/*
 * Ticks by which a time that the subject took may differ from the model's. The
 * kernel's clock runs on while a packet is on its way; a rule leaves a packet
 * open that comes so near to a timer's end.
 */
extern const __u32 subject_blur;

/* Opens the arena with @sets record sets. @which: tc or xdp, for the kernel's programs. */
void subject_open(const char *which, __u32 sets);

/*
 * The IPv4 packet in @context, in place; the verdict has an action and a
 * reason, no index. Time is world.now, afterwards too.
 */
verdict_t subject_translate(packet_context *context, __u32 ifindex, enum direction direction);

/* Did the last packet take so long that nobody knows what time it was? */
bool subject_was_held_up(void);

#endif
