/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which inside host does an inbound ESP packet belong to?
 *
 * An SPI is chosen by its receiver (RFC 4303 section 2.1) inside encrypted IKE
 * payloads, so several inside hosts with one server can only be told apart by
 * what is in clear: kind, direction and time of IKE exchanges, ESP sequence
 * numbers, which SPI fell silent when another began, and how hosts react to a
 * packet that they were given. This library weighs that. docs/esp-pairing.md
 * has the algorithm and its measured rate of wrong pairs.
 *
 * Theory of use. Every function is called from one thread, with a clock of
 * milliseconds that never goes back. Addresses are in network byte order and
 * opaque here; SPIs, sequence numbers and IKE fields are in host byte order.
 * The library allocates in esp_pairing_new() only and does no I/O.
 *
 * The caller hands over only what has no record in the data plane:
 *   - outbound ESP on an SPI without a record    esp_pairing_outbound()
 *   - inbound ESP on an SPI without a record, AND inbound sequence number 1 on
 *     an SPI that has one (RFC 4303 3.3.3: an SA begins with 1; on a bound SPI
 *     that means that a second SA has the same SPI)  esp_pairing_inbound()
 *   - each IKE message that passed               esp_pairing_ike()
 * and calls esp_pairing_tick() when esp_pairing_next_ms() says so.
 *
 * A *pair* is what is known of one CHILD_SA: an inside host, a server, the SPI
 * that the host chose (`spi_in`, in inbound packets) and the one that the server
 * chose (`spi_out`). 0 stands for an SPI that is not known yet. `spi_out` is
 * certain. `spi_in` is an inference: PROVISIONAL, then SETTLED. Several pairs of
 * one host may trade their spi_in: for forwarding only the host matters.
 *
 * What inside hosts can do to each other: a settled pair is ended only by its
 * own silence or by its own host's packets, never by what another host does.
 * What the outside can do: an inbound packet makes state only while an inside
 * host has an SA open with that server, within a fixed pool and a rate.
 */
#ifndef WAYLEAVE_PAIRING_ESP_H
#define WAYLEAVE_PAIRING_ESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pairing/share.h"

#define ESP_CANDIDATES 64 /* hosts that one packet is copied to at most */

struct esp_pairing;

enum esp_evidence {
#define EVIDENCE(name, rfc, sentence) ESP_EVIDENCE_##name,
#include "pairing/evidence.def"
#undef EVIDENCE
	ESP_EVIDENCES
};

enum esp_state {
	ESP_OPEN,	 /* an SA that should exist; its inbound SPI is not known */
	ESP_PROVISIONAL, /* inbound packets go to this host alone; may be taken back */
	ESP_SETTLED,
};

struct esp_pair {
	uint32_t inside, server;
	uint32_t spi_in, spi_out;
	enum esp_state state;
	uint32_t evidence; /* bits 1 << enum esp_evidence, in the order of the list */
	uint64_t made_ms, bound_ms, in_seen_ms, out_seen_ms; /* 0: never */
	uint64_t in_packets, out_packets;
	uint32_t copied; /* packets that were copied to several before it was bound */
};

enum esp_end {
	ESP_DOUBTED, /* only the inbound half: packets have to come here again */
	ESP_SILENT,  /* nothing in either direction for options.idle_ms */
	ESP_REPLACED /* its own host needs the room for a newer one */
};

/* What the data plane's records of a pair say now. */
struct esp_counters {
	bool in_known, out_known; /* there is such a record */
	uint64_t in_packets, out_packets;
	uint64_t in_seen_ms, out_seen_ms; /* on the clock that the calls use */
};

/*
 * What the caller has to do; called from within esp_pairing_*(), which they must
 * not call in turn. The pair is valid during the call. NULL: not wanted.
 */
struct esp_events {
	/*
	 * Arm the pair's halves that are not 0: spi_in leads to pair->inside, and
	 * spi_out goes out. Called again when a half joins and when it settles.
	 */
	void (*bound)(void *context, const struct esp_pair *pair);
	/* As bound(), but spi_in led to @before until now. */
	void (*rebound)(void *context, const struct esp_pair *pair, uint32_t before);
	/* Disarm the halves that are not 0 in @pair. */
	void (*ended)(void *context, const struct esp_pair *pair, enum esp_end why);
	/* Worth telling: @other has chosen the pair's SPI too. Nothing has to be done. */
	void (*chosen_twice)(void *context, const struct esp_pair *pair, uint32_t other);
	/*
	 * Reads the records of a pair (spi_in, spi_out; 0: do not look). Called for
	 * every pair once a second, and for the pairs of up to ESP_CANDIDATES hosts
	 * around a packet that several could own, so it should be a memory access.
	 * NULL: call esp_pairing_seen() instead; ambiguous cases then take longer.
	 */
	void (*read)(void *context, const struct esp_pair *pair, struct esp_counters *counters);
	void *context;
};

/* 0 takes the default, in brackets. */
struct esp_options {
	unsigned pairs;		      /* in all [4096] */
	unsigned pairs_a_host;	      /* of one host, all servers [64] */
	unsigned unknown;	      /* inbound SPIs that are being found out, in all [1024] */
	unsigned unknown_a_server;    /* [256] */
	unsigned copies_a_spi;	      /* packets copied to several at first [128] ... */
	unsigned copies_a_spi_second; /* ... and each second while it stays open [50] */
	unsigned copies_a_second;     /* packets copied, per server [2000] */
	uint64_t idle_ms;	      /* a bound pair ends after this silence [2 h] */
	uint64_t open_idle_ms;	      /* as above, while the host's IKE SA is heard [24 h] */
	struct share_groups groups;   /* of inside hosts [none] */
};

/* NULL when memory is short. Owner: the caller; @events is copied. */
struct esp_pairing *esp_pairing_new(const struct esp_options *options,
				    const struct esp_events *events);
void esp_pairing_free(struct esp_pairing *p);

/* --- evidence ---------------------------------------------------------------------- */

enum esp_verdict {
	ESP_PASS, /* outbound: translate it; the halves in the call of bound() are armed */
	ESP_BIND, /* inbound: to inside[0]; bound() was called before this returned */
	ESP_COPY, /* inbound: one copy to each of inside[0 .. count) */
	ESP_DROP,
};

enum esp_reason {
	ESP_KNOWN,	  /* not a drop */
	ESP_NOBODY,	  /* no inside host has an SA open with this server */
	ESP_RESERVED_SPI, /* RFC 4303 2.1: 0 to 255 */
	ESP_QUOTA,	  /* the host has too many pairs, all of them alive */
	ESP_FULL,	  /* a pool is used up */
	ESP_RATE,	  /* copies_a_second is used up */
};

struct esp_decision {
	enum esp_verdict verdict;
	enum esp_reason reason;
	unsigned count;
	uint32_t inside[ESP_CANDIDATES]; /* likeliest first */
};

/* An outbound packet without a record. PASS (armed through bound()) or DROP with its reason. */
enum esp_verdict esp_pairing_outbound(struct esp_pairing *p, uint64_t now_ms, uint32_t inside,
				      uint32_t server, uint32_t spi, uint32_t sequence,
				      enum esp_reason *reason);

/* An inbound packet without a record, or sequence number 1 on one that has. BIND, COPY or DROP. */
void esp_pairing_inbound(struct esp_pairing *p, uint64_t now_ms, uint32_t server, uint32_t spi,
			 uint32_t sequence, struct esp_decision *decision);

enum esp_direction { ESP_OUTBOUND, ESP_INBOUND };

/* The fixed header (RFC 7296 section 3.1, RFC 2408 section 3.1) of a message that passed. */
struct esp_ike_header {
	uint64_t spi_initiator, spi_responder; /* IKEv1: cookies */
	uint8_t next_payload, version, exchange, flags;
	uint32_t message_id, length;
	bool floated; /* on UDP/4500: ESP of this IKE SA comes in UDP (RFC 7296 section 2.23) */
};

/* Of a message to or from port 500 (or 4500) that @inside exchanged with @server. */
void esp_pairing_ike(struct esp_pairing *p, uint64_t now_ms, uint32_t inside, uint32_t server,
		     const struct esp_ike_header *header, enum esp_direction direction);

/* Counters of a bound pair, where events.read is NULL; about once a second for each. */
void esp_pairing_seen(struct esp_pairing *p, uint64_t now_ms, const struct esp_pair *pair,
		      const struct esp_counters *counters);

/* Lets time pass. Early is harmless, late only delays. */
void esp_pairing_tick(struct esp_pairing *p, uint64_t now_ms);

/* When tick() should come next: within a second; within 20 ms while something is ambiguous. */
uint64_t esp_pairing_next_ms(const struct esp_pairing *p);

/* --- looking, saving --------------------------------------------------------------- */

/* Calls @visit for each pair until it gives false. Nothing may be changed meanwhile. */
void esp_pairing_each(const struct esp_pairing *p,
		      bool (*visit)(void *context, const struct esp_pair *pair), void *context);

/* The sentence, the JSON name and the RFC section of a kind of evidence. Static. */
const char *esp_evidence_sentence(enum esp_evidence evidence);
const char *esp_evidence_name(enum esp_evidence evidence);
const char *esp_evidence_rfc(enum esp_evidence evidence);
const char *esp_state_name(enum esp_state state);    /* "open", "provisional", "settled" */
const char *esp_end_name(enum esp_end why);	     /* "doubted", "silent", "replaced" */
const char *esp_reason_name(enum esp_reason reason); /* "nobody", ... */

/*
 * Puts back a pair that esp_pairing_each() showed before a restart: addresses,
 * SPIs and state are taken, times count from now. Calls bound(). 0; -EEXIST:
 * another host has its spi_in; -ENOSPC: no room.
 */
int esp_pairing_restore(struct esp_pairing *p, uint64_t now_ms, const struct esp_pair *pair);

/* A host or a server is gone, or all (0 stands for any): its pairs end as SILENT. */
void esp_pairing_forget(struct esp_pairing *p, uint32_t inside, uint32_t server);

#endif
