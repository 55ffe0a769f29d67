/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the gateway owes to VPNs whose ids the receiver chooses, as a program:
 * written from the rules, without a look at the core's tables, and held against
 * the core packet by packet over random runs.
 *
 *   spec_vpn [PACKETS [SEED]]
 *
 * Theory of operation. The model knows which SPIs and calls the daemon has
 * bound to whom, which host has a protocol with a server to itself, whether the
 * daemon lives and where the switches stand. Of every packet it says what must
 * become of it: passed to whom, asked of the daemon, or stopped; where a rule
 * leaves it open (rates, the time between a timer and the sweep), both are
 * right. A packet that passed is compared with one that the model builds.
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "daemon/claims.h"
#include "daemon/esp_records.h"
#include "daemon/expiry.h"
#include "tests/cases/spec_run.h"

enum { HOSTS = 4, SERVERS = 3, SPIS = 6, NOBODY = -1 };
enum { ALONE_TIMER = 3600 * SECOND, SLACK = 4 * SWEEP, CLAIM_RATE = 64 };

enum passthrough { OFF, NAT_ONLY, ON };

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
	__u32 asked_at[CLAIM_RATE]; /* the last arrivals that the daemon saw, a ring */
	__u32 asked;
};

static struct server servers[SERVERS];
static enum passthrough ipsec;
static bool daemon_is_alive, is_busy;

static __be32 server_address(__u32 server)
{
	return ADDRESS(0xcb007105 + server);
}

/* --- what must become of a packet ------------------------------------------------------------- */

static void must_be(const struct forged *f, enum action action, enum reason reason,
		    const char *rule)
{
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
	return age <= ALONE_TIMER ? MUST : MAY;
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

/* Not even the daemon, if no inside host uses the server; 64 a second. */
static void esp_asked(const struct forged *f, struct server *s)
{
	__u32 *oldest = &s->asked_at[s->asked % CLAIM_RATE];
	__u32 age = world.now - s->claimed_at;

	if (!s->claimed || age > CLAIM_SECONDS * SECOND + SLACK) {
		must_be(f, ACTION_DROP, REASON_unsolicited, "nobody has a claim");
		return;
	}
	if (verdict_action(run.v) == ACTION_DROP) {
		run.open++;
		if (age <= CLAIM_SECONDS * SECOND &&
		    (s->asked < CLAIM_RATE || world.now - *oldest >= SECOND))
			differs("an arrival within the rate must be asked", f);
		return;
	}
	must_be(f, ACTION_PUNT, REASON_to_pairing, "an unknown SPI waits for the daemon");
	*oldest = world.now;
	s->asked++;
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

/* --- what the daemon does ----------------------------------------------------------------------
 */

static void esp_bind_in(__u32 host, __u32 server, __u32 spi)
{
	if (esp_inbound_arm(server_address(server), 0xbbbb0001 + spi, host_address(host),
			    world.now))
		abort();
	servers[server].bound_in[spi] = host;
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

static void switch_ipsec(enum passthrough to)
{
	ipsec = to;
	arena.config->blocked = to == OFF ? 1 << CLASS_IPSEC : 0;
	arena.config->assisted = 1 << CLASS_PPTP | (to == ON) << CLASS_IPSEC;
}

static void one_operation(__u32 host, __u32 server, __u32 spi)
{
	switch (draw(12)) {
	case 0 ... 2:
		return esp_bind_in(host, server, spi);
	case 3 ... 4:
		return esp_end_in(host, server, spi);
	case 5 ... 7:
		return esp_bind_out(host, server, spi, draw(2));
	case 8:
		return claim(server);
	case 9 ... 10:
		daemon_is_alive = draw(3);
		return;
	default:
		switch_ipsec(draw(4) ? ON : draw(3));
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
	}
	daemon_is_alive = true;
	is_busy = draw(2);
	switch_ipsec(ON);
}

static void pass_time(void)
{
	__u32 chance = draw(4000), until = world.now + draw(is_busy ? 2 : 60);

	if (chance < 12)
		until += draw(100) * SECOND;
	if (chance == 0)
		until += draw(9000) * SECOND;
	time_until(until);
	/* it says so each second, for three */
	arena.config->daemon_until = world.now + (daemon_is_alive ? 2 * SECOND : -1);
}

static void one_packet(void)
{
	__u32 host = draw(HOSTS), server = draw(SERVERS), spi = draw(SPIS);

	if (draw(2))
		esp_out(host, server, spi);
	else
		esp_in(server, spi);
}

int main(int argc, char **argv)
{
	__u64 packets = run_begin("spec_vpn", argc, argv);

	for (__u64 i = 0; i < packets; i++) {
		if (i % EPOCH == 0)
			new_world();
		if (!draw(20))
			one_operation(draw(HOSTS), draw(SERVERS), draw(SPIS));
		pass_time();
		one_packet();
	}
	run_end(packets);
	return 0;
}
