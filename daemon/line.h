/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The internet line, as far as it can be seen from here without asking anybody out there:
 * carrier, address, default route, a next hop that answers, and when something last came
 * from the WAN for a session. Online is only what was seen.
 *
 * The next hop is asked by ARP, by the kernel, and only while nothing else arrives.
 * Addresses in network byte order, times are ticks. Context: daemon, once a second.
 */
#ifndef WAYLEAVE_DAEMON_LINE_H
#define WAYLEAVE_DAEMON_LINE_H

#include <jansson.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

struct gateway;

#define LINE_FRESH_SECONDS 15 /* a reply counts for so long; a sweep takes 5 */
#define LINE_ASK_SECONDS   5  /* between two questions to the next hop */

enum line_neighbour {
	NEIGHBOUR_UNKNOWN, /* not asked, or not yet answered */
	NEIGHBOUR_NONE,	   /* a link without neighbours: PPP; or a route without a next hop */
	NEIGHBOUR_ANSWERS,
	NEIGHBOUR_SILENT,
};

/* The kernel's neighbour entry of the next hop. */
struct line_entry {
	uint16_t state;	      /* NUD_*; 0: there is none */
	uint32_t confirmed_s; /* seconds since it last answered */
	bool managed;
};

struct line {
	bool carrier, address, route;
	enum line_neighbour neighbour;
	__be32 next_hop; /* of the default route; 0: none */
	bool heard;	 /* something has come from the WAN ... */
	uint32_t heard_at;
	uint32_t asked_at; /* the next hop */
	uint32_t looked_at;
};

void line_tend(struct gateway *gateway, uint32_t now);

/* "online", "not-checked" or "down"; static. */
const char *line_state(const struct line *line);

/* The member `internet` of `status`. */
json_t *line_json(const struct line *line);

/* The rule of the neighbour alone, for tests: what ENTRY makes of BEFORE. */
enum line_neighbour line_neighbour_next(enum line_neighbour before, const struct line_entry *entry);

#endif
