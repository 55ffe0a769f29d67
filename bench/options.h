/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options that the generator and the stations have in common. Context: user space. */
#ifndef WAYLEAVE_BENCH_OPTIONS_H
#define WAYLEAVE_BENCH_OPTIONS_H

#include <stdbool.h>

#include "bench/traffic.h"

struct options {
	struct traffic traffic;
	const char *interface;
	const char *program; /* station: which one */
	const char *out;     /* station: where a redirect goes */
	double warm_s, measure_s;
	__u64 frames;	  /* send so many and stop; 0: by time */
	int processor;	  /* that sends */
	__u32 tallies[4]; /* map ids of the sinks to read */
	int tallies_count;
	bool inside; /* station: a sink on the inside */
};

/* From the command line. Exits with a usage message where it is wrong. */
struct options options_read(int argc, char **argv);

#endif
