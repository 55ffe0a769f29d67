/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PPTP control connections that the helper assists, and the GRE calls that hang
 * on them.
 *
 * A call (RFC 2637 section 2) gets an id from the server's pool and GRE sessions in
 * the data plane's table. It lives as long as its control connection and ends a few
 * seconds after it, for its last packets. The connections are daemon/connections.h's.
 */
#ifndef WAYLEAVE_DAEMON_PPTP_FLOWS_H
#define WAYLEAVE_DAEMON_PPTP_FLOWS_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/gateway.h"

struct connections;
struct facts;

/* connections_open() of PPTP's; end with connections_close(). NULL after a sentence. */
struct connections *pptp_flows_open(struct gateway *gateway);

/*
 * A punted frame of a control connection: FRAME as read from the tap, LENGTH
 * bytes, FACTS of its IP packet, SESSION the half that it belongs to. It comes
 * back through pptp_flows_answered() and goes on to the tap, or is dropped and
 * counted.
 */
void pptp_flows_submit(struct connections *flows, uint8_t *frame, size_t length,
		       const struct facts *facts, struct record *session);

/* helper_options.answered for flows of HELPER_PPTP. */
void pptp_flows_answered(struct gateway *gateway, struct helper_flow *flow,
			 const struct helper_result *result);

/* Once a second: ends what hangs on control connections that are over. */
void pptp_flows_tend(struct connections *flows, uint32_t now);

#endif
