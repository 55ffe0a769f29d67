/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many ICMP errors the gateway itself may send (RFC 1812 section 4.3.2.8). */
#ifndef WAYLEAVE_DAEMON_NOTICE_LIMIT_H
#define WAYLEAVE_DAEMON_NOTICE_LIMIT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#define NOTICES_A_SECOND      500
#define NOTICES_EACH_A_SECOND 10 /* to one destination, or to one that shares its bucket */
#define NOTICE_BUCKETS	      256

/* All zero: nothing sent yet. */
struct notice_limit {
	uint64_t second; /* that the counts are of */
	unsigned int all;
	uint8_t each[NOTICE_BUCKETS];
};

/* May one more go to DESTINATION in this SECOND? Counts it. */
bool notice_admit(struct notice_limit *limit, __be32 destination, uint64_t second);

#endif
