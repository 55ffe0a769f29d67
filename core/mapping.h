/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mappings: {protocol, inside address, inside id} <-> {external address, id}.
 *
 * A mapping is a pair of records. The MAPPING_EXTERNAL one owns the id: while
 * it is LIVE nobody else gets that id, whatever the remote (RFC 4787 REQ-3, no
 * overloading). Its references count the sessions that use it. Every session
 * of one inside socket uses the same mapping (REQ-1, endpoint-independent).
 *
 * Choice of the id: the inside one where it is free; else a random one of the
 * same parity and class (REQ-3a, REQ-4; RFC 6056 on why random). Deviation from
 * REQ-3a: the substitute for source port 500 is 1024 or above, for IKE servers
 * are known to distrust odd low ports and none wants one but 500.
 *
 * Context: any, new flows only.
 */
#ifndef WAYLEAVE_CORE_MAPPING_H
#define WAYLEAVE_CORE_MAPPING_H

#include "core/classify.h"
#include "core/station.h"
#include "core/table.h"
#include "core/verdict.h"

#define PORT_FIRST_UNPRIVILEGED 1024
#define RANDOM_TRIES		48
#define LINEAR_TRIES		208

struct mapping_request {
	__be32 inside;
	__be16 inside_id;
	__u8 protocol;
	__u8 result;	      /* out: enum claim_result */
	__u32 external_index; /* out: record of the external half, claimed */
	__u32 random;
};

static __always_inline void mapping_inside_key(struct record_key *key, __u8 protocol, __be32 inside,
					       __be16 id)
{
	*key = (struct record_key){
		.local = inside,
		.local_id = id,
		.protocol = protocol,
		.kind = KIND_MAPPING_INSIDE,
		.id_type = ID_PORTS,
	};
}

static __always_inline void mapping_external_key(struct record_key *key, __u8 protocol,
						 __be32 external, __be16 id)
{
	*key = (struct record_key){
		.local = external,
		.local_id = id,
		.protocol = protocol,
		.kind = KIND_MAPPING_EXTERNAL,
		.id_type = ID_PORTS,
	};
}

/* The gateway's own range is never given away; ICMP identifiers have no ranges. */
static __always_inline bool port_is_own(const struct config *c, __u8 protocol, __u16 port)
{
	if (protocol == PROTOCOL_ICMP)
		return false;
	return port == 0 || (port >= c->own_port_first && port <= c->own_port_last);
}

/*
 * Ports that name a VPN: classify() goes by them. One that was drawn for another
 * socket would give its flows the VPN's timer, switch and helper.
 */
static __always_inline bool port_names_vpn(__u8 protocol, __u16 port)
{
	if (protocol == PROTOCOL_TCP)
		return port == PORT_PPTP || port == PORT_OPENVPN;
	return protocol == PROTOCOL_UDP &&
	       (port == PORT_IKE || port == PORT_OPENVPN || port == PORT_L2TP ||
		port == PORT_NAT_T || port == PORT_WIREGUARD);
}

/* The candidate for try @i: random first, then one after the other from a random start. */
static __always_inline __u16 port_candidate(const struct mapping_request *q, __u32 i)
{
	__u32 wanted = be16_to_host(q->inside_id);
	__u32 random = i < RANDOM_TRIES ? random_u32() : q->random + i;
	__u32 first = PORT_FIRST_UNPRIVILEGED, count = 0x10000 - PORT_FIRST_UNPRIVILEGED;

	if (q->protocol == PROTOCOL_ICMP)
		return random;
	if (wanted < PORT_FIRST_UNPRIVILEGED && wanted != PORT_IKE) {
		first = 2;
		count = PORT_FIRST_UNPRIVILEGED - 2;
	}
	return first + 2 * (random % (count / 2)) + (wanted & 1);
}

/* Claims the external half for one candidate. Answers true when the search is over. */
static __noinline long mapping_try(__u32 i, void *context)
{
	struct mapping_request *q = context;
	const struct config *c = config_get();
	struct record_key key;
	__u16 port;

	if (!c)
		return 1;
	port = i == 0 ? be16_to_host(q->inside_id) : port_candidate(q, i - 1);
	if (port_is_own(c, q->protocol, port) || (i && port_names_vpn(q->protocol, port)))
		return 0;
	mapping_external_key(&key, q->protocol, c->external, host_to_be16(port));
	q->result = table_claim(&key, &q->external_index);
	/* EXISTS: the next candidate may be free. FULL: its two sets are; another's may not be. */
	return q->result == CLAIM_OK;
}

static __always_inline void mapping_fill(const struct config *c, struct record *inside,
					 struct record *external, __u8 class)
{
	inside->mapping = (struct mapping){
		.new_local = external->key.local,
		.new_id = external->key.local_id,
		.class = class,
		.timeout = timeout_of(inside->key.protocol, class),
		.last_seen = clock_ticks(c),
		.created = clock_ticks(c),
		.released = clock_ticks(c),
	};
	external->mapping = inside->mapping;
	external->mapping.new_local = inside->key.local;
	external->mapping.new_id = inside->key.local_id;
}

/*
 * Fills and shows the pair whose halves the caller has claimed. The external half is
 * held: the first session's reference, which it has from the moment that it is seen,
 * or it could be swept.
 */
SEPARATE __u32 mapping_link(__u32 external_index, __u32 inside_index, __u8 class)
{
	struct record *external = record_at(external_index), *inside = record_at(inside_index);
	const struct config *c = config_get();

	if (!external || !inside || !c)
		return false;
	inside->partner = external_index;
	external->partner = inside_index;
	mapping_fill(c, inside, external, class);
	table_publish_held(external, 1);
	table_publish(inside);
	return true;
}

/*
 * A free external id for an inside socket. FORWARD's index: the external half,
 * claimed, to be given to mapping_link().
 */
static __always_inline verdict_t mapping_claim(__be32 inside, __be16 inside_id, __u8 protocol)
{
	struct mapping_request q = {
		.inside = inside,
		.inside_id = inside_id,
		.protocol = protocol,
		.result = CLAIM_EXISTS,
		.random = random_u32(),
	};

	bounded_loop(1 + RANDOM_TRIES + LINEAR_TRIES, mapping_try, &q);
	if (q.result != CLAIM_OK)
		return drop(q.result == CLAIM_FULL ? REASON_table_full : REASON_ports_exhausted);
	return verdict(ACTION_FORWARD, REASON_forwarded, q.external_index);
}

/* Index of the external half that the inside half at @inside leads to, held; or NO_RECORD. */
static __always_inline __u32 mapping_hold(__u32 inside)
{
	const struct record *r = record_at(inside);
	struct record *external = r ? record_at(r->partner) : NULL;

	return external && record_hold(external) ? r->partner : NO_RECORD;
}

/* Index of the external half of an inside socket's mapping, held; NO_RECORD: there is none. */
static __always_inline __u32 mapping_find(const struct config *c, __u8 protocol, __be32 inside,
					  __be16 id)
{
	struct record_key key;

	mapping_inside_key(&key, protocol, inside, id);
	return mapping_hold(table_search(&key));
}

/* FORWARD's index: the external half, held. insert_race: another processor makes it. */
static __always_inline verdict_t mapping_new(const struct record_key *inside, __u8 class)
{
	enum claim_result result;
	verdict_t v;
	__u32 at;

	result = table_claim(inside, &at);
	if (result != CLAIM_OK)
		return drop(result == CLAIM_FULL ? REASON_table_full : REASON_insert_race);
	v = mapping_claim(inside->local, inside->local_id, inside->protocol);
	if (verdict_action(v) != ACTION_FORWARD) {
		table_give_up(at);
		return v;
	}
	mapping_link(verdict_index(v), at, class);
	return v;
}

/*
 * A new mapping of an inside socket, counted against the host whose record is @host.
 * FORWARD's index: its external half, held. Both halves are one decision: the claim
 * of the inside half, which nobody can take away (core/table.h). So of all that begin
 * at one socket at the same moment one alone looks for an external id, and gets the
 * socket's own where that is free (RFC 4787 REQ-1, REQ-3). The inside half is shown
 * last: whoever finds it finds the external one LIVE. The others wait for that.
 */
SEPARATE verdict_t mapping_add(__be32 inside, __be16 id, __u8 protocol, __u8 class, __u32 host)
{
	struct config *c = config_get();
	struct record *r = record_at(host);
	struct record_key key;
	__u32 external;
	verdict_t v;

	mapping_inside_key(&key, protocol, inside, id);
	v = mapping_new(&key, class);
	if (verdict_reason(v) == REASON_insert_race) {
		external = mapping_hold(table_await(&key));
		return external == NO_RECORD ? v
					     : verdict(ACTION_FORWARD, REASON_forwarded, external);
	}
	if (verdict_action(v) != ACTION_FORWARD || !r || !c)
		return v;
	host_counts_mapping(c, &r->host);
	count(REASON_mapping_created, 0);
	return v;
}

/* --- permits: RFC 4787 section 5, address-dependent filtering ------------------------ */
/*
 * The first few remotes stand in the mapping itself, further ones in records of
 * eight. A remote stays permitted while its record or mapping lives. One that
 * finds no room is not noted: it cannot answer from another port, that is all.
 * Records may outlive their mapping, and the next owner of its id would let in
 * whom it has never met: what is older than the mapping counts for nothing.
 */

static __always_inline __u32 permit_bucket(__be32 remote)
{
	return (be32_to_host(remote) * 0x9e3779b1u) >> 28 & (PERMIT_BUCKETS - 1);
}

static __always_inline void permit_key(struct record_key *key, __u8 protocol, __be32 external,
				       __be16 external_id, __be32 remote)
{
	*key = (struct record_key){
		.remote = permit_bucket(remote),
		.local = external,
		.local_id = external_id,
		.protocol = protocol,
		.kind = KIND_PERMIT,
		.id_type = ID_PORTS,
	};
}

static __always_inline bool remotes_have(const __be32 *remotes, int count, __be32 remote)
{
	bool found = false;

	UNROLLED
	for (int i = 0; i < count; i++)
		found |= READ_ONCE(remotes[i]) == remote;
	return found;
}

/* Answers whether @remote is there now. */
static __always_inline bool remotes_add(__be32 *remotes, int count, __be32 remote)
{
	if (remotes_have(remotes, count, remote))
		return true;
	UNROLLED
	for (int i = 0; i < count; i++)
		if (!READ_ONCE(remotes[i]) &&
		    __sync_val_compare_and_swap(&remotes[i], 0, remote) == 0)
			return true;
	return false;
}

/*
 * One more record of remotes with @remote in it; NO_RECORD, or the index of the one
 * that another processor has just made without it.
 */
SEPARATE __u32 permit_add(const struct record_key *key, __be32 remote, __u8 class)
{
	const struct config *c = config_get();
	enum claim_result result;
	struct record *r;
	__u32 index;

	if (!key || !c)
		return NO_RECORD;
	result = table_claim(key, &index);
	if (result == CLAIM_EXISTS)
		return table_await(key);
	r = result == CLAIM_OK ? record_at(index) : NULL;
	if (!r)
		return NO_RECORD;
	r->permit = (struct permit){
		.last_seen = clock_ticks(c),
		.remotes = {remote},
		.timeout = timeout_of(key->protocol, class),
	};
	table_publish(r);
	return NO_RECORD;
}

static __always_inline bool permit_is_of(const struct permit *permit, const struct mapping *mapping)
{
	return !ticks_is_later(mapping->created, READ_ONCE(permit->last_seen));
}

/* Room for one remote more; the old mapping's go first. */
static __always_inline bool permit_put(struct permit *permit, const struct mapping *mapping,
				       __be32 remote, __u32 now)
{
	if (!permit_is_of(permit, mapping))
		__builtin_memset(permit->remotes, 0, sizeof(permit->remotes));
	permit->last_seen = now;
	return remotes_add(permit->remotes, PERMIT_REMOTES, remote);
}

/* The mapping whose external half is @mapping has spoken with @remote. */
SEPARATE __u32 permit_note(__u32 mapping, __be32 remote)
{
	struct record *external = record_at(mapping), *r;
	const struct config *c = config_get();
	struct record_key key;
	__u32 index;

	if (!external || !c)
		return false;
	if (remotes_add(external->mapping.remotes, MAPPING_REMOTES, remote))
		return true;
	permit_key(&key, external->key.protocol, external->key.local, external->key.local_id,
		   remote);
	index = table_search(&key);
	if (index == NO_RECORD)
		index = permit_add(&key, remote, external->mapping.class);
	r = record_at(index);
	return !r || permit_put(&r->permit, &external->mapping, remote, clock_ticks(c));
}

static __always_inline bool permit_expired(const struct config *c, const struct permit *permit,
					   __u32 now)
{
	return ticks_since(now, READ_ONCE(permit->last_seen)) >
	       c->timeouts[permit->timeout & (TIMEOUT_SLOTS - 1)];
}

static __always_inline bool permit_holds(const struct config *c, const struct record *external,
					 __be32 remote, __u32 now)
{
	struct record_key key;
	const struct record *r;

	if (remotes_have(external->mapping.remotes, MAPPING_REMOTES, remote))
		return true;
	permit_key(&key, external->key.protocol, external->key.local, external->key.local_id,
		   remote);
	r = record_at(table_search(&key));
	return r && permit_is_of(&r->permit, &external->mapping) &&
	       !permit_expired(c, &r->permit, now) &&
	       remotes_have(r->permit.remotes, PERMIT_REMOTES, remote);
}

static __always_inline __u8 filtering_of(const struct config *c, __u8 protocol)
{
	return protocol == PROTOCOL_TCP ? c->filtering_tcp : c->filtering_udp;
}

static __always_inline bool wants_permit(const struct config *c, __u8 protocol)
{
	return protocol != PROTOCOL_ICMP && filtering_of(c, protocol) == FILTER_ADDRESS_DEPENDENT;
}

/* Silent for its timer, whether it has been swept or not. */
static __always_inline bool mapping_expired(const struct config *c, const struct mapping *m,
					    __u32 now)
{
	return !(m->flags & MAPPING_STATIC) &&
	       ticks_since(now, m->last_seen) > c->timeouts[m->timeout & (TIMEOUT_SLOTS - 1)];
}

/* May @remote, from a port that the mapping has not spoken with, begin? */
static __always_inline bool mapping_admits(const struct config *c, const struct record *external,
					   __be32 remote, __u32 now)
{
	__u8 protocol = external->key.protocol;

	if (external->mapping.flags & MAPPING_OPEN)
		return true;
	if (external->mapping.flags & MAPPING_LOCAL) /* nobody begins with the gateway */
		return false;
	if (protocol == PROTOCOL_ICMP || mapping_expired(c, &external->mapping, now))
		return false;
	if (filtering_of(c, protocol) == FILTER_ENDPOINT_INDEPENDENT)
		return true;
	return filtering_of(c, protocol) == FILTER_ADDRESS_DEPENDENT &&
	       permit_holds(c, external, remote, now);
}

#endif
