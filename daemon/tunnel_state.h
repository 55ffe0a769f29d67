/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a VPN tunnel, from what was seen of it, and the sentence that says what
 * that was. A tunnel is up only after data has passed both ways; what cannot be known from
 * outside is not claimed.
 *
 * Times are ticks, addresses in network byte order. Context: daemon, tests; works on
 * the core's arena for its clock's rate.
 */
#ifndef WAYLEAVE_DAEMON_TUNNEL_STATE_H
#define WAYLEAVE_DAEMON_TUNNEL_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/roster.h"

#define IDLE_SECONDS	  180 /* without data */
#define NO_ANSWER_SECONDS 10
#define ONE_WAY_SECONDS	  10
#define SETUP_SECONDS	  30 /* that a server which answers may take for the rest */
#define COMPLAINT_SECONDS 10 /* that a device goes on sending after an ICMP error */

/* What is known beside the roster. */
struct tunnel_facts {
	const struct roster_tunnel *tunnel;
	const struct complaint *complaint; /* the last ICMP error about it; NULL: none */
	bool blocked;			   /* by its switch */
	bool hung_up;			   /* a control message has ended it (PPTP, L2TP) */
	uint32_t now;
};

struct tunnel_state {
	/* "connecting", "up", "one-way", "stale", "blocked", "refused", "no-answer", "failed",
	 * "ended"; static */
	const char *word;
	char why[192];
	char complaint[192]; /* the ICMP error where it does not decide; "": none */
};

void tunnel_state_tell(struct tunnel_state *state, const struct tunnel_facts *facts);

/* The last ICMP error about the tunnel of CLASS between the two; false: none is kept. */
bool tunnel_complaint(struct complaint *complaint, uint8_t class, __be32 inside, __be32 remote);

#endif
