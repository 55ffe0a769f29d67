/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams between the daemon and its helper, over a SOCK_SEQPACKET pair.
 *
 * One request, one answer. The helper keeps nothing between two requests: what
 * it has to know about a connection travels in each request as `state`, and
 * comes back changed. So it may die at any time, and only the request that it
 * was working on is lost.
 *
 * All integers in here are in host byte order (both ends are one machine and
 * one build). Everything in an answer is a lie until helper_validate_answer()
 * has passed it.
 */
#ifndef WAYLEAVE_HELPER_PROTOCOL_H
#define WAYLEAVE_HELPER_PROTOCOL_H

#include <assert.h>
#include <stdint.h>

#define HELPER_PROTOCOL_MAGIC 0x57794803u /* last byte: version of this file */

#define HELPER_STATE_BYTES   4096 /* a connection's state; all zero: a new connection */
#define HELPER_SEGMENT_BYTES 9216 /* longest segment taken: TCP or UDP header and payload */
#define HELPER_SPARE_IDS     8	  /* external ids lent to one flow ahead of their use */
#define HELPER_FLOW_IDS	     40	  /* external ids that one flow can hold */
#define HELPER_EDITS	     128  /* in one answer */
#define HELPER_EDIT_BYTES    4	  /* in one edit */
#define HELPER_CLAIMS	     96	  /* in one answer */
#define HELPER_TAKEN_IDS     256  /* external ids of others that a request can name */

enum helper_protocol {
	HELPER_PPTP = 1, /* RFC 2637 control connection, TCP 1723 */
	HELPER_L2TP, /* RFC 2661 over UDP, behind a port that several hosts share: ids translated */
	HELPER_L2TP_IP,	 /* RFC 3931 over IP: ids followed, never changed */
	HELPER_L2TP_OWN, /* RFC 2661 over UDP, on a port of its own: ids followed, and translated
			    where another host's is the same and no answer comes */
};

/* The way of the packet, whoever opened the connection. */
enum helper_direction {
	HELPER_OUTBOUND, /* from the inside host to the remote */
	HELPER_INBOUND,	 /* from the remote to the inside host */
};

enum helper_verdict {
	HELPER_FORWARD,
	HELPER_DROP,
};

/* reason.def makes this, the names and the sentences. */
enum helper_reason {
#define HELPER_REASON(name, source, sentence) HELPER_REASON_##name,
#include "helper/reason.def"
#undef HELPER_REASON
	HELPER_REASONS
};
static_assert(HELPER_REASONS <= 32, "an answer carries reasons as a 32-bit mask");

/*
 * What an answer asks of the daemon, always for the flow's own inside host and
 * remote address:
 *
 * RESERVE      external_id leaves the flow's spare ids and belongs to the flow
 * ARM          inbound GRE from the remote with external_id goes to the inside
 *              host with inside_id in its place (also arms again, other inside_id)
 * PEER         outbound GRE of the call carries remote_id: index errors by it
 * RELEASE      the call is over: stop its GRE after the grace, then free the id
 * RELEASE_ALL  the control connection is over: as RELEASE, for all of the flow's ids
 * TAKE         external_id, which the inside host chose itself, belongs to the flow
 *
 * For L2TP read "control connection" (RFC 2661: tunnel) or, in the space of
 * sessions, "session" for "call", and tunnel packets for GRE.
 */
enum helper_claim_kind {
	HELPER_CLAIM_RESERVE = 1,
	HELPER_CLAIM_ARM,
	HELPER_CLAIM_PEER,
	HELPER_CLAIM_RELEASE,
	HELPER_CLAIM_RELEASE_ALL,
	HELPER_CLAIM_TAKE,
};

/* Ids of different spaces may be equal. */
enum helper_id_space {
	HELPER_ID_CALL,	   /* PPTP's calls, L2TP's control connections */
	HELPER_ID_SESSION, /* L2TP's */
};

struct helper_claim {
	uint8_t kind;  /* enum helper_claim_kind */
	uint8_t space; /* enum helper_id_space; 0 in RELEASE_ALL */
	uint16_t zero;
	uint32_t external_id; /* in all but RELEASE_ALL */
	uint32_t inside_id;   /* ARM */
	uint32_t remote_id;   /* PEER */
};
static_assert(sizeof(struct helper_claim) == 16, "no padding crosses the socket");

/* Bytes to replace in the payload. Edits ascend and do not overlap. */
struct helper_edit {
	uint16_t offset; /* from the first byte behind the TCP or UDP header, or IP's */
	uint8_t length;	 /* 1 to HELPER_EDIT_BYTES */
	uint8_t zero;
	uint8_t old_bytes[HELPER_EDIT_BYTES];
	uint8_t new_bytes[HELPER_EDIT_BYTES];
};
static_assert(sizeof(struct helper_edit) == 12, "no padding crosses the socket");

enum helper_flow_flags {
	HELPER_ENDED = 1, /* assistance is over for this connection, for ever */
	HELPER_PLAIN = 2, /* and no edit is left to repeat: the helper need not see it again */
};

/* The datagram ends with the last byte of the segment. */
struct helper_request {
	uint32_t magic;	   /* HELPER_PROTOCOL_MAGIC */
	uint8_t protocol;  /* enum helper_protocol */
	uint8_t direction; /* enum helper_direction */
	uint8_t spare_count;
	uint8_t flags; /* enum helper_flow_flags of the flow; PLAIN: nothing is read, all passes */
	uint64_t id;
	uint16_t spare[HELPER_SPARE_IDS];
	uint16_t taken_count, held_count, zero[2];
	/* What other hosts' tunnels with the remote go by; the first held_count are not to be had.
	 */
	uint16_t taken[HELPER_TAKEN_IDS];
	uint8_t state[HELPER_STATE_BYTES];
	uint8_t segment[HELPER_SEGMENT_BYTES]; /* from the header behind IP's on */
};
static_assert(sizeof(struct helper_request) ==
		      40 + 2 * HELPER_TAKEN_IDS + HELPER_STATE_BYTES + HELPER_SEGMENT_BYTES,
	      "no padding crosses the socket");

/* Always sent whole. A dropped segment may still change state and claims. */
struct helper_answer {
	uint32_t magic;
	uint8_t verdict; /* enum helper_verdict */
	uint8_t reason;	 /* enum helper_reason; why it was dropped */
	uint8_t flags;	 /* enum helper_flow_flags */
	uint8_t zero;
	uint64_t id;	/* of the request */
	uint32_t notes; /* bit n: enum helper_reason n was met while the segment was read */
	uint16_t edit_count;
	uint16_t claim_count;
	struct helper_edit edits[HELPER_EDITS];
	struct helper_claim claims[HELPER_CLAIMS]; /* to be done in this order */
	uint8_t state[HELPER_STATE_BYTES];
};
static_assert(sizeof(struct helper_answer) == 24 + HELPER_EDITS * sizeof(struct helper_edit) +
						      HELPER_CLAIMS * sizeof(struct helper_claim) +
						      HELPER_STATE_BYTES,
	      "no padding crosses the socket");

#endif
