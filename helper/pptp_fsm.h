/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two state machines of RFC 2637, as constant tables: one for the control
 * connection (3.1), one for each call (3.2). A translator stands between the
 * peers, so it follows what both have said, not one peer's view. Pure.
 */
#ifndef WAYLEAVE_HELPER_PPTP_FSM_H
#define WAYLEAVE_HELPER_PPTP_FSM_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/pptp_wire.h"

#define PPTP_CONTROL_STATES(X)                                                                     \
	X(IDLE)	       /* connected, nothing said */                                               \
	X(WAIT_REPLY)  /* Start-Control-Connection-Request seen */                                 \
	X(ESTABLISHED) /* both agreed */                                                           \
	X(WAIT_STOP)   /* Stop-Control-Connection-Request seen: calls are being cleared */         \
	X(STOPPED)     /* refused or stopped: nothing more to expect */

#define PPTP_CONTROL_EVENTS(X)                                                                     \
	X(START_REQUESTED)                                                                         \
	X(START_ACCEPTED)                                                                          \
	X(START_REFUSED)                                                                           \
	X(STOP_REQUESTED)                                                                          \
	X(STOP_REPLIED)                                                                            \
	X(ECHOED)	  /* request or reply */                                                   \
	X(CALL_REQUESTED) /* Outgoing- or Incoming-Call-Request */                                 \
	X(CALL_CONTINUED) /* every other message of a call */

#define PPTP_CALL_STATES(X)                                                                        \
	X(NONE)		 /* no such call */                                                        \
	X(OUT_REQUESTED) /* Outgoing-Call-Request seen */                                          \
	X(IN_REQUESTED)	 /* Incoming-Call-Request seen */                                          \
	X(IN_ACCEPTED)	 /* Incoming-Call-Reply seen, not yet Connected */                         \
	X(CONNECTED)                                                                               \
	X(CLEARING) /* Call-Clear-Request seen, the PAC has to notify */

#define PPTP_CALL_EVENTS(X)                                                                        \
	X(OUT_REQUESTED)                                                                           \
	X(OUT_CONNECTED)                                                                           \
	X(OUT_FAILED)                                                                              \
	X(IN_REQUESTED)                                                                            \
	X(IN_ACCEPTED)                                                                             \
	X(IN_REFUSED)                                                                              \
	X(IN_CONNECTED)                                                                            \
	X(CLEAR_REQUESTED)                                                                         \
	X(DISCONNECTED)                                                                            \
	X(WAN_ERROR_NOTIFIED)                                                                      \
	X(LINK_INFO_SET)

#define PPTP_CONTROL_STATE(name) PPTP_CONTROL_##name,
#define PPTP_CONTROL_EVENT(name) PPTP_##name,
#define PPTP_CALL_STATE(name)	 PPTP_CALL_##name,
#define PPTP_CALL_EVENT(name)	 PPTP_EVENT_##name,
enum pptp_control_state { PPTP_CONTROL_STATES(PPTP_CONTROL_STATE) PPTP_CONTROL_STATE_COUNT };
enum pptp_control_event { PPTP_CONTROL_EVENTS(PPTP_CONTROL_EVENT) PPTP_CONTROL_EVENT_COUNT };
enum pptp_call_state { PPTP_CALL_STATES(PPTP_CALL_STATE) PPTP_CALL_STATE_COUNT };
enum pptp_call_event { PPTP_CALL_EVENTS(PPTP_CALL_EVENT) PPTP_CALL_EVENT_COUNT };

enum pptp_outcome {
	PPTP_ILLEGAL, /* counted; the message passes, nothing comes of it */
	PPTP_LEGAL,
	PPTP_FATAL, /* never happens in a PPTP session: assistance ends */
};

/* Who may cause a control event: the originator opened the TCP connection. */
enum pptp_party { PPTP_ANY_PARTY, PPTP_ORIGINATOR, PPTP_ACCEPTOR };

struct pptp_control_cell {
	uint8_t outcome;     /* enum pptp_outcome */
	uint8_t next;	     /* enum pptp_control_state */
	uint8_t party;	     /* enum pptp_party; sent by the other it is FATAL */
	const char *section; /* of RFC 2637 */
};

struct pptp_call_cell {
	uint8_t outcome; /* never PPTP_FATAL */
	uint8_t next;	 /* enum pptp_call_state; NONE ends the call */
	const char *section;
};

/* Static. Out of range states and events give an illegal cell. */
const struct pptp_control_cell *pptp_control_cell(uint8_t state, enum pptp_control_event event);
const struct pptp_call_cell *pptp_call_cell(uint8_t state, enum pptp_call_event event);

/* What a message means. Result codes other than 1 refuse (2.2, 2.8, 2.10). */
enum pptp_control_event pptp_control_event(const struct pptp_message *message);
/* For types from PPTP_OUTGOING_CALL_REQUEST on. */
enum pptp_call_event pptp_call_event(const struct pptp_message *message);

const char *pptp_control_state_name(uint8_t state);
const char *pptp_control_event_name(enum pptp_control_event event);
const char *pptp_call_state_name(uint8_t state);
const char *pptp_call_event_name(enum pptp_call_event event);

#endif
