/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls of one control connection and the ids that each goes by. Three
 * numbers name a call: the one that the inside host chose, the external one
 * that the remote sees in its place, and the one that the remote chose, which
 * is never changed. Plain data. Pure.
 */
#ifndef WAYLEAVE_HELPER_PPTP_CALLS_H
#define WAYLEAVE_HELPER_PPTP_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/pptp_wire.h"

#define PPTP_CALLS 32

enum pptp_call_flags {
	PPTP_HAS_INSIDE = 1,	/* inside_id and external_id are valid */
	PPTP_HAS_REMOTE = 2,	/* remote_id is valid */
	PPTP_INSIDE_IS_PNS = 4, /* else the inside host is the PAC */
	PPTP_RELEASED = 8, /* its claim is gone; still translated while the peers say goodbye */
};

struct pptp_call {
	uint8_t state; /* enum pptp_call_state; NONE: the entry is free */
	uint8_t flags; /* enum pptp_call_flags */
	uint16_t inside_id;
	uint16_t external_id;
	uint16_t remote_id;
};

/* The three numbers, as keys. */
enum pptp_side { PPTP_INSIDE, PPTP_EXTERNAL, PPTP_REMOTE };

/* Which of the three an id field of a packet on its way holds before translation. */
enum pptp_side pptp_side(enum helper_direction direction, enum pptp_id_kind kind);

/* And whether it has to be translated: only what the inside host chose. */
bool pptp_side_translated(enum pptp_side side);

/* The call that goes by `id`, or NULL. `calls` has PPTP_CALLS entries here and below. */
struct pptp_call *pptp_call_find(struct pptp_call *calls, enum pptp_side side, uint16_t id);

/* A free entry, or NULL. */
struct pptp_call *pptp_call_free(struct pptp_call *calls);

/* The other one of inside and external id. */
uint16_t pptp_call_translated(const struct pptp_call *call, enum pptp_side side);

/* What the first byte of an id tells about the first byte of its translation. */
enum pptp_half {
	PPTP_HALF_UNKNOWN,   /* no call's id begins so */
	PPTP_HALF_CERTAIN,   /* all that do are translated to the same first byte */
	PPTP_HALF_AMBIGUOUS, /* they differ */
};

enum pptp_half pptp_half_translate(const struct pptp_call *calls, enum pptp_side side, uint8_t high,
				   uint8_t *translated);

/* True if a call with ids that begin so would leave no half of any call's id ambiguous. */
bool pptp_halves_apart(const struct pptp_call *calls, uint8_t inside_high, uint8_t external_high);

#endif
