/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cutting a translated packet that is too big for its next hop and may be cut
 * (RFC 791 section 2.3, RFC 4787 REQ-13): the headers of its pieces, and the IP
 * id that they share. Moving the bytes is the back end's part (bpf/tc_cut.h).
 *
 * Two inside hosts may choose one IP id for the same remote at the same time,
 * and then the remote would put the wrong pieces together (RFC 6864 section 4.3,
 * RFC 7857 section 9). So a packet that is cut here gets an id of the gateway's:
 * a counter, shared by the remotes of a bucket, behind a permutation that is the
 * remote's own and secret. A remote sees an id again after 65,536 packets at the
 * earliest, and cannot tell from its ids how many went to others.
 *
 * Context: TC, memory. A context other than the packet's own is never touched.
 */
#ifndef WAYLEAVE_CORE_CUT_H
#define WAYLEAVE_CORE_CUT_H

#include "core/packet.h"
#include "core/parse.h"
#include "core/table.h"

#define CUT_MTU_MIN   68 /* RFC 791 section 3.2: what every link carries */
#define CUT_ID_TRIES  4
#define OPTION_COPIED 0x80 /* RFC 791 section 3.1: belongs into each piece */

/* Payload bytes of each piece but the last; 0: nothing can be cut so small. */
static __always_inline __u32 cut_step(__u32 mtu, __u32 header)
{
	return mtu < CUT_MTU_MIN || mtu < header + 8 ? 0 : (mtu - header) & ~7u;
}

/* A permutation of 16 bits: four rounds of a Feistel network. */
static __always_inline __u16 cut_scramble(__u16 number, __u64 key)
{
	__u32 left = number >> 8, right = number & 0xff;

	UNROLLED
	for (int round = 0; round < 4; round++) {
		__u32 mixed = (right ^ (__u32)(key >> round * 16 & 0xffff)) * 0x9e3779b1u;
		__u32 next = left ^ mixed >> 24;

		left = right;
		right = next & 0xff;
	}
	return left << 8 | right;
}

/* The secret of what goes to @remote. */
static __always_inline __u64 cut_key(const struct config *c, __be32 remote)
{
	__u64 key = (c->hash_key[1] ^ remote) * 0x9e3779b97f4a7c15ull;

	return key ^ key >> 32;
}

/* Is @id a datagram's whose host has cut it, and whose pieces are under way? */
static __always_inline bool cut_id_is_taken(const struct config *c, __be32 remote, __u8 protocol,
					    __be16 id)
{
	struct record_key key = {
		.remote = remote,
		.local = c->external,
		.local_id = id,
		.protocol = protocol,
		.kind = KIND_FRAGMENT_ID,
	};

	return table_search(&key) != NO_RECORD;
}

/* The IP id of a packet to @remote that is about to be cut. */
SEPARATE __u32 cut_id(__be32 remote, __u32 protocol)
{
	struct config *c = config_get();
	__u16 id = 0;
	__u64 key;

	if (!c)
		return 0;
	key = cut_key(c, remote);
	for (int i = 0; i < CUT_ID_TRIES; i++) {
		compiler_barrier();
		id = cut_scramble(
			__sync_fetch_and_add(&c->cut_ids[key >> 48 & (CUT_COUNTERS - 1)], 1), key);
		if (!cut_id_is_taken(c, remote, protocol, id))
			break;
	}
	return id;
}

/* --- headers ---------------------------------------------------------------------------- */

static __always_inline void cut_word(struct ipv4_header *ip, __be16 *field, __be16 value)
{
	ip->check = checksum_adjust(ip->check, delta_of_16(*field, value));
	*field = value;
}

/* A whole packet that leaves with our own address: its id is ours to choose. */
static __always_inline void cut_id_write(const struct config *c, struct ipv4_header *ip)
{
	if (be16_to_host(ip->fragment) & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK) ||
	    ip->source != c->external)
		return;
	cut_word(ip, &ip->id, cut_id(ip->destination, ip->protocol));
}

/* The first piece of what has more to come, of @length bytes with its header. */
static __always_inline void cut_first(struct ipv4_header *ip, __u32 length)
{
	cut_word(ip, &ip->length, host_to_be16(length));
	cut_word(ip, &ip->fragment, ip->fragment | host_to_be16(IPV4_MORE_FRAGMENTS));
}

/* What is left when @step bytes have gone: a piece of a piece keeps its "more". */
static __always_inline void cut_rest(struct ipv4_header *ip, __u32 step)
{
	cut_word(ip, &ip->length, host_to_be16(be16_to_host(ip->length) - step));
	cut_word(ip, &ip->fragment, host_to_be16(be16_to_host(ip->fragment) + step / 8));
}

/* --- options ---------------------------------------------------------------------------- */

struct cut_options {
	packet_context *context;
	__u32 base;
	__u32 at, end; /* offsets from the IP header */
	__u32 left;    /* bytes of the present option */
	__u32 copied;  /* bool: is it one of every piece? */
	__u32 delta;   /* what the header's checksum has to take */
};

/* One byte of the options; those of a first piece only become NOPs, as Linux does it. */
static __noinline long cut_option_step(__u32 i, void *context)
{
	struct cut_options *walk = context;
	struct packet p = {.context = walk->context, .base = walk->base};
	__u8 *byte = walk->at < walk->end ? packet_at(&p, walk->at, 1) : NULL;
	const __u8 *option;

	if (!byte || (!walk->left && *byte == OPTION_END))
		return 1;
	if (!walk->left) {
		option = walk->at + 2 <= walk->end ? packet_at(&p, walk->at, 2) : NULL;
		walk->copied = *byte & OPTION_COPIED || *byte == OPTION_NOP;
		walk->left = *byte == OPTION_NOP || !option ? 1 : option[1];
		if (!walk->left)
			return 1;
	}
	if (!walk->copied) {
		__u32 shift = walk->at & 1 ? 0 : 8;

		walk->delta += delta_of_16(host_to_be16(*byte << shift),
					   host_to_be16(OPTION_NOP << shift));
		*byte = OPTION_NOP;
	}
	walk->left--;
	walk->at++;
	return 0;
}

/* Options that only a first piece carries are taken out of the header of @header bytes. */
static __always_inline void cut_options_rest(packet_context *context, __u32 base, __u32 header)
{
	struct cut_options walk = {
		.context = context, .base = base, .at = IPV4_HEADER, .end = header};
	struct packet p = {.context = context, .base = base};
	struct ipv4_header *ip;

	bounded_loop(60 - IPV4_HEADER, cut_option_step, &walk);
	ip = packet_at(&p, 0, sizeof(*ip));
	if (ip)
		ip->check = checksum_adjust(ip->check, sum_fold(walk.delta));
}

#endif
