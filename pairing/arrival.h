/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inbound SPIs that are being found out: copy, bind, doubt, settle. Only for pairing/. */
#ifndef WAYLEAVE_PAIRING_ARRIVAL_H
#define WAYLEAVE_PAIRING_ARRIVAL_H

#include "pairing/state.h"

/* As esp_pairing_inbound(), for an SPI that is not bound. */
void arrival_came(struct esp_pairing *p, uint64_t now_ms, struct server *server, uint32_t spi,
		  uint32_t sequence, struct esp_decision *decision);

/* Looks at all of a server's again: true when some are still open. */
bool arrivals_review(struct esp_pairing *p, struct server *server, uint64_t now_ms);

/* Settles a provisional pair that no arrival stands behind any more, when it is confirmed. */
void arrival_confirm(struct esp_pairing *p, struct child *child, uint64_t now_ms);

#endif
