/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tunnels that do not come about though the gateway does all it can: the server
 * cannot tell two devices apart, or the protocol has nothing to tell them by.
 */
#ifndef WAYLEAVE_DAEMON_SHOW_LIMITS_H
#define WAYLEAVE_DAEMON_SHOW_LIMITS_H

#include <jansson.h>

#include "ctl/provider.h"
#include "daemon/refusals.h"
#include "daemon/roster.h"

/*
 * RFC 3948 section 5.2: two devices with IPsec to one server, of which one gets no
 * answers any more. Sentences about TUNNEL, one of the COUNT TUNNELS, to be freed by
 * the caller; NULL: it does not look like that.
 */
json_t *limit_of_server(const struct roster_tunnel *tunnels, size_t count,
			const struct roster_tunnel *tunnel, uint32_t now);

/* enum flow_class of what was refused. */
uint8_t limit_class(const struct refusal *refusal);

/* A refused tunnel as an item of `show vpn`. */
json_t *limit_refusal(const struct refusal *refusal, uint32_t now);

#endif
