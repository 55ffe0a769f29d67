/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a story: frames from both sides, time, settings; after each
 * step the promises that no input may break.
 *
 * Input: steps of a byte that names the step and what it needs after it.
 *   0..3 F F F F F F F   a forged packet: protocol, side and ids from the bytes
 *   4 SIDE N N BYTES     N raw bytes as a packet
 *   5 N                  time goes on by 2^N ticks
 *   6 N N                switches and filtering
 *   7 N                  an answer to the packet that was sent last, or an error about it
 *   8 F F F F F F F N N  a forged packet's piece: where from, how much, whether the last
 *   9 N                  the daemon lives, or died; what it assists with
 *   10 N N               what the daemon does: a claim for a remote, a port that is shared
 *   11 F F F F F F F     a forged packet of the gateway's own
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "tests/cases/forge.h"
#include "tests/cases/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SETS	64
#define WAN	13
#define LAN	11
#define ADDR(a) ((__be32)__builtin_bswap32(a))

static const __be32 external = ADDR(0xc6336402);
static const __be32 hosts[] = {ADDR(0x0a00000a), ADDR(0x0a00000b), ADDR(0x0a00000c),
			       ADDR(0x0a00000d)};
static const __be32 remotes[] = {ADDR(0xcb007105), ADDR(0xcb007106), ADDR(0xc6336402),
				 ADDR(0xe0000001)};
static const __u16 ports[] = {53, 500, 1701, 1723, 4000, 4500, 64512, 7};
static const __u8 protocols[] = {17, 6, 1, 50, 47, 51, 115, 200};

/* The packet of the step: before, after, what became of it. */
struct step {
	__u8 before[FORGE_BYTES], after[FORGE_BYTES];
	size_t length;
	bool out, turned;
	verdict_t verdict;
};

static __u8 last[FORGE_BYTES];
static size_t last_length;

#define PROMISE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

/* --- promises about the packet -------------------------------------------------------- */

static __be32 address_at(const __u8 *packet, size_t offset)
{
	__be32 address;

	memcpy(&address, packet + offset, 4);
	return address;
}

static bool is_inside(__be32 address)
{
	return (ntohl(address) & 0xffffff00) == 0x0a000000;
}

static bool is_error(const __u8 *packet, size_t header)
{
	__u8 type = packet[header];

	return packet[9] == PROTOCOL_ICMP && (type == 3 || type == 11 || type == 12);
}

/* Which side it left by, and that our addresses there are the right ones. */
static void check_addresses(const struct step *s)
{
	const struct next_hop *hop = next_hop_at(verdict_index(s->verdict));
	__be32 source = address_at(s->after, 12), destination = address_at(s->after, 16);

	PROMISE(hop && hop->ifindex);
	if (hop->ifindex == WAN) {
		PROMISE(s->out && source == external && !is_inside(destination));
	} else {
		PROMISE(is_inside(destination) && !is_inside(source));
		PROMISE(!s->out || source == external);
	}
}

/* May the byte at @offset change? */
static bool may_change(const struct step *s, size_t header, size_t offset)
{
	const __u8 protocol = s->before[9];
	bool first = !((s->before[6] << 8 | s->before[7]) & 0x1fff);

	if (offset >= 4 && offset < 6) /* RFC 7857 section 9: of fragments */
		return (s->before[6] << 8 | s->before[7]) & 0x3fff;
	if (offset < header)
		return offset == 8 || (offset >= 10 && offset < 20);
	if (!first)
		return false;
	offset -= header;
	switch (protocol) {
	case PROTOCOL_TCP: /* ports, checksum, the options of a SYN */
		return offset < 4 || offset == 16 || offset == 17 ||
		       (s->before[header + 13] & TCP_SYN && offset >= 20 &&
			offset < (size_t)(s->before[header + 12] >> 4) * 4);
	case PROTOCOL_UDP:
		return offset < 4 || offset == 6 || offset == 7;
	case PROTOCOL_ICMP:
		return is_error(s->before, header) ? offset == 2 || offset == 3 || offset >= 8
						   : offset >= 2 && offset < 6;
	case PROTOCOL_GRE:
		return offset == 6 || offset == 7;
	default:
		return false;
	}
}

static void check_bytes(const struct step *s)
{
	size_t header = (s->before[0] & 15) * 4;

	PROMISE(s->after[8] == s->before[8] - 1);
	for (size_t i = 0; i < s->length; i++)
		PROMISE(s->before[i] == s->after[i] || may_change(s, header, i));
	if (s->out && is_error(s->after, header) && address_at(s->after, 16) != external)
		PROMISE(!is_inside(address_at(s->after, header + 8 + 16)));
}

static bool is_sent(verdict_t v)
{
	return verdict_action(v) == ACTION_FORWARD || verdict_action(v) == ACTION_CUT;
}

/* A hairpin whose second way ends at the daemon is what its first way has made of it. */
static void check_turned(const struct step *s)
{
	size_t header = (s->before[0] & 15) * 4;

	PROMISE(s->out && verdict_action(s->verdict) == ACTION_PUNT);
	PROMISE(address_at(s->after, 12) == external && address_at(s->after, 16) == external);
	PROMISE(s->after[8] == s->before[8]);
	for (size_t i = 0; i < s->length; i++)
		PROMISE(s->before[i] == s->after[i] || may_change(s, header, i));
	if (forge_sums_are_right(s->before, s->length))
		PROMISE(forge_sums_are_right(s->after, s->length));
}

static void check_packet(const struct step *s)
{
	if (verdict_action(s->verdict) == ACTION_DROP)
		return;
	if (!is_sent(s->verdict)) {
		if (s->turned)
			check_turned(s);
		else
			PROMISE(!memcmp(s->before, s->after, s->length));
		return;
	}
	check_addresses(s);
	check_bytes(s);
	if (forge_sums_are_right(s->before, s->length))
		PROMISE(forge_sums_are_right(s->after, s->length));
}

/* --- promises about the records ---------------------------------------------------------- */

static bool is_live(const struct record *r)
{
	return record_state(r) == SLOT_LIVE;
}

/* Indices of the LIVE records: few, and looked at in pairs. */
static __u32 live[SETS * RECORDS_A_SET], live_count;

static void find_live(void)
{
	live_count = 0;
	for (__u32 i = 0; i < SETS * RECORDS_A_SET; i++) {
		const struct record *r = record_at(i);

		PROMISE(record_state(r) == SLOT_FREE || record_state(r) >= SLOT_LIVE);
		if (is_live(r))
			live[live_count++] = i;
	}
}

static void check_unique(__u32 number)
{
	const struct record *r = record_at(live[number]);

	for (__u32 other = 0; other < number; other++)
		PROMISE(!key_equal(&r->key, &record_at(live[other])->key));
}

static void check_pair(__u32 index)
{
	const struct record *r = record_at(index), *partner = record_at(r->partner);

	PROMISE(partner && is_live(partner) && partner->partner == index);
	PROMISE(partner->key.kind == KIND_SESSION_REPLY);
	/* a hairpin without ports: what comes back is looked up by the host that sends it */
	if (r->session.flags & SESSION_HAIRPIN && r->key.id_type != ID_PORTS)
		PROMISE(r->key.remote == external && is_inside(partner->key.remote));
	else
		PROMISE(partner->key.remote == r->key.remote);
	PROMISE(partner->session.new_local == r->key.local);
	PROMISE(r->session.new_local == partner->key.local);
}

static void check_references(__u32 index)
{
	const struct record *mapping = record_at(index);
	__u32 sessions = 0;

	for (__u32 i = 0; i < live_count; i++) {
		const struct record *r = record_at(live[i]);

		sessions += r->key.kind == KIND_SESSION_REPLY && r->key.id_type != ID_KEY &&
			    r->key.protocol == mapping->key.protocol &&
			    r->key.local == mapping->key.local &&
			    r->key.local_id == mapping->key.local_id &&
			    !(r->session.flags & SESSION_LOCAL);
	}
	/* whose GRE it is: its sessions have keys of their own */
	PROMISE(record_references(mapping) == (mapping->key.id_type == ID_KEY ? 0 : sessions));
}

static void check_records(void)
{
	find_live();
	for (__u32 i = 0; i < live_count; i++) {
		const struct record *r = record_at(live[i]);

		check_unique(i);
		if (r->key.kind == KIND_SESSION_ORIG)
			check_pair(live[i]);
		if (r->key.kind == KIND_MAPPING_EXTERNAL)
			check_references(live[i]);
	}
}

/* Records come with events that are counted; that is when there is something new to check. */
static __u64 events(void)
{
	return world.counters[REASON_session_created].packets +
	       world.counters[REASON_mapping_created].packets;
}

/* --- steps --------------------------------------------------------------------------------- */

static void run(const __u8 *packet, size_t length, bool out)
{
	/* of just its size, so that a read past its end is seen; aligned as skbs are */
	__u8 *memory = malloc(2 + length);
	packet_context context = {.data = memory + 2, .length = length};
	static struct step s;
	__u64 before = events();

	PROMISE(memory);
	memcpy(context.data, packet, length);
	memcpy(s.before, packet, length);
	s.length = length;
	s.out = out;
	s.verdict = world_translate(&context, 0, out ? LAN : WAN,
				    out ? DIRECTION_OUT : DIRECTION_IN, ORIGIN_WIRE, NO_RECORD);
	s.turned = world.turned;
	memcpy(s.after, context.data, length);
	free(memory);
	if (length >= 28)
		check_packet(&s);
	else
		PROMISE(!is_sent(s.verdict) || length >= 20);
	if (events() != before)
		check_records();
	if (verdict_action(s.verdict) == ACTION_FORWARD && length >= 20) {
		memcpy(last, s.after, length);
		last_length = length;
	}
}

static size_t forged_from(const __u8 *at, __u8 *packet, bool out)
{
	struct forged f = {
		.protocol = protocols[at[0] & 7],
		.ttl = at[0] & 0x40 ? at[6] : 64,
		.source = hosts[at[1] & 3],
		.destination = remotes[at[1] >> 2 & 3],
		.source_id = ports[at[2] & 7] + (at[2] >> 6),
		.destination_id = ports[at[2] >> 3 & 7],
		.spi = at[3],
		.kind = at[4],
		.filler = at[5],
		.payload = at[6] & 63,
	};

	if (f.protocol == PROTOCOL_GRE)
		f.kind &= 1;
	if (!out) {
		f.source = remotes[at[1] >> 2 & 3];
		f.destination = external;
	}
	return forge(packet, &f);
}

static const __u8 *step_forged(const __u8 *at)
{
	bool out = !(at[0] & 0x80);
	__u8 packet[FORGE_BYTES];

	run(packet, forged_from(at, packet, out), out);
	return at + 7;
}

/* Of @packet the @count eighths of bytes from @start eighths on; its length. */
static size_t piece_cut(__u8 *packet, size_t length, size_t start, size_t count, bool is_end)
{
	size_t bytes = count * 8;
	__u16 field = htons((is_end ? 0 : IPV4_MORE_FRAGMENTS) | start), total, check = 0;

	if (20 + start * 8 >= length)
		return length;
	if (bytes > length - 20 - start * 8)
		bytes = length - 20 - start * 8;
	if (!is_end)
		bytes &= ~7;
	memmove(packet + 20, packet + 20 + start * 8, bytes);
	total = htons(20 + bytes);
	memcpy(packet + 2, &total, 2);
	memcpy(packet + 6, &field, 2);
	memcpy(packet + 10, &check, 2);
	check = ~sum_fold(ipv4_sum((const struct ipv4_header *)packet));
	memcpy(packet + 10, &check, 2);
	return 20 + bytes;
}

static const __u8 *step_piece(const __u8 *at)
{
	bool out = !(at[0] & 0x80);
	__u8 packet[FORGE_BYTES];
	size_t length = forged_from(at, packet, out);

	packet[4] = 0;
	packet[5] = at[8] & 3; /* few IP ids, so that pieces meet */
	if (length > 20)
		length = piece_cut(packet, length, at[7] & 15, 1 + (at[7] >> 4), at[8] & 0x80);
	run(packet, length, out);
	return at + 9;
}

static void step_daemon(__u8 how)
{
	arena.config->daemon_until = world.now + (how & 1 ? 10 * arena.config->hz : -1);
	arena.config->assisted = (how & 2 ? 1 << CLASS_PPTP : 0) | (how & 4 ? 1 << CLASS_L2TP : 0) |
				 (how & 8 ? 1 << CLASS_IPSEC : 0);
}

static void claim_make(__u8 how)
{
	struct record_key key;
	__u32 index;

	claim_key(&key, how & 4 ? PROTOCOL_ESP : PROTOCOL_L2TP, external, remotes[how & 3]);
	if (table_search(&key) != NO_RECORD || table_claim(&key, &index) != CLAIM_OK)
		return;
	record_at(index)->claim = (struct claim){.last_seen = world.now};
	table_publish(record_at(index));
}

/* As daemon/l2tp_ports.c and ike_flows.c: an id behind @reply's port leads to it. */
static void share_make(__u32 index, __u8 how)
{
	struct record *reply = record_at(index);
	struct record_key key;
	__u32 entry;

	shared_key(&key, reply->key.remote, reply->key.local,
		   reply->key.remote_id == host_to_be16(PORT_IKE) ? ID_IKE : ID_TUNNEL,
		   how & 0x80 ? id_word(0, how & 7) : ((__be32)how & 0xff) << 24);
	reply->session.flags |= SESSION_SHARED;
	if (table_search(&key) != NO_RECORD || table_claim(&key, &entry) != CLAIM_OK)
		return;
	record_at(entry)->shared = (struct shared){
		.session = index, .last_seen = world.now, .new_id = how & 0x40 ? htons(how) : 0};
	table_publish(record_at(entry));
}

static const __u8 *step_known(const __u8 *at)
{
	__u32 seen = 0;

	if (!(at[0] & 1)) {
		claim_make(at[1]);
		return at + 2;
	}
	for (__u32 i = 0; i < SETS * RECORDS_A_SET; i++) {
		const struct record *r = record_at(i);

		if (record_state(r) != SLOT_LIVE || r->key.kind != KIND_SESSION_REPLY ||
		    r->key.protocol != PROTOCOL_UDP || r->partner == NO_RECORD)
			continue;
		if (seen++ == at[0] >> 4)
			share_make(i, at[1]);
	}
	return at + 2;
}

/* Never changed or held up. */
static const __u8 *step_own(const __u8 *at)
{
	__u8 packet[FORGE_BYTES], before[FORGE_BYTES];
	size_t length = forged_from(at, packet, true);
	packet_context context = {.data = packet, .length = length};
	struct packet p = {.context = &context, .ifindex = WAN};

	memcpy(before, packet, length);
	local_note(&p);
	PROMISE(!memcmp(before, packet, length));
	return at + 7;
}

static const __u8 *step_raw(const __u8 *at, const __u8 *end)
{
	bool out = at[0] & 1;
	size_t length = at[1] << 8 | at[2];

	at += 3;
	if (length > (size_t)(end - at))
		length = end - at;
	if (length > FORGE_BYTES)
		length = FORGE_BYTES;
	run(at, length, out);
	return at + length;
}

static const __u8 *step_settings(const __u8 *at)
{
	arena.config->blocked = at[0] & (1 << CLASS_PPTP | 1 << CLASS_L2TP | 1 << CLASS_IPSEC);
	arena.config->assisted = at[1] & 1 << CLASS_PPTP;
	arena.config->filtering_udp = (at[1] >> 2) % 3;
	arena.config->filtering_tcp = (at[1] >> 4) % 3;
	arena.config->mss_clamp = at[0] & 1;
	arena.config->route_generation += at[1] >> 7;
	return at + 2;
}

/* From the other end of the last packet: the same turned round, or an error about it. */
static void step_answer(__u8 how)
{
	__u8 packet[FORGE_BYTES];
	bool out = is_inside(address_at(last, 16));
	struct forged f;
	__be32 address;
	__u16 id;

	if (!last_length || !forge_read(last, last_length, &f))
		return;
	if (how & 1) {
		run(packet,
		    forge_error(packet, how & 2 ? f.destination : remotes[1], f.source,
				how & 4 ? 11 : 3, how >> 3 & 15, last,
				last_length < 600 ? last_length : 600),
		    out);
		return;
	}
	address = f.source;
	f.source = f.destination;
	f.destination = address;
	if (f.protocol != PROTOCOL_ICMP) {
		id = f.source_id;
		f.source_id = f.destination_id;
		f.destination_id = id;
	}
	f.kind = f.protocol == PROTOCOL_ICMP ? 0 : how >> 1;
	f.kind = f.protocol == PROTOCOL_GRE ? f.kind & 1 : f.kind;
	f.ttl = 64;
	f.payload = how >> 4;
	run(packet, forge(packet, &f), out);
}

/* As the daemon makes the forward of a protocol without ports. */
static void forward_whole(__u8 protocol, __be32 inside)
{
	struct record_key key;
	struct record *r;
	__u32 index;

	mapping_external_key(&key, protocol, external, 0);
	key.id_type = ID_NONE;
	PROMISE(table_claim(&key, &index) == CLAIM_OK);
	r = record_at(index);
	r->mapping = (struct mapping){.new_local = inside, .flags = MAPPING_STATIC | MAPPING_OPEN};
	table_publish(r);
}

static void start_again(void)
{
	if (!arena.sets) {
		world_create(SETS);
		world_route_add(ADDR(0xc6336402), 32, 0, 0);
		world_route_add(ADDR(0x0a000001), 32, 0, 0);
		world_route_add(ADDR(0x0a000000), 24, LAN, 0);
		world_route_add(0, 0, WAN, ADDR(0xc6336401));
		arena.interfaces[0] =
			(struct interface){.ifindex = LAN, .mtu = 1500, .flags = INTERFACE_LAN};
		arena.interfaces[1] =
			(struct interface){.ifindex = WAN, .mtu = 1500, .flags = INTERFACE_WAN};
	}
	world_reset();
	arena.config->external = external;
	arena.config->wan_ifindex = WAN;
	arena.config->tap_ifindex = 15;
	arena.config->sessions_per_host = 40;
	arena.config->new_per_second = 100;
	last_length = 0;
	forward_whole(PROTOCOL_GRE, hosts[1]);
	forward_whole(PROTOCOL_L2TP, hosts[2]);
}

static const __u8 *step(const __u8 *at, const __u8 *end)
{
	__u8 what = *at++ & 15;

	switch (what) {
	case 4:
		return step_raw(at, end);
	case 5:
		world.now += 1u << (*at & 23);
		return at + 1;
	case 6:
		return step_settings(at);
	case 7:
		step_answer(*at);
		return at + 1;
	case 8:
		return step_piece(at);
	case 9:
		step_daemon(*at);
		return at + 1;
	case 10:
		return step_known(at);
	case 11:
		return step_own(at);
	default:
		return step_forged(at);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at = data, *end = data + size;

	start_again();
	while (end - at >= 10)
		at = step(at, end);
	check_records();
	return 0;
}
