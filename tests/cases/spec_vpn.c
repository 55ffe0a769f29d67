/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the gateway owes to VPNs whose ids the receiver chooses, as a program:
 * written from the rules, without a look at the core's tables, and held against
 * the core packet by packet over random runs.
 *
 *   spec_vpn [PACKETS [SEED]]           the core in user space
 *   spec_vpn_bpf PACKETS SEED tc|xdp    the programs in the kernel
 *
 * Theory of operation. The model knows which SPIs and calls the daemon has
 * bound to whom, which host has a protocol with a server to itself, whether the
 * daemon lives and where the switches stand. Of every packet it says what must
 * become of it: passed to whom, asked of the daemon, or stopped; where a rule
 * leaves it open (rates, the time between a timer and the sweep), both are
 * right. A packet that passed is compared with one that the model builds.
 */
#include <errno.h>
#include <arpa/inet.h>
#include <stdlib.h>

#include "daemon/claims.h"
#include "daemon/esp_records.h"
#include "daemon/expiry.h"
#include "daemon/tunnels.h"
#include "tests/cases/spec_run.h"

enum { HOSTS = 4, SERVERS = 3, SPIS = 6, NOBODY = -1 };
enum { KEYS = 5, NO_KEY = 0, CALLS = 6, QUIET = SERVERS - 1 /* GRE with it has host 0 only */ };
enum { ALONE_TIMER = 3600 * SECOND, SLACK = 4 * SWEEP, CLAIM_RATE = 64 };

enum passthrough { OFF, NAT_ONLY, ON };

/* RFC 2637: an armed call; its external and its server's id follow from its number. */
struct call {
	int host;
	__u16 inside_id;
};

/* Who has a protocol, or a key of it, with a server to himself. */
struct owner {
	int host;
	__u32 seen_at;
};

struct server {
	int bound_in[SPIS]; /* host */
	bool bound_out[HOSTS][SPIS];
	struct owner esp; /* of what nobody pairs */
	bool claimed;
	__u32 claimed_at;
	__u32 asked_at[2 * CLAIM_RATE]; /* the last arrivals that the daemon saw, a ring */
	__u32 asked;
	struct owner keys[KEYS]; /* GRE version 0; NO_KEY: without one */
	__u32 sent_at[HOSTS];	 /* GRE version 0; 0: never */
	__u32 strange;		 /* keys that the server has introduced */
	struct call calls[CALLS];
};

static struct server servers[SERVERS];
static enum passthrough ipsec;
static bool pptp_is_on;
static bool daemon_is_alive, is_busy;

static __be32 server_address(__u32 server)
{
	return ADDRESS(0xcb007105 + server);
}

/* --- what must become of a packet ------------------------------------------------------------- */

/* The daemon has had as much of this host as it gets in a second (core/budget.h). */
static bool budget_is_spent(void)
{
	return verdict_action(run.v) == ACTION_DROP &&
	       verdict_reason(run.v) == REASON_slow_path_rate;
}

static void must_be(const struct forged *f, enum action action, enum reason reason,
		    const char *rule)
{
	if (action == ACTION_PUNT && budget_is_spent()) {
		run.open++;
		return;
	}
	if (verdict_action(run.v) != action || verdict_reason(run.v) != reason)
		differs(rule, f);
}

static void must_stop(const struct forged *f, const char *rule)
{
	if (verdict_action(run.v) != ACTION_DROP)
		differs(rule, f);
}

/* The switch is off: the inside host may be told, by the daemon; nothing leaves. */
static void must_be_blocked(const struct forged *f, bool out, enum reason reason)
{
	if (out && budget_is_spent()) { /* dropped all the same, but nobody is told */
		run.open++;
		return;
	}
	if (verdict_reason(run.v) != reason)
		differs("the switch is off", f);
	if (verdict_action(run.v) != ACTION_DROP && !(out && verdict_action(run.v) == ACTION_PUNT))
		differs("the switch is off", f);
}

/* It has passed; now as it must leave. @host: who sent it or gets it. */
static void must_pass(const struct forged *f, bool out, __u32 host, const __u8 *after,
		      const char *rule)
{
	struct forged wanted = *f;

	if (verdict_action(run.v) != ACTION_FORWARD)
		differs(rule, f);
	wanted.ttl--;
	if (out)
		wanted.source = EXTERNAL;
	else
		wanted.destination = host_address(host);
	compare(f, &wanted, after);
}

static bool daemon_pairs(void)
{
	return ipsec == ON && daemon_is_alive;
}

/* RFC 4787 REQ-5 by analogy: at least its timer; a while more until the sweeper comes. */
static enum rule owner_lives(const struct owner *owner)
{
	__u32 age = world.now - owner->seen_at;

	if (owner->host == NOBODY || age > ALONE_TIMER + SLACK)
		return MUST_NOT;
	return within(age, ALONE_TIMER) == MUST ? MUST : MAY;
}

static void owner_note(struct owner *owner, __u32 host)
{
	*owner = (struct owner){.host = host, .seen_at = world.now};
}

/* One host's for each server: the first has it, the others are refused, by the daemon. */
static void alone_out(const struct forged *f, struct owner *owner, __u32 host, const __u8 *after)
{
	enum rule taken = owner->host == (int)host ? MUST_NOT : owner_lives(owner);

	run.open += taken == MAY;
	if (taken == MUST || (taken == MAY && verdict_action(run.v) == ACTION_PUNT)) {
		must_be(f, ACTION_PUNT, REASON_server_taken, "it is another host's");
		return;
	}
	must_pass(f, true, host, after, "nobody else has it with this server");
	owner_note(owner, host);
}

/* --- ESP, RFC 4303 ---------------------------------------------------------------------------- */

static struct forged esp_packet(__u32 spi)
{
	return (struct forged){
		.protocol = PROTOCOL_ESP,
		.ttl = 2 + draw(200),
		.spi = 0xbbbb0001 + spi,
		.sequence = 1 + (draw(4) ? draw(1000) : 0),
		.filler = draw(256),
		.payload = draw(40),
	};
}

static void esp_out(__u32 host, __u32 server, __u32 spi)
{
	struct server *s = &servers[server];
	struct forged f = esp_packet(spi);
	__u8 after[FORGE_BYTES];

	f.source = host_address(host);
	f.destination = server_address(server);
	hand_over(&f, true, after);
	if (ipsec == OFF)
		must_be_blocked(&f, true, REASON_blocked_ipsec);
	else if (s->bound_out[host][spi])
		must_pass(&f, true, host, after, "a bound SPI goes out");
	else if (daemon_pairs())
		must_be(&f, ACTION_PUNT, REASON_to_pairing,
			"an unknown SPI begins with the daemon");
	else
		alone_out(&f, &s->esp, host, after);
}

/* When the arrival @back asks ago was handed over; at first long ago. */
static __u32 asked_ago(const struct server *s, __u32 back)
{
	__u32 at = s->asked_at[(s->asked - back) % (2 * CLAIM_RATE)];

	return s->asked < back ? SECOND : world.now - at;
}

/* Within the rate each is asked; within a second never more than two bursts. */
static void esp_rate(const struct forged *f, struct server *s, __u32 age)
{
	bool asked = verdict_action(run.v) == ACTION_PUNT;

	if (!asked && within(age, CLAIM_SECONDS * SECOND) == MUST &&
	    within(asked_ago(s, CLAIM_RATE), SECOND) == MUST_NOT)
		differs("an arrival within the rate must be asked", f);
	if (asked && within(asked_ago(s, 2 * CLAIM_RATE) + 1, SECOND) == MUST)
		differs("a server's arrivals have a rate", f);
	if (asked)
		s->asked_at[s->asked++ % (2 * CLAIM_RATE)] = world.now;
	run.open += !asked;
}

/* Not even the daemon, if no inside host uses the server. */
static void esp_asked(const struct forged *f, struct server *s)
{
	__u32 age = world.now - s->claimed_at;

	if (!s->claimed || age > CLAIM_SECONDS * SECOND + SLACK) {
		must_be(f, ACTION_DROP, REASON_unsolicited, "nobody has a claim");
		return;
	}
	if (verdict_action(run.v) != ACTION_DROP)
		must_be(f, ACTION_PUNT, REASON_to_pairing, "an unknown SPI waits for the daemon");
	esp_rate(f, s, age);
}

static void esp_in_unknown(const struct forged *f, struct server *s, const __u8 *after)
{
	if (daemon_pairs()) {
		esp_asked(f, s);
	} else if (owner_lives(&s->esp) == MUST) {
		must_pass(f, false, s->esp.host, after, "its only host's");
		s->esp.seen_at = world.now;
	} else {
		must_stop(f, "nobody has asked for it");
	}
}

static void esp_in(__u32 server, __u32 spi)
{
	struct server *s = &servers[server];
	struct forged f = esp_packet(spi);
	__u8 after[FORGE_BYTES];

	f.source = server_address(server);
	f.destination = EXTERNAL;
	hand_over(&f, false, after);
	if (ipsec == OFF)
		must_stop(&f, "the switch is off");
	else if (s->bound_in[spi] == NOBODY)
		esp_in_unknown(&f, s, after);
	else if (f.sequence == 1 && daemon_is_alive)
		must_be(&f, ACTION_PUNT, REASON_to_pairing, "a sequence that begins anew is asked");
	else
		must_pass(&f, false, s->bound_in[spi], after, "a bound SPI leads to its host");
}

/* --- GRE version 0, RFC 2784 and RFC 2890 ----------------------------------------------------- */

static struct forged gre_packet(__u32 key)
{
	return (struct forged){
		.protocol = PROTOCOL_GRE,
		.ttl = 2 + draw(200),
		.keyed = key != NO_KEY,
		.spi = key,
		.filler = draw(256),
		.payload = 4 + draw(40),
	};
}

static void gre_out(__u32 host, __u32 server, __u32 key)
{
	struct server *s = &servers[server];
	struct forged f = gre_packet(key);
	__u8 after[FORGE_BYTES];

	f.source = host_address(host);
	f.destination = server_address(server);
	if (hand_over(&f, true, after))
		s->sent_at[host] = world.now;
	alone_out(&f, &s->keys[key], host, after);
}

/* Has another host than @host GRE with the server? @age: so long ago at most. */
static bool is_crowded(const struct server *s, __u32 host, __u32 age)
{
	for (__u32 h = 0; h < HOSTS; h++)
		if (h != host && s->sent_at[h] && world.now - s->sent_at[h] <= age)
			return true;
	return false;
}

/* RFC 2890: the ends may use different keys. The only host's, if it is the only one for sure. */
static void gre_in_strange(const struct forged *f, struct server *s, __u32 key, const __u8 *after)
{
	bool is_new = s->keys[key].host == NOBODY;
	struct forged got;
	__u32 host;

	if (verdict_action(run.v) != ACTION_FORWARD) {
		must_stop(f, "an unknown key is nobody's");
		if (is_new && s->sent_at[0] && s->strange < KEYED_STRANGE_KEYS &&
		    world.now - s->sent_at[0] <= ALONE_TIMER - SLACK &&
		    !is_crowded(s, 0, world.now))
			differs("an unknown key is the only host's", f);
		return;
	}
	forge_read(after, run.length, &got);
	host = ntohl(got.destination) - ntohl(host_address(0));
	if (host >= HOSTS || !s->sent_at[host] ||
	    world.now - s->sent_at[host] > ALONE_TIMER + SLACK ||
	    is_crowded(s, host, ALONE_TIMER - SLACK))
		differs("an unknown key has reached one of several", f);
	must_pass(f, false, host, after, "the only host's");
	owner_note(&s->keys[key], host);
	s->strange++;
	run.open++;
}

static void gre_in(__u32 server, __u32 key)
{
	struct server *s = &servers[server];
	struct forged f = gre_packet(key);
	__u8 after[FORGE_BYTES];

	f.source = server_address(server);
	f.destination = EXTERNAL;
	hand_over(&f, false, after);
	if (owner_lives(&s->keys[key]) == MUST) {
		must_pass(&f, false, s->keys[key].host, after, "a key is its host's");
		s->keys[key].seen_at = world.now;
	} else if (key == NO_KEY) {
		must_stop(&f, "nobody has asked for it");
	} else {
		gre_in_strange(&f, s, key, after);
	}
}

/* --- GRE version 1, RFC 2637 ------------------------------------------------------------------ */

static struct forged call_packet(void)
{
	return (struct forged){
		.protocol = PROTOCOL_GRE,
		.ttl = 2 + draw(200),
		.kind = 1,
		.filler = draw(256),
		.payload = draw(40),
	};
}

static void call_out(__u32 host, __u32 server, __u32 number)
{
	struct forged f = call_packet();
	__u8 after[FORGE_BYTES];

	f.source = host_address(host);
	f.destination = server_address(server);
	f.destination_id = 7 + number;
	hand_over(&f, true, after);
	if (!pptp_is_on)
		must_be_blocked(&f, true, REASON_blocked_pptp);
	else if (servers[server].calls[number].host == (int)host)
		must_pass(&f, true, host, after, "an armed call goes out as it is");
	else
		must_be(&f, ACTION_DROP, REASON_gre_no_call, "no call, no data");
}

static void call_in(__u32 server, __u32 number)
{
	const struct call *call = &servers[server].calls[number];
	struct forged f = call_packet(), wanted;
	__u8 after[FORGE_BYTES];

	f.source = server_address(server);
	f.destination = EXTERNAL;
	f.destination_id = 40000 + number;
	hand_over(&f, false, after);
	if (!pptp_is_on) {
		must_stop(&f, "the switch is off");
	} else if (call->host == NOBODY) {
		must_be(&f, ACTION_DROP, REASON_gre_no_call, "no call, no data");
	} else {
		if (verdict_action(run.v) != ACTION_FORWARD)
			differs("an armed call comes in", &f);
		wanted = f;
		wanted.ttl--;
		wanted.destination = host_address(call->host);
		wanted.destination_id = call->inside_id;
		compare(&f, &wanted, after);
	}
}

/* --- what the daemon does ----------------------------------------------------------- */

static void esp_bind_in(__u32 host, __u32 server, __u32 spi)
{
	int *bound = &servers[server].bound_in[spi];
	int wanted = *bound == NOBODY || *bound == (int)host ? 0 : -EEXIST;

	if (esp_inbound_arm(server_address(server), 0xbbbb0001 + spi, host_address(host),
			    world.now) != wanted)
		abort();
	if (!wanted)
		*bound = host;
}

static void esp_end_in(__u32 host, __u32 server, __u32 spi)
{
	int *bound = &servers[server].bound_in[spi];

	esp_inbound_end(server_address(server), 0xbbbb0001 + spi, host_address(host));
	if (*bound == (int)host)
		*bound = NOBODY;
}

static void esp_bind_out(__u32 host, __u32 server, __u32 spi, bool on)
{
	servers[server].bound_out[host][spi] = on;
	if (!on)
		esp_outbound_end(server_address(server), 0xbbbb0001 + spi, host_address(host));
	else if (esp_outbound_arm(server_address(server), 0xbbbb0001 + spi, host_address(host),
				  world.now))
		abort();
}

static void claim(__u32 server)
{
	claims_refresh(PROTOCOL_ESP, server_address(server), world.now);
	servers[server].claimed = true;
	servers[server].claimed_at = world.now;
}

/* Begins it, or ends it if there is one. */
static void call_toggle(__u32 host, __u32 server, __u32 number)
{
	struct call *call = &servers[server].calls[number];
	bool is_there = call->host != NOBODY;
	__u32 whose = is_there ? (__u32)call->host : host;
	struct tunnel tunnel = {
		.protocol = PROTOCOL_GRE,
		.inside = host_address(whose),
		.remote = server_address(server),
		.inside_id = is_there ? call->inside_id : 100 + draw(2) * CALLS + number,
		.external_id = 40000 + number,
		.remote_id = 7 + number,
		.next_hop_in = tunnel_next_hop(PROTOCOL_GRE, server_address(server),
					       host_address(whose), false),
		.next_hop_out = tunnel_next_hop(PROTOCOL_GRE, server_address(server),
						host_address(whose), true),
	};

	if (is_there)
		tunnel_disarm(&tunnel, world.now);
	else if (tunnel_arm_inbound(&tunnel, world.now) || tunnel_arm_outbound(&tunnel, world.now))
		abort();
	*call = (struct call){.host = is_there ? NOBODY : (int)whose,
			      .inside_id = tunnel.inside_id};
}

static void switches_set(enum passthrough to, bool pptp)
{
	ipsec = to;
	pptp_is_on = pptp;
	arena.config->blocked = (to == OFF) << CLASS_IPSEC | !pptp << CLASS_PPTP;
	arena.config->assisted = (to == ON) << CLASS_IPSEC | pptp << CLASS_PPTP;
}

static void one_operation(__u32 host, __u32 server, __u32 number)
{
	switch (draw(15)) {
	case 0 ... 2:
		return esp_bind_in(host, server, number);
	case 3 ... 4:
		return esp_end_in(host, server, number);
	case 5 ... 7:
		return esp_bind_out(host, server, number, draw(2));
	case 8:
		return claim(server);
	case 9 ... 10:
		daemon_is_alive = draw(3);
		return;
	case 11 ... 13:
		return call_toggle(host, server, number);
	default:
		switches_set(draw(4) ? ON : draw(3), draw(4));
	}
}

/* --- runs ------------------------------------------------------------------------------------- */

static void new_world(void)
{
	run_reset();
	for (int s = 0; s < SERVERS; s++) {
		servers[s] = (struct server){.esp.host = NOBODY};
		for (int i = 0; i < SPIS; i++)
			servers[s].bound_in[i] = NOBODY;
		for (int i = 0; i < KEYS; i++)
			servers[s].keys[i].host = NOBODY;
		for (int i = 0; i < CALLS; i++)
			servers[s].calls[i].host = NOBODY;
	}
	daemon_is_alive = true;
	is_busy = draw(2);
	switches_set(ON, true);
}

static void pass_time(void)
{
	__u32 chance = draw(4000), until = world.now + (is_busy ? !draw(8) : draw(60));

	if (chance < 12)
		until += draw(100) * SECOND;
	if (chance == 0)
		until += draw(9000) * SECOND;
	time_until(until);
	/* it says so each second, for three */
	arena.config->daemon_until = world.now + (daemon_is_alive ? 2 * SECOND : -1);
}

static void one_packet(__u32 host, __u32 server, __u32 number)
{
	switch (draw(10)) {
	case 0 ... 2:
		return esp_out(host, server, number);
	case 3 ... 5:
		return esp_in(server, number);
	case 6:
		return gre_out(server == QUIET ? 0 : host, server, number % KEYS);
	case 7:
		return gre_in(server, number % KEYS);
	case 8:
		return call_out(host, server, number);
	default:
		return call_in(server, number);
	}
}

static void step(void)
{
	if (!draw(20))
		one_operation(draw(HOSTS), draw(SERVERS), draw(SPIS));
	pass_time();
	one_packet(draw(HOSTS), draw(SERVERS), draw(SPIS));
}

int main(int argc, char **argv)
{
	run_all("spec_vpn", argc, argv, new_world, step);
	return 0;
}
