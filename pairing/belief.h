/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose is it? Weighs every inbound SPI of a server that is not settled against
 * every SA that could own it, all at once: an SA owns one SPI. Only for pairing/.
 */
#ifndef WAYLEAVE_PAIRING_BELIEF_H
#define WAYLEAVE_PAIRING_BELIEF_H

#include "pairing/state.h"

/* What is believed of one peer as the owner of an arrival. */
struct opinion {
	struct peer *peer;
	struct child *child; /* its likeliest SA that is open; NULL: none is */
	double probability;  /* of the peer; all of them and nobody's add up to 1 */
	double unknown;	     /* the part of it that is for an SA that nobody knows of */
	double alone;	     /* the probability without looking at the other arrivals */
};

/* Fills p->belief for the server, with the arrival (NULL: any) in it. Arrivals that have been
 * silent for long are left out. */
void belief_weigh(struct esp_pairing *p, struct server *server, const struct arrival *arrival,
		  uint64_t now_ms);

/* Something is new: what was weighed is soon out of date. */
void belief_stale(struct esp_pairing *p);

/* The opinions on an arrival, likeliest first, up to `limit`; 0: nobody could own it. */
unsigned belief_of(const struct esp_pairing *p, const struct arrival *arrival,
		   struct opinion *opinions, unsigned limit);

#endif
