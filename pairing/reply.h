/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reply test: who sends something just after it was given a packet? Only the
 * owner can read it, and who sends all the time proves nothing. Only for pairing/.
 */
#ifndef WAYLEAVE_PAIRING_REPLY_H
#define WAYLEAVE_PAIRING_REPLY_H

#include "pairing/state.h"

/* When copies that went to several hosts are compared with what the hosts sent. */
#define TEST_MS 7

/* The peer was given a copy of the arrival's packet, as its likeliest owner or not; part of the
 * test that begins at u->test_ms, unless an earlier one is under way. */
void reply_copied(struct esp_pairing *p, struct arrival *u, struct peer *peer, bool likeliest,
		  uint64_t now_ms);

/* Ends the test under way: who was given copies has sent something by now, or not. */
void reply_judge(struct esp_pairing *p, struct arrival *u, uint64_t now_ms);

#endif
