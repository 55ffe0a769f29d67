/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Later pieces of packets whose first piece has not come yet (RFC 4787 REQ-14).
 * The data plane's FRAGMENT record tells when it has; until then the frames wait
 * here, few of them and not for long.
 */
#ifndef WAYLEAVE_DAEMON_HELD_FRAGMENTS_H
#define WAYLEAVE_DAEMON_HELD_FRAGMENTS_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

#include "core/abi.h"
#include "core/bytes.h"

#define HELD_FRAGMENTS	     256
#define HELD_FRAGMENTS_EACH  32 /* of one sender: an inside host, or a remote */
#define HELD_FRAGMENTS_BYTES (1024 * 1024)

struct held_fragments;

/*
 * SEND gets each frame again, its record unchanged, once the first piece has
 * passed. BASE may be NULL: then held_fragments_look() is called by hand (tests).
 */
struct held_fragments *
held_fragments_new(struct event_base *base,
		   void (*send)(void *context, uint8_t *frame, size_t length), void *context);
void held_fragments_free(struct held_fragments *held);

/*
 * Keeps a copy of a FRAME, which the data plane has checked. A sender who has more than his share
 * loses his oldest; when all places are taken, whoever has most loses his oldest, and it is the new
 * one that is not kept if its own sender has as many. How many are lost by that, the new one
 * included: it is not kept either where memory is short, or its record is none.
 */
MUST_CHECK unsigned int held_fragments_add(struct held_fragments *held, const uint8_t *frame,
					   size_t length, uint32_t now);

/* Sends what can go and drops what has waited too long. How many still wait. */
unsigned int held_fragments_look(struct held_fragments *held, uint32_t now);

#endif
