/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP as a NAT follows it (RFC 7857 section 2.1): which of the three timers a
 * connection has. Only segments with SYN, FIN or RST, and the first answer,
 * change the state.
 */
#ifndef WAYLEAVE_CORE_TCP_STATE_H
#define WAYLEAVE_CORE_TCP_STATE_H

#include "core/packet.h"

enum tcp_state {
	TCP_NONE,	 /* not TCP, or nothing seen */
	TCP_INIT_INSIDE, /* SYN from the inside: RFC 7857 "V4 INIT" */
	TCP_INIT_REMOTE, /* SYN from the remote first */
	TCP_ESTABLISHED,
	TCP_FIN_INSIDE, /* half-closed */
	TCP_FIN_REMOTE,
	TCP_FIN_BOTH,
	TCP_PICKED_UP, /* first seen in mid-stream: open once the remote has answered */
	TCP_TRANS,     /* RST seen; data brings it back */
	TCP_STATE_COUNT
};

enum tcp_event {
	TCP_SAW_SYN, /* without ACK */
	TCP_SAW_SYN_ACK,
	TCP_SAW_FIN,
	TCP_SAW_RST,
	TCP_SAW_DATA,
	TCP_EVENT_COUNT
};

static __always_inline enum tcp_event tcp_event_of(__u8 flags)
{
	if (flags & TCP_RST)
		return TCP_SAW_RST;
	if (flags & TCP_SYN)
		return flags & TCP_ACK ? TCP_SAW_SYN_ACK : TCP_SAW_SYN;
	return flags & TCP_FIN ? TCP_SAW_FIN : TCP_SAW_DATA;
}

/* One side has sent its SYN, and nothing of another connection is left. */
static __always_inline bool tcp_is_opening(__u8 state)
{
	return state == TCP_INIT_INSIDE || state == TCP_INIT_REMOTE;
}

/* Of a connection that opens: is this the side that has sent its SYN first? */
static __always_inline bool tcp_is_opener(__u8 state, bool from_remote)
{
	return state == (from_remote ? TCP_INIT_REMOTE : TCP_INIT_INSIDE);
}

/*
 * The next state by RFC 7857 section 2.1, figure 1 (RFC 6146 section 3.5.2). Stricter in
 * one thing: the other side's SYN opens a connection only with an ACK, or with the ACK
 * that follows in a simultaneous open (RFC 9293 section 3.5). A SYN alone can be anybody's.
 */
static __always_inline __u8 tcp_next(__u8 state, enum tcp_event event, bool from_remote)
{
	bool answers = tcp_is_opening(state) && !tcp_is_opener(state, from_remote);

	switch (event) {
	case TCP_SAW_SYN:
	case TCP_SAW_SYN_ACK:
		if (answers && event == TCP_SAW_SYN_ACK)
			return TCP_ESTABLISHED;
		if (state == TCP_NONE || state == TCP_FIN_BOTH || state == TCP_TRANS ||
		    state == TCP_PICKED_UP)
			return from_remote ? TCP_INIT_REMOTE : TCP_INIT_INSIDE;
		return state;
	case TCP_SAW_FIN:
		if (state == TCP_ESTABLISHED)
			return from_remote ? TCP_FIN_REMOTE : TCP_FIN_INSIDE;
		if (state == (from_remote ? TCP_FIN_INSIDE : TCP_FIN_REMOTE))
			return TCP_FIN_BOTH;
		return state;
	case TCP_SAW_RST:
		return state == TCP_FIN_BOTH ? TCP_FIN_BOTH : TCP_TRANS;
	default:
		if (state == TCP_TRANS || (state == TCP_PICKED_UP && from_remote) || answers)
			return TCP_ESTABLISHED;
		return state;
	}
}

/* Half-closed connections keep the long timer: one direction may go on for hours. */
static __always_inline enum timeout tcp_timeout(__u8 state)
{
	switch (state) {
	case TCP_ESTABLISHED:
	case TCP_FIN_INSIDE:
	case TCP_FIN_REMOTE:
		return TIMEOUT_TCP_ESTABLISHED;
	case TCP_FIN_BOTH:
	case TCP_TRANS:
		return TIMEOUT_TCP_CLOSING;
	default:
		return TIMEOUT_TCP_OPENING;
	}
}

/* Does this segment need the state looked at? Plain data of an open connection does not. */
static __always_inline bool tcp_is_event(__u8 state, __u8 flags, bool from_remote)
{
	__u32 inside = 1u << TCP_TRANS | 1u << TCP_INIT_REMOTE;
	__u32 remote = 1u << TCP_TRANS | 1u << TCP_INIT_INSIDE | 1u << TCP_PICKED_UP;

	return flags & (TCP_SYN | TCP_FIN | TCP_RST) ||
	       (from_remote ? remote : inside) >> (state & 31) & 1;
}

#endif
