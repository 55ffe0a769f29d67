/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tunnels whose ids the receiver chooses, with several inside hosts at one
 * server: the daemon tells them apart by evidence, here stands what is asked of
 * it and how much. A claim says that an inside host has live state with a
 * remote; without one, unknown arrivals end here.
 *
 * The daemon may be dead: then such a protocol is one host's for each remote,
 * as without assistance. Context: any; misses only.
 */
#ifndef WAYLEAVE_CORE_CLAIM_H
#define WAYLEAVE_CORE_CLAIM_H

#include "core/budget.h"
#include "core/packet.h"
#include "core/table.h"
#include "core/verdict.h"

/*
 * Of each remote in use, together for all that it sends and nobody knows. Enough for the pairing
 * to see eight full tunnels at once: a packet that it never sees teaches it nothing
 * (pairing/arrival.c: 250 a second of one SPI before it leans to a host).
 */
#define CLAIM_ARRIVALS_A_SECOND 4096

static __always_inline void claim_key(struct record_key *key, __u8 protocol, __be32 external,
				      __be32 remote)
{
	*key = (struct record_key){
		.remote = remote,
		.local = external,
		.protocol = protocol,
		.kind = KIND_CLAIM,
	};
}

/* Index of the claim that an inside host has a tunnel with @remote, or NO_RECORD. */
static __always_inline __u32 claim_search(__u8 protocol, __be32 external, __be32 remote)
{
	struct record_key key;

	claim_key(&key, protocol, external, remote);
	return table_search(&key);
}

/* The daemon says no further ahead until when it lives: what is, was said long ago. */
#define DAEMON_LIVES_SECONDS_MAX 60

static __always_inline bool daemon_lives(const struct config *c)
{
	__u32 left = READ_ONCE(c->daemon_until) - clock_ticks(c);

	return left - 1 < DAEMON_LIVES_SECONDS_MAX * c->hz;
}

/* Does the daemon tell the protocol's tunnels apart, so that none begins here? */
static __always_inline bool is_paired(const struct config *c, __u8 id_type)
{
	return id_type == ID_SPI && c->assisted >> CLASS_IPSEC & 1 && daemon_lives(c);
}

/* RFC 3931: a control connection whose ids the daemon reads on their way. */
static __always_inline bool is_followed(const struct config *c, __u8 id_type)
{
	return id_type == ID_CONTROL && c->assisted >> CLASS_L2TP & 1 && daemon_lives(c);
}

static __always_inline bool claim_take_token(const struct config *c, struct claim *claim)
{
	bucket_refill(&claim->bucket, CLAIM_ARRIVALS_A_SECOND, CLAIM_ARRIVALS_A_SECOND, c->hz,
		      clock_ticks(c));
	return bucket_take(&claim->bucket, TOKEN);
}

/* An arrival that belongs to no session: is it worth the daemon's time? */
SEPARATE verdict_t BACKEND_NAME(claim_ask)(const struct facts *f)
{
	const struct config *c = config_get();
	struct record *r;

	if (!f || !c)
		return drop(REASON_malformed_ip);
	r = record_at(claim_search(f->protocol, f->destination, f->source));
	if (!r)
		return drop(REASON_unsolicited);
	if (!BACKEND_FINISHES)
		return leave();
	if (!claim_take_token(c, &r->claim))
		return drop(REASON_tunnel_rate);
	return verdict(ACTION_PUNT, REASON_to_pairing, NO_RECORD);
}

#endif
