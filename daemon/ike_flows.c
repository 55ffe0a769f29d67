/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/ike_flows.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/gateway.h"
#include "core/port_owner.h"
#include "daemon/esp_flows.h"
#include "daemon/expiry.h"
#include "daemon/ike_state.h"
#include "daemon/log.h"
#include "daemon/mappings.h"
#include "daemon/monotonic.h"
#include "daemon/owner.h"
#include "daemon/reinject.h"
#include "daemon/stations.h"
#include "daemon/tunnels.h"
#include "pairing/ike_port.h"

#define ETHERNET	14
#define IKE_HEADER	28 /* RFC 7296 section 3.1 */
#define TEND_SECONDS	10
#define ESP_ALIVE_MS	(2 * 3600 * 1000ull)
#define SHARED_ALIVE_MS (3600 * 1000ull) /* a port is held for a silent SA */

struct ike_flows {
	struct gateway *gateway;
	struct ike_port *ike;
	__be32 external;
	bool changed;
	unsigned seconds;
};

struct ike_flows *ike_flows_open(struct gateway *gateway)
{
	struct ike_flows *flows = calloc(1, sizeof(*flows));

	if (!flows)
		return NULL;
	flows->gateway = gateway;
	flows->ike = ike_port_new(&stations);
	if (flows->ike)
		return flows;
	free(flows);
	return NULL;
}

static void state_save(struct ike_flows *flows)
{
	flows->changed |= port_habits_take_changed(ike_port_habits(flows->ike));
	if (flows->changed && flows->external)
		ike_state_save(flows->gateway->settings, flows->external, flows->ike,
			       monotonic_ms());
	flows->changed = false;
}

void ike_flows_close(struct ike_flows *flows)
{
	if (!flows)
		return;
	state_save(flows);
	ike_port_free(flows->ike);
	free(flows);
}

const char *ike_flows_strategy(const struct ike_flows *flows, __be32 server)
{
	return port_habit_name(
		port_habit_of(ike_port_habits(flows->ike), server, (int64_t)monotonic_ms()));
}

/* --- the header -------------------------------------------------------------------------- */

static uint64_t u64_at(const uint8_t *bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return value;
}

static uint32_t u32_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

/* Fixed offsets, no lengths that anything depends on. False: too short to be one. */
static bool header_read(const uint8_t *frame, size_t length, const struct facts *facts,
			struct esp_ike_header *header)
{
	size_t at = ETHERNET + facts->l4 + sizeof(struct udp_header);
	const uint8_t *bytes = frame + at;

	if (at + IKE_HEADER > length || at + IKE_HEADER > ETHERNET + (size_t)facts->length)
		return false;
	*header = (struct esp_ike_header){
		.spi_initiator = u64_at(bytes),
		.spi_responder = u64_at(bytes + 8),
		.next_payload = bytes[16],
		.version = bytes[17],
		.exchange = bytes[18],
		.flags = bytes[19],
		.message_id = u32_at(bytes + 20),
		.length = u32_at(bytes + 24),
	};
	return true;
}

/* --- records ----------------------------------------------------------------------------- */

static struct record *live(uint32_t index, uint8_t kind)
{
	struct record *r = index == NO_RECORD ? NULL : record_at(index);

	return r && record_state(r) == SLOT_LIVE && r->key.kind == kind ? r : NULL;
}

/* The outbound half of what a socket speaks with a server. */
static struct record *orig_find(__be32 server, struct ike_socket socket)
{
	struct record_key key;

	key_set(&key, server, socket.inside, id_word(host_to_be16(PORT_IKE), socket.port),
		PROTOCOL_UDP, KIND_SESSION_ORIG, ID_PORTS);
	return table_find(arena.config, &key);
}

/* The inbound half of external port 500, whoever's it is. */
static struct record *reply_of_500(__be32 server)
{
	__be16 port = host_to_be16(PORT_IKE);
	struct record_key key;

	key_set(&key, server, arena.config->external, id_word(port, port), PROTOCOL_UDP,
		KIND_SESSION_REPLY, ID_PORTS);
	return table_find(arena.config, &key);
}

/* The gateway's own IKE daemon has the port to itself. */
static bool is_own_port(void)
{
	struct record_key key;
	const struct record *r;

	mapping_external_key(&key, PROTOCOL_UDP, arena.config->external, host_to_be16(PORT_IKE));
	r = table_find(arena.config, &key);
	return port_owner_of(r) == PORT_GATEWAYS;
}

/* Nobody speaks from port 500 with this server: the inbound half that leads there is made. */
static struct record *reply_of_500_make(const struct record *orig, uint32_t now)
{
	struct record *reply = live(orig->partner, KIND_SESSION_REPLY), *r;
	struct record_key key = reply ? reply->key : (struct record_key){0};
	uint32_t index;

	if (!reply)
		return NULL;
	key.local_id = host_to_be16(PORT_IKE);
	if (table_claim(&key, &index) != CLAIM_OK)
		return NULL;
	r = record_at(index);
	r->session = reply->session;
	r->session.flags |= SESSION_STATIC | SESSION_SHARED;
	r->session.last_seen = r->session.created = now;
	r->partner = table_index(orig);
	table_publish(r);
	return r;
}

static bool share(struct record *orig)
{
	uint32_t now = clock_ticks(arena.config);
	struct record *r;

	if (is_own_port())
		return false;
	r = reply_of_500(orig->key.remote);
	if (r && r->session.flags & SESSION_LOCAL)
		return false;
	if (!r)
		r = reply_of_500_make(orig, now);
	if (!r)
		return false;
	session_set(&r->session, SESSION_SHARED);
	WRITE_ONCE(orig->session.new_id, host_to_be16(PORT_IKE));
	return true;
}

/* Back to the port of its own mapping, which the inbound half has kept. */
static void unshare(struct record *orig)
{
	const struct record *reply = live(orig->partner, KIND_SESSION_REPLY);

	if (reply)
		WRITE_ONCE(orig->session.new_id, reply->key.local_id);
}

/* A full table: the daemon tells the arrivals apart. */
static void shared_note_make(const struct record_key *key, const struct record *orig)
{
	struct record *r = table_find(arena.config, key);
	uint32_t index;

	if (r) /* what it led to has ended */
		record_end(r);
	if (table_claim(key, &index) != CLAIM_OK)
		return;
	r = record_at(index);
	r->shared = (struct shared){.session = orig->partner,
				    .inside = orig->key.local,
				    .last_seen = clock_ticks(arena.config)};
	table_publish(r);
}

/* So that the data plane finds it without the daemon too. False: another host holds the id. */
static bool shared_note(const struct record *orig, uint64_t spi_initiator)
{
	struct record_key key;
	struct record *r;

	shared_key(&key, orig->key.remote, arena.config->external, ID_IKE,
		   host_to_be32(ike_word(spi_initiator)));
	if (owner_of(&key, orig->key.local) == OWNER_OTHER)
		return false;
	r = owner_record(&key, orig->key.local);
	if (!r) {
		shared_note_make(&key, orig);
		return true;
	}
	WRITE_ONCE(r->shared.session, orig->partner);
	WRITE_ONCE(r->shared.last_seen, clock_ticks(arena.config));
	return true;
}

/* Of the mapping, whatever port the session leaves from. */
static __be16 external_port(const struct record *orig)
{
	const struct record *reply = orig ? live(orig->partner, KIND_SESSION_REPLY) : NULL;

	return reply ? reply->key.local_id : 0;
}

/* --- messages ----------------------------------------------------------------------------- */

static bool is_from_500(const struct record *orig)
{
	return orig->session.new_id == host_to_be16(PORT_IKE);
}

static bool is_port_shared(__be32 server)
{
	const struct record *r = reply_of_500(server);

	return r && r->session.flags & SESSION_SHARED;
}

/* Each to the port of its own mapping, from its next message on. */
static void newcomers_move_back(struct ike_flows *flows, __be32 server)
{
	struct ike_socket sockets[IKE_OWNERS];
	char text[INET_ADDRSTRLEN];
	unsigned count = ike_port_take_back(flows->ike, server, sockets);

	for (unsigned i = 0; i < count; i++) {
		struct record *orig = orig_find(server, sockets[i]);

		if (orig)
			unshare(orig);
	}
	log_notice("%s takes all IKE from port 500 for one device's: of %u who shared the port "
		   "lately, each has its own again",
		   inet_ntop(AF_INET, &server, text, sizeof(text)), count);
	flows->changed = true;
}

static void drop_count(const struct ike_flows *flows, enum reason reason)
{
	plane_count(&flows->gateway->plane, reason, 1);
}

/*
 * The remote has come to port 500 of an inside server (RFC 7296 section 2.23: from any
 * port): nothing is to be chosen. Between 500 and 500 either end may be the server.
 */
static void responder_take(struct ike_flows *flows, uint8_t *frame, size_t length,
			   const struct record *session, const struct esp_ike_header *header)
{
	bool out = session->key.kind == KIND_SESSION_ORIG;
	__be32 inside = out ? session->key.local : session->session.new_local;

	esp_flows_ike(flows->gateway->esp, inside, session->key.remote, header,
		      out ? ESP_OUTBOUND : ESP_INBOUND);
	frame_again(flows->gateway, frame, length);
}

/* The session that the data plane punted a message of, if an inside server answers there. */
static const struct record *responder_session(const struct punt *punt)
{
	bool in = punt->side & PUNT_FROM_WAN;
	const struct record *r = live(punt->index, in ? KIND_SESSION_REPLY : KIND_SESSION_ORIG);

	return r && r->key.remote_id != host_to_be16(PORT_IKE) ? r : NULL;
}

static void outbound_take(struct ike_flows *flows, uint8_t *frame, size_t length,
			  const struct facts *facts, const struct esp_ike_header *header)
{
	struct ike_socket socket = {facts->source, facts->source_id, 0};
	struct record *orig = orig_find(facts->destination, socket);
	enum ike_action action = IKE_PASS;

	if (orig && is_from_500(orig) && is_own_port())
		unshare(orig); /* the gateway's own IKE daemon came later than the sharing */
	socket.external = external_port(orig);
	if (orig)
		action = ike_port_outbound(flows->ike, monotonic_ms(), facts->destination, socket,
					   is_from_500(orig), header);
	if (action == IKE_SHARE)
		flows->changed |= share(orig);
	else if (action == IKE_UNSHARE)
		unshare(orig);
	else if (action == IKE_CROWDED)
		newcomers_move_back(flows, facts->destination);
	if (action == IKE_REFUSE) {
		drop_count(flows, REASON_ike_unprotected);
		return;
	}
	if (action == IKE_HELD ||
	    (orig && is_from_500(orig) && is_port_shared(facts->destination) &&
	     !shared_note(orig, header->spi_initiator))) {
		drop_count(flows, REASON_id_held);
		return;
	}
	esp_flows_ike(flows->gateway->esp, facts->source, facts->destination, header, ESP_OUTBOUND);
	frame_again(flows->gateway, frame, length);
}

static void owner_give(struct ike_flows *flows, uint8_t *frame, size_t length, __be32 server,
		       struct ike_socket owner, const struct esp_ike_header *header)
{
	const struct record *orig = orig_find(server, owner);

	if (!orig || !live(orig->partner, KIND_SESSION_REPLY)) {
		plane_count(&flows->gateway->plane, REASON_slow_path_stale, 1);
		return;
	}
	esp_flows_ike(flows->gateway->esp, owner.inside, server, header, ESP_INBOUND);
	frame_as(flows->gateway, frame, length, orig->partner);
}

/* Who begins with an unknown SPI behind a shared port means the server that it is forwarded to. */
static unsigned forward_owner(struct ike_socket owners[IKE_OWNERS])
{
	__be16 port = host_to_be16(PORT_IKE);
	const struct record *r;
	struct record_key key;

	mapping_external_key(&key, PROTOCOL_UDP, arena.config->external, port);
	r = table_find(arena.config, &key);
	if (!r || !(r->mapping.flags & MAPPING_OPEN))
		return 0;
	owners[0] = (struct ike_socket){r->mapping.new_local, r->mapping.new_id, port};
	return 1;
}

static void inbound_take(struct ike_flows *flows, uint8_t *frame, size_t length,
			 const struct facts *facts, const struct esp_ike_header *header)
{
	const struct punt *punt = (const struct punt *)frame;
	bool to_500 = facts->destination_id == host_to_be16(PORT_IKE);
	bool shared = to_500 && is_port_shared(facts->source);
	const struct record *reply = live(punt->index, KIND_SESSION_REPLY);
	struct ike_socket to = {0}, owners[IKE_OWNERS];
	unsigned count;

	if (reply)
		to = (struct ike_socket){reply->session.new_local, reply->session.new_id,
					 reply->key.local_id};
	if (!reply && !shared) {
		drop_count(flows, REASON_slow_path_stale);
		return;
	}
	count = ike_port_inbound(flows->ike, monotonic_ms(), facts->source, shared, to_500, to,
				 header, owners);
	if (!count && !header->spi_responder)
		count = forward_owner(owners);
	if (!count)
		drop_count(flows, REASON_tunnel_unknown);
	for (unsigned i = 0; i < count; i++)
		owner_give(flows, frame, length, facts->source, owners[i], header);
}

void ike_flows_take(struct ike_flows *flows, uint8_t *frame, size_t length,
		    const struct facts *facts)
{
	const struct punt *punt = (const struct punt *)frame;
	const struct record *responder = responder_session(punt);
	struct esp_ike_header header;

	if (!header_read(frame, length, facts, &header))
		frame_again(flows->gateway, frame, length); /* a keepalive of NAT-T, RFC 3948 2.3 */
	else if (responder)
		responder_take(flows, frame, length, responder, &header);
	else if (punt->side & PUNT_FROM_WAN)
		inbound_take(flows, frame, length, facts, &header);
	else
		outbound_take(flows, frame, length, facts, &header);
}

/* --- upkeep --------------------------------------------------------------------------------- */

static void session_refresh(struct record *orig, uint32_t now)
{
	struct record *reply = live(orig->partner, KIND_SESSION_REPLY), *mapping;
	struct record_key key;

	WRITE_ONCE(orig->session.last_seen, now);
	if (!reply)
		return;
	WRITE_ONCE(reply->session.last_seen, now);
	mapping_external_key(&key, PROTOCOL_UDP, reply->key.local, reply->key.local_id);
	mapping = table_find(arena.config, &key);
	if (mapping)
		WRITE_ONCE(mapping->mapping.last_seen, now);
}

/* The half that leads from a shared port belongs to a host that may have left. */
static void shared_refresh(__be32 server, uint32_t now)
{
	struct record *r = reply_of_500(server);

	if (!r || !(r->session.flags & SESSION_SHARED))
		return;
	WRITE_ONCE(r->session.last_seen, now);
	r = live(r->partner, KIND_SESSION_ORIG);
	if (r)
		WRITE_ONCE(r->session.last_seen, now);
}

struct tending {
	struct ike_flows *flows;
	uint32_t now;
	uint64_t now_ms;
};

/* RFC 3715 section 2.1e: without its IKE session the server could not rekey the ESP. */
static bool sa_tend(void *context, const struct ike_sa *sa)
{
	struct tending *tending = context;

	for (unsigned i = 0; i < sa->owners; i++) {
		struct record *orig = orig_find(sa->server, sa->owner[i]);

		if (orig && esp_flows_idle_ms(tending->flows->gateway->esp, sa->owner[i].inside,
					      sa->server) < ESP_ALIVE_MS)
			session_refresh(orig, tending->now);
	}
	if (sa->shared && tending->now_ms - sa->seen_ms < SHARED_ALIVE_MS)
		shared_refresh(sa->server, tending->now);
	return true;
}

/* --- after a reboot ------------------------------------------------------------------------- */

/* A session as the socket's next message would make it, by a packet that is not sent. */
static struct record *session_remake(__be32 server, struct ike_socket socket)
{
	struct {
		struct ipv4_header ip;
		struct udp_header udp;
	} message = {
		.ip = {.version_length = 0x45,
		       .length = host_to_be16(sizeof(message)),
		       .ttl = 64,
		       .protocol = PROTOCOL_UDP,
		       .source = socket.inside,
		       .destination = server},
		.udp = {.source = socket.port,
			.destination = host_to_be16(PORT_IKE),
			.length = host_to_be16(sizeof(struct udp_header))},
	};
	packet_context context = {.data = (uint8_t *)&message, .length = sizeof(message)};
	struct packet packet = {.context = &context};
	const struct next_hop *inside =
		next_hop_at(tunnel_next_hop(PROTOCOL_UDP, server, socket.inside, false));

	if (!inside || !inside->ifindex)
		return NULL;
	packet.ifindex = inside->ifindex;
	message.ip.check = ~sum_fold(ipv4_sum(&message.ip));
	outbound(&packet, ORIGIN_DAEMON);
	return orig_find(server, socket);
}

/* So that servers reach their clients on the IKE SAs that both still have. */
static bool sa_remake(void *context, const struct ike_sa *sa)
{
	struct record *orig;

	for (unsigned i = 0; i < sa->owners; i++) {
		/* the port that the server knows; where another has it, the next step finds one */
		if (sa->owner[i].external)
			mapping_remake(sa->owner[i].inside, sa->owner[i].port,
				       sa->owner[i].external, CLASS_IPSEC);
		orig = session_remake(sa->server, sa->owner[i]);
		if (orig && sa->shared)
			share(orig);
		if (orig && is_from_500(orig) && is_port_shared(sa->server))
			shared_note(orig, sa->spi_initiator);
	}
	return true;
}

static void address_follow(struct ike_flows *flows)
{
	__be32 external = arena.config->external;

	if (!external || external == flows->external)
		return;
	if (flows->external)
		ike_port_forget(flows->ike);
	else
		ike_state_load(flows->gateway->settings, external, flows->ike, monotonic_ms());
	if (!flows->external && !flows->gateway->plane.adopted)
		ike_port_each_sa(flows->ike, sa_remake, NULL);
	flows->external = external;
}

void ike_flows_tend(struct ike_flows *flows, uint32_t now)
{
	struct tending tending = {flows, now, monotonic_ms()};

	address_follow(flows);
	if (flows->seconds++ % TEND_SECONDS)
		return;
	ike_port_each_sa(flows->ike, sa_tend, &tending);
	state_save(flows);
}
