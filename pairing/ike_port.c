/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pairing/ike_port.h"

#include <stdlib.h>
#include <string.h>

#define SAS	      2048
#define SERVERS	      256
#define SAS_A_HOST    64
#define OFFERED_SAS   128 /* that nobody has answered: the outside can make them */
#define SHARE_TRIES   2	  /* of the same first message before another port is tried */
#define UNSHARE_TRIES 8
#define SA_IDLE_MS    (24ull * 3600 * 1000)

/* RFC 7296 section 3.2, RFC 7383 section 2.5 */
#define PAYLOAD_SK     46
#define PAYLOAD_SKF    53
#define IKEV1_ENCRYPTS 0x01 /* RFC 2408 section 3.1 */

struct server {
	uint32_t address; /* 0: free */
	enum ike_strategy strategy;
	uint64_t seen_ms;
};

struct ike_port {
	struct ike_sa sa[SAS]; /* server 0: free */
	struct server server[SERVERS];
};

struct ike_port *ike_port_new(void)
{
	return calloc(1, sizeof(struct ike_port));
}

void ike_port_free(struct ike_port *p)
{
	free(p);
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

/* --- servers --------------------------------------------------------------------------- */

static struct server *server_find(struct ike_port *p, uint32_t address)
{
	for (unsigned i = 0; i < SERVERS; i++)
		if (p->server[i].address == address)
			return &p->server[i];
	return NULL;
}

/* The one that was not heard of for longest makes room; what it taught is learned again. */
static struct server *server_get(struct ike_port *p, uint32_t address, uint64_t now_ms)
{
	struct server *s = server_find(p, address), *oldest = p->server;

	for (unsigned i = 0; !s && i < SERVERS; i++) {
		if (!p->server[i].address)
			s = &p->server[i];
		else if (p->server[i].seen_ms < oldest->seen_ms)
			oldest = &p->server[i];
	}
	if (!s)
		s = oldest;
	if (s->address != address)
		*s = (struct server){.address = address};
	s->seen_ms = now_ms;
	return s;
}

enum ike_strategy ike_port_strategy(const struct ike_port *p, uint32_t server)
{
	const struct server *s = server_find((struct ike_port *)p, server);

	return s ? s->strategy : IKE_UNKNOWN;
}

const char *ike_strategy_name(enum ike_strategy strategy)
{
	static const char *const name[] = {"unknown", "any", "insists"};

	return name[strategy];
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

/* Its own oldest one, if the host has its share; else a free one; NULL: full. */
static struct ike_sa *sa_room(struct ike_port *p, uint32_t inside, uint64_t now_ms)
{
	struct ike_sa *room = NULL, *own = NULL;
	unsigned count = 0;

	for (unsigned i = 0; i < SAS; i++) {
		struct ike_sa *sa = &p->sa[i];

		if (is_over(sa, now_ms)) {
			room = sa;
			continue;
		}
		if (sa->offered || sa->owner[0].inside != inside)
			continue;
		count++;
		if (!own || sa->seen_ms < own->seen_ms)
			own = sa;
	}
	return count >= SAS_A_HOST ? own : room;
}

static struct ike_sa *sa_add(struct ike_port *p, uint64_t now_ms, uint32_t server,
			     struct ike_socket socket, const struct esp_ike_header *h)
{
	struct ike_sa *sa = sa_room(p, socket.inside, now_ms);

	if (!sa)
		return NULL;
	*sa = (struct ike_sa){
		.server = server,
		.spi_initiator = h->spi_initiator,
		.spi_responder = h->spi_responder,
		.owner = {socket},
		.owners = 1,
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

static enum ike_action port_choose(const struct server *s, struct ike_sa *sa, bool from_500)
{
	if (!from_500 && s->strategy == IKE_INSISTS) {
		sa->shared = true;
		return IKE_SHARE;
	}
	if (sa->spi_responder)
		return IKE_PASS;
	sa->tries++;
	if (!from_500 && s->strategy == IKE_UNKNOWN && sa->tries >= SHARE_TRIES) {
		sa->shared = true;
		return IKE_SHARE;
	}
	if (from_500 && sa->shared && s->strategy == IKE_UNKNOWN && sa->tries >= UNSHARE_TRIES) {
		sa->shared = false;
		sa->tries = 0;
		return IKE_UNSHARE;
	}
	return IKE_PASS;
}

enum ike_action ike_port_outbound(struct ike_port *p, uint64_t now_ms, uint32_t server,
				  struct ike_socket socket, bool from_500,
				  const struct esp_ike_header *h)
{
	struct server *s = server_get(p, server, now_ms);
	struct ike_sa *sa = sa_find(p, server, h->spi_initiator);

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
	return port_choose(s, sa, from_500);
}

/* --- inbound ----------------------------------------------------------------------------- */

static void answer_learn(struct server *s, struct ike_sa *sa, bool to_500)
{
	if (!to_500)
		s->strategy = IKE_ANY_PORT;
	else if (sa->shared && s->strategy == IKE_UNKNOWN)
		s->strategy = IKE_INSISTS;
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
	room = offer.owners ? sa_room(p, 0, now_ms) : NULL;
	if (room)
		*room = offer;
	return room;
}

unsigned ike_port_inbound(struct ike_port *p, uint64_t now_ms, uint32_t server, bool shared,
			  bool to_500, struct ike_socket to, const struct esp_ike_header *h,
			  struct ike_socket owners[IKE_OWNERS])
{
	struct server *s = server_get(p, server, now_ms);
	struct ike_sa *sa = sa_find(p, server, h->spi_initiator);

	if (!sa && !shared)
		sa = sa_add(p, now_ms, server, to, h);
	else if (!sa)
		sa = offer_make(p, now_ms, server, h);
	if (sa) {
		sa->seen_ms = now_ms;
		if (sa->offered)
			offer_settle(sa, h);
		if (h->spi_responder && !sa->offered) {
			answer_learn(s, sa, to_500);
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

void ike_port_each_server(const struct ike_port *p,
			  bool (*visit)(void *, uint32_t server, enum ike_strategy), void *context)
{
	for (unsigned i = 0; i < SERVERS; i++)
		if (p->server[i].address &&
		    !visit(context, p->server[i].address, p->server[i].strategy))
			return;
}

void ike_port_restore_sa(struct ike_port *p, uint64_t now_ms, const struct ike_sa *sa)
{
	struct ike_sa *room;

	if (!sa->server || !sa->owners || sa->owners > IKE_OWNERS ||
	    sa_find(p, sa->server, sa->spi_initiator) ||
	    is_anothers(p, now_ms, sa->server, sa->spi_initiator, sa->owner[0]))
		return;
	room = sa_room(p, sa->owner[0].inside, now_ms);
	if (!room)
		return;
	*room = *sa;
	room->made_ms = room->seen_ms = now_ms;
}

void ike_port_restore_server(struct ike_port *p, uint32_t server, enum ike_strategy strategy)
{
	if (server)
		server_get(p, server, 0)->strategy = strategy;
}

void ike_port_forget(struct ike_port *p)
{
	memset(p->sa, 0, sizeof(p->sa));
}
