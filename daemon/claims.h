/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KIND_CLAIM records of the data plane: with which servers inside hosts have
 * live tunnels, so that unknown arrivals from there are handed to the daemon.
 * The sweeper ends what nobody has refreshed for CLAIM_SECONDS. Works on the
 * core's arena.
 */
#ifndef WAYLEAVE_DAEMON_CLAIMS_H
#define WAYLEAVE_DAEMON_CLAIMS_H

#include <linux/types.h>
#include <stdint.h>

/* There is live state with @remote at tick @now. */
void claims_refresh(uint8_t protocol, __be32 remote, uint32_t now);

/* The same, by @inside: a forward to a host that alone has a tunnel there is kept from nothing. */
void claims_refresh_by(uint8_t protocol, __be32 remote, __be32 inside, uint32_t now);

#endif
