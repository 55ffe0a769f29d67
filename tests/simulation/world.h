/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients behind a gateway that dial one VPN server with plain ESP, as events in
 * time. The world knows which SPI is whose; the gateway under test does not.
 *
 *   client --- LAN (0.2 to 5 ms, Wi-Fi spikes) --- gateway --- WAN (delay, jitter, loss) --- server
 *
 * Times are microseconds since the world began.
 */
#ifndef WAYLEAVE_SIMULATION_WORLD_H
#define WAYLEAVE_SIMULATION_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "pairing/esp.h"

#define CLIENTS	  50
#define TUNNELS	  4 /* CHILD_SAs of one client */
#define SERVER	  0x0a0000c6u
#define INSIDE(n) (0x0a00000au + ((uint32_t)(n) << 24))
#define NOBODY	  -1

/* What a tunnel's traffic is like. */
enum pattern {
	BUSY,	     /* both directions, answers each way */
	BULK,	     /* bursts from the server, acknowledged */
	CLIENT_ONLY, /* nothing ever comes back */
	SERVER_PUSH, /* the server sends, the client answers half of it */
	SERVER_ONLY, /* the client never sends */
	IDLE,	     /* an exchange of packets now and then; the server begins half of them */
	MONITORED,   /* the server pings all clients in the same millisecond */
	PATTERNS
};

extern const char *const pattern_name[PATTERNS];

/* Everything random about a world; drawn from the seed by climate_draw(). */
struct climate {
	unsigned clients, tunnels;
	bool version1;		  /* IKEv1 instead of IKEv2 */
	double wan_ms, jitter_ms; /* one way; exponential jitter, or heavy-tailed */
	bool heavy_tail;
	double loss, lan_loss, spikes;
	double server_ms;    /* computing of one exchange, exponential */
	double dial_ms;	     /* all clients dial within */
	double rekey_s;	     /* every SA lives this long, for all clients */
	double rekey_spread; /* 0: exactly at the same time */
	double by_server;    /* share of rekeys that the server begins */
	double eager;	     /* share of peers that send on a new SA although they answered */
	double on_delete;    /* share of responders that wait for the Delete (strongSwan) */
	double rate;	     /* packets a second and direction of a busy tunnel */
	double lan_ms;	     /* the slowest client's */
	bool attacker;	     /* one of the clients wants what is not its own */
	double natt, fragments, ike_rekeys;
	double patterns[PATTERNS]; /* weights */
	double seconds;
};

/* One CHILD_SA: what is true, and what the gateway did with it. */
struct sa {
	uint32_t spi_in, spi_out; /* chosen by the client, by the server */
	int client, tunnel;
	enum pattern pattern;
	bool rekey, by_server;
	bool client_up, server_up;
	uint32_t sequence_in, sequence_out;
	/* the gateway's records of it */
	int bound;
	bool out_armed;
	uint64_t in_packets, in_seen_us, out_packets, out_seen_us;
	/* what came of it */
	uint64_t first_us, right_us,
		bound_us; /* first inbound packet; first to the right host; bound to it */
	unsigned arrived, right, lost, copied, copies;
	bool mispaired, believed_wrong, settled_wrong;
	unsigned attacker_packets, attacker_copies; /* that it got alone; copied to it too */
	bool attacker_won;
	struct sa *next, *next_out; /* in the hashes of inbound and outbound SPIs */
};

struct world;

/* How a gateway has bound an SPI: as the likeliest for a moment, as certain, for good. */
enum certainty { GUESSED, BELIEVED, SETTLED };

/* A gateway: how it forwards what it has no key for. */
struct algorithm {
	const char *name;
	void *(*make)(struct world *w);
	void (*free)(void *gateway);
	/* Passes? Otherwise the packet is dropped. */
	bool (*outbound)(void *gateway, struct sa *sa, uint32_t sequence);
	/* Fills the clients that it goes to; their count. */
	unsigned (*inbound)(void *gateway, struct sa *sa, uint32_t sequence, int *clients);
	void (*ike)(void *gateway, int client, const struct esp_ike_header *h,
		    enum esp_direction direction);
	/* The time of its next call, and the call; NULL: needs none. */
	uint64_t (*next_us)(void *gateway);
	void (*tick)(void *gateway);
};

extern const struct algorithm algorithm_pairing, algorithm_one_client, algorithm_last_talker,
	algorithm_first_out, algorithm_hardin;

#define COPIES_MOST 8192 /* of one SA; more count as so many */

/* What came of one world, or of many. */
struct result {
	uint64_t sas, spoken; /* made; with an inbound packet: those count below */
	uint64_t mispaired, believed_wrong, settled_wrong, unbound, dead;
	uint64_t packets, lost, copied, copies;
	uint64_t attacker_won, attacker_packets, attacker_copies; /* SAs; packets of others */
	uint64_t by_pattern[PATTERNS], mispaired_by_pattern[PATTERNS], dead_by_pattern[PATTERNS];
	uint64_t copied_so_often[PATTERNS][COPIES_MOST + 1]; /* SAs with so many copied packets */
	double bind_ms_sum;
	uint64_t binds, slow_binds[5]; /* within 0, 10, 100, 1000 ms, and later */
};

/* Delays: those that likelihoods were made with, those that thresholds were chosen with, and
 * those that are for measuring alone. */
enum delays { DELAYS_OWN, DELAYS_FOREIGN, DELAYS_FAR };

/*
 * @office: people come over minutes and keys last long; otherwise all of that happens
 * within half a minute.
 */
struct climate climate_draw(uint64_t seed, enum delays delays, bool office);

/* Runs one world against one gateway and adds what came of it. */
void world_run(const struct climate *climate, uint64_t seed, const struct algorithm *algorithm,
	       struct result *result);

uint64_t world_now_us(const struct world *w);
struct sa *world_sa(const struct world *w, uint32_t spi_in);
struct sa *world_sa_out(const struct world *w, uint32_t spi_out);
/* The SA's inbound packets go to the client alone from now on; NOBODY: they come to us again. */
void world_bind(struct world *w, struct sa *sa, int client, enum certainty certainty);

#endif
