/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two state machines of L2TP, as constant tables: one for the control
 * connection (RFC 2661 section 7.2, RFC 3931 section 3.3), one for each session
 * (RFC 2661 section 7.4, RFC 3931 section 3.4). A translator stands between the
 * peers and sees repetitions and messages out of order: L2TP does not mind
 * either, so both are cells of their own. Pure.
 */
#ifndef WAYLEAVE_HELPER_L2TP_FSM_H
#define WAYLEAVE_HELPER_L2TP_FSM_H

#include <stdint.h>

#include "helper/l2tp_wire.h"

#define L2TP_CONTROL_STATES(X)                                                                     \
	X(IDLE)		/* nothing seen */                                                         \
	X(WAIT_REPLY)	/* SCCRQ seen */                                                           \
	X(WAIT_CONNECT) /* SCCRP seen */                                                           \
	X(ESTABLISHED)	/* SCCCN seen */                                                           \
	X(STOPPED)	/* StopCCN seen: it is acknowledged, nothing else comes */

#define L2TP_CONTROL_EVENTS(X)                                                                     \
	X(REQUESTED)  /* SCCRQ */                                                                  \
	X(REPLIED)    /* SCCRP */                                                                  \
	X(CONNECTED)  /* SCCCN */                                                                  \
	X(STOPPED_BY) /* StopCCN, from either */                                                   \
	X(KEPT)	      /* Hello, or an acknowledgement alone */                                     \
	X(OF_SESSION) /* any message of a session */                                               \
	X(UNKNOWN)    /* a message type that neither RFC knows */

#define L2TP_SESSION_STATES(X)                                                                     \
	X(NONE)	     /* no such session */                                                         \
	X(REQUESTED) /* ICRQ or OCRQ seen */                                                       \
	X(REPLIED)   /* ICRP or OCRP seen */                                                       \
	X(CONNECTED) /* ICCN or OCCN seen */

#define L2TP_SESSION_EVENTS(X)                                                                     \
	X(REQUESTED)                                                                               \
	X(REPLIED)                                                                                 \
	X(CONNECTED)                                                                               \
	X(DISCONNECTED) /* CDN, from either */                                                     \
	X(CHANGED)	/* WEN, SLI */

#define L2TP_CONTROL_STATE(name) L2TP_CONTROL_##name,
#define L2TP_CONTROL_EVENT(name) L2TP_EVENT_##name,
#define L2TP_SESSION_STATE(name) L2TP_SESSION_##name,
#define L2TP_SESSION_EVENT(name) L2TP_SESSION_EVENT_##name,
enum l2tp_control_state { L2TP_CONTROL_STATES(L2TP_CONTROL_STATE) L2TP_CONTROL_STATE_COUNT };
enum l2tp_control_event { L2TP_CONTROL_EVENTS(L2TP_CONTROL_EVENT) L2TP_CONTROL_EVENT_COUNT };
enum l2tp_session_state { L2TP_SESSION_STATES(L2TP_SESSION_STATE) L2TP_SESSION_STATE_COUNT };
enum l2tp_session_event { L2TP_SESSION_EVENTS(L2TP_SESSION_EVENT) L2TP_SESSION_EVENT_COUNT };

enum l2tp_outcome {
	L2TP_ILLEGAL, /* counted; the message passes, nothing comes of it */
	L2TP_LEGAL,
	L2TP_REPEATED, /* seen before: nothing new, nothing wrong */
};

struct l2tp_cell {
	uint8_t outcome;     /* enum l2tp_outcome */
	uint8_t next;	     /* a state of the same machine */
	const char *section; /* of RFC 2661 */
};

/* Static. Out of range states and events give an illegal cell. */
const struct l2tp_cell *l2tp_control_cell(uint8_t state, enum l2tp_control_event event);
const struct l2tp_cell *l2tp_session_cell(uint8_t state, enum l2tp_session_event event);

enum l2tp_control_event l2tp_control_event(const struct l2tp_message *message);
/* For messages that are OF_SESSION. */
enum l2tp_session_event l2tp_session_event(const struct l2tp_message *message);

const char *l2tp_control_state_name(uint8_t state);
const char *l2tp_control_event_name(enum l2tp_control_event event);
const char *l2tp_session_state_name(uint8_t state);
const char *l2tp_session_event_name(enum l2tp_session_event event);

#endif
