/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pairing/esp.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "pairing/arrival.h"
#include "pairing/belief.h"
#include "pairing/ike.h"
#include "pairing/likelihood.h"
#include "pairing/reply.h"
#include "pairing/watch.h"

#define LEAST_SPI	 256 /* RFC 4303 section 2.1 */
#define FRESH_SEQUENCE	 64
#define SECOND_MS	 1000
#define CHOSEN_LATELY_MS 60000

/* --- making and freeing ---------------------------------------------------------------------- */

static void options_complete(struct esp_options *o)
{
#define DEFAULT(member, value) o->member = o->member ? o->member : (value)
	DEFAULT(pairs, 4096);
	DEFAULT(pairs_a_host, 64);
	DEFAULT(unknown, 1024);
	DEFAULT(unknown_a_server, 256);
	DEFAULT(copies_a_spi, 128);
	DEFAULT(copies_a_spi_second, 50);
	DEFAULT(copies_a_second, 2000);
	DEFAULT(idle_ms, 7200000);
	DEFAULT(open_idle_ms, 86400000);
#undef DEFAULT
}

static void pools_fill(struct esp_pairing *p)
{
	for (unsigned i = 0; i < p->options.pairs; i++) {
		LIST_INSERT_HEAD(&p->free_hosts, &p->hosts[i], entry);
		LIST_INSERT_HEAD(&p->free_servers, &p->servers[i], entry);
		LIST_INSERT_HEAD(&p->free_peers, &p->peers[i], of_host);
		LIST_INSERT_HEAD(&p->free_children, &p->children[i], of_peer);
		LIST_INSERT_HEAD(&p->free_ikes, &p->ikes[i], of_peer);
	}
	for (unsigned i = 0; i < p->options.unknown; i++)
		LIST_INSERT_HEAD(&p->free_arrivals, &p->arrivals[i], entry);
}

struct esp_pairing *esp_pairing_new(const struct esp_options *options,
				    const struct esp_events *events)
{
	struct esp_pairing *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->options = *options;
	p->events = *events;
	options_complete(&p->options);
	unsigned count = p->options.pairs;
	p->hosts = calloc(count, sizeof(*p->hosts));
	p->servers = calloc(count, sizeof(*p->servers));
	p->peers = calloc(count, sizeof(*p->peers));
	p->children = calloc(count, sizeof(*p->children));
	p->ikes = calloc(count, sizeof(*p->ikes));
	p->arrivals = calloc(p->options.unknown, sizeof(*p->arrivals));
	if (!p->hosts || !p->servers || !p->peers || !p->children || !p->ikes || !p->arrivals) {
		esp_pairing_free(p);
		return NULL;
	}
	pools_fill(p);
	return p;
}

void esp_pairing_free(struct esp_pairing *p)
{
	if (!p)
		return;
	free(p->hosts);
	free(p->servers);
	free(p->peers);
	free(p->children);
	free(p->ikes);
	free(p->arrivals);
	free(p);
}

/* --- outbound ----------------------------------------------------------------------- */

static uint64_t exchanged_ms(const struct child *child)
{
	return child->answered_ms ? child->answered_ms : child->asked_ms;
}

/*
 * The SA that this is the outbound half of: one that the host already hears on,
 * then the one whose exchange is the latest. A mistake stays within the host.
 */
static struct child *child_without_out(const struct peer *peer)
{
	struct child *found = NULL, *child;

	LIST_FOREACH(child, &peer->children, of_peer)
	{
		if (child->pair.spi_out || child->origin == ORIGIN_RESUMED)
			continue;
		if (!found || !child_is_open(child) > !child_is_open(found) ||
		    (child_is_open(child) == child_is_open(found) &&
		     exchanged_ms(child) > exchanged_ms(found)))
			found = child;
	}
	return found;
}

static struct child *child_resumed(const struct peer *peer)
{
	struct child *child;

	LIST_FOREACH(child, &peer->children, of_peer)
	if (!child->pair.spi_out &&
	    (child->origin == ORIGIN_RESUMED || child->origin == ORIGIN_SAVED))
		return child;
	return NULL;
}

static struct child *child_for_out(struct esp_pairing *p, struct peer *peer, uint64_t now_ms,
				   uint32_t sequence, enum esp_reason *reason)
{
	bool fresh = sequence <= FRESH_SEQUENCE;
	struct child *child = fresh ? child_without_out(peer) : child_resumed(peer);

	if (child)
		return child;
	child = child_new(p, peer, fresh ? ORIGIN_SPOKE : ORIGIN_RESUMED, now_ms, reason);
	if (child)
		child_note(child, fresh ? ESP_EVIDENCE_spoke_first : ESP_EVIDENCE_resumed);
	return child;
}

/* Decays over ten seconds. */
static void peer_began_spi(struct peer *peer, uint64_t now_ms)
{
	double since_s = (double)(now_ms - peer->new_spi_ms) / 1000;

	peer->new_spi_a_second = peer->new_spi_a_second * exp(-since_s / 10) + 0.1;
	peer->new_spi_ms = now_ms;
}

static void child_spoke(struct child *child, uint64_t now_ms)
{
	if (!child->out_first_ms)
		child->out_first_ms = now_ms;
	child->pair.out_seen_ms = now_ms;
	child->pair.out_packets++;
}

enum esp_verdict esp_pairing_outbound(struct esp_pairing *p, uint64_t now_ms, uint32_t inside,
				      uint32_t server, uint32_t spi, uint32_t sequence,
				      enum esp_reason *reason)
{
	*reason = ESP_RESERVED_SPI;
	if (spi < LEAST_SPI)
		return ESP_DROP;
	struct peer *peer = peer_get(p, inside, server, reason);
	if (!peer)
		return ESP_DROP;
	struct child *child = child_by_spi_out(peer, spi);
	if (!child) {
		child = child_for_out(p, peer, now_ms, sequence, reason);
		if (child) {
			child->pair.spi_out = spi;
			peer_began_spi(peer, now_ms);
			belief_stale(p);
			tick_soon(p, now_ms);
		}
	}
	if (!child) {
		peer_free_if_empty(p, peer);
		return ESP_DROP;
	}
	child_spoke(child, now_ms);
	say_bound(p, child);
	*reason = ESP_KNOWN;
	return ESP_PASS;
}

/* --- inbound ------------------------------------------------------------------------ */

/* An SA of another host that began lately and still has no inbound SPI. */
static struct child *chosen_again_by(const struct child *bound, uint64_t now_ms)
{
	struct child *child;
	struct peer *peer;

	LIST_FOREACH(peer, &bound->peer->server->peers, of_server)
	{
		if (peer == bound->peer)
			continue;
		LIST_FOREACH(child, &peer->children, of_peer)
		if (!child->pair.spi_in && child->answered_ms &&
		    now_ms - child->answered_ms < CHOSEN_LATELY_MS)
			return child;
	}
	return NULL;
}

/*
 * RFC 4303 section 2.1 lets two hosts choose one SPI, and nothing in the packets
 * tells their SAs apart. The one that was settled first keeps it.
 */
static void chosen_twice(struct esp_pairing *p, struct child *bound, struct child *other,
			 struct esp_decision *d)
{
	d->verdict = ESP_COPY;
	d->count = 2;
	d->inside[1] = other->pair.inside;
	child_note(bound, ESP_EVIDENCE_spi_chosen_twice);
	child_note(other, ESP_EVIDENCE_spi_chosen_twice);
	if (other->told_twice)
		return;
	other->told_twice = true;
	if (p->events.chosen_twice)
		p->events.chosen_twice(p->events.context, &bound->pair, other->pair.inside);
}

static void bound_came(struct esp_pairing *p, uint64_t now_ms, struct child *bound,
		       uint32_t sequence, struct esp_decision *d)
{
	struct child *other = NULL;

	*d = (struct esp_decision){.verdict = ESP_BIND, .count = 1};
	d->inside[0] = bound->pair.inside;
	if (sequence == 1 && bound->pair.in_packets > 1)
		other = chosen_again_by(bound, now_ms);
	bound->pair.in_packets++;
	bound->pair.in_seen_ms = now_ms;
	if (other)
		chosen_twice(p, bound, other, d);
	else
		say_bound(p, bound);
}

void esp_pairing_inbound(struct esp_pairing *p, uint64_t now_ms, uint32_t server, uint32_t spi,
			 uint32_t sequence, struct esp_decision *decision)
{
	struct server *found = server_find(p, server);

	*decision = (struct esp_decision){.verdict = ESP_DROP, .reason = ESP_NOBODY};
	if (spi < LEAST_SPI) {
		decision->reason = ESP_RESERVED_SPI;
		return;
	}
	if (!found)
		return;
	struct child *bound = child_by_spi_in(p, found, spi);
	if (bound)
		bound_came(p, now_ms, bound, sequence, decision);
	else
		arrival_came(p, now_ms, found, spi, sequence, decision);
}

/* --- other evidence ----------------------------------------------------------------- */

void esp_pairing_ike(struct esp_pairing *p, uint64_t now_ms, uint32_t inside, uint32_t server,
		     const struct esp_ike_header *header, enum esp_direction direction)
{
	belief_stale(p);
	ike_passed(p, now_ms, inside, server, header, direction);
}

void esp_pairing_seen(struct esp_pairing *p, uint64_t now_ms, const struct esp_pair *pair,
		      const struct esp_counters *counters)
{
	struct peer *peer = peer_find(p, pair->inside, pair->server);
	struct child *child = NULL;

	if (!peer)
		return;
	if (pair->spi_in)
		child = child_by_spi_in(p, peer->server, pair->spi_in);
	else if (pair->spi_out)
		child = child_by_spi_out(peer, pair->spi_out);
	if (child && child->peer == peer)
		child_counted(child, now_ms, counters);
}

/* --- time --------------------------------------------------------------------------- */

static uint64_t silent_since(const struct child *child)
{
	const struct esp_pair *pair = &child->pair;
	uint64_t since = pair->made_ms > pair->bound_ms ? pair->made_ms : pair->bound_ms;

	since = pair->in_seen_ms > since ? pair->in_seen_ms : since;
	return pair->out_seen_ms > since ? pair->out_seen_ms : since;
}

static bool is_over(const struct esp_pairing *p, const struct child *child, uint64_t now_ms)
{
	uint64_t silent_ms = now_ms - silent_since(child);

	if (silent_ms < p->options.idle_ms)
		return false;
	return silent_ms >= p->options.open_idle_ms || !ike_is_alive(child->peer, now_ms);
}

static void peer_second(struct esp_pairing *p, struct peer *peer, uint64_t now_ms)
{
	struct child *child, *next;
	struct ike *ike, *next_ike;

	peer_sample(p, peer, now_ms);
	for (child = LIST_FIRST(&peer->children); child; child = next) {
		next = LIST_NEXT(child, of_peer);
		if (is_over(p, child, now_ms))
			child_end(p, child, ESP_SILENT);
		else if (likelihood_is_outlived(child, now_ms))
			child_end(p, child, ESP_REPLACED);
		else if (child_has(child, ESP_EVIDENCE_remembered))
			arrival_confirm(p, child, now_ms);
	}
	for (ike = LIST_FIRST(&peer->ikes); ike; ike = next_ike) {
		next_ike = LIST_NEXT(ike, of_peer);
		if (now_ms - ike->heard_ms > p->options.open_idle_ms)
			ike_free(p, ike);
	}
}

static void server_second(struct esp_pairing *p, struct server *server, uint64_t now_ms)
{
	struct peer *peer, *next;

	for (peer = LIST_FIRST(&server->peers); peer; peer = next) {
		next = LIST_NEXT(peer, of_server);
		peer_second(p, peer, now_ms);
		bool last = !next;
		peer_free_if_empty(p, peer);
		if (last)
			return; /* the server may be gone with it */
	}
}

static void all_second(struct esp_pairing *p, uint64_t now_ms)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		struct server *server, *next;

		for (server = LIST_FIRST(&p->server_hash[i]); server; server = next) {
			next = LIST_NEXT(server, entry);
			server_second(p, server, now_ms);
		}
	}
	p->second_ms = now_ms + SECOND_MS;
}

static bool all_review(struct esp_pairing *p, uint64_t now_ms)
{
	bool open = false;

	for (unsigned i = 0; i < BUCKETS; i++) {
		struct server *server;

		LIST_FOREACH(server, &p->server_hash[i], entry)
		if (!LIST_EMPTY(&server->arrivals))
			open |= arrivals_review(p, server, now_ms);
	}
	return open;
}

void esp_pairing_tick(struct esp_pairing *p, uint64_t now_ms)
{
	if (now_ms >= p->second_ms)
		all_second(p, now_ms);
	bool open = all_review(p, now_ms);
	p->next_ms = open ? now_ms + TEST_MS : p->second_ms;
}

uint64_t esp_pairing_next_ms(const struct esp_pairing *p)
{
	return p->next_ms;
}

/* --- looking, saving ---------------------------------------------------------------- */

static bool host_each(const struct host *host,
		      bool (*visit)(void *context, const struct esp_pair *pair), void *context)
{
	const struct child *child;
	const struct peer *peer;

	LIST_FOREACH(peer, &host->peers, of_host)
	LIST_FOREACH(child, &peer->children, of_peer)
	if (!visit(context, &child->pair))
		return false;
	return true;
}

void esp_pairing_each(const struct esp_pairing *p,
		      bool (*visit)(void *context, const struct esp_pair *pair), void *context)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		const struct host *host;

		LIST_FOREACH(host, &p->host_hash[i], entry)
		if (!host_each(host, visit, context))
			return;
	}
}

#define LEANS (1u << ESP_EVIDENCE_leaning) /* a guess is not worth keeping */

static int restore_into(struct esp_pairing *p, uint64_t now_ms, struct peer *peer,
			const struct esp_pair *pair)
{
	enum esp_reason ignored;
	struct child *child = pair->spi_out ? child_by_spi_out(peer, pair->spi_out) : NULL;

	if (!child)
		child = child_new(p, peer, ORIGIN_SAVED, now_ms, &ignored);
	if (!child)
		return -ENOSPC;
	child->pair.spi_out = pair->spi_out;
	if (pair->spi_in && pair->state != ESP_OPEN && !(pair->evidence & LEANS)) {
		child_set_spi_in(p, child, pair->spi_in);
		child->pair.state = pair->state;
		child->pair.bound_ms = now_ms;
	}
	child->pair.evidence |= pair->evidence & ((1u << ESP_EVIDENCES) - 1) & ~LEANS;
	child_note(child, ESP_EVIDENCE_remembered);
	if (child->pair.spi_in || child->pair.spi_out)
		say_bound(p, child);
	return 0;
}

int esp_pairing_restore(struct esp_pairing *p, uint64_t now_ms, const struct esp_pair *pair)
{
	enum esp_reason ignored;
	struct peer *peer = peer_get(p, pair->inside, pair->server, &ignored);
	struct child *known;

	if (!peer)
		return -ENOSPC;
	known = pair->spi_in ? child_by_spi_in(p, peer->server, pair->spi_in) : NULL;
	int result = known && known->peer != peer ? -EEXIST
		     : known			  ? 0
						  : restore_into(p, now_ms, peer, pair);
	peer_free_if_empty(p, peer);
	return result;
}

static void peer_forget(struct esp_pairing *p, struct peer *peer)
{
	while (!LIST_EMPTY(&peer->children))
		child_end(p, LIST_FIRST(&peer->children), ESP_SILENT);
	while (!LIST_EMPTY(&peer->ikes))
		ike_free(p, LIST_FIRST(&peer->ikes));
	peer_free_if_empty(p, peer);
}

static void host_forget(struct esp_pairing *p, struct host *host, uint32_t server)
{
	struct peer *peer, *next;

	for (peer = LIST_FIRST(&host->peers); peer; peer = next) {
		next = LIST_NEXT(peer, of_host);
		if (!server || peer->server->address == server)
			peer_forget(p, peer);
	}
}

void esp_pairing_forget(struct esp_pairing *p, uint32_t inside, uint32_t server)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		struct host *host, *next;

		for (host = LIST_FIRST(&p->host_hash[i]); host; host = next) {
			next = LIST_NEXT(host, entry);
			if (!inside || host->address == inside)
				host_forget(p, host, server);
		}
	}
}
