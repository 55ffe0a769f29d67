/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line protocol between the rows in Python and a back end: one command a
 * line on standard input, one answer that ends in a line "ok ..." or
 * "error ...". Fields are NAME=VALUE: numbers in host order, addresses dotted,
 * MAC addresses with colons.
 *
 *   reset                           records, next hops and settings as at the start
 *   config FIELD...                 of struct config
 *   clock TICKS                     the data plane's time from now on
 *   interface INDEX FIELD...        of struct interface
 *   route PREFIX LENGTH IFINDEX NEIGHBOUR SOURCE_MAC DESTINATION_MAC
 *                                   for the memory back end; IFINDEX 0: the stack;
 *                                   both MAC addresses 00:00:00:00:00:00: not resolved
 *   unroute                         takes back the last route, memory back end
 *   mtu IFINDEX BYTES               of every route through the interface, memory back end
 *   insert FIELD...                 a LIVE record; `kind` first; ok INDEX
 *   change INDEX FIELD...           of a record
 *   kill INDEX                      to DEAD, as the sweeper does
 *   records                         every record but FREE ones, a line each
 *   frame PROGRAM IFINDEX SEGMENT HEX
 *                                   ok VERDICT HEX REASON=PACKETS/BYTES...
 *   race PROGRAM IFINDEX HEX HEX    two frames at the same time, each on a processor of its own:
 *                                   ok VERDICT HEX VERDICT HEX REASON=PACKETS/BYTES...
 *
 * VERDICT: forward stack punt drop; xdp_* programs say leave for XDP_PASS.
 */
#ifndef WAYLEAVE_TESTS_CASES_CASE_PROTOCOL_H
#define WAYLEAVE_TESTS_CASES_CASE_PROTOCOL_H

#include "tests/cases/world.h"

#define CASE_FRAME_BYTES 4096
#define CASE_RACERS	 2

struct case_frame {
	const char *program;
	__u32 ifindex;
	__u32 segment; /* bytes of payload in a GSO segment, 0: not GSO */
	__u32 length;
	__u8 *data; /* CASE_FRAME_BYTES long; may grow */
};

/* What a back end brings. Runs a frame in place; answers the verdict's word or NULL: no such way.
 */
struct case_backend {
	const char *(*run)(struct case_frame *frame);
	/* Runs CASE_RACERS frames at once, with their words in @words; NULL: there is one
	 * processor. */
	void (*race)(struct case_frame *frames, const char **words);
	void (*clock)(__u32 ticks);
	void (*counters)(struct counter *totals); /* REASON_COUNT of them */
};

/* Serves standard input to its end. Exit status. */
int case_serve(const struct case_backend *backend);

/* The word for what lies in @frame after it was sent on: "forward" or "punt". */
const char *case_sent(const struct case_frame *frame);

#endif
