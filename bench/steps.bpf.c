/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hit, stopped after each of its steps: what one step more costs is what
 * that step costs. The steps are the gateway's own functions in the order of
 * session_pass(); `whole` is the program as it is attached.
 *
 * What a stopped program has found is its return value, or the compiler would
 * leave the work out.
 */
#define MAP
#include "bench/frame.h"
#include "bpf/xdp.bpf.c"

const volatile struct traffic traffic = {};
const volatile struct traffic in_turn = {}; /* the same flows, each once */
__u64 sent = 0;
__u64 missed = 0;

enum step {
	STEP_BUILD, /* the bench's own: a new frame */
	STEP_PARSE,
	STEP_HASH,
	STEP_LOOK_UP,
	STEP_CHECK,
	STEP_ACCOUNT,
	STEP_REWRITE,
	STEP_COUNT,
	STEP_TRANSMIT,
};

static __always_inline __u32 facts_digest(const struct facts *f)
{
	return f->source ^ f->destination ^ f->source_id ^ f->destination_id ^ f->length ^ f->ttl;
}

static __always_inline __u32 hash_of(const struct config *c, const struct facts *f)
{
	struct record_key key;
	struct places places;

	session_key(&key, f, DIRECTION_OUT);
	places = places_of(c, &key);
	return (__u32)places.sets ^ (__u32)(places.sets >> 32) ^ places.mark;
}

/* The checks of session_pass(): 0, or what stands against the packet. */
static __always_inline __u32 objection(struct packet *p, const struct config *c,
				       const struct facts *f, struct record *r)
{
	verdict_t v = session_objects(p, c, f, r, true, ORIGIN_WIRE, clock_ticks(c));
	const struct next_hop *hop = next_hop_at(r->session.next_hop);

	if (v || !hop || !hop->ifindex || !next_hop_usable(hop))
		return 1;
	return packet_segment_length(p) > hop->mtu;
}

static __always_inline int record_steps(struct packet *p, const struct config *c,
					const struct facts *f, struct record *r, enum step last)
{
	__u32 index = r->session.next_hop;

	if (last == STEP_LOOK_UP)
		return index;
	if (objection(p, c, f, r))
		return XDP_ABORTED;
	if (last == STEP_CHECK)
		return index;
	session_account(&r->session, f, clock_ticks(c));
	if (last == STEP_ACCOUNT)
		return index;
	if (!rewrite(p, f, r, true, 1))
		return XDP_ABORTED;
	if (last == STEP_REWRITE)
		return index;
	count(REASON_forwarded, f->length);
	if (last == STEP_COUNT)
		return index;
	return xdp_transmit(p->context, index);
}

static __always_inline bool next_frame(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;

	return frame_build(data, end, &traffic, sent++);
}

static __always_inline int steps_until(struct xdp_md *xdp, enum step last)
{
	struct packet p = {.context = xdp, .base = ETH_HLEN, .ifindex = xdp->ingress_ifindex};
	const struct config *c = config_get();
	struct facts f, spare;
	struct record *r;

	if (!next_frame(xdp) || !c)
		return XDP_ABORTED;
	if (last == STEP_BUILD)
		return XDP_TX;
	if (parse_packet(&p, &f, &spare) != REASON_forwarded)
		return XDP_ABORTED;
	if (last == STEP_PARSE)
		return facts_digest(&f);
	if (last == STEP_HASH)
		return hash_of(c, &f);
	r = session_find(c, &f, DIRECTION_OUT);
	if (unlikely(!r)) {
		missed++;
		return XDP_DROP;
	}
	return record_steps(&p, c, &f, r, last);
}

#define STEP(name, last)                                                                           \
	SEC("xdp") int name(struct xdp_md *xdp)                                                    \
	{                                                                                          \
		return steps_until(xdp, last);                                                     \
	}

STEP(step_build, STEP_BUILD)
STEP(step_parse, STEP_PARSE)
STEP(step_hash, STEP_HASH)
STEP(step_look_up, STEP_LOOK_UP)
STEP(step_check, STEP_CHECK)
STEP(step_account, STEP_ACCOUNT)
STEP(step_rewrite, STEP_REWRITE)
STEP(step_count, STEP_COUNT)
STEP(step_transmit, STEP_TRANSMIT)

SEC("xdp")
int step_whole(struct xdp_md *xdp)
{
	if (!next_frame(xdp))
		return XDP_ABORTED;
	return xdp_run(xdp, DIRECTION_OUT);
}

/* A flow's first hit costs more, for it tells its mapping: not what is to be measured. */
SEC("xdp")
int step_warm(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;

	if (!frame_build(data, end, &in_turn, sent++))
		return XDP_ABORTED;
	return xdp_run(xdp, DIRECTION_OUT);
}

char _license[] SEC("license") = "GPL";
