/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any order of IKE messages, time, restarts and renumbering; after each step the
 * promises of pairing/ike_port.h that no input may break.
 *
 * Input: steps of a byte that names the step and four more:
 *   0 HOST SERVER KIND ID   an outbound message     1 HOST SERVER KIND ID   an inbound one
 *   2 N                     time: 2^N ms            3                       save, start again,
 * restore 4                       the external address is another one HOST: bits 0-2 the host, 3
 * its other socket, 4 from or to port 500, 5 shared, 6-7 the responder's SPI
 */
#include <stdlib.h>
#include <string.h>

#include "pairing/ike_port.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PROMISE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#define HOSTS	 8
#define SERVERS	 4
#define STEP	 5
#define SAVED	 4096
#define PORT_500 500
#define OTHER	 4000

struct story {
	struct ike_port *ike;
	uint64_t now_ms;
	bool spoken[HOSTS]
		   [SERVERS]; /* the host has sent the server something, or owns a port of it */
	struct ike_sa saved[SAVED];
	unsigned count;
};

static struct esp_ike_header header_of(const uint8_t *b)
{
	static const uint8_t kinds[] = {34, 35, 36, 37, 2, 4, 5, 32};
	bool v1 = b[2] & 8;

	return (struct esp_ike_header){
		.spi_initiator = b[2] >> 4 | (b[3] & 0xe0),
		.spi_responder = b[0] >> 6,
		.next_payload = b[3] & 16 ? 46 : 33,
		.version = v1 ? 0x10 : 0x20,
		.exchange = kinds[b[2] & 7],
		.flags = (b[3] & 8 ? 0x20 : 0) | (b[3] & 4 ? 1 : 0),
		.message_id = b[3] & 3,
	};
}

static struct ike_socket socket_of(const uint8_t *b)
{
	uint32_t host = 1 + b[0] % HOSTS;

	return (struct ike_socket){host, b[0] & 8 ? OTHER : PORT_500, b[0] & 16 ? PORT_500 : 5000};
}

static bool is_possible(const struct ike_socket *socket)
{
	return socket->inside >= 1 && socket->inside <= HOSTS &&
	       (socket->port == PORT_500 || socket->port == OTHER);
}

static void outbound(struct story *s, const uint8_t *b)
{
	struct esp_ike_header h = header_of(b);
	struct ike_socket socket = socket_of(b);
	uint32_t server = b[1] % SERVERS;
	bool from_500 = b[0] & 16;
	enum ike_action action =
		ike_port_outbound(s->ike, s->now_ms, 1 + server, socket, from_500, &h);

	PROMISE(action >= IKE_PASS && action <= IKE_HELD);
	PROMISE(action != IKE_SHARE || !from_500);
	PROMISE(action != IKE_HELD || from_500);
	s->spoken[socket.inside - 1][server] |= action != IKE_REFUSE && action != IKE_HELD;
}

/* What is given to a host is only what it, or somebody in its place, asked that server for. */
static void inbound(struct story *s, const uint8_t *b)
{
	struct esp_ike_header h = header_of(b);
	struct ike_socket owners[IKE_OWNERS], to = socket_of(b);
	uint32_t server = b[1] % SERVERS;
	bool shared = b[0] & 32, to_500 = b[0] & 16;
	unsigned count =
		ike_port_inbound(s->ike, s->now_ms, 1 + server, shared, to_500, to, &h, owners);

	PROMISE(count <= IKE_OWNERS);
	if (!shared) /* the port is @to's alone, so it is a party to it */
		s->spoken[to.inside - 1][server] = true;
	for (unsigned i = 0; i < count; i++) {
		bool is_to = owners[i].inside == to.inside && owners[i].port == to.port;

		PROMISE(is_possible(&owners[i]));
		PROMISE(is_to || s->spoken[owners[i].inside - 1][server]);
		PROMISE(is_to || shared);
		for (unsigned other = 0; other < i; other++)
			PROMISE(owners[i].inside != owners[other].inside ||
				owners[i].port != owners[other].port);
	}
}

static bool sa_save(void *context, const struct ike_sa *sa)
{
	struct story *s = context;

	PROMISE(sa->server >= 1 && sa->server <= SERVERS);
	PROMISE(sa->owners >= 1 && sa->owners <= IKE_OWNERS);
	PROMISE(sa->offered || sa->owners == 1);
	for (unsigned i = 0; i < sa->owners; i++)
		PROMISE(is_possible(&sa->owner[i]));
	PROMISE(s->count < SAVED);
	s->saved[s->count++] = *sa;
	return true;
}

static struct learned facts[SERVERS + 1];
static bool is_known[SERVERS + 1];

static bool fact_save(void *context, uint32_t server, const struct learned *fact)
{
	(void)context;
	PROMISE(server >= 1 && server <= SERVERS && port_habit_name(fact->value));
	facts[server] = *fact;
	is_known[server] = true;
	return true;
}

static void look(struct story *s)
{
	s->count = 0;
	memset(is_known, 0, sizeof(is_known));
	ike_port_each_sa(s->ike, sa_save, s);
	port_habits_each(ike_port_habits(s->ike), fact_save, s);
	for (uint32_t server = 1; server <= SERVERS; server++)
		PROMISE(is_known[server] ||
			port_habit_of(ike_port_habits(s->ike), server, s->now_ms) == HABIT_UNKNOWN);
}

static void start(struct story *s)
{
	s->ike = ike_port_new(&(struct share_groups){0});
	PROMISE(s->ike);
}

static void again(struct story *s)
{
	look(s);
	ike_port_free(s->ike);
	start(s);
	for (unsigned i = 0; i < s->count; i++)
		ike_port_restore_sa(s->ike, s->now_ms, &s->saved[i]);
	for (uint32_t server = 1; server <= SERVERS; server++)
		if (is_known[server])
			port_habit_restore(ike_port_habits(s->ike), server, &facts[server]);
}

static void forget(struct story *s)
{
	ike_port_forget(s->ike);
	s->count = 0;
	ike_port_each_sa(s->ike, sa_save, s);
	PROMISE(s->count == 0);
	memset(s->spoken, 0, sizeof(s->spoken));
}

static void step(struct story *s, const uint8_t *b)
{
	switch (b[0] % 5) {
	case 0:
		outbound(s, b + 1);
		break;
	case 1:
		inbound(s, b + 1);
		break;
	case 2:
		s->now_ms += 1ull << b[1] % 28;
		break;
	case 3:
		if (b[1] == 1)
			again(s);
		break;
	case 4:
		if (b[1] == 1)
			forget(s);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct story s;

	memset(&s, 0, sizeof(s));
	s.now_ms = 1000;
	start(&s);
	for (size_t i = 0; i + STEP <= size && i < 200 * STEP; i += STEP)
		step(&s, data + i);
	look(&s);
	ike_port_free(s.ike);
	return 0;
}
