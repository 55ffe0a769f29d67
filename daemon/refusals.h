/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tunnels that were refused because another inside host has the same protocol or
 * key with the same server (REASON_server_taken): who asked for what, so that
 * `show vpn` can say it. A bounded list; the oldest makes room. Times are ticks.
 */
#ifndef WAYLEAVE_DAEMON_REFUSALS_H
#define WAYLEAVE_DAEMON_REFUSALS_H

#include <stddef.h>
#include <stdint.h>

#include "core/packet.h"

#define REFUSALS	64
#define REFUSAL_SECONDS 300 /* silent for so long: it does not ask any more */

struct refusal {
	__be32 inside, remote;
	uint8_t protocol; /* 0: free */
	uint8_t id_type;  /* ID_KEY: `id` counts */
	__be32 id;
	uint32_t first, last; /* when it was refused */
	uint32_t count;
};

struct refusals {
	struct refusal entry[REFUSALS];
};

/* An outbound packet that began nothing. */
void refusals_note(struct refusals *refusals, const struct facts *facts, uint32_t now);

/* The Nth that is not older than REFUSAL_SECONDS, or NULL. */
const struct refusal *refusals_nth(const struct refusals *refusals, size_t n, uint32_t now);

/* The inside host that has what was refused; 0: nobody any more. */
__be32 refusal_holder(const struct refusal *refusal);

#endif
