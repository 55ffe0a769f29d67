/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pairing/state.h"

#include <stdlib.h>
#include <string.h>

static unsigned bucket(uint32_t a, uint32_t b)
{
	return ((a * 0x9e3779b1u) ^ (b * 0x85ebca77u)) >> 22;
}

_Static_assert(BUCKETS == 1 << 10, "bucket() gives ten bits");

/* --- finding --------------------------------------------------------------------------- */

struct host *host_find(struct esp_pairing *p, uint32_t address)
{
	struct host *host;

	LIST_FOREACH(host, &p->host_hash[bucket(address, 0)], entry)
	if (host->address == address)
		return host;
	return NULL;
}

struct server *server_find(struct esp_pairing *p, uint32_t address)
{
	struct server *server;

	LIST_FOREACH(server, &p->server_hash[bucket(address, 0)], entry)
	if (server->address == address)
		return server;
	return NULL;
}

static struct peer *peer_of(const struct host *host, uint32_t server)
{
	struct peer *peer;

	LIST_FOREACH(peer, &host->peers, of_host)
	if (peer->server->address == server)
		return peer;
	return NULL;
}

struct peer *peer_find(struct esp_pairing *p, uint32_t inside, uint32_t server)
{
	struct host *host = host_find(p, inside);

	return host ? peer_of(host, server) : NULL;
}

struct child *child_by_spi_in(struct esp_pairing *p, const struct server *server, uint32_t spi)
{
	struct child *child;

	LIST_FOREACH(child, &p->spi_hash[bucket(spi, server->address)], by_spi_in)
	if (child->pair.spi_in == spi && child->peer->server == server)
		return child;
	return NULL;
}

struct child *child_by_spi_out(const struct peer *peer, uint32_t spi)
{
	struct child *child;

	LIST_FOREACH(child, &peer->children, of_peer)
	if (child->pair.spi_out == spi)
		return child;
	return NULL;
}

struct arrival *arrival_find(const struct server *server, uint32_t spi)
{
	struct arrival *arrival;

	LIST_FOREACH(arrival, &server->arrivals, entry)
	if (arrival->spi == spi)
		return arrival;
	return NULL;
}

/* --- hosts, servers, peers --------------------------------------------------------------- */

static struct host *host_get(struct esp_pairing *p, uint32_t address)
{
	struct host *host = host_find(p, address);

	if (host || !(host = LIST_FIRST(&p->free_hosts)))
		return host;
	LIST_REMOVE(host, entry);
	*host = (struct host){.address = address};
	LIST_INSERT_HEAD(&p->host_hash[bucket(address, 0)], host, entry);
	return host;
}

static struct server *server_get(struct esp_pairing *p, uint32_t address)
{
	struct server *server = server_find(p, address);

	if (server || !(server = LIST_FIRST(&p->free_servers)))
		return server;
	LIST_REMOVE(server, entry);
	*server = (struct server){.address = address, .tokens = p->options.copies_a_second};
	LIST_INSERT_HEAD(&p->server_hash[bucket(address, 0)], server, entry);
	return server;
}

static void host_free_if_empty(struct esp_pairing *p, struct host *host)
{
	if (!host || !LIST_EMPTY(&host->peers))
		return;
	LIST_REMOVE(host, entry);
	LIST_INSERT_HEAD(&p->free_hosts, host, entry);
}

static void server_free_if_empty(struct esp_pairing *p, struct server *server)
{
	if (!server || !LIST_EMPTY(&server->peers))
		return;
	while (!LIST_EMPTY(&server->arrivals))
		arrival_free(p, LIST_FIRST(&server->arrivals));
	LIST_REMOVE(server, entry);
	LIST_INSERT_HEAD(&p->free_servers, server, entry);
}

struct peer *peer_get(struct esp_pairing *p, uint32_t inside, uint32_t server,
		      enum esp_reason *reason)
{
	struct host *host = host_get(p, inside);
	struct peer *peer = host ? peer_of(host, server) : NULL;

	if (peer)
		return peer;
	*reason = ESP_FULL;
	peer = LIST_FIRST(&p->free_peers);
	struct server *found = host && peer ? server_get(p, server) : NULL;
	if (!found) {
		host_free_if_empty(p, host);
		return NULL;
	}
	LIST_REMOVE(peer, of_host);
	*peer = (struct peer){.host = host, .server = found};
	LIST_INSERT_HEAD(&host->peers, peer, of_host);
	LIST_INSERT_HEAD(&found->peers, peer, of_server);
	return peer;
}

/* Nobody may point to a peer that is gone. */
static void suspects_forget(struct server *server, const struct peer *peer)
{
	struct arrival *arrival;

	LIST_FOREACH(arrival, &server->arrivals, entry)
	{
		for (unsigned i = 0; i < arrival->suspect_count; i++)
			if (arrival->suspects[i].peer == peer)
				arrival->suspects[i--] =
					arrival->suspects[--arrival->suspect_count];
	}
}

void peer_free_if_empty(struct esp_pairing *p, struct peer *peer)
{
	struct host *host = peer->host;
	struct server *server = peer->server;

	if (!LIST_EMPTY(&peer->children) || !LIST_EMPTY(&peer->ikes))
		return;
	suspects_forget(server, peer);
	LIST_REMOVE(peer, of_host);
	LIST_REMOVE(peer, of_server);
	LIST_INSERT_HEAD(&p->free_peers, peer, of_host);
	host_free_if_empty(p, host);
	server_free_if_empty(p, server);
}

/* --- children ------------------------------------------------------------------------------ */

static uint64_t child_seen_ms(const struct child *child)
{
	uint64_t seen = child->pair.made_ms;

	if (child->pair.in_seen_ms > seen)
		seen = child->pair.in_seen_ms;
	return child->pair.out_seen_ms > seen ? child->pair.out_seen_ms : seen;
}

#define LONG_SILENT_MS 300000

/* How readily a host's own child makes room for its next one: 0 is not at all. */
static int dispensable(const struct child *child, uint64_t now_ms)
{
	if (child_is_open(child))
		return child->pair.spi_out ? 2 : 3;
	return now_ms - child_seen_ms(child) > LONG_SILENT_MS;
}

/* The one of the host's that is missed least: by kind, then by silence. */
static struct child *child_to_replace(const struct host *host, uint64_t now_ms)
{
	struct child *found = NULL, *child;
	struct peer *peer;

	LIST_FOREACH(peer, &host->peers, of_host)
	{
		LIST_FOREACH(child, &peer->children, of_peer)
		{
			int more = dispensable(child, now_ms) -
				   (found ? dispensable(found, now_ms) : 0);

			if (more > 0 ||
			    (found && !more && child_seen_ms(child) < child_seen_ms(found)))
				found = child;
		}
	}
	return found;
}

/* May @host have one more pair, or IKE SA, for its group's sake? */
static bool group_has_room(struct esp_pairing *p, struct host *host, bool ikes)
{
	struct share share = share_of(&p->options.groups, host->address, p->options.pairs);
	struct host *other;

	host->group = share.group;
	for (unsigned i = 0; share.group && i < BUCKETS; i++) {
		LIST_FOREACH(other, &p->host_hash[i], entry)
		{
			share_count(&share, other->group, ikes ? other->ikes : other->pairs);
		}
	}
	return share_admits(&share);
}

struct child *child_new(struct esp_pairing *p, struct peer *peer, enum origin origin,
			uint64_t now_ms, enum esp_reason *reason)
{
	bool over = peer->host->pairs >= p->options.pairs_a_host ||
		    !group_has_room(p, peer->host, false);
	struct child *child = LIST_FIRST(&p->free_children);

	if (over || !child) {
		struct child *old = child_to_replace(peer->host, now_ms);

		*reason = over ? ESP_QUOTA : ESP_FULL;
		if (!old)
			return NULL;
		struct peer *owner = old->peer;
		child_end(p, old, ESP_REPLACED);
		if (owner != peer)
			peer_free_if_empty(p, owner);
		child = LIST_FIRST(&p->free_children);
	}
	LIST_REMOVE(child, of_peer);
	*child = (struct child){.peer = peer, .origin = origin};
	child->pair.inside = peer->host->address;
	child->pair.server = peer->server->address;
	child->pair.made_ms = now_ms;
	LIST_INSERT_HEAD(&peer->children, child, of_peer);
	peer->host->pairs++;
	return child;
}

void child_set_spi_in(struct esp_pairing *p, struct child *child, uint32_t spi)
{
	uint32_t server = child->pair.server;

	if (child->pair.spi_in)
		LIST_REMOVE(child, by_spi_in);
	child->pair.spi_in = spi;
	if (spi)
		LIST_INSERT_HEAD(&p->spi_hash[bucket(spi, server)], child, by_spi_in);
}

static void arrivals_forget(struct server *server, const struct child *child)
{
	struct arrival *arrival;

	LIST_FOREACH(arrival, &server->arrivals, entry)
	if (arrival->bound == child)
		arrival->bound = NULL;
}

void child_end(struct esp_pairing *p, struct child *child, enum esp_end why)
{
	struct esp_pair pair = child->pair;

	p->belief.rows = 0; /* it may point to this one */
	p->belief.server = NULL;
	arrivals_forget(child->peer->server, child);
	child_set_spi_in(p, child, 0);
	child->peer->host->pairs--;
	LIST_REMOVE(child, of_peer);
	LIST_INSERT_HEAD(&p->free_children, child, of_peer);
	if (p->events.ended)
		p->events.ended(p->events.context, &pair, why);
}

void say_bound(struct esp_pairing *p, const struct child *child)
{
	if (p->events.bound)
		p->events.bound(p->events.context, &child->pair);
}

/* --- IKE SAs, arrivals ----------------------------------------------------------------------- */

/* The host's IKE SA that was not heard for longest, to make room for its next one. */
static struct ike *ike_to_replace(const struct host *host)
{
	struct ike *found = NULL, *ike;
	struct peer *peer;

	LIST_FOREACH(peer, &host->peers, of_host)
	LIST_FOREACH(ike, &peer->ikes, of_peer)
	if (!found || ike->heard_ms < found->heard_ms)
		found = ike;
	return found;
}

struct ike *ike_new(struct esp_pairing *p, struct peer *peer)
{
	struct ike *ike = LIST_FIRST(&p->free_ikes);

	if (!ike || peer->host->ikes >= p->options.pairs_a_host ||
	    !group_has_room(p, peer->host, true)) {
		struct ike *old = ike_to_replace(peer->host);

		if (!old)
			return NULL;
		struct peer *owner = old->peer;
		ike_free(p, old);
		if (owner != peer)
			peer_free_if_empty(p, owner);
		ike = LIST_FIRST(&p->free_ikes);
	}
	LIST_REMOVE(ike, of_peer);
	*ike = (struct ike){.peer = peer};
	LIST_INSERT_HEAD(&peer->ikes, ike, of_peer);
	peer->host->ikes++;
	return ike;
}

void ike_free(struct esp_pairing *p, struct ike *ike)
{
	struct child *child;

	LIST_FOREACH(child, &ike->peer->children, of_peer)
	if (child->ike == ike)
		child->ike = NULL;
	ike->peer->host->ikes--;
	LIST_REMOVE(ike, of_peer);
	LIST_INSERT_HEAD(&p->free_ikes, ike, of_peer);
}

/* Of two, the one to keep less: a flood's SPIs come once each, an SA's packets go on. */
static bool is_worth_less(const struct arrival *a, const struct arrival *b)
{
	bool a_repeats = a->packets > 1, b_repeats = b->packets > 1;

	if (!a->bound != !b->bound)
		return !a->bound;
	return a_repeats != b_repeats ? b_repeats : a->last_ms < b->last_ms;
}

/* One that is bound goes only when all are; its pair stays as it is. */
static struct arrival *arrival_to_replace(const struct server *server)
{
	struct arrival *found = NULL, *arrival;

	LIST_FOREACH(arrival, &server->arrivals, entry)
	if (!found || is_worth_less(arrival, found))
		found = arrival;
	return found;
}

struct arrival *arrival_new(struct esp_pairing *p, struct server *server, uint32_t spi)
{
	if (server->arrival_count >= p->options.unknown_a_server || LIST_EMPTY(&p->free_arrivals)) {
		struct arrival *old = arrival_to_replace(server);

		if (!old)
			return NULL;
		arrival_free(p, old);
	}
	struct arrival *arrival = LIST_FIRST(&p->free_arrivals);
	LIST_REMOVE(arrival, entry);
	*arrival = (struct arrival){.server = server, .spi = spi};
	LIST_INSERT_HEAD(&server->arrivals, arrival, entry);
	server->arrival_count++;
	return arrival;
}

void arrival_free(struct esp_pairing *p, struct arrival *arrival)
{
	arrival->server->arrival_count--;
	LIST_REMOVE(arrival, entry);
	LIST_INSERT_HEAD(&p->free_arrivals, arrival, entry);
}
