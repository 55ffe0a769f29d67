/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IKE messages as evidence: each exchange that can make a CHILD_SA opens one. Only for pairing/. */
#ifndef WAYLEAVE_PAIRING_IKE_H
#define WAYLEAVE_PAIRING_IKE_H

#include "pairing/state.h"

/* As esp_pairing_ike(). */
void ike_passed(struct esp_pairing *p, uint64_t now_ms, uint32_t inside, uint32_t server,
		const struct esp_ike_header *header, enum esp_direction direction);

/* Was one of the peer's IKE SAs heard so lately that its SAs are still wanted? */
bool ike_is_alive(const struct peer *peer, uint64_t now_ms);

#endif
