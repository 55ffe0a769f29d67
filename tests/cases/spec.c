/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a NAT is, as a program: written from the RFCs' rules, without a look at
 * the core, and held against it packet by packet over random runs.
 *
 *   spec [PACKETS [SEED]]               the core in user space
 *   spec_bpf PACKETS SEED tc|xdp        the programs in the kernel
 *
 * Theory of operation. The model has a mapping for each inside socket and a
 * session for each remote socket that it met. Of every packet it says MUST,
 * MAY or MUST_NOT: a packet MAY pass where an RFC leaves it open, for instance
 * in the time between a timer and the sweep. A packet that passed is compared
 * with one that the model builds itself. Time and the sweeper are the daemon's.
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "daemon/expiry.h"
#include "tests/cases/spec_run.h"

enum { UDP, TCP, ICMP, KINDS };
enum { HOSTS = 4, SOCKETS = 8, REMOTES = 5, REMOTE_PORTS = 3, ITSELF = REMOTES - 1 };
enum { SLACK = SWEEP + SECOND };

static const __u8 protocols[KINDS] = {PROTOCOL_UDP, PROTOCOL_TCP, PROTOCOL_ICMP};
static const __u16 inside_ports[SOCKETS] = {4000, 4001, 500, 123, 600, 64600, 64601, 40000};
static const __u16 remote_ports[REMOTE_PORTS] = {53, 1701, 4500};

struct session_model {
	bool used, is_long, closing;
	enum { NO_SIDE, INSIDE_SIDE, REMOTE_SIDE } opener; /* who has sent the first SYN */
	__u32 out_at, seen_at; /* last packet from the inside; last packet at all; but resets */
	__u32 reset_at;
	__u32 udp_timer;
};

struct mapping_model {
	bool used, is_forward;
	__u16 port;
	__u32 tried_at; /* a hairpin that its destination's filter stopped: it may have refreshed */
	/* the last remote is ourselves: hairpins, sent in [0] and received in [1] */
	struct session_model session[REMOTES][REMOTE_PORTS];
};

static struct mapping_model mappings[KINDS][HOSTS][SOCKETS];
static struct mapping_model *owner[KINDS][65536];

static __be32 remote_address(__u32 remote)
{
	return remote == ITSELF ? EXTERNAL : ADDRESS(0xcb007105 + remote);
}

/* --- the rules ---------------------------------------------------------------------- */

/* RFC 4787 REQ-5, RFC 5382 REQ-5, RFC 5508 REQ-2. */
static enum rule session_lives(int kind, const struct session_model *s)
{
	__u32 age = world.now - s->seen_at;

	if (!s->used)
		return MUST_NOT;
	if (kind != TCP)
		return within(age, kind == UDP ? s->udp_timer : 60 * SECOND);
	if (within(age, (s->is_long && !s->closing ? 7440 : 240) * SECOND) == MUST)
		return MUST;
	/* RFC 7857 section 2.2: four minutes more, if the reset was a real one */
	if (s->reset_at && within(world.now - s->reset_at, 240 * SECOND) != MUST_NOT)
		return MAY;
	return within(age, 7440 * SECOND) == MUST_NOT ? MUST_NOT : MAY;
}

/* A mapping lives as long as a session of it; a forward as long as the settings. */
static enum rule mapping_lives(int kind, const struct mapping_model *m)
{
	enum rule best = MUST_NOT;

	if (!m || !m->used)
		return MUST_NOT;
	if (m->is_forward)
		return MUST;
	for (int r = 0; r < REMOTES; r++)
		for (int p = 0; p < REMOTE_PORTS; p++)
			if (session_lives(kind, &m->session[r][p]) > best)
				best = session_lives(kind, &m->session[r][p]);
	return best;
}

/* RFC 4787 REQ-3, REQ-3a (but for 500, see core/mapping.h), REQ-4; the gateway's own range. */
static bool port_is_legal(int kind, __u16 inside, __u16 port, const struct mapping_model *mine)
{
	const struct mapping_model *other = owner[kind][port];

	if (other && other != mine && mapping_lives(kind, other) == MUST)
		return false;
	if (kind == ICMP)
		return true;
	if (!port || port >= 64512 || (port & 1) != (inside & 1))
		return false;
	return port == inside || inside == 500 ? port == inside || port >= 1024
					       : (port < 1024) == (inside < 1024);
}

/* How long ago the mapping has itself sent to this address; with @any to anybody. */
static __u32 contact_age(const struct mapping_model *m, __u32 remote, bool any)
{
	__u32 best = 0xffffffff;

	for (__u32 r = 0; r < REMOTES; r++)
		for (int p = 0; p < REMOTE_PORTS; p++)
			if ((any || r == remote) && m->session[r][p].out_at &&
			    world.now - m->session[r][p].out_at < best)
				best = world.now - m->session[r][p].out_at;
	return best;
}

/* Its last session has just ended: RFC 4787 REQ-5 says at least, not at most. */
static bool mapping_was_alive(int kind, const struct mapping_model *m)
{
	__u32 limit =
		(kind == TCP ? 7440 : 7200) * SECOND + QUARANTINE_SECONDS * SECOND + 2 * SWEEP;

	if (m->tried_at && world.now - m->tried_at <= limit)
		return true;
	for (int r = 0; r < REMOTES; r++)
		for (int p = 0; p < REMOTE_PORTS; p++)
			if (m->session[r][p].used && world.now - m->session[r][p].seen_at <= limit)
				return true;
	return false;
}

/* RFC 4787 REQ-8, RFC 5382 REQ-3: may a remote socket begin that was not contacted? */
static enum rule filter_admits(int kind, const struct mapping_model *m, __u32 remote)
{
	__u8 filtering = kind == TCP ? arena.config->filtering_tcp : arena.config->filtering_udp;
	__u32 limit = (kind == TCP ? 240 : 300) * SECOND, age;

	if (m->is_forward)
		return MUST;
	if (kind == ICMP || filtering == FILTER_ADDRESS_AND_PORT_DEPENDENT)
		return MUST_NOT;
	age = contact_age(m, remote, filtering == FILTER_ENDPOINT_INDEPENDENT);
	if (age == 0xffffffff || !mapping_was_alive(kind, m))
		return MUST_NOT;
	return age + SLACK <= limit ? MUST : MAY;
}

/* RFC 5382 REQ-2: only a SYN begins. A query's session is for answers (RFC 5508 REQ-1). */
static enum rule inbound_rule(int kind, const struct mapping_model *m, __u32 remote, __u32 port,
			      __u8 flags)
{
	enum rule lives, begins;

	if (!m || !m->used)
		return MUST_NOT;
	lives = session_lives(kind, &m->session[remote][port]);
	if (lives == MUST || kind == ICMP)
		return lives;
	begins = filter_admits(kind, m, remote);
	if (kind == TCP && (flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		begins = MUST_NOT;
	return lives > begins ? MAY : begins == MUST && lives == MAY ? MUST : begins;
}

/* --- what a packet that passed leaves behind ---------------------------------------------- */

/* RFC 4787 REQ-5: five minutes, but VPNs have timers of their own: udp 1701, 500 and 4500. */
static __u32 udp_timer(const struct mapping_model *m, const struct session_model *s)
{
	__u16 remote = remote_ports[(s - &m->session[0][0]) % REMOTE_PORTS];
	__u16 inside = inside_ports[(m - &mappings[0][0][0]) % SOCKETS];

	if (s >= m->session[ITSELF]) /* hairpins are between other ports: see hairpin_packet() */
		return 300 * SECOND;
	if (remote == 1701)
		return 3600 * SECOND;
	return (remote == 4500 || inside == 500 ? 7200 : 300) * SECOND;
}

/* Open for sure once the other side has acknowledged the first SYN by one of its own. */
static void tcp_open_note(struct session_model *s, __u8 side, __u8 flags)
{
	if (!(flags & TCP_SYN))
		return;
	if (s->opener == NO_SIDE)
		s->opener = side;
	s->is_long |= s->opener != side && flags & TCP_ACK;
}

static void session_note(int kind, struct mapping_model *m, struct session_model *s, bool out,
			 __u8 flags)
{
	enum rule lives = session_lives(kind, s);

	/* perhaps the old session, perhaps a new one: nothing is known of its state */
	if (lives != MUST)
		*s = (struct session_model){
			.used = true,
			.closing = lives == MAY,
			.out_at = s->out_at,
			.seen_at = s->seen_at,
			.reset_at = s->reset_at,
			.udp_timer = udp_timer(m, s),
		};
	s->closing |= !!(flags & (TCP_FIN | TCP_RST));
	if (flags & TCP_RST) { /* RFC 7857 section 7.1: refreshes nothing */
		s->reset_at = world.now;
		return;
	}
	s->seen_at = world.now;
	if (out)
		s->out_at = world.now;
	tcp_open_note(s, out ? INSIDE_SIDE : REMOTE_SIDE, flags);
}

static void mapping_note(int kind, struct mapping_model *m, __u16 port)
{
	if (m->used && m->port == port)
		return;
	if (m->used && owner[kind][m->port] == m)
		owner[kind][m->port] = NULL;
	if (owner[kind][port])
		owner[kind][port]->used = false;
	*m = (struct mapping_model){.used = true, .port = port};
	owner[kind][port] = m;
}

/* --- one packet ------------------------------------------------------------------------------ */

static struct forged any_packet(int kind)
{
	static const __u8 flags[] = {TCP_SYN,		TCP_ACK,	   TCP_ACK,
				     TCP_SYN | TCP_ACK, TCP_ACK | TCP_FIN, TCP_RST};

	return (struct forged){
		.protocol = protocols[kind],
		.ttl = 2 + draw(200),
		.kind = kind == TCP ? flags[draw(draw(8) ? 4 : 6)] : 0,
		.filler = draw(256),
		.payload = draw(40),
	};
}

static void outbound_packet(int kind, __u32 host, __u32 socket, __u32 remote, __u32 port)
{
	struct mapping_model *m = &mappings[kind][host][socket];
	struct session_model *s = &m->session[remote][port];
	struct forged f = any_packet(kind), wanted, got;
	__u8 after[FORGE_BYTES];
	bool first = session_lives(kind, s) != MUST;

	f.kind = kind == ICMP ? ICMP_ECHO : f.kind;
	f.source = host_address(host);
	f.source_id = inside_ports[socket];
	f.destination = remote_address(remote);
	f.destination_id = kind == ICMP ? 0 : remote_ports[port];
	if (!hand_over(&f, true, after)) {
		if (!(first && f.kind & TCP_RST && kind == TCP))
			differs("an inside host was stopped", &f);
		return;
	}
	if (first && session_lives(kind, s) == MUST_NOT && kind == TCP && f.kind & TCP_RST &&
	    !s->used)
		differs("a RST has begun a session", &f);
	forge_read(after, run.length, &got);
	if (mapping_lives(kind, m) == MUST && got.source_id != m->port)
		differs("RFC 4787 REQ-1: another port for the same socket", &f);
	if (!m->is_forward && !port_is_legal(kind, f.source_id, got.source_id, m))
		differs("RFC 4787 REQ-3, REQ-4: a port that is not free or of another kind", &f);
	wanted = f;
	wanted.ttl--;
	wanted.source = EXTERNAL;
	wanted.source_id = got.source_id;
	compare(&f, &wanted, after);
	mapping_note(kind, m, got.source_id);
	session_note(kind, m, s, true, kind == TCP ? f.kind : 0);
}

static void host_of(int kind, const struct mapping_model *m, struct forged *f)
{
	__u32 number = m - &mappings[kind][0][0];

	f->destination = host_address(number / SOCKETS);
	f->destination_id = inside_ports[number % SOCKETS];
}

static void inbound_packet(int kind, __u16 external_port, __u32 remote, __u32 port)
{
	struct mapping_model *m = owner[kind][external_port];
	struct forged f = any_packet(kind), wanted;
	enum rule rule;
	__u8 after[FORGE_BYTES];

	f.kind = kind == ICMP ? ICMP_ECHO_REPLY : f.kind;
	f.source = remote_address(remote);
	f.source_id = kind == ICMP ? external_port : remote_ports[port];
	f.destination = EXTERNAL;
	f.destination_id = external_port;
	rule = inbound_rule(kind, m, remote, port, f.kind);
	run.open += rule == MAY;
	if (!hand_over(&f, false, after)) {
		/* what a remote begins has a budget (core/remote.h); an answer has none */
		if (rule == MUST && verdict_reason(run.v) == REASON_remote_sessions &&
		    session_lives(kind, &m->session[remote][port]) != MUST)
			run.open++;
		else if (rule == MUST)
			differs("an answer was stopped", &f);
		return;
	}
	if (rule == MUST_NOT)
		differs("RFC 4787 REQ-8: let in unasked", &f);
	wanted = f;
	wanted.ttl--;
	host_of(kind, m, &wanted);
	wanted.source_id = kind == ICMP ? wanted.destination_id : f.source_id;
	compare(&f, &wanted, after);
	session_note(kind, m, &m->session[remote][port], false, kind == TCP ? f.kind : 0);
}

/* RFC 4787 REQ-9: from a socket that has a port to another's, by our address. */
static void hairpin_packet(__u32 host, __u32 socket, struct mapping_model *to)
{
	struct mapping_model *m = &mappings[UDP][host][socket];
	struct forged f = any_packet(UDP), wanted;
	__u8 after[FORGE_BYTES];
	__u8 filtering = arena.config->filtering_udp;

	if (mapping_lives(UDP, m) != MUST || !to->used)
		return;
	f.source = host_address(host);
	f.source_id = inside_ports[socket];
	f.destination = EXTERNAL;
	f.destination_id = to->port;
	if (!hand_over(&f, true, after)) {
		m->tried_at = world.now;
		if (to->is_forward ||
		    (mapping_lives(UDP, to) == MUST && filtering == FILTER_ENDPOINT_INDEPENDENT &&
		     contact_age(to, 0, true) + SLACK < 300 * SECOND))
			differs("RFC 4787 REQ-9: a hairpin was stopped", &f);
		return;
	}
	if (!to->is_forward && !mapping_was_alive(UDP, to))
		differs("a hairpin to a mapping that is over", &f);
	wanted = f;
	wanted.ttl--;
	wanted.source = EXTERNAL;
	wanted.source_id = m->port;
	host_of(UDP, to, &wanted);
	compare(&f, &wanted, after);
	session_note(UDP, m, &m->session[ITSELF][0], true, 0);
	session_note(UDP, to, &to->session[ITSELF][1], false, 0);
}

/* RFC 5508 REQ-4, REQ-6: an error about a packet of a living session, from a router on the way. */
static void error_packet(int kind, __u32 host, __u32 socket, __u32 remote, __u32 port)
{
	const struct mapping_model *m = &mappings[kind][host][socket];
	struct forged f = any_packet(kind), inside;
	__u8 quoted[FORGE_BYTES], expected[FORGE_BYTES], after[FORGE_BYTES];
	__be32 router = ADDRESS(0xcb0071fe);
	packet_context context = {.data = after};
	size_t quote;

	if (session_lives(kind, &m->session[remote][port]) != MUST)
		return;
	f.kind = kind == ICMP ? ICMP_ECHO : f.kind;
	f.source = EXTERNAL;
	f.source_id = m->port;
	f.destination = remote_address(remote);
	f.destination_id = kind == ICMP ? 0 : remote_ports[port];
	inside = f;
	inside.source = host_address(host);
	inside.source_id = inside_ports[socket];
	quote = forge(quoted, &f);
	context.length = forge_error(after, router, EXTERNAL, 11, 0, quoted, quote);
	forge(quoted, &inside);
	forge_error(expected, router, inside.source, 11, 0, quoted, quote);
	run.v = run_translate(&context, false);
	run.passed++;
	/* the outer header has lost a router; its sum is checked by itself */
	if (verdict_action(run.v) != ACTION_FORWARD ||
	    !forge_sums_are_right(after, context.length) ||
	    memcmp(after + 12, expected + 12, context.length - 12)) {
		print_bytes("got     ", after, context.length);
		print_bytes("expected", expected, context.length);
		differs("RFC 5508 REQ-4: an error was stopped or is not as it should be", &f);
	}
}

/* --- runs ------------------------------------------------------------------------------------- */

static void pass_time(void)
{
	__u32 chance = draw(4000), until = world.now + draw(60);

	if (chance < 12)
		until += draw(100) * SECOND;
	if (chance == 0)
		until += draw(9000) * SECOND;
	time_until(until);
}

static void forward_add(int kind, __u32 host, __u32 socket, __u16 port)
{
	struct mapping_model *m = &mappings[kind][host][socket];
	struct record_key inside, external;
	__u32 i, e;

	mapping_inside_key(&inside, protocols[kind], host_address(host),
			   htons(inside_ports[socket]));
	mapping_external_key(&external, protocols[kind], EXTERNAL, htons(port));
	if (table_claim(&inside, &i) != CLAIM_OK || table_claim(&external, &e) != CLAIM_OK)
		abort();
	record_at(i)->partner = e;
	record_at(e)->partner = i;
	record_at(i)->mapping = (struct mapping){.new_local = EXTERNAL,
						 .new_id = htons(port),
						 .flags = MAPPING_STATIC | MAPPING_OPEN};
	record_at(e)->mapping = (struct mapping){.new_local = host_address(host),
						 .new_id = htons(inside_ports[socket]),
						 .flags = MAPPING_STATIC | MAPPING_OPEN};
	table_publish(record_at(e));
	table_publish(record_at(i));
	*m = (struct mapping_model){.used = true, .is_forward = true, .port = port};
	owner[kind][port] = m;
}

static void new_world(void)
{
	run_reset();
	arena.config->filtering_udp = draw(3);
	arena.config->filtering_tcp = draw(3);
	memset(mappings, 0, sizeof(mappings));
	memset(owner, 0, sizeof(owner));
	forward_add(UDP, 0, 7, 80);
	forward_add(TCP, 1, 7, 8080);
}

static void one_packet(void)
{
	int kind = draw(KINDS);
	__u32 host = draw(HOSTS), socket = draw(SOCKETS), remote = draw(REMOTES - 1);
	__u32 port = kind == ICMP ? 0 : draw(REMOTE_PORTS), what = draw(100);
	const struct mapping_model *m = &mappings[kind][host][socket];

	if (what < 40)
		outbound_packet(kind, host, socket, remote, port);
	else if (what < 80)
		inbound_packet(kind, m->used ? m->port : draw(65536), remote, port);
	else if (what < 85)
		inbound_packet(kind, draw(65536), remote, port);
	else if (what < 92)
		error_packet(kind, host, socket, remote, port);
	else
		hairpin_packet(host, socket, &mappings[UDP][draw(HOSTS)][draw(SOCKETS)]);
}

static void step(void)
{
	pass_time();
	one_packet();
}

int main(int argc, char **argv)
{
	run_all("spec", argc, argv, new_world, step);
	return 0;
}
