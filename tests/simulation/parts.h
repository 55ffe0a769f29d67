/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of a world: what its parts (network and SAs, IKE, ESP) share. Times
 * are microseconds since the world began. Only for world.c, ike.c, esp.c and attacker.c.
 */
#ifndef WAYLEAVE_SIMULATION_PARTS_H
#define WAYLEAVE_SIMULATION_PARTS_H

#include "tests/simulation/chance.h"
#include "tests/simulation/events.h"
#include "tests/simulation/world.h"

#define SA_BUCKETS 4096

enum purpose { DIAL, AUTH, CHILD, QUICK, DELETE, REKEY_IKE, ALIVE };

struct exchange {
	enum purpose purpose;
	int client, tunnel;
	struct sa *sa, *old; /* made; deleted or replaced */
	bool by_server, done, answered, confirmed;
	uint32_t message_id;
	uint64_t spi_initiator, spi_responder;
	unsigned tries;
	struct exchange *next;
};

struct tunnel {
	enum pattern pattern;
	struct sa *client_sends, *server_sends; /* on these; NULL: none yet */
	struct sa *client_waits, *server_waits; /* will move to these when they hear them */
	double rate;
};

struct client {
	bool natt, eager, on_delete, fragments;
	double lan_ms;
	uint64_t spi_initiator, spi_responder;
	uint32_t asked, served; /* message ids of each side */
	struct tunnel tunnels[TUNNELS];
};

enum what {
	IKE_AT_GATEWAY, /* thing: exchange; a: message step; b: from the server; c: pieces left */
	IKE_AT_RECEIVER,
	IKE_SEND,
	IKE_REPEAT,
	ESP_AT_GATEWAY, /* thing: sa; b: inbound; number: sequence */
	ESP_AT_CLIENT,
	ESP_AT_SERVER,
	TALK,	  /* a: client, b: tunnel, c: server's turn */
	SAY,	  /* one packet, as above */
	REKEY,	  /* a: client, b: tunnel, thing: sa */
	LET_GO,	  /* a: client, b: tunnel, thing: the old sa; c: the server asks */
	PING_ALL, /* MONITORED */
	NOISE,	  /* a: client: INFORMATIONAL */
	TICK,
	DIAL_NOW,
};

struct world {
	struct climate climate;
	struct chance chance;
	struct events events;
	uint64_t now_us, end_us, tick_us;
	const struct algorithm *algorithm;
	void *gateway;
	struct client clients[CLIENTS];
	bool server_eager, server_on_delete;
	double attacker_answers; /* so often */
	struct sa **sas;
	size_t sa_count, sa_room;
	struct sa *by_spi[SA_BUCKETS], *by_spi_out[SA_BUCKETS];
	struct exchange *exchanges;
};

/* --- world.c --------------------------------------------------------------------------- */

uint64_t us(double ms);

/* How long one packet takes on the way. */
uint64_t lan_us(struct world *w, int client);
uint64_t wan_us(struct world *w);

/* Something will happen; a to c, thing and number as at enum what. */
void later(struct world *w, uint64_t after_us, int what, int a, int b, int c, void *thing,
	   uint32_t number);

struct sa *sa_new(struct world *w, int client, int tunnel, bool rekey, bool by_server);
struct tunnel *tunnel_of(struct world *w, const struct sa *sa);

/* --- ike.c: what happens to a message, and what makes an exchange ------------------------ */

void message_due(struct world *w, const struct event *e);
void message_at_gateway(struct world *w, const struct event *e);
void message_received(struct world *w, const struct event *e);
void exchange_repeat(struct world *w, struct exchange *x);
void dial(struct world *w, int client);
void rekey(struct world *w, const struct event *e);
void let_go(struct world *w, const struct event *e);
void noise(struct world *w, int client);

struct exchange *exchange_new(struct world *w, enum purpose purpose, int client, int tunnel,
			      struct sa *sa, bool by_server);

/* --- attacker.c: where the climate has one, client 0 is it --------------------------------- */

bool attacker_is(const struct world *w, int client);
/* Somebody asks for an SA: so does it. */
void attacker_races(struct world *w, enum purpose purpose);
/* A packet of the SA goes to these clients. */
void attacker_given(struct world *w, struct sa *sa, const int *clients, unsigned count);
/* The SA is bound to the client. */
void attacker_bound(const struct world *w, struct sa *sa, int client, enum certainty certainty);

/* --- esp.c: what happens to a packet, and who speaks --------------------------------------- */

void client_says(struct world *w, int client, int tunnel);
void server_says(struct world *w, int client, int tunnel);
void outbound_at_gateway(struct world *w, struct sa *sa, uint32_t sequence);
void inbound_at_gateway(struct world *w, struct sa *sa, uint32_t sequence);
void esp_at_server(struct world *w, struct sa *sa);
void esp_at_client(struct world *w, struct sa *sa);
void talk(struct world *w, const struct event *e);
void ping_all(struct world *w);

#endif
