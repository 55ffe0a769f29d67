/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one inside host holds and another one, or a helper that was taken over, reaches
 * for: records, ids of control connections, the file of an earlier run. The attack of
 * tests/lab/ownership.sh on L2TP, step by step, with the real helper.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/monotonic.h" /* before there is a variable `now` */

#define SETS 256
#include "tests/unit/test_arena.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/shared.h"
#include "daemon/connections.h"
#include "daemon/esp_records.h"
#include "daemon/expiry.h"
#include "daemon/gateway.h"
#include "daemon/l2tp_flows.h"
#include "daemon/l2tp_ports.h"
#include "daemon/owner.h"
#include "daemon/pptp_flows.h"
#include "daemon/tunnels.h"
#include "helper/l2tp_wire.h"

#define A	 host_to_be32(0x0a000002)
#define B	 host_to_be32(0x0a000003)
#define REMOTE	 host_to_be32(0xcb007109)
#define EXTERNAL host_to_be32(0xcb007101)
#define NOW	 100000u
#define ETHERNET 14

static struct gateway self;
static int tap_out; /* what the daemon hands back is read here */

/* --- the daemon's part --------------------------------------------------------------------- */

static void answered(void *context, struct helper_flow *flow, const struct helper_result *result)
{
	l2tp_flows_answered(self.l2tp, flow, result);
}

static bool allowed(void *context, struct helper_flow *flow, const struct helper_answer *answer)
{
	return connections_answer_check(l2tp_flows_connections(self.l2tp), connection_of(flow),
					answer);
}

static void happened(void *context, enum helper_event event, int status)
{
}

static int all_up(void **state)
{
	struct helper_options options = {
		.answered = answered, .allowed = allowed, .happened = happened};
	int pair[2];

	arena_clear(EXTERNAL, NOW);
	config.assisted = 1u << CLASS_L2TP;
	config.daemon_until = NOW + 100000;
	memset(&self, 0, sizeof(self));
	self.plane.counters_fd = -1;
	strcpy(self.instance.run_dir, "/tmp/test_ownership.XXXXXX");
	if (!mkdtemp(self.instance.run_dir) ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) ||
	    helper_start(&self.helper, &options))
		return -1;
	self.tap.fd = pair[0];
	tap_out = pair[1];
	self.l2tp = l2tp_flows_open(&self);
	self.pptp = pptp_flows_open(&self);
	return !self.l2tp || !self.pptp;
}

static void file_remove(const char *name)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%s", self.instance.run_dir, name);
	unlink(path);
}

static int all_down(void **state)
{
	l2tp_flows_close(self.l2tp);
	connections_close(self.pptp);
	helper_stop(self.helper);
	close(self.tap.fd);
	close(tap_out);
	file_remove("l2tp_flows");
	file_remove("pptp_flows");
	return rmdir(self.instance.run_dir);
}

static struct connections *l2tp(void)
{
	return l2tp_flows_connections(self.l2tp);
}

/* A session from port 1701 to the server's, with this port outside: its outbound half. */
static struct record *session_make(__be32 inside, uint16_t port)
{
	struct session_plan plan = {.class = CLASS_L2TP, .timeout = TIMEOUT_UDP, .now = now};

	plan.orig = (struct record_key){.remote = REMOTE,
					.local = inside,
					.remote_id = host_to_be16(PORT_L2TP),
					.local_id = host_to_be16(PORT_L2TP),
					.protocol = PROTOCOL_UDP,
					.kind = KIND_SESSION_ORIG,
					.id_type = ID_PORTS};
	plan.reply = plan.orig;
	plan.reply.kind = KIND_SESSION_REPLY;
	plan.reply.local = EXTERNAL;
	plan.reply.local_id = plan.external_id = host_to_be16(port);
	plan.inside_id = plan.orig.local_id;
	assert_true(is_done(session_add(&plan)));
	return record_at(plan.orig_index);
}

static struct connection *flow_of(const struct record *orig)
{
	return connection_get(l2tp(), &orig->key, orig->session.created, HELPER_L2TP_OWN, now);
}

/* The host's socket has a port outside, and a session from it. */
static struct record *session_mapped(__be32 inside)
{
	verdict_t v = mapping_add(inside, host_to_be16(PORT_L2TP), PROTOCOL_UDP, CLASS_L2TP,
				  NO_RECORD);

	assert_int_equal(verdict_action(v), ACTION_FORWARD);
	return session_make(inside, be16_to_host(record_at(verdict_index(v))->key.local_id));
}

/* --- a helper that was taken over ------------------------------------------------------------ */

static bool claims(struct connections *all, struct connection *flow,
		   const struct helper_claim *claim, size_t count)
{
	struct helper_result result = {.claims = claim, .claim_count = count};

	return connection_claims_do(all, flow, &result, now);
}

static bool takes(struct connections *all, struct connection *flow, uint32_t id, uint32_t inside)
{
	struct helper_claim claim[] = {
		{.kind = HELPER_CLAIM_TAKE, .external_id = id},
		{.kind = HELPER_CLAIM_ARM, .external_id = id, .inside_id = inside},
	};

	return claims(all, flow, claim, 2);
}

static bool reserves(struct connections *all, struct connection *flow, uint32_t id, uint32_t inside)
{
	struct helper_claim claim[] = {
		{.kind = HELPER_CLAIM_RESERVE, .external_id = id},
		{.kind = HELPER_CLAIM_ARM, .external_id = id, .inside_id = inside},
	};

	return claims(all, flow, claim, 2);
}

static bool is_allowed(const struct connection *flow, uint8_t kind, uint32_t id)
{
	struct helper_answer answer = {.claim_count = 1,
				       .claims = {{.kind = kind, .external_id = id}}};

	return connections_answer_check(l2tp(), flow, &answer);
}

/* Whom the data plane gives the tunnel's arrivals to; 0: nobody by its id. */
static __be32 leads_to(uint16_t tunnel)
{
	struct record_key key;
	struct record *r;

	shared_key(&key, REMOTE, EXTERNAL, ID_TUNNEL, id_word(0, host_to_be16(tunnel)));
	r = table_find(&config, &key);
	return r ? record_at(r->shared.session)->session.new_local : 0;
}

static void an_l2tp_id_has_one_owner(void **state)
{
	struct record *orig_a = session_make(A, 1701), *orig_b = session_make(B, 40001);
	struct connection *a = flow_of(orig_a), *b = flow_of(orig_b);

	assert_true(takes(l2tp(), a, 257, 257));
	l2tp_port_hold(record_partner(orig_a));
	assert_int_equal(l2tp_tunnel_arm(record_partner(orig_a), 257, 0, now), 0);
	/* at a port of its own the same number is harmless, and may be a host's own choice ... */
	assert_true(is_allowed(b, HELPER_CLAIM_TAKE, 257));
	assert_true(takes(l2tp(), b, 257, 257));
	/* ... but nothing that is found by its number alone */
	assert_false(is_allowed(b, HELPER_CLAIM_RESERVE, 257));
	assert_false(reserves(l2tp(), b, 257, 3));
	assert_int_equal(l2tp_tunnel_arm(record_partner(orig_b), 257, 3, now), -EEXIST);
	assert_ptr_equal(connection_owner(l2tp(), REMOTE, HELPER_ID_CALL, 257), a);
	l2tp_tunnel_disarm(REMOTE, 257, B);
	connection_free(l2tp(), b, now);
	assert_int_equal(leads_to(257), A);
}

static void a_translated_id_is_owned_too(void **state)
{
	struct record *orig_a = session_make(A, 1701), *orig_b = session_make(B, 40001);
	struct connection *a = flow_of(orig_a), *b = flow_of(orig_b);

	assert_true(reserves(l2tp(), b, 0x4100, 1));
	assert_int_equal(leads_to(0x4100), B);
	assert_false(is_allowed(a, HELPER_CLAIM_TAKE, 0x4100)); /* A is at port 1701 */
	assert_false(takes(l2tp(), a, 0x4100, 0x4100));
	assert_int_equal(leads_to(0x4100), B);
	connection_release_all(b, now); /* in its grace as before */
	assert_false(takes(l2tp(), a, 0x4100, 0x4100));
}

static void the_servers_ids_too(void **state)
{
	struct connection *a = flow_of(session_make(A, 1701)), *b = flow_of(session_make(B, 40001));
	struct helper_claim peer = {
		.kind = HELPER_CLAIM_PEER, .external_id = 257, .remote_id = 900};

	assert_true(takes(l2tp(), a, 257, 257));
	assert_true(claims(l2tp(), a, &peer, 1));
	assert_true(connection_names_anothers(l2tp(), b, 900));
	assert_false(connection_names_anothers(l2tp(), a, 900));
	assert_false(connection_names_anothers(l2tp(), b, 901));
}

/* --- PPTP, L2TP over IP ------------------------------------------------------------------------
 */

static struct connection *control_of(__be32 inside)
{
	struct record_key key = {.remote = REMOTE,
				 .local = inside,
				 .remote_id = host_to_be16(PORT_PPTP),
				 .local_id = host_to_be16(5000),
				 .protocol = PROTOCOL_TCP,
				 .kind = KIND_SESSION_ORIG,
				 .id_type = ID_PORTS};

	return connection_get(self.pptp, &key, 1, HELPER_PPTP, now);
}

static struct record *call_find(uint16_t external)
{
	struct record_key key = {.remote = REMOTE,
				 .local = EXTERNAL,
				 .local_id = host_to_be16(external),
				 .protocol = PROTOCOL_GRE,
				 .kind = KIND_SESSION_REPLY,
				 .id_type = ID_CALL};

	return table_find(&config, &key);
}

static void a_call_id_has_one_owner(void **state)
{
	struct connection *a = control_of(A), *b = control_of(B);
	struct helper_claim arm = {.kind = HELPER_CLAIM_ARM, .external_id = 4100, .inside_id = 9};
	struct helper_claim release = {.kind = HELPER_CLAIM_RELEASE, .external_id = 4100};

	assert_true(reserves(self.pptp, a, 4100, 1));
	assert_false(reserves(self.pptp, b, 4100, 9));
	claims(self.pptp, b, &arm, 1);
	claims(self.pptp, b, &release, 1);
	connection_free(self.pptp, b, now);
	assert_non_null(call_find(4100));
	assert_int_equal(call_find(4100)->session.new_local, A);
	assert_int_equal(be16_to_host(call_find(4100)->session.new_id), 1);
}

/* A server that gives two hosts one id of its own: errors are the first one's, and stay so. */
static void quoted_ids_have_one_owner(void **state)
{
	struct tunnel a = {.protocol = PROTOCOL_GRE,
			   .inside = A,
			   .remote = REMOTE,
			   .inside_id = 1,
			   .external_id = 4100,
			   .remote_id = 77};
	struct tunnel b = a;
	struct record_key key = {.remote = REMOTE,
				 .local = EXTERNAL,
				 .local_id = host_to_be16(77),
				 .protocol = PROTOCOL_GRE,
				 .kind = KIND_QUOTED,
				 .id_type = ID_CALL};

	b.inside = B;
	b.external_id = 4101;
	assert_int_equal(tunnel_arm_inbound(&a, now) | tunnel_arm_outbound(&a, now), 0);
	assert_int_equal(tunnel_arm_inbound(&b, now) | tunnel_arm_outbound(&b, now), 0);
	assert_int_equal(owner_of(&key, A), OWNER_SELF);
	tunnel_disarm(&b, now);
	assert_int_equal(owner_of(&key, A), OWNER_SELF);
	tunnel_disarm(&a, now);
	assert_int_equal(owner_of(&key, A), OWNER_NOBODY);
}

/* --- ESP ---------------------------------------------------------------------------------------
 */

static enum route_result hop_route(const struct query *query, struct route *route)
{
	*route = (struct route){.ifindex = 2, .next_hop = query->destination};
	return ROUTE_RESOLVED;
}

static struct record_key spi_key(uint32_t spi, __be32 local, uint8_t kind)
{
	return (struct record_key){.remote = REMOTE,
				   .local = local,
				   .id = host_to_be32(spi),
				   .protocol = PROTOCOL_ESP,
				   .kind = kind,
				   .id_type = ID_SPI};
}

static void an_spi_has_one_owner(void **state)
{
	struct record_key in = spi_key(0x1000, EXTERNAL, KIND_SESSION_REPLY);
	struct record_key quoted = spi_key(0x2000, EXTERNAL, KIND_QUOTED);

	arena.route = hop_route;
	arena.config->wan_ifindex = 2; /* all ways lead there */
	assert_int_equal(esp_inbound_arm(REMOTE, 0x1000, A, now), 0);
	assert_int_equal(esp_outbound_arm(REMOTE, 0x2000, A, now), 0);
	assert_int_equal(esp_inbound_arm(REMOTE, 0x1000, B, now), -EEXIST);
	assert_int_equal(esp_outbound_arm(REMOTE, 0x2000, B, now), 0);
	esp_inbound_end(REMOTE, 0x1000, B);
	esp_outbound_end(REMOTE, 0x2000, B);
	assert_int_equal(owner_of(&in, A), OWNER_SELF);
	assert_int_equal(owner_of(&quoted, A), OWNER_SELF);
	/* what an earlier run has left, and nobody knows of, does not stand in the way */
	esp_records_forsake();
	assert_int_equal(esp_inbound_arm(REMOTE, 0x1000, B, now), 0);
	assert_int_equal(owner_of(&in, B), OWNER_SELF);
}

/* --- restart ------------------------------------------------------------------------------------
 */

static void reopen(void)
{
	l2tp_flows_close(self.l2tp);
	connections_close(self.pptp);
	self.plane.adopted = true;
	self.l2tp = l2tp_flows_open(&self);
	self.pptp = pptp_flows_open(&self);
	assert_non_null(self.l2tp);
	assert_non_null(self.pptp);
}

/* The file is what an earlier run has written, or what a fault has left of it. */
static void a_file_that_gives_an_id_twice(void **state)
{
	struct connection *a = control_of(A), *b = control_of(B), *c, *d;

	assert_true(reserves(self.pptp, a, 4100, 1));
	assert_true(reserves(self.pptp, b, 4101, 2));
	b->ids[0].external = 4100;
	b->helper.spare[0] = a->helper.spare[0] = 4102;
	a->helper.spare_count = b->helper.spare_count = 1;
	b->helper.id_count = 200;
	c = flow_of(session_make(A, 1701));
	d = flow_of(session_make(B, 40001));
	assert_true(reserves(l2tp(), c, 0x4100, 1));
	assert_true(reserves(l2tp(), d, 0x4101, 1));
	d->ids[0].external = 0x4100;
	reopen();
	a = control_of(A);
	b = control_of(B);
	assert_true(connection_holds(a, HELPER_ID_CALL, 4100));
	assert_false(connection_holds(b, HELPER_ID_CALL, 4100));
	assert_int_equal(b->helper.spare_count, 0);
	assert_int_equal(b->helper.id_count, 0);
	connection_free(self.pptp, b, now);
	assert_int_equal(call_find(4100)->session.new_local, A);
	assert_int_equal(connection_owner(l2tp(), REMOTE, HELPER_ID_CALL, 0x4100)->key.local, A);
}

static void what_is_held_is_held_after_a_restart(void **state)
{
	struct connection *a = flow_of(session_make(A, 1701)), *b = flow_of(session_make(B, 40001));

	assert_true(takes(l2tp(), a, 257, 257));
	assert_true(reserves(l2tp(), b, 0x4100, 257));
	reopen();
	assert_int_equal(connection_owner(l2tp(), REMOTE, HELPER_ID_CALL, 257)->key.local, A);
	assert_int_equal(connection_owner(l2tp(), REMOTE, HELPER_ID_CALL, 0x4100)->key.local, B);
}

/* --- the attack on L2TP, with the real helper
 * ----------------------------------------------------- */

static bool hides; /* the tunnel id, RFC 2661 section 4.3 */

/* A request of INSIDE, as the data plane hands it down; the tunnel id that goes on, 0: it does not.
 */
static uint16_t request_passes(struct record *orig, uint16_t tunnel)
{
	struct l2tp_message m = {.version = 2,
				 .type = L2TP_SCCRQ,
				 .found = 1 << L2TP_CONNECTION_ID,
				 .ids = {tunnel}};
	_Alignas(struct punt) uint8_t frame[256] = {0};
	struct punt punt = {.reason = REASON_to_watch, .index = table_index(orig)};
	size_t length = l2tp_message_encode(frame + ETHERNET + 28, 128, &m);
	struct facts facts = {.source = orig->key.local,
			      .destination = REMOTE,
			      .source_id = host_to_be16(PORT_L2TP),
			      .destination_id = host_to_be16(PORT_L2TP),
			      .protocol = PROTOCOL_UDP,
			      .l4 = 20,
			      .length = (uint16_t)(28 + length)};
	struct pollfd fd = {.fd = tap_out, .events = POLLIN};

	if (hides)
		frame[ETHERNET + 28 + 20] |= 0x40;
	memcpy(frame, &punt, sizeof(punt));
	frame[ETHERNET + 20 + 5] = (uint8_t)(8 + length);
	orig->session.packets++;
	l2tp_flows_take(self.l2tp, frame, ETHERNET + facts.length, &facts);
	for (int tries = 0; tries < 100 && poll(&fd, 1, 20) == 0; tries++)
		helper_serve(self.helper, monotonic_ns());
	if (read(tap_out, frame, sizeof(frame)) < 0)
		return 0;
	frame[ETHERNET + 28 + 20] &= (uint8_t)~0x40;
	assert_int_equal(l2tp_message_decode(frame + ETHERNET + 28, length, &m), 0);
	return (uint16_t)m.ids[L2TP_CONNECTION_ID];
}

static void a_neighbour_that_repeats_nothing(void **state)
{
	struct record *orig_a = session_make(A, 1701), *orig_b = session_make(B, 40001);

	assert_int_equal(request_passes(orig_a, 257), 257);
	record_partner(orig_a)->session.flags |= SESSION_REPLIED;
	assert_int_equal(request_passes(orig_b, 257), 257);
	now += 190;
	assert_int_equal(request_passes(orig_b, 1000), 1000);
	now += 50;
	assert_int_not_equal(request_passes(orig_b, 1001), 0);
	assert_true(l2tp_port_is_shared(orig_b));
	assert_int_not_equal(leads_to(257), B);
	assert_int_equal(connection_owner(l2tp(), REMOTE, HELPER_ID_CALL, 257)->key.local, A);
	/* and what it asks for there stands outside under an id of its own */
	assert_int_not_equal(request_passes(orig_b, 257), 257);
	assert_int_not_equal(leads_to(257), B);
}

/* --- there and back ----------------------------------------------------------------------------
 */

static void a_flow_gets_its_own_port_back(void **state)
{
	struct record *orig_a = session_mapped(A), *orig_b = session_mapped(B);
	__be16 port = orig_b->session.new_id;

	assert_int_equal(orig_a->session.new_id, host_to_be16(PORT_L2TP));
	assert_int_equal(l2tp_port_share(orig_b, now), 0);
	assert_true(l2tp_port_is_shared(orig_b));
	orig_b->session.flags |= SESSION_REPLIED;
	assert_int_equal(l2tp_port_unshare(orig_b, now), 0);
	assert_false(l2tp_port_is_shared(orig_b));
	assert_int_equal(orig_b->session.new_id, port);
	assert_int_equal(record_partner(orig_b)->key.local_id, port);
	assert_false(orig_b->session.flags & SESSION_REPLIED); /* not at this port */
	assert_ptr_equal(l2tp_port_owner(REMOTE), record_partner(orig_a));
}

/* Its answers would be taken for the owner's: the message is held back, and comes again. */
static void a_hidden_id_goes_back(void **state)
{
	struct record *orig_b;
	struct connection *b;

	request_passes(session_mapped(A), 257);
	orig_b = session_mapped(B);
	request_passes(orig_b, 257);
	assert_int_equal(l2tp_port_share(orig_b, now), 0);
	b = connection_find(l2tp(), &orig_b->key);
	hides = true;
	assert_int_equal(request_passes(orig_b, 257), 0);
	assert_false(l2tp_port_is_shared(orig_b));
	assert_int_equal(b->helper.protocol, HELPER_L2TP_OWN);
	assert_true(b->watch.hidden);
	assert_int_equal(request_passes(orig_b, 257), 257);
	hides = false;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, all_up, all_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_l2tp_id_has_one_owner),
		TEST(a_translated_id_is_owned_too),
		TEST(the_servers_ids_too),
		TEST(a_call_id_has_one_owner),
		TEST(quoted_ids_have_one_owner),
		TEST(an_spi_has_one_owner),
		TEST(a_file_that_gives_an_id_twice),
		TEST(what_is_held_is_held_after_a_restart),
		TEST(a_neighbour_that_repeats_nothing),
		TEST(a_flow_gets_its_own_port_back),
		TEST(a_hidden_id_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
