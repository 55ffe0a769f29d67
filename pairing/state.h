/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the pairing remembers: inside hosts, servers, and for each host with a
 * server (a peer) its IKE SAs and CHILD_SAs; for each server the inbound SPIs
 * that are being found out (arrivals). Everything comes from pools that are
 * made once; pointers stay valid until the thing is freed. Only for pairing/.
 *
 * Addresses are opaque, SPIs in host byte order, times in milliseconds.
 */
#ifndef WAYLEAVE_PAIRING_STATE_H
#define WAYLEAVE_PAIRING_STATE_H

#include <sys/queue.h>

#include "pairing/esp.h"

#define BUCKETS 1024

/* How we came to know that a CHILD_SA should exist. */
enum origin {
	ORIGIN_AUTH,	/* IKE_AUTH, RFC 7296 section 1.2 */
	ORIGIN_CREATE,	/* CREATE_CHILD_SA, RFC 7296 section 1.3 */
	ORIGIN_QUICK,	/* Quick Mode, RFC 2409 section 5.5 */
	ORIGIN_SPOKE,	/* the host sent on a new SPI with a small sequence number */
	ORIGIN_RESUMED, /* the host sent on a new SPI with a large one: an old SA */
	ORIGIN_SAVED,	/* esp_pairing_restore() */
};

LIST_HEAD(children, child);
LIST_HEAD(ikes, ike);
LIST_HEAD(peers, peer);
LIST_HEAD(arrivals, arrival);
LIST_HEAD(hosts, host);
LIST_HEAD(servers, server);

struct host {
	LIST_ENTRY(host) entry; /* in the hash, or free */
	uint32_t address;
	uint32_t group; /* pairing/share.h, when it last asked for more */
	unsigned pairs, ikes;
	struct peers peers;
};

struct server {
	LIST_ENTRY(server) entry;
	uint32_t address;
	struct peers peers;
	struct arrivals arrivals;
	unsigned arrival_count;
	double rtt_ms; /* least time from a request of ours to its answer; 0: not known */
	/* Rekeys of hosts: how many were settled, and after how many it did not wait for the host.
	 */
	unsigned rekeys, eager;
	double tokens; /* packets that may be copied now */
	uint64_t tokens_ms;
};

struct peer {
	LIST_ENTRY(peer) of_host, of_server;
	struct host *host;
	struct server *server;
	struct children children; /* newest first */
	struct ikes ikes;
	uint64_t ike_ms;	  /* when one of its IKE SAs was heard last */
	uint64_t new_spi_ms;	  /* when it began to send on a new SPI last */
	double new_spi_a_second;  /* how often it does, lately */
	uint64_t sampled_ms;	  /* outbound packets: at this time ... */
	uint64_t sampled_packets; /* ... so many, and before it ... */
	double sampled_a_second;
	const struct suspect *suspect; /* in the row that is being weighed, or NULL */
	double tests, hits; /* of packets likelier another's: lately given, and answered */
	unsigned tunnels;   /* CHILD_SAs that it has at a time, as far as exchanges tell */
};

struct ike {
	LIST_ENTRY(ike) of_peer;
	struct peer *peer;
	uint64_t spi_initiator, spi_responder;
	uint64_t heard_ms;
	bool floated;
	/* The request of the host that waits for its answer; 0: none. Measures the way. */
	uint64_t request_ms;
	uint32_t request_id;
	uint8_t request_exchange;
};

struct child {
	LIST_ENTRY(child) of_peer, by_spi_in;
	struct esp_pair pair;
	struct peer *peer;
	enum origin origin;
	bool by_server;	 /* the server began the exchange */
	bool told_twice; /* that its SPI was chosen twice */
	bool replaces;	 /* a rekey: a Delete followed its exchange */
	const struct ike *ike;
	uint32_t message_id;
	uint64_t asked_ms, answered_ms, confirmed_ms; /* first to third message; 0: not seen */
	uint64_t out_first_ms, in_first_ms;	      /* first packet on each SPI */
	double in_a_second;			      /* inbound packets, lately */
	uint64_t sampled_ms, sampled_in;
	uint64_t read_ms;
};

#define REPLY_RATES 3 /* how often an owner answers is not known: several are weighed */

/* What an arrival knows of one peer that it may belong to. */
struct suspect {
	struct peer *peer;
	bool likeliest; /* when the last copy went */
	unsigned copies;
	uint64_t first_copy_ms, last_copy_ms;
	uint64_t packets;	     /* outbound ones, when the last copy went */
	double replies[REPLY_RATES]; /* sums of log likelihood ratios of the reply tests */
	double answered;	     /* what they say together, in nats */
};

struct arrival {
	LIST_ENTRY(arrival) entry;
	struct server *server;
	uint32_t spi;
	uint64_t first_ms, last_ms;
	uint32_t first_sequence, last_sequence;
	uint64_t packets;
	unsigned copied, leans;
	double tokens; /* copies that it may have now */
	uint64_t tokens_ms;
	double guesses; /* packets that may go to the likeliest host without binding it */
	uint64_t guesses_ms;
	struct child *bound; /* provisionally, or NULL */
	uint64_t lean_until_ms;
	uint64_t test_ms; /* a copy went then and the answers are to be looked at; 0: none did */
	unsigned suspect_count;
	struct suspect suspects[ESP_CANDIDATES];
};

/* Since when the server may send on an SA, and how probable it is that it does. */
struct start {
	double ms, factor;
};

/* One possible owner of arrivals: a CHILD_SA without an inbound SPI, or a peer as a whole. */
struct column {
	struct peer *peer;
	struct child *child;	   /* NULL: some SA of the peer that nobody knows of */
	struct start start, eager; /* the second: of a server that does not wait; factor 0: none */
	double alive;		   /* how probable it is that no rekey has ended it */
	bool has_busy;		   /* the peer has an SA with inbound traffic */
};

#define ROWS	128
#define COLUMNS 512

struct belief {
	const struct server *server; /* NULL: nothing was weighed */
	uint64_t weighed_ms;
	bool stale;
	unsigned rows, columns;
	struct arrival *row[ROWS];
	struct column column[COLUMNS];
	double weight[ROWS][COLUMNS];
	double alone[ROWS][COLUMNS]; /* before the rows were weighed together */
	double nobody[ROWS];
};

struct esp_pairing {
	struct esp_options options;
	struct esp_events events;
	struct hosts host_hash[BUCKETS], free_hosts;
	struct servers server_hash[BUCKETS], free_servers;
	struct children spi_hash[BUCKETS], free_children;
	struct peers free_peers;
	struct ikes free_ikes;
	struct arrivals free_arrivals;
	struct host *hosts;
	struct server *servers;
	struct peer *peers;
	struct child *children;
	struct ike *ikes;
	struct arrival *arrivals;
	struct belief belief;
	uint64_t next_ms, second_ms;
};

/* --- finding; NULL when there is none ------------------------------------------------- */

struct host *host_find(struct esp_pairing *p, uint32_t address);
struct server *server_find(struct esp_pairing *p, uint32_t address);
struct peer *peer_find(struct esp_pairing *p, uint32_t inside, uint32_t server);
struct child *child_by_spi_in(struct esp_pairing *p, const struct server *server, uint32_t spi);
struct child *child_by_spi_out(const struct peer *peer, uint32_t spi);
struct arrival *arrival_find(const struct server *server, uint32_t spi);

/* --- making; NULL and `reason` when a quota or a pool says no -------------------------- */

/* Finds it, or makes it. */
struct peer *peer_get(struct esp_pairing *p, uint32_t inside, uint32_t server,
		      enum esp_reason *reason);
struct child *child_new(struct esp_pairing *p, struct peer *peer, enum origin origin,
			uint64_t now_ms, enum esp_reason *reason);
struct ike *ike_new(struct esp_pairing *p, struct peer *peer);
struct arrival *arrival_new(struct esp_pairing *p, struct server *server, uint32_t spi);

/* --- changing ------------------------------------------------------------------------- */

/* The child's inbound SPI from now on; 0 takes it away. No event. */
void child_set_spi_in(struct esp_pairing *p, struct child *child, uint32_t spi);

/* Frees it and says ended(); an arrival that was bound to it is free again. */
void child_end(struct esp_pairing *p, struct child *child, enum esp_end why);
void ike_free(struct esp_pairing *p, struct ike *ike);
void arrival_free(struct esp_pairing *p, struct arrival *arrival);
/* Frees the peer, its host and its server where nothing is left of them. */
void peer_free_if_empty(struct esp_pairing *p, struct peer *peer);

void say_bound(struct esp_pairing *p, const struct child *child);

#define SOON_MS 5

/* Something is to be looked at again. */
static inline void tick_soon(struct esp_pairing *p, uint64_t now_ms)
{
	if (p->next_ms > now_ms + SOON_MS)
		p->next_ms = now_ms + SOON_MS;
}

static inline bool child_is_open(const struct child *child)
{
	return child->pair.state == ESP_OPEN;
}

static inline void child_note(struct child *child, enum esp_evidence evidence)
{
	child->pair.evidence |= 1u << evidence;
}

static inline bool child_has(const struct child *child, enum esp_evidence evidence)
{
	return child->pair.evidence & 1u << evidence;
}

#endif
