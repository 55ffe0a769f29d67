/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last state of each tunnel that the history has. Works on `show vpn`'s documents. */
#ifndef WAYLEAVE_DAEMON_STORY_TUNNELS_H
#define WAYLEAVE_DAEMON_STORY_TUNNELS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define STORY_TUNNELS 1024 /* followed at once; others are left out */

/* Events of one device's tunnels in STORY_SHARE_S seconds: the rest is for others. */
#define STORY_SHARE   12
#define STORY_SHARE_S 600
#define STORY_SHARES  256

struct story_tunnel {
	char device[16], server[16], kind[12];
	char told[16]; /* state; "": none worth an event */
	uint32_t pass; /* that saw it last */
};

struct story_tunnels {
	struct story_tunnel tunnel[STORY_TUNNELS];
	unsigned int count;
	uint32_t pass;
	time_t silent_until_s; /* those of an earlier run make no events */
	uint8_t spent[STORY_SHARES];
	time_t spent_since_s;
};

/*
 * A document of this pass at NOW_S: the facts of an event and *ACTION, its name, borrowed from
 * the document; NULL: no event.
 */
json_t *story_tunnel_seen(struct story_tunnels *all, const json_t *document, time_t now_s,
			  const char **action);

/*
 * All documents of a pass have been seen: the facts of one that was up and is gone, NULL when
 * there is none more. Then the next pass begins with story_pass_over().
 */
json_t *story_tunnel_gone(struct story_tunnels *all, time_t now_s);
void story_pass_over(struct story_tunnels *all);

#endif
