/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pairing/ike.h"

/* RFC 7296 section 3.1, RFC 2408 section 3.1, RFC 2409 appendix A */
enum {
	IKE_AUTH = 35,
	CREATE_CHILD_SA = 36,
	INFORMATIONAL = 37,
	QUICK_MODE = 32,
	INFORMATIONAL_V1 = 5,
	NEXT_SK = 46,  /* RFC 7296 section 3.2: Encrypted and Authenticated */
	NEXT_SKF = 53, /* RFC 7383 section 2.5: a fragment of it */
	FLAG_RESPONSE = 0x20,
	FLAG_ENCRYPTION = 0x01, /* IKEv1 */
};

#define REKEYED_WITHIN_MS 60000
#define IKE_ALIVE_MS	  86400000

struct message {
	const struct esp_ike_header *header;
	enum esp_direction direction;
	uint64_t now_ms;
};

static bool is_v1(const struct esp_ike_header *h)
{
	return h->version >> 4 == 1;
}

/* An answer in clear proves nothing: a host that knows nothing may send INVALID_IKE_SPI. */
static bool is_protected(const struct esp_ike_header *h)
{
	if (is_v1(h))
		return h->flags & FLAG_ENCRYPTION;
	return h->next_payload == NEXT_SK || h->next_payload == NEXT_SKF;
}

static struct ike *ike_find(const struct peer *peer, const struct esp_ike_header *h)
{
	struct ike *ike;

	LIST_FOREACH(ike, &peer->ikes, of_peer)
	{
		if (ike->spi_initiator != h->spi_initiator)
			continue;
		if (!ike->spi_responder)
			ike->spi_responder = h->spi_responder;
		if (!h->spi_responder || ike->spi_responder == h->spi_responder)
			return ike;
	}
	return NULL;
}

/*
 * A protected message of an IKE SA that nobody saw begin: after the rekey of
 * another one (RFC 7296 section 1.3.2), whose CREATE_CHILD_SA then made no child.
 */
static void rekey_was_of_ike(struct esp_pairing *p, struct peer *peer, uint64_t now_ms)
{
	struct child *child;

	LIST_FOREACH(child, &peer->children, of_peer)
	{
		if (child->origin != ORIGIN_CREATE || !child_is_open(child) || child->pair.spi_out)
			continue;
		if (now_ms - child->asked_ms < REKEYED_WITHIN_MS)
			child_end(p, child, ESP_REPLACED);
		return;
	}
}

/* The outside makes no state: a new IKE SA begins inside, or replaces one that did. */
static struct ike *ike_learn(struct esp_pairing *p, struct peer *peer, const struct message *m)
{
	bool is_first = LIST_EMPTY(&peer->ikes);
	bool begins = !is_protected(m->header);

	if (m->direction == ESP_INBOUND && (is_first || begins))
		return NULL;
	if (!is_first && !begins && !is_v1(m->header))
		rekey_was_of_ike(p, peer, m->now_ms);
	struct ike *ike = ike_new(p, peer);
	if (ike) {
		ike->spi_initiator = m->header->spi_initiator;
		ike->spi_responder = m->header->spi_responder;
	}
	return ike;
}

/* --- how far the server is --------------------------------------------------------------- */

static void measured(struct server *server, double sample_ms)
{
	if (!server->rtt_ms || sample_ms < server->rtt_ms)
		server->rtt_ms = sample_ms;
	else
		server->rtt_ms += (sample_ms - server->rtt_ms) / 256; /* the way may change */
	if (server->rtt_ms < 0.1)
		server->rtt_ms = 0.1;
}

/* Karn: a request that was sent twice measures nothing. */
static void measure(struct ike *ike, const struct message *m)
{
	const struct esp_ike_header *h = m->header;
	bool same = ike->request_id == h->message_id && ike->request_exchange == h->exchange;

	if (m->direction == ESP_INBOUND) {
		if (same && ike->request_ms && (is_v1(h) || h->flags & FLAG_RESPONSE))
			measured(ike->peer->server, (double)(m->now_ms - ike->request_ms));
		ike->request_ms = 0;
	} else if (is_v1(h) || !(h->flags & FLAG_RESPONSE)) {
		ike->request_ms = same ? 0 : m->now_ms;
		ike->request_id = h->message_id;
		ike->request_exchange = h->exchange;
	}
}

/* --- exchanges ------------------------------------------------------------------------------- */

static enum origin origin_of(const struct esp_ike_header *h)
{
	switch (h->exchange) {
	case IKE_AUTH:
		return is_v1(h) ? ORIGIN_SPOKE : ORIGIN_AUTH;
	case CREATE_CHILD_SA:
		return is_v1(h) ? ORIGIN_SPOKE : ORIGIN_CREATE;
	case QUICK_MODE:
		return is_v1(h) ? ORIGIN_QUICK : ORIGIN_SPOKE;
	}
	return ORIGIN_SPOKE; /* no exchange that makes a child */
}

/*
 * IKE_AUTH goes over several message ids (EAP, RFC 7296 section 2.16) and makes
 * one child; message ids of CREATE_CHILD_SA count per side that asks; those of
 * Quick Mode are random (RFC 2409 section 5.5).
 */
static bool is_of_exchange(const struct child *child, const struct ike *ike, enum origin origin,
			   const struct esp_ike_header *h, bool by_server)
{
	if (child->ike != ike || child->origin != origin)
		return false;
	if (origin == ORIGIN_AUTH)
		return true;
	if (child->message_id != h->message_id)
		return false;
	return origin == ORIGIN_QUICK || child->by_server == by_server;
}

static struct child *exchange_find(const struct ike *ike, enum origin origin,
				   const struct esp_ike_header *h, bool by_server)
{
	struct child *child;

	LIST_FOREACH(child, &ike->peer->children, of_peer)
	if (is_of_exchange(child, ike, origin, h, by_server))
		return child;
	return NULL;
}

static enum esp_evidence exchange_evidence(const struct child *child)
{
	if (child->origin == ORIGIN_AUTH)
		return ESP_EVIDENCE_exchange_auth;
	if (child->origin == ORIGIN_QUICK)
		return child->by_server ? ESP_EVIDENCE_exchange_quick_server
					: ESP_EVIDENCE_exchange_quick;
	return child->by_server ? ESP_EVIDENCE_exchange_child_server : ESP_EVIDENCE_exchange_child;
}

static struct child *exchange_begin(struct esp_pairing *p, struct ike *ike, enum origin origin,
				    const struct message *m, bool by_server)
{
	enum esp_reason ignored;
	struct child *child = child_new(p, ike->peer, origin, m->now_ms, &ignored);

	if (!child)
		return NULL;
	child->ike = ike;
	child->by_server = by_server;
	child->message_id = m->header->message_id;
	return child;
}

static void exchange_answered(struct child *child, uint64_t now_ms)
{
	if (!child->answered_ms)
		child->peer->tunnels++;
	bool repeats = child->origin == ORIGIN_AUTH && !child->pair.spi_in && !child->pair.spi_out;

	if (!child->answered_ms || repeats)
		child->answered_ms = now_ms;
	child_note(child, exchange_evidence(child));
}

static void exchange_passed(struct esp_pairing *p, struct ike *ike, enum origin origin,
			    const struct message *m)
{
	bool inbound = m->direction == ESP_INBOUND;
	bool response = !is_v1(m->header) && m->header->flags & FLAG_RESPONSE;
	bool by_server = response ? !inbound : inbound;
	struct child *child = exchange_find(ike, origin, m->header, by_server);

	if (!child)
		child = exchange_begin(p, ike, origin, m, by_server);
	if (!child)
		return;
	if (inbound != child->by_server) {
		exchange_answered(child, m->now_ms);
	} else if (child->answered_ms && origin == ORIGIN_QUICK) {
		if (!child->confirmed_ms)
			child->confirmed_ms = m->now_ms;
	} else if (!child->asked_ms) {
		child->asked_ms = m->now_ms;
	}
}

#define DELETES_WITHIN_MS 5000

/*
 * Who asked for a rekey deletes what it replaced (RFC 7296 section 2.8). What
 * was deleted cannot be seen; that an SA less is there, can.
 */
static void informed(struct ike *ike, const struct message *m)
{
	bool response = !is_v1(m->header) && m->header->flags & FLAG_RESPONSE;
	struct child *child;

	if (response)
		return;
	LIST_FOREACH(child, &ike->peer->children, of_peer)
	{
		if (child->ike != ike || !child->answered_ms || child->origin == ORIGIN_AUTH ||
		    child->by_server != (m->direction == ESP_INBOUND))
			continue;
		if (!child->replaces && m->now_ms - child->answered_ms < DELETES_WITHIN_MS &&
		    ike->peer->tunnels > 1) {
			child->replaces = true;
			ike->peer->tunnels--;
			return;
		}
	}
}

static bool is_informational(const struct esp_ike_header *h)
{
	return h->exchange == (is_v1(h) ? INFORMATIONAL_V1 : INFORMATIONAL);
}

void ike_passed(struct esp_pairing *p, uint64_t now_ms, uint32_t inside, uint32_t server,
		const struct esp_ike_header *header, enum esp_direction direction)
{
	struct message m = {header, direction, now_ms};
	enum esp_reason ignored;
	struct peer *peer = direction == ESP_OUTBOUND ? peer_get(p, inside, server, &ignored)
						      : peer_find(p, inside, server);
	struct ike *ike = peer ? ike_find(peer, header) : NULL;

	if (peer && !ike)
		ike = ike_learn(p, peer, &m);
	if (!ike) {
		if (peer)
			peer_free_if_empty(p, peer);
		return;
	}
	ike->heard_ms = peer->ike_ms = now_ms;
	ike->floated |= header->floated;
	measure(ike, &m);
	if (is_protected(header) && !ike->floated && origin_of(header) != ORIGIN_SPOKE)
		exchange_passed(p, ike, origin_of(header), &m);
	else if (is_informational(header))
		informed(ike, &m);
}

bool ike_is_alive(const struct peer *peer, uint64_t now_ms)
{
	return peer->ike_ms && now_ms - peer->ike_ms < IKE_ALIVE_MS;
}
