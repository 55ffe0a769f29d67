/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "helper/l2tp_fsm.h"

#include "helper/fsm.h"

#define LEGAL	 L2TP_LEGAL
#define ILLEGAL	 L2TP_ILLEGAL
#define REPEATED L2TP_REPEATED

#define CONTROL(event, outcome, next, section)                                                     \
	[L2TP_EVENT_##event] = {outcome, L2TP_CONTROL_##next, section}

/*
 * A message may overtake the one before it: RFC 2661 section 5.8 lets a window of
 * them be on their way, so a later one stands for those that it needs.
 */
static const struct l2tp_cell control_cells[L2TP_CONTROL_STATE_COUNT][L2TP_CONTROL_EVENT_COUNT] =
	{
		[L2TP_CONTROL_IDLE] =
			{
				CONTROL(REQUESTED, LEGAL, WAIT_REPLY, "7.2.1"),
				CONTROL(REPLIED, ILLEGAL, IDLE, "7.2.1"),
				CONTROL(CONNECTED, ILLEGAL, IDLE, "7.2.1"),
				CONTROL(STOPPED_BY, ILLEGAL, IDLE, "7.2.1"),
				CONTROL(KEPT, ILLEGAL, IDLE, "6.5"),
				CONTROL(OF_SESSION, ILLEGAL, IDLE, "7.4"),
				CONTROL(UNKNOWN, ILLEGAL, IDLE, "4.4.1"),
			},
		[L2TP_CONTROL_WAIT_REPLY] =
			{
				CONTROL(REQUESTED, REPEATED, WAIT_REPLY, "5.8"),
				CONTROL(REPLIED, LEGAL, WAIT_CONNECT, "7.2.1"),
				CONTROL(CONNECTED, LEGAL, ESTABLISHED, "5.8"),
				CONTROL(STOPPED_BY, LEGAL, STOPPED, "7.2.1"),
				CONTROL(KEPT, LEGAL, WAIT_REPLY, "5.8"),
				CONTROL(OF_SESSION, ILLEGAL, WAIT_REPLY, "7.4"),
				CONTROL(UNKNOWN, ILLEGAL, WAIT_REPLY, "4.4.1"),
			},
		[L2TP_CONTROL_WAIT_CONNECT] =
			{
				CONTROL(REQUESTED, REPEATED, WAIT_CONNECT, "5.8"),
				CONTROL(REPLIED, REPEATED, WAIT_CONNECT, "5.8"),
				CONTROL(CONNECTED, LEGAL, ESTABLISHED, "7.2.1"),
				CONTROL(STOPPED_BY, LEGAL, STOPPED, "7.2.1"),
				CONTROL(KEPT, LEGAL, WAIT_CONNECT, "5.8"),
				CONTROL(OF_SESSION, LEGAL, ESTABLISHED, "5.8"),
				CONTROL(UNKNOWN, ILLEGAL, WAIT_CONNECT, "4.4.1"),
			},
		[L2TP_CONTROL_ESTABLISHED] =
			{
				CONTROL(REQUESTED, REPEATED, ESTABLISHED, "5.8"),
				CONTROL(REPLIED, REPEATED, ESTABLISHED, "5.8"),
				CONTROL(CONNECTED, REPEATED, ESTABLISHED, "5.8"),
				CONTROL(STOPPED_BY, LEGAL, STOPPED, "7.2.1"),
				CONTROL(KEPT, LEGAL, ESTABLISHED, "6.5"),
				CONTROL(OF_SESSION, LEGAL, ESTABLISHED, "7.4"),
				CONTROL(UNKNOWN, ILLEGAL, ESTABLISHED, "4.4.1"),
			},
		[L2TP_CONTROL_STOPPED] =
			{
				CONTROL(REQUESTED, LEGAL, WAIT_REPLY, "7.2.1"),
				CONTROL(REPLIED, ILLEGAL, STOPPED, "5.7"),
				CONTROL(CONNECTED, ILLEGAL, STOPPED, "5.7"),
				CONTROL(STOPPED_BY, REPEATED, STOPPED, "5.7"),
				CONTROL(KEPT, LEGAL, STOPPED, "5.7"),
				CONTROL(OF_SESSION, ILLEGAL, STOPPED, "5.7"),
				CONTROL(UNKNOWN, ILLEGAL, STOPPED, "4.4.1"),
			},
};

#define SESSION(event, outcome, next, section)                                                     \
	[L2TP_SESSION_EVENT_##event] = {outcome, L2TP_SESSION_##next, section}

static const struct l2tp_cell session_cells[L2TP_SESSION_STATE_COUNT][L2TP_SESSION_EVENT_COUNT] = {
	[L2TP_SESSION_NONE] =
		{
			SESSION(REQUESTED, LEGAL, REQUESTED, "7.4"),
			SESSION(REPLIED, ILLEGAL, NONE, "7.4"),
			SESSION(CONNECTED, ILLEGAL, NONE, "7.4"),
			SESSION(DISCONNECTED, REPEATED, NONE, "5.8"),
			SESSION(CHANGED, ILLEGAL, NONE, "6.13"),
		},
	[L2TP_SESSION_REQUESTED] =
		{
			SESSION(REQUESTED, REPEATED, REQUESTED, "5.8"),
			SESSION(REPLIED, LEGAL, REPLIED, "7.4.1"),
			SESSION(CONNECTED, LEGAL, CONNECTED, "5.8"),
			SESSION(DISCONNECTED, LEGAL, NONE, "7.4.1"),
			SESSION(CHANGED, ILLEGAL, REQUESTED, "6.13"),
		},
	[L2TP_SESSION_REPLIED] =
		{
			SESSION(REQUESTED, REPEATED, REPLIED, "5.8"),
			SESSION(REPLIED, REPEATED, REPLIED, "5.8"),
			SESSION(CONNECTED, LEGAL, CONNECTED, "7.4.1"),
			SESSION(DISCONNECTED, LEGAL, NONE, "7.4.1"),
			SESSION(CHANGED, LEGAL, REPLIED, "6.13"),
		},
	[L2TP_SESSION_CONNECTED] =
		{
			SESSION(REQUESTED, REPEATED, CONNECTED, "5.8"),
			SESSION(REPLIED, REPEATED, CONNECTED, "5.8"),
			SESSION(CONNECTED, REPEATED, CONNECTED, "5.8"),
			SESSION(DISCONNECTED, LEGAL, NONE, "7.4.1"),
			SESSION(CHANGED, LEGAL, CONNECTED, "6.13"),
		},
};

FSM_LOOKUP(l2tp_control_cell, struct l2tp_cell, enum l2tp_control_event, control_cells, ILLEGAL,
	   L2TP_CONTROL_STOPPED, "-")
FSM_LOOKUP(l2tp_session_cell, struct l2tp_cell, enum l2tp_session_event, session_cells, ILLEGAL,
	   L2TP_SESSION_NONE, "-")

enum l2tp_control_event l2tp_control_event(const struct l2tp_message *message)
{
	switch (message->type) {
	case L2TP_SCCRQ:
		return L2TP_EVENT_REQUESTED;
	case L2TP_SCCRP:
		return L2TP_EVENT_REPLIED;
	case L2TP_SCCCN:
		return L2TP_EVENT_CONNECTED;
	case L2TP_STOPCCN:
		return L2TP_EVENT_STOPPED_BY;
	case L2TP_EMPTY:
	case L2TP_HELLO:
	case L2TP_ACK:
		return L2TP_EVENT_KEPT;
	case L2TP_OCRQ ... L2TP_ICCN:
	case L2TP_CDN ... L2TP_SLI:
		return L2TP_EVENT_OF_SESSION;
	default:
		return L2TP_EVENT_UNKNOWN;
	}
}

enum l2tp_session_event l2tp_session_event(const struct l2tp_message *message)
{
	switch (message->type) {
	case L2TP_ICRQ:
	case L2TP_OCRQ:
		return L2TP_SESSION_EVENT_REQUESTED;
	case L2TP_ICRP:
	case L2TP_OCRP:
		return L2TP_SESSION_EVENT_REPLIED;
	case L2TP_ICCN:
	case L2TP_OCCN:
		return L2TP_SESSION_EVENT_CONNECTED;
	case L2TP_CDN:
		return L2TP_SESSION_EVENT_DISCONNECTED;
	default:
		return L2TP_SESSION_EVENT_CHANGED;
	}
}

FSM_NAMES(l2tp_control_state_name, uint8_t, L2TP_CONTROL_STATES)
FSM_NAMES(l2tp_control_event_name, enum l2tp_control_event, L2TP_CONTROL_EVENTS)
FSM_NAMES(l2tp_session_state_name, uint8_t, L2TP_SESSION_STATES)
FSM_NAMES(l2tp_session_event_name, enum l2tp_session_event, L2TP_SESSION_EVENTS)
