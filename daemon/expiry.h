/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When an object of the table ends, one rule per kind, and what its end gives
 * back: the host's quota, the mapping's reference, the external id.
 *
 * Works on the core's arena. Context: daemon, tests.
 */
#ifndef WAYLEAVE_DAEMON_EXPIRY_H
#define WAYLEAVE_DAEMON_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/memory.h"
#include "core/session.h"

/* An id that was in use is given to nobody else for so long (RFC 6888 REQ-8). */
#define QUARANTINE_SECONDS 120
/* A host without sessions and mappings is forgotten after this. */
#define HOST_IDLE_SECONDS 300
/* A MAC address that was known is remembered for so long. */
#define STATION_SECONDS (24 * 3600)

/* The pieces of a datagram are told apart from the next one's for so long. */
#define FRAGMENT_SECONDS 30

/* Claims that no tunnel has refreshed; shared ports' entries that nobody asked for. */
#define CLAIM_SECONDS  7200
#define SHARED_SECONDS (24 * 3600)

enum expiry {
	EXPIRY_KEEP,
	EXPIRY_ENDED,	/* killed now, with its partner */
	EXPIRY_SUSPECT, /* a half without its other half: wrong only if it stays so */
};

struct traffic {
	uint64_t packets_out, bytes_out, packets_in, bytes_in;
};

/*
 * Applies the rule of R's kind. SUSPECTED: it was EXPIRY_SUSPECT at the last visit
 * too. Traffic of sessions that end is added to ENDED.
 */
enum expiry record_expire(const struct config *config, struct record *r, uint32_t now,
			  bool suspected, struct traffic *ended);

/* Ends both halves of a session at once, whatever its flags. R is either half. */
void session_end(const struct config *config, struct record *r, uint32_t now,
		 struct traffic *ended);

/*
 * Adds the traffic of R, a DEAD record, to ENDED if it is half of a session that was
 * ended for another's sake (core/question.h). Once for each record.
 */
void taken_over_count(const struct record *r, struct traffic *ended);

/* The other half of a session or mapping, if the two still name each other; NULL: alone. */
struct record *record_partner(const struct record *r);

/*
 * Is R, half of a session, at an address that the WAN has no more? Only another
 * address takes one away: a link that dials again may keep its own.
 */
bool session_lost_address(const struct config *config, const struct record *r);

/* Has the data plane found that a rule sends it another way than the WAN? What is armed stays. */
bool session_has_moved(const struct record *r);

/* Ends both halves of a mapping, whatever refers to it. R is the external half. */
void mapping_end(const struct config *config, struct record *r);

/* LIVE to DEAD whatever the count of references. False: somebody was faster. */
bool record_end(struct record *r);

#endif
