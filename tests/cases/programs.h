/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real programs under BPF_PROG_TEST_RUN, their maps shared with this
 * process. Needs root, and the network namespace that the runner has made
 * (network.py). One set of programs a process.
 */
#ifndef WAYLEAVE_TESTS_CASES_PROGRAMS_H
#define WAYLEAVE_TESTS_CASES_PROGRAMS_H

#include "tests/cases/case_protocol.h"

/* What a TC program answers. */
#define TC_UNSPEC   -1
#define TC_SHOT	    2
#define TC_REDIRECT 7

/* Loads them with @sets record sets and points the arena at their maps; ends the process on
 * failure. */
void programs_open(__u32 sets);
void programs_close(void);

/*
 * Runs @frame in place; @result: what the program answered, TC_ACT_* or XDP_*.
 * -ENOENT: there is no such program; other -errno: the kernel did not run it.
 */
int programs_run(struct case_frame *frame, int *result);

/* The kernel's tick counter, as the programs see it without config.clock_offset. */
__u32 programs_jiffies(void);

/* Adds what all processors have counted to @totals (REASON_COUNT of them). */
void programs_counters(struct counter *totals);

#endif
