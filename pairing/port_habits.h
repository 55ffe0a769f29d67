/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What servers do with clients whose port is not the one that the protocol names: 500
 * of IKE (RFC 3715 section 2.3), 1701 of L2TP (RFC 2661 section 8.1). One table for
 * each protocol. A habit is a struct learned:
 *
 *   habit       learned when                              contradicted when       tested again
 *   any port    a client at another port was answered     one there is not        after 30 days
 *   insists     answered at the named port, not elsewhere not answered there      after a day
 *   one client  another's tunnel stopped when one joined  it does not come back   after a day
 *
 * What contradicts is weighed: a sign from a server that others hear from counts twice.
 *
 * Pure. Addresses are opaque; times are milliseconds of a clock that never goes back.
 */
#ifndef WAYLEAVE_PAIRING_PORT_HABITS_H
#define WAYLEAVE_PAIRING_PORT_HABITS_H

#include <stdbool.h>
#include <stdint.h>

#include "pairing/learned.h"

enum port_habit {
	HABIT_UNKNOWN,
	HABIT_ANY_PORT,	  /* has answered to another port */
	HABIT_INSISTS,	  /* has answered to the named port what it did not answer elsewhere */
	HABIT_ONE_CLIENT, /* takes all that comes from one port for one client */
	HABITS,
};

/* Signs against a habit: of a server that may be down, and of one that others hear from. */
#define HABIT_SIGN	  1
#define HABIT_SIGN_STRONG 2

struct port_habits;

/* NULL without memory. */
struct port_habits *port_habits_new(void);
void port_habits_free(struct port_habits *habits);

/* What to go by. */
enum port_habit port_habit_of(const struct port_habits *habits, uint32_t server, int64_t now_ms);

/* It was seen. The server that nothing was confirmed of for longest makes room. */
void port_habit_confirm(struct port_habits *habits, uint32_t server, enum port_habit habit,
			int64_t now_ms);

/* A sign against HABIT, if that is what is known of the server. */
void port_habit_contradict(struct port_habits *habits, uint32_t server, enum port_habit habit,
			   uint32_t weight);

/* "unknown", "any", "insists", "one-client". Static. */
const char *port_habit_name(enum port_habit habit);

/* Whatever is known, aged and contradicted as well; until VISIT gives false. */
void port_habits_each(const struct port_habits *habits,
		      bool (*visit)(void *context, uint32_t server, const struct learned *fact),
		      void *context);

/* What was saved; what does not fit is left out. */
void port_habit_restore(struct port_habits *habits, uint32_t server, const struct learned *fact);

/* Has anything changed since this was asked last? */
bool port_habits_take_changed(struct port_habits *habits);

#endif
