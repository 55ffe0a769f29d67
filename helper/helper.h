/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unprivileged helper, as the daemon sees it.
 *
 * helper_start() forks a keeper, which forks the helper: own uid, no
 * capabilities, seccomp, one socket. Both are forked from a daemon that has
 * opened nothing yet, and the keeper forks the next helper when one dies, so no
 * helper ever inherits the daemon's maps, sockets or memory. The daemon hands
 * each segment of an assisted connection (pure ACKs too: they tell which edits
 * need not be repeated) to helper_submit() and gets it back, edited, through
 * the answered() callback.
 *
 * Nothing here blocks but helper_start() and helper_stop(). One thread. Ids,
 * lengths and times are in host byte order; times are CLOCK_MONOTONIC
 * nanoseconds. Errors are -errno.
 */
#ifndef WAYLEAVE_HELPER_HELPER_H
#define WAYLEAVE_HELPER_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "helper/protocol.h"

struct helper;

/* An external id that a flow holds. */
struct helper_id {
	uint32_t external_id;
	uint32_t inside_id; /* valid when armed */
	uint32_t remote_id; /* valid when has_remote */
	uint8_t space;	    /* enum helper_id_space */
	uint8_t armed;
	uint8_t has_remote;
};

/*
 * One assisted connection. Plain data, owned by the daemon, which may copy it
 * to disk and back while `waiting` is 0. All zero is a new connection (from its
 * SYN on; a connection taken over in mid-stream without this gets no
 * assistance). The daemon keeps `spare` filled with ids that are free towards
 * this remote and reserved for this flow, best with different first bytes (a
 * Call ID can come in two halves); the rest is written by the client.
 * When the flow goes, spare and ids are the daemon's to free.
 */
struct helper_flow {
	uint8_t protocol; /* enum helper_protocol, set by the daemon */
	uint8_t spare_count;
	uint8_t id_count;
	uint8_t flags;	  /* enum helper_flow_flags of the last answer */
	uint16_t waiting; /* segments with the helper or queued for it */
	uint16_t crashes; /* helpers that died with a segment of this flow */
	uint16_t spare[HELPER_SPARE_IDS];
	struct helper_id ids[HELPER_FLOW_IDS];
	uint8_t state[HELPER_STATE_BYTES]; /* opaque */
};

/* What comes behind the IP header. */
enum helper_carrier {
	HELPER_OVER_TCP,
	HELPER_OVER_UDP,
	HELPER_OVER_IP, /* nothing: the protocol's own bytes, no checksum of ours */
};

/* A frame on its way. The offsets come from the data plane's record. */
struct helper_frame {
	uint8_t *bytes;
	size_t frame_bytes;
	size_t tcp_offset; /* of the TCP or UDP header, or of IP's payload, in the frame */
	size_t tcp_bytes;  /* header and payload, by the IP total length: no padding */
	enum helper_carrier carrier;
	enum helper_direction direction;
	bool partial_checksum; /* the TCP checksum covers the pseudo header only: left alone */
	uint64_t cookie;       /* the daemon's own, comes back unchanged */
	uint16_t taken_count, held_count;
	uint16_t taken[HELPER_TAKEN_IDS]; /* HELPER_L2TP_OWN: external ids of other hosts there */
};

/* What became of a frame. Valid during the callback only. */
struct helper_result {
	enum helper_verdict verdict;
	enum helper_reason reason;	  /* of a drop */
	uint32_t notes;			  /* mask of enum helper_reason met on the way */
	const struct helper_frame *frame; /* edited in place, checksum adjusted */
	const struct helper_edit *edits;  /* what was edited */
	size_t edit_count;
	const struct helper_claim
		*claims; /* of drops too; checked and recorded in flow->ids; now do them */
	size_t claim_count;
};

enum helper_event {
	HELPER_CRASHED,	 /* and was started again */
	HELPER_DISABLED, /* HELPER_CRASHES_MAX within a minute: no assistance until restart */
	HELPER_ORPHANED, /* its keeper was killed, and it with it: none until restart */
};

#define HELPER_CRASHES_MAX 5 /* within HELPER_CRASHES_NS */
#define HELPER_CRASHES_NS  60000000000ull
#define HELPER_FLOW_CRASHES                                                                        \
	2 /* then the flow is given up, before it disables the helper for all                      \
	   */
#define HELPER_ANSWER_NS  1000000000ull /* a later answer counts as none */
#define HELPER_QUEUE	  64		/* frames, all flows together */
#define HELPER_FLOW_QUEUE 8		/* frames of one flow */

struct helper_options {
	const char *user; /* NULL: wayleave-helper, or nobody where there is none */
	void *context;	  /* first parameter of the callbacks */
	/* Once for each submitted frame, in the order of submission within a flow. */
	void (*answered)(void *context, struct helper_flow *flow,
			 const struct helper_result *result);
	/*
	 * Does a valid answer leave alone what other flows own? If not it has no effect at
	 * all, and the frame is dropped with HELPER_REASON_id_held. NULL: always.
	 */
	bool (*allowed)(void *context, struct helper_flow *flow,
			const struct helper_answer *answer);
	/* `status` as of waitpid(2). */
	void (*happened)(void *context, enum helper_event event, int status);
};

struct helper_counters {
	uint64_t requests, answers, refused; /* refused: queue full or helper disabled */
	uint64_t crashes;
	uint64_t reasons[HELPER_REASONS]; /* drops and notes; once per segment and reason */
};

/* Forks keeper and helper; call before anything is opened. 0 or -errno (-ENOENT: no such user). */
int helper_start(struct helper **made, const struct helper_options *options);

/* Ends helper and keeper and frees `h`; queued frames are gone without a callback. */
void helper_stop(struct helper *h);

/* Becomes readable when helper_serve() has something to do; owned by `h`. */
int helper_fd(const struct helper *h);

/* Takes answers and news, calls the callbacks, times out. On helper_fd() and every 100 ms. */
void helper_serve(struct helper *h, uint64_t now_ns);

/*
 * Copies the frame and sends it, or queues it behind an unanswered frame of the
 * same flow. 0, then one answered() later (never from inside this call);
 * -EMSGSIZE (segment longer than HELPER_SEGMENT_BYTES), -EINVAL (offsets),
 * -ENOBUFS (queues full), -ENOTCONN (disabled): the caller drops the frame.
 *
 * A flow is given up, with HELPER_PLAIN and a RELEASE_ALL, when an answer about it
 * was a lie, for its saved state may be one too, or HELPER_FLOW_CRASHES helpers died of it.
 */
int helper_submit(struct helper *h, struct helper_flow *flow, const struct helper_frame *frame,
		  uint64_t now_ns);

/* Drops what waits for `flow`, without callbacks. Before a flow is freed or moved. */
void helper_forget(struct helper *h, struct helper_flow *flow);

/* The helper's pid, 0 while there is none. For status and tests. */
pid_t helper_pid(const struct helper *h);

const struct helper_counters *helper_counters(const struct helper *h);

/* Static strings; "?" and "" outside of the list. */
const char *helper_reason_name(enum helper_reason reason);
const char *helper_reason_source(enum helper_reason reason);
const char *helper_reason_text(enum helper_reason reason);

/*
 * Whether an answer stays within its flow: every field in range, edits inside
 * the payload with the right old bytes, only the flow's own or spare ids, within
 * the quota. Pure; helper_serve() applies it to every answer. `bytes`: of the
 * datagram. 0, -EPROTO (malformed), -ERANGE (edit outside), -EPERM (foreign id),
 * -EDQUOT (more ids than a flow may hold).
 */
int helper_validate_answer(const struct helper_flow *flow, const struct helper_frame *frame,
			   const struct helper_answer *answer, size_t bytes);

/* Records a valid answer's state, flags and claims in its flow. Pure. */
void helper_flow_update(struct helper_flow *flow, const struct helper_answer *answer);

/*
 * Writes valid edits into the payload; unless the checksum is partial, adjusts
 * the carrier's checksum (RFC 1624; RFC 768: none stays none). Called by helper_serve() for
 * forwarded frames.
 */
void helper_edits_apply(const struct helper_frame *frame, const struct helper_edit *edits,
			size_t count);

#endif
