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

#define HELD_FRAGMENTS	     256
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

/* Keeps a copy. 0; -ENOBUFS: too many wait already; -ENOMEM. */
int held_fragments_add(struct held_fragments *held, const uint8_t *frame, size_t length,
		       uint32_t now);

/* Sends what can go and drops what has waited too long. How many still wait. */
unsigned int held_fragments_look(struct held_fragments *held, uint32_t now);

#endif
