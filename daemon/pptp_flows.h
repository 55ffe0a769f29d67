/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PPTP control connections that the helper assists, and the GRE calls that hang
 * on them.
 *
 * The helper reads the messages and says what it needs; this file does it, for
 * the flow's own inside host and server only: call ids from the server's pool,
 * GRE sessions in the data plane's table. A call lives as long as its control
 * connection and ends a few seconds after it, for its last packets.
 *
 * The flows live in a file of run_dir that is mapped into memory, so that they
 * outlive a daemon that is killed.
 */
#ifndef WAYLEAVE_DAEMON_PPTP_FLOWS_H
#define WAYLEAVE_DAEMON_PPTP_FLOWS_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/gateway.h"

struct pptp_flows;
struct facts;

/* Opens the file and goes on with the flows in it. NULL after a sentence. */
struct pptp_flows *pptp_flows_open(struct gateway *gateway);

/* Closes; the flows stay in the file. NULL is fine. */
void pptp_flows_close(struct pptp_flows *flows);

/*
 * A punted frame of a control connection: FRAME as read from the tap, LENGTH
 * bytes, FACTS of its IP packet, SESSION the half that it belongs to. It comes
 * back through pptp_flows_answered() and goes on to the tap, or is dropped and
 * counted.
 */
void pptp_flows_submit(struct pptp_flows *flows, uint8_t *frame, size_t length,
		       const struct facts *facts, struct record *session);

/* helper_options.answered; CONTEXT is the struct gateway. */
void pptp_flows_answered(void *context, struct helper_flow *flow,
			 const struct helper_result *result);

/* Once a second: ends what hangs on control connections that are over. */
void pptp_flows_tend(struct pptp_flows *flows, uint32_t now);

#endif
