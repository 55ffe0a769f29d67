/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the data plane counts of pairs: read when it matters, sampled once a second. Only for
 * pairing/. */
#ifndef WAYLEAVE_PAIRING_WATCH_H
#define WAYLEAVE_PAIRING_WATCH_H

#include "pairing/state.h"

/* Takes over counters that somebody has read. */
void child_counted(struct child *child, uint64_t now_ms, const struct esp_counters *counters);

/* Reads the child's records now, if there is a way to. Once per millisecond at most. */
void child_read(struct esp_pairing *p, struct child *child, uint64_t now_ms);

/* All outbound packets of the peer until now, on any SPI. */
uint64_t peer_out_packets(struct esp_pairing *p, struct peer *peer, uint64_t now_ms);

/* How many it sends a second: of the last seconds, and of this one. */
double peer_out_rate(struct esp_pairing *p, struct peer *peer, uint64_t now_ms);

/* Once a second: the basis of the rates. */
void peer_sample(struct esp_pairing *p, struct peer *peer, uint64_t now_ms);

#endif
