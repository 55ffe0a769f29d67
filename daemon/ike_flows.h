/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IKE on port 500 as it passes: its fixed header is evidence for ESP's pairs, and
 * tells several hosts apart that share external port 500 towards a server that
 * insists on it. An IKE session lives as long as the ESP that it has made.
 */
#ifndef WAYLEAVE_DAEMON_IKE_FLOWS_H
#define WAYLEAVE_DAEMON_IKE_FLOWS_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/gateway.h"

struct ike_flows;
struct facts;

/* Goes on with what an earlier run knew. NULL without memory. */
struct ike_flows *ike_flows_open(struct gateway *gateway);
void ike_flows_close(struct ike_flows *flows);

/*
 * A message on its way: FRAME as read from the tap, LENGTH bytes, FACTS of its IP
 * packet. It goes on, to one host or to all that it may be for.
 */
void ike_flows_take(struct ike_flows *flows, uint8_t *frame, size_t length,
		    const struct facts *facts);

/* Once a second: sessions whose ESP is alive, the file. */
void ike_flows_tend(struct ike_flows *flows, uint32_t now);

/* "unknown", "any" or "insists": what is known of a server's wish for port 500. Static. */
const char *ike_flows_strategy(const struct ike_flows *flows, __be32 server);

#endif
