/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * L2TP that the daemon follows: flows behind a shared port 1701 (l2tp_ports.h),
 * and version 3 over IP, whose data carries nothing but ids that its receiver
 * chose. The helper reads the control messages and says what it needs; this file
 * does it, for the flow's own inside host and server only.
 *
 * The flows live in a file of run_dir that is mapped into memory, so that they
 * outlive a daemon that is killed.
 */
#ifndef WAYLEAVE_DAEMON_L2TP_FLOWS_H
#define WAYLEAVE_DAEMON_L2TP_FLOWS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/gateway.h"

struct l2tp_flows;
struct facts;

/* Opens the file and goes on with the flows in it. NULL after a sentence. */
struct l2tp_flows *l2tp_flows_open(struct gateway *gateway);

/* Closes; the flows stay in the file. NULL is fine. */
void l2tp_flows_close(struct l2tp_flows *flows);

/* The control connections and their ids. */
struct connections *l2tp_flows_connections(const struct l2tp_flows *flows);

/* Is it L2TP's, by its ports or protocol? */
bool l2tp_flows_is_for(const struct facts *facts);

/*
 * A punted frame, FRAME as read from the tap with its struct punt, FACTS of its IP
 * packet: a control message (REASON_to_watch), the first one of a connection or an
 * arrival behind a shared port that no record knows (REASON_to_pairing). It goes on
 * to the tap, at once or when the helper has answered, or is dropped and counted.
 */
void l2tp_flows_take(struct l2tp_flows *flows, uint8_t *frame, size_t length,
		     const struct facts *facts);

/* helper_options.answered for flows of HELPER_L2TP and HELPER_L2TP_IP. */
void l2tp_flows_answered(struct l2tp_flows *flows, struct helper_flow *flow,
			 const struct helper_result *result);

/*
 * For `show vpn`: the tunnels over UDP of INSIDE with REMOTE whose ids were read, an
 * array that is the caller's. Each has the id that the inside host chose, and the one
 * that it goes by outside where that is another.
 */
json_t *l2tp_flows_json(const struct l2tp_flows *flows, __be32 inside, __be32 remote);

/* Has it a tunnel whose id is hidden or signed? Then nobody can replace it. */
bool l2tp_flows_hides(const struct l2tp_flows *flows, __be32 inside, __be32 remote);

/* What is known of a server and port 1701: "unknown", "any", "insists", "one-client". Static. */
const char *l2tp_flows_habit(const struct l2tp_flows *flows, __be32 server);

/* Once a second: ends what is over. */
void l2tp_flows_tend(struct l2tp_flows *flows, uint32_t now);

#endif
