/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pairing/ike_port.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define IKE_PORT      500
#define SAS	      2048
#define SAS_A_HOST    64
#define OFFERED_SAS   128 /* that nobody has answered: the outside can make them */
#define SHARE_TRIES   2	  /* of the same first message before another port is tried */
#define DOUBT_TRIES   4	  /* of the same first message before what is known is doubted */
#define UNSHARE_TRIES 8
#define SILENT_TRIES  4	     /* messages of an IKE SA that had answers before */
#define TRIAL_MS      120000 /* in which a newcomer at port 500 is blamed for another's silence */
#define IN_USE_MS     600000 /* silence after which port 500 is free for another again */
#define RECOVERY_MS   60000  /* in which the other is heard again, if the blame was right */
#define SA_IDLE_MS    (24ull * 3600 * 1000)

/* RFC 7296 section 3.2, RFC 7383 section 2.5 */
#define PAYLOAD_SK     46
#define PAYLOAD_SKF    53
#define IKEV1_ENCRYPTS 0x01 /* RFC 2408 section 3.1 */

struct ike_port {
	struct ike_sa sa[SAS]; /* server 0: free */
	struct port_habits *habits;
	struct share_groups groups;
};

struct ike_port *ike_port_new(const struct share_groups *groups)
{
	struct ike_port *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->groups = *groups;
	p->habits = port_habits_new();
	if (p->habits)
		return p;
	free(p);
	return NULL;
}

void ike_port_free(struct ike_port *p)
{
	if (p)
		port_habits_free(p->habits);
	free(p);
}

struct port_habits *ike_port_habits(struct ike_port *p)
{
	return p->habits;
}

static bool is_protected(const struct esp_ike_header *h)
{
	if (h->version >> 4 == 1)
		return h->flags & IKEV1_ENCRYPTS;
	return h->next_payload == PAYLOAD_SK || h->next_payload == PAYLOAD_SKF;
}

static bool same_socket(struct ike_socket a, struct ike_socket b)
{
	return a.inside == b.inside && a.port == b.port;
}

/* --- SAs ------------------------------------------------------------------------------- */

static bool is_over(const struct ike_sa *sa, uint64_t now_ms)
{
	return !sa->server || now_ms - sa->seen_ms > SA_IDLE_MS;
}

static struct ike_sa *sa_find(struct ike_port *p, uint32_t server, uint64_t spi_initiator)
{
	for (unsigned i = 0; i < SAS; i++)
		if (p->sa[i].server == server && p->sa[i].spi_initiator == spi_initiator)
			return &p->sa[i];
	return NULL;
}

static bool is_owner(const struct ike_sa *sa, struct ike_socket socket)
{
	for (unsigned i = 0; i < sa->owners; i++)
		if (same_socket(sa->owner[i], socket))
			return true;
	return false;
}

/* Behind port 500 an id is the socket's whose IKE SA has it; what is offered is nobody's yet. */
static bool is_anothers(struct ike_port *p, uint64_t now_ms, uint32_t server,
			uint64_t spi_initiator, struct ike_socket socket)
{
	for (unsigned i = 0; i < SAS; i++) {
		const struct ike_sa *sa = &p->sa[i];

		if (sa->server == server && !sa->offered && !is_over(sa, now_ms) &&
		    ike_word(sa->spi_initiator) == ike_word(spi_initiator) && !is_owner(sa, socket))
			return true;
	}
	return false;
}

/*
 * Its own oldest one, if the host or its group has its share; else a free one; NULL: full.
 * GROUP: out, the host's.
 */
static struct ike_sa *sa_room(struct ike_port *p, uint32_t inside, uint64_t now_ms, uint32_t *group)
{
	struct share share = share_of(&p->groups, inside, SAS);
	struct ike_sa *room = NULL, *own = NULL;
	unsigned count = 0;

	for (unsigned i = 0; i < SAS; i++) {
		struct ike_sa *sa = &p->sa[i];

		if (is_over(sa, now_ms)) {
			room = sa;
			continue;
		}
		if (!sa->offered)
			share_count(&share, sa->group, 1);
		if (sa->offered || sa->owner[0].inside != inside)
			continue;
		count++;
		if (!own || sa->seen_ms < own->seen_ms)
			own = sa;
	}
	*group = share.group;
	return count >= SAS_A_HOST || !share_admits(&share) ? own : room;
}

/* A free place; the outside's offers have a limit of their own. */
static struct ike_sa *place_free(struct ike_port *p, uint64_t now_ms)
{
	for (unsigned i = 0; i < SAS; i++)
		if (is_over(&p->sa[i], now_ms))
			return &p->sa[i];
	return NULL;
}

static struct ike_sa *sa_add(struct ike_port *p, uint64_t now_ms, uint32_t server,
			     struct ike_socket socket, const struct esp_ike_header *h)
{
	uint32_t group;
	struct ike_sa *sa = sa_room(p, socket.inside, now_ms, &group);

	if (!sa)
		return NULL;
	*sa = (struct ike_sa){
		.server = server,
		.spi_initiator = h->spi_initiator,
		.spi_responder = h->spi_responder,
		.owner = {socket},
		.owners = 1,
		.group = group,
		.made_ms = now_ms,
		.seen_ms = now_ms,
	};
	return sa;
}

/* --- outbound ---------------------------------------------------------------------------- */

static enum ike_action offer_answered(struct ike_sa *sa, struct ike_socket socket,
				      const struct esp_ike_header *h)
{
	for (unsigned i = 0; i < sa->owners; i++) {
		if (!same_socket(sa->owner[i], socket))
			continue;
		if (!is_protected(h))
			return IKE_REFUSE;
		sa->answered |= 1u << i;
	}
	return IKE_PASS;
}

/* When the server was heard of last, by whomever. */
static uint64_t server_heard_ms(const struct ike_port *p, uint32_t server)
{
	uint64_t heard = 0;

	for (unsigned i = 0; i < SAS; i++)
		if (p->sa[i].server == server && p->sa[i].heard_ms > heard)
			heard = p->sa[i].heard_ms;
	return heard;
}

/* One sign for each IKE SA: another that the server is heard by tells that it is not down. */
static void habit_doubt(struct ike_port *p, struct ike_sa *sa, enum port_habit habit)
{
	bool alive = server_heard_ms(p, sa->server) > sa->made_ms;

	if (!sa->doubted)
		port_habit_contradict(p->habits, sa->server, habit,
				      alive ? HABIT_SIGN_STRONG : HABIT_SIGN);
	sa->doubted = true;
}

static enum ike_action sa_share(struct ike_sa *sa, uint64_t now_ms)
{
	if (!sa->shared)
		sa->shared_ms = now_ms;
	sa->shared = true;
	return IKE_SHARE;
}

/* Has another client of the server port 500, and was heard of lately? */
static bool is_in_use(const struct ike_port *p, const struct ike_sa *sa, uint64_t now_ms)
{
	for (unsigned i = 0; i < SAS; i++) {
		const struct ike_sa *other = &p->sa[i];
		bool at_500 = other->shared || other->owner[0].external == htons(IKE_PORT);

		if (other->server == sa->server && at_500 && other->heard_ms &&
		    !same_socket(other->owner[0], sa->owner[0]) &&
		    now_ms - other->heard_ms < IN_USE_MS)
			return true;
	}
	return false;
}

/* It would leave from a port of its own. */
static enum ike_action own_port_choose(struct ike_port *p, struct ike_sa *sa, uint64_t now_ms)
{
	enum port_habit habit = port_habit_of(p->habits, sa->server, (int64_t)now_ms);

	if (sa->shared) /* its session has begun anew */
		return IKE_SHARE;
	if (sa->tried || sa->spi_responder)
		return IKE_PASS;
	if (habit == HABIT_ONE_CLIENT && is_in_use(p, sa, now_ms))
		return IKE_PASS;
	if (habit == HABIT_INSISTS || habit == HABIT_ONE_CLIENT)
		return sa_share(sa, now_ms);
	sa->tries++;
	if (habit == HABIT_ANY_PORT && sa->tries == DOUBT_TRIES)
		habit_doubt(p, sa, habit);
	return habit == HABIT_UNKNOWN && sa->tries >= SHARE_TRIES ? sa_share(sa, now_ms) : IKE_PASS;
}

/* From port 500: if the server does not answer there either, the port is not to blame. */
static enum ike_action at_500_choose(struct ike_port *p, struct ike_sa *sa)
{
	if (sa->spi_responder || !sa->shared || ++sa->tries < UNSHARE_TRIES)
		return IKE_PASS;
	sa->doubted = false;
	habit_doubt(p, sa, HABIT_INSISTS);
	sa->shared = false;
	sa->tried = true;
	sa->tries = 0;
	return IKE_UNSHARE;
}

/* --- servers that take all at port 500 for one client ------------------------------------------
 */

/* Has @other come to port 500 and been answered there, and @sa not been since? */
static bool is_newcomer(const struct ike_sa *other, const struct ike_sa *sa, uint64_t now_ms)
{
	return other->server == sa->server && other->shared && !other->offered &&
	       !same_socket(other->owner[0], sa->owner[0]) && other->shared_ms >= sa->heard_ms &&
	       now_ms - other->shared_ms < TRIAL_MS && other->heard_ms > other->shared_ms;
}

static enum ike_action newcomers_blame(struct ike_port *p, struct ike_sa *sa, uint64_t now_ms)
{
	bool any = false;

	for (unsigned i = 0; i < SAS; i++) {
		if (!is_newcomer(&p->sa[i], sa, now_ms))
			continue;
		p->sa[i].shared = false;
		p->sa[i].tried = p->sa[i].back = any = true;
	}
	if (!any)
		return IKE_PASS;
	port_habit_confirm(p->habits, sa->server, HABIT_ONE_CLIENT, (int64_t)now_ms);
	sa->blamed_ms = now_ms;
	return IKE_CROWDED;
}

/* An IKE SA at port 500 that had answers: it has none any more since another has joined it. */
static enum ike_action silence_judge(struct ike_port *p, struct ike_sa *sa, uint64_t now_ms)
{
	sa->silent++;
	if (sa->blamed_ms && now_ms - sa->blamed_ms > RECOVERY_MS) {
		port_habit_contradict(p->habits, sa->server, HABIT_ONE_CLIENT, HABIT_SIGN);
		sa->blamed_ms = 0;
		sa->wrong = true;
	}
	if (sa->silent < SILENT_TRIES || !sa->heard_ms || sa->wrong)
		return IKE_PASS;
	return newcomers_blame(p, sa, now_ms);
}

unsigned ike_port_take_back(struct ike_port *p, uint32_t server,
			    struct ike_socket sockets[IKE_OWNERS])
{
	unsigned count = 0;

	for (unsigned i = 0; i < SAS && count < IKE_OWNERS; i++) {
		if (p->sa[i].server != server || !p->sa[i].back)
			continue;
		p->sa[i].back = false;
		sockets[count++] = p->sa[i].owner[0];
	}
	return count;
}

enum ike_action ike_port_outbound(struct ike_port *p, uint64_t now_ms, uint32_t server,
				  struct ike_socket socket, bool from_500,
				  const struct esp_ike_header *h)
{
	struct ike_sa *sa = sa_find(p, server, h->spi_initiator);
	enum ike_action action;

	/* at a port of its own nobody else's arrivals are found by it */
	if (is_anothers(p, now_ms, server, h->spi_initiator, socket))
		return from_500 ? IKE_HELD : IKE_PASS;
	if (!sa)
		sa = sa_add(p, now_ms, server, socket, h);
	if (!sa)
		return IKE_PASS;
	sa->seen_ms = now_ms;
	if (sa->offered)
		return offer_answered(sa, socket, h);
	action = from_500 ? at_500_choose(p, sa) : own_port_choose(p, sa, now_ms);
	return action == IKE_PASS && from_500 ? silence_judge(p, sa, now_ms) : action;
}

/* --- inbound ----------------------------------------------------------------------------- */

/*
 * That a server answers at port 500 says something of one that has not answered elsewhere:
 * where the first message was sent to it at once it is not confirmed, and tested in time.
 */
static void answer_learn(struct ike_port *p, const struct ike_sa *sa, bool to_500, uint64_t now_ms)
{
	int64_t now = (int64_t)now_ms;

	if (!to_500)
		port_habit_confirm(p->habits, sa->server, HABIT_ANY_PORT, now);
	else if (sa->shared && !sa->spi_responder &&
		 port_habit_of(p->habits, sa->server, now) == HABIT_UNKNOWN)
		port_habit_confirm(p->habits, sa->server, HABIT_INSISTS, now);
}

static void sa_heard(struct ike_sa *sa, uint64_t now_ms)
{
	sa->heard_ms = now_ms;
	sa->silent = 0;
	sa->blamed_ms = 0;
}

/* The server has moved on: one of those who answered was the right one. */
static void offer_settle(struct ike_sa *sa, const struct esp_ike_header *h)
{
	unsigned kept = 0;

	if (!sa->answered || h->message_id == sa->message_id)
		return;
	for (unsigned i = 0; i < sa->owners; i++)
		if (sa->answered >> i & 1)
			sa->owner[kept++] = sa->owner[i];
	sa->owners = kept;
	sa->offered = false;
}

static unsigned offered_count(const struct ike_port *p)
{
	unsigned count = 0;

	for (unsigned i = 0; i < SAS; i++)
		count += p->sa[i].server && p->sa[i].offered;
	return count;
}

/* Oldest IKE SA first: it is the likeliest to be rekeyed. */
static void candidate_insert(struct ike_sa *offer, const struct ike_sa *sa, uint64_t made[])
{
	unsigned at = offer->owners < IKE_OWNERS ? offer->owners : IKE_OWNERS - 1;

	if (is_owner(offer, sa->owner[0]))
		return;
	if (offer->owners == IKE_OWNERS && made[at] <= sa->made_ms)
		return;
	for (; at && made[at - 1] > sa->made_ms; at--) {
		offer->owner[at] = offer->owner[at - 1];
		made[at] = made[at - 1];
	}
	offer->owner[at] = sa->owner[0];
	made[at] = sa->made_ms;
	if (offer->owners < IKE_OWNERS)
		offer->owners++;
}

static struct ike_sa *offer_make(struct ike_port *p, uint64_t now_ms, uint32_t server,
				 const struct esp_ike_header *h)
{
	struct ike_sa offer = {
		.server = server,
		.spi_initiator = h->spi_initiator,
		.spi_responder = h->spi_responder,
		.offered = true,
		.message_id = h->message_id,
		.made_ms = now_ms,
		.seen_ms = now_ms,
	};
	uint64_t made[IKE_OWNERS] = {0};
	struct ike_sa *room;

	if (!is_protected(h) || offered_count(p) >= OFFERED_SAS)
		return NULL;
	for (unsigned i = 0; i < SAS; i++)
		if (p->sa[i].server == server && !p->sa[i].offered && !is_over(&p->sa[i], now_ms))
			candidate_insert(&offer, &p->sa[i], made);
	room = offer.owners ? place_free(p, now_ms) : NULL;
	if (room)
		*room = offer;
	return room;
}

unsigned ike_port_inbound(struct ike_port *p, uint64_t now_ms, uint32_t server, bool shared,
			  bool to_500, struct ike_socket to, const struct esp_ike_header *h,
			  struct ike_socket owners[IKE_OWNERS])
{
	struct ike_sa *sa = sa_find(p, server, h->spi_initiator);

	if (!sa && !shared)
		sa = sa_add(p, now_ms, server, to, h);
	else if (!sa)
		sa = offer_make(p, now_ms, server, h);
	if (sa) {
		sa->seen_ms = now_ms;
		sa_heard(sa, now_ms);
		if (sa->offered)
			offer_settle(sa, h);
		if (h->spi_responder && !sa->offered) {
			answer_learn(p, sa, to_500, now_ms);
			sa->spi_responder = h->spi_responder;
			sa->tries = 0;
		}
	}
	if (!shared) {
		owners[0] = to;
		return 1;
	}
	if (!sa)
		return 0;
	memcpy(owners, sa->owner, sa->owners * sizeof(owners[0]));
	return sa->owners;
}

/* --- looking, saving --------------------------------------------------------------------- */

void ike_port_each_sa(const struct ike_port *p, bool (*visit)(void *, const struct ike_sa *),
		      void *context)
{
	for (unsigned i = 0; i < SAS; i++)
		if (p->sa[i].server && !visit(context, &p->sa[i]))
			return;
}

void ike_port_restore_sa(struct ike_port *p, uint64_t now_ms, const struct ike_sa *sa)
{
	struct ike_sa *room;
	uint32_t group;

	if (!sa->server || !sa->owners || sa->owners > IKE_OWNERS ||
	    sa_find(p, sa->server, sa->spi_initiator) ||
	    is_anothers(p, now_ms, sa->server, sa->spi_initiator, sa->owner[0]))
		return;
	room = sa_room(p, sa->owner[0].inside, now_ms, &group);
	if (!room)
		return;
	*room = *sa;
	room->group = group;
	room->made_ms = room->seen_ms = now_ms;
}

void ike_port_forget(struct ike_port *p)
{
	memset(p->sa, 0, sizeof(p->sa));
}
