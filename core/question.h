/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions: exchanges with a request-response service at a well-known port, each
 * from a socket of its own. RFC 4787 REQ-5a lets their mappings end early. They do
 * so only at need: an inside host that has as many mappings as it may takes over
 * the oldest one of its own whose exchange is over; nobody else's, and no other.
 *
 * Hints where to look are kept in rings, one for the hosts of a hash: the records
 * of the sessions that were begun, in order. What counts is what the record says.
 * A ring that overflows loses the oldest hints; those mappings wait for the timer.
 *
 * Context: any; new flows, and the sweeper for question_is_over() and question_end().
 */
#ifndef WAYLEAVE_CORE_QUESTION_H
#define WAYLEAVE_CORE_QUESTION_H

#include "core/mapping.h"
#include "core/station.h"

#define PORT_DNS 53
#define PORT_NTP 123

/*
 * Seconds that a question waits after its last answer, for a second one (RFC 5452
 * section 9.2: the socket stays open), and without any: resolvers ask again or give
 * up after 5 to 10 s, from a new socket.
 */
#define QUESTION_ANSWERED_SECONDS   5
#define QUESTION_UNANSWERED_SECONDS 30

/* Packets each way: a question, asked again, with its answers. A tunnel at port 53 has more. */
#define QUESTION_PACKETS_MAX 8

#define QUESTION_STEPS 32 /* hints that one new flow looks at */

/*
 * UDP to DNS (RFC 1035) and NTP (RFC 5905), from a port that a client is given. Not
 * from a service's own port: NTP's symmetric peers (port 123) may speak first. DNS
 * over TCP and TLS (853) have TCP's timers, DNS over QUIC (853) is a connection.
 */
static __always_inline bool is_question(__u8 protocol, __u8 class, __be16 remote, __be16 local)
{
	return protocol == PROTOCOL_UDP && class == CLASS_PLAIN &&
	       (remote == host_to_be16(PORT_DNS) || remote == host_to_be16(PORT_NTP)) &&
	       be16_to_host(local) >= PORT_FIRST_UNPRIVILEGED;
}

/* Is @orig, half of a LIVE session, a question, and nothing else? */
static __always_inline bool session_is_question(const struct record *orig)
{
	const struct session *s = &orig->session;

	return orig->key.kind == KIND_SESSION_ORIG && orig->key.id_type == ID_PORTS &&
	       is_question(orig->key.protocol, s->class, orig->key.remote_id, orig->key.local_id) &&
	       !s->inbound && !(s->flags & ~SESSION_REPLIED) && s->packets <= QUESTION_PACKETS_MAX;
}

/* Answered since it was last asked; of what came in one tick the counts tell. */
static __always_inline bool question_is_answered(const struct session *orig,
						 const struct session *reply)
{
	__s32 later = (__s32)(READ_ONCE(reply->last_seen) - READ_ONCE(orig->last_seen));

	return reply->packets && (later > 0 || (!later && reply->packets >= orig->packets));
}

/* The exchange is over: some time ago it was answered, or asked without an answer. */
static __always_inline bool question_is_over(const struct config *c, const struct session *orig,
					     const struct session *reply, __u32 now)
{
	if (reply->packets > QUESTION_PACKETS_MAX)
		return false;
	if (question_is_answered(orig, reply))
		return ticks_since(now, READ_ONCE(reply->last_seen)) >
		       QUESTION_ANSWERED_SECONDS * c->hz;
	return ticks_since(now, READ_ONCE(orig->last_seen)) > QUESTION_UNANSWERED_SECONDS * c->hz;
}

/* The external half of the mapping that only this session uses, ended; NULL: others use it. */
static __always_inline struct record *question_mapping_end(const struct record *orig)
{
	struct record_key key;
	struct record *inside, *external;

	mapping_inside_key(&key, PROTOCOL_UDP, orig->key.local, orig->key.local_id);
	inside = record_at(table_search(&key));
	external = inside ? record_at(inside->partner) : NULL;
	if (!external || external->mapping.flags & MAPPING_STATIC ||
	    !control_change(external, SLOT_LIVE + CONTROL_REFERENCE, SLOT_DEAD))
		return NULL;
	return table_kill(inside) ? inside : NULL;
}

/*
 * Ends a question's session and its mapping, if nothing else uses that, and takes
 * both from the counts of @host. The caller has found that it is over.
 */
SEPARATE __u32 question_end(__u32 orig_index, __u32 host_index)
{
	struct record *orig = record_at(orig_index), *host = record_at(host_index), *reply;
	struct config *c = config_get();

	if (!orig || !host || !c)
		return false;
	reply = record_at(orig->partner);
	if (!reply || !question_mapping_end(orig))
		return false;
	host_loses_mapping(&host->host);
	count_less(&c->mappings_used);
	if (!table_kill(orig))
		return true;
	orig->session.taken_over = 1; /* for the census: the sweeper has not counted its traffic */
	table_kill(reply);
	host_loses_session(&host->host);
	count_less(&c->sessions_used);
	count(REASON_question_ended, 0);
	return true;
}

/* --- rings ------------------------------------------------------------------------------- */

static __always_inline __u32 question_ring_of(__be32 inside)
{
	return be32_to_host(inside) * 0x9e3779b1u >> 28 & (QUESTION_RINGS - 1);
}

static __always_inline void question_push(struct question_ring *ring, __u32 index)
{
	__u32 at = __sync_fetch_and_add(&ring->head, 1);

	WRITE_ONCE(ring->session[at & (QUESTION_RING - 1)], index);
}

/* A question was begun; @index: of the session's first half. */
static __always_inline void question_note(__be32 inside, __u32 index)
{
	struct question_ring *ring = question_ring_at(question_ring_of(inside));

	if (ring)
		question_push(ring, index);
}

struct question_search {
	__be32 inside;
	__u32 host; /* index of its record */
	__u32 ended;
};

enum question_hint { HINT_STALE, HINT_WAITS, HINT_ENDED };

/* What became of the question that a hint names; one of the host's that is over is ended. */
static __always_inline enum question_hint question_try(const struct config *c, __u32 index,
						       const struct question_search *search)
{
	const struct record *orig = record_at(index), *reply;

	if (!orig || record_state(orig) != SLOT_LIVE || !session_is_question(orig))
		return HINT_STALE;
	reply = record_at(orig->partner);
	if (!reply)
		return HINT_STALE;
	if (orig->key.local != search->inside ||
	    !question_is_over(c, &orig->session, &reply->session, clock_ticks(c)))
		return HINT_WAITS;
	return question_end(index, search->host) ? HINT_ENDED : HINT_STALE;
}

/* Looks at the oldest hint of the ring. Answers true when the search is over. */
static __noinline long question_step(__u32 i, void *context)
{
	struct question_search *search = context;
	struct question_ring *ring = question_ring_at(question_ring_of(search->inside));
	const struct config *c = config_get();
	__u32 head, tail, index;

	if (!ring || !c)
		return 1;
	head = READ_ONCE(ring->head);
	tail = READ_ONCE(ring->tail);
	if (head == tail)
		return 1;
	if (head - tail > QUESTION_RING) {
		__sync_val_compare_and_swap(&ring->tail, tail, head - QUESTION_RING);
		return 0;
	}
	index = READ_ONCE(ring->session[tail & (QUESTION_RING - 1)]);
	if (__sync_val_compare_and_swap(&ring->tail, tail, tail + 1) != tail)
		return 0;
	switch (question_try(c, index, search)) {
	case HINT_WAITS:
		question_push(ring, index);
		return 0;
	case HINT_ENDED:
		search->ended = true;
		return 1;
	default:
		return 0;
	}
}

/* Room for one mapping more of @inside, whose record is @host: true where there is now. */
SEPARATE __u32 questions_give_way(__be32 inside, __u32 host)
{
	struct question_search search = {.inside = inside, .host = host};

	bounded_loop(QUESTION_STEPS, question_step, &search);
	return search.ended;
}

#endif
