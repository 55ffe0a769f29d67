/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How well does an inbound SPI fit an SA? Exchanges, sequence numbers, silence and
 * answers as one density. Pure: reads counters that watch.h has taken. Only for pairing/.
 */
#ifndef WAYLEAVE_PAIRING_LIKELIHOOD_H
#define WAYLEAVE_PAIRING_LIKELIHOOD_H

#include "pairing/state.h"

/* Fills what does not depend on the arrival. The column has a child. */
void likelihood_prepare(struct column *column);

/* The density per millisecond, of a prepared column, or of the peer's unknown SAs (no child).
 * The arrival's suspect of the peer is at peer->suspect meanwhile. */
double likelihood_of(const struct arrival *arrival, const struct column *column);

/* Could it be an SA that was lost, by its sequence number (RFC 4303 section 3.3.3)? */
bool likelihood_of_old(const struct arrival *arrival);

/* How much the evidence of these kinds speaks for the owner: nats, above 0 for it. */
double likelihood_reacted(const struct arrival *arrival, const struct child *child);
double likelihood_answered(const struct arrival *arrival, const struct peer *peer);

/* What the sums of reply tests say, when nothing may be answered at all. */
double likelihood_replies(const double replies[REPLY_RATES]);

/* Is an open SA replaced, by as many rekeys as its host has SAs, and silent since? */
bool likelihood_is_outlived(const struct child *child, uint64_t now_ms);

/* Did one of its host's SPIs fall silent just when the arrival began? */
bool likelihood_took_over(const struct arrival *arrival, struct child *child);

#endif
