/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of the L2TP control connections between one inside host and one
 * server: the opaque state that the daemon keeps and sends along with each
 * message. Plain data, versioned; all zero is nothing known. Three numbers name
 * a connection: the one that the inside host chose, the external one in its
 * place (the same, where nothing is translated), and the one that the remote chose.
 */
#ifndef WAYLEAVE_HELPER_L2TP_STATE_H
#define WAYLEAVE_HELPER_L2TP_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/protocol.h"

#define L2TP_STATE_VERSION 1
#define L2TP_CONNECTIONS   8
#define L2TP_SESSIONS	   32 /* all connections together; both are ids of the flow */
static_assert(L2TP_CONNECTIONS + L2TP_SESSIONS <= HELPER_FLOW_IDS, "a flow can hold them all");

enum l2tp_flags {
	L2TP_HAS_INSIDE = 1, /* inside_id and external_id are valid and claimed */
	L2TP_HAS_REMOTE = 2, /* remote_id is valid */
};

struct l2tp_connection {
	uint8_t state; /* enum l2tp_control_state */
	uint8_t flags; /* enum l2tp_flags */
	uint16_t used; /* the entry is in use */
	uint32_t inside_id, external_id, remote_id;
};

/* Of version 3 over IP; in version 2 the connection's id tells all apart. */
struct l2tp_session {
	uint8_t state;	    /* enum l2tp_session_state; NONE: the entry is free */
	uint8_t flags;	    /* enum l2tp_flags */
	uint8_t connection; /* index of its connection */
	uint8_t zero;
	uint32_t inside_id, remote_id;
};

struct l2tp_flow_state {
	uint16_t version; /* L2TP_STATE_VERSION */
	uint16_t zero;
	struct l2tp_connection connections[L2TP_CONNECTIONS];
	struct l2tp_session sessions[L2TP_SESSIONS];
};
static_assert(sizeof(struct l2tp_flow_state) <= HELPER_STATE_BYTES, "state fits its datagram");

/*
 * From the bytes of a request; all zero gives a new state. False: not written by
 * this version (or by somebody who lies), `state` is then a new one.
 */
bool l2tp_state_load(struct l2tp_flow_state *state, const uint8_t *bytes);

/* Into HELPER_STATE_BYTES bytes. */
void l2tp_state_store(const struct l2tp_flow_state *state, uint8_t *bytes);

#endif
