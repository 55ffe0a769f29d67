/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cases/case_fields.h"

#define FIELD_(text, object, path, order)                                                          \
	{                                                                                          \
		.name = text, .offset = offsetof(object, path),                                    \
		.size = sizeof(((object *)0)->path), .type = order                                 \
	}
#define HOST(type, member)    FIELD_(#member, type, member, FIELD_HOST_ORDER)
#define NETWORK(type, member) FIELD_(#member, type, member, FIELD_NETWORK_ORDER)
#define ADDRESS(type, member) FIELD_(#member, type, member, FIELD_ADDRESS)
#define END                                                                                        \
	{                                                                                          \
	}

const struct field config_fields[] = {
	HOST(struct config, set_mask),
	HOST(struct config, blocked),
	HOST(struct config, route_generation),
	HOST(struct config, mss_clamp),
	FIELD_("timeout_udp", struct config, timeouts[TIMEOUT_UDP], FIELD_HOST_ORDER),
	FIELD_("timeout_opening", struct config, timeouts[TIMEOUT_TCP_OPENING], FIELD_HOST_ORDER),
	FIELD_("timeout_established", struct config, timeouts[TIMEOUT_TCP_ESTABLISHED],
	       FIELD_HOST_ORDER),
	FIELD_("timeout_closing", struct config, timeouts[TIMEOUT_TCP_CLOSING], FIELD_HOST_ORDER),
	FIELD_("timeout_icmp", struct config, timeouts[TIMEOUT_ICMP], FIELD_HOST_ORDER),
	FIELD_("timeout_esp", struct config, timeouts[TIMEOUT_ESP], FIELD_HOST_ORDER),
	FIELD_("timeout_gre", struct config, timeouts[TIMEOUT_GRE], FIELD_HOST_ORDER),
	FIELD_("timeout_ike", struct config, timeouts[TIMEOUT_IKE], FIELD_HOST_ORDER),
	FIELD_("timeout_l2tp", struct config, timeouts[TIMEOUT_L2TP], FIELD_HOST_ORDER),
	FIELD_("timeout_wireguard", struct config, timeouts[TIMEOUT_WIREGUARD], FIELD_HOST_ORDER),
	FIELD_("timeout_openvpn", struct config, timeouts[TIMEOUT_OPENVPN], FIELD_HOST_ORDER),
	FIELD_("timeout_other", struct config, timeouts[TIMEOUT_OTHER], FIELD_HOST_ORDER),
	ADDRESS(struct config, external),
	HOST(struct config, wan_ifindex),
	HOST(struct config, tap_ifindex),
	HOST(struct config, cut_ifindex),
	HOST(struct config, assisted),
	HOST(struct config, hz),
	HOST(struct config, mappings_per_host),
	HOST(struct config, sessions_per_host),
	HOST(struct config, new_per_second),
	HOST(struct config, filtering_udp),
	HOST(struct config, filtering_tcp),
	HOST(struct config, wan_mtu),
	HOST(struct config, own_port_first),
	HOST(struct config, own_port_last),
	HOST(struct config, sessions_limit),
	HOST(struct config, daemon_until),
	HOST(struct config, inbound_used),
	FIELD_("asked_ends", struct config, asked[0], FIELD_HOST_ORDER),
	FIELD_("asked_kind", struct config, asked[1], FIELD_HOST_ORDER),
	FIELD_("elsewhere", struct config, elsewhere[0], FIELD_HOST_ORDER),
	HOST(struct config, rules),
	HOST(struct config, route_mtus),
	HOST(struct config, marked_routes),
	HOST(struct config, mappings_used),
	HOST(struct config, next_hops_used),
	HOST(struct config, allowed_count),
	FIELD_("allowed_source", struct config, allowed[0].source, FIELD_ADDRESS),
	FIELD_("allowed_mask", struct config, allowed[0].mask, FIELD_ADDRESS),
	FIELD_("allowed_first", struct config, allowed[0].first, FIELD_HOST_ORDER),
	FIELD_("allowed_last", struct config, allowed[0].last, FIELD_HOST_ORDER),
	FIELD_("allowed_protocol", struct config, allowed[0].protocol, FIELD_HOST_ORDER),
	FIELD_("routed_address", struct config, routed[0].address, FIELD_ADDRESS),
	FIELD_("routed_mask", struct config, routed[0].mask, FIELD_ADDRESS),
	FIELD_("further_mac", struct config, further_macs[0].mac, FIELD_MAC),
	FIELD_("further_ifindex", struct config, further_macs[0].ifindex, FIELD_HOST_ORDER),
	END,
};

const struct field interface_fields[] = {
	HOST(struct interface, ifindex),
	HOST(struct interface, mtu),
	HOST(struct interface, flags),
	FIELD_("mac", struct interface, mac, FIELD_MAC),
	END,
};

const struct field route_mtu_fields[] = {
	ADDRESS(struct route_mtu, prefix),
	ADDRESS(struct route_mtu, mask),
	HOST(struct route_mtu, ifindex),
	ADDRESS(struct route_mtu, next_hop),
	HOST(struct route_mtu, priority),
	HOST(struct route_mtu, table),
	HOST(struct route_mtu, mtu),
	HOST(struct route_mtu, length),
	END,
};

const struct field marked_route_fields[] = {
	HOST(struct marked_route, ifindex),
	ADDRESS(struct marked_route, source),
	ADDRESS(struct marked_route, source_mask),
	ADDRESS(struct marked_route, destination),
	ADDRESS(struct marked_route, destination_mask),
	HOST(struct marked_route, source_first),
	HOST(struct marked_route, source_last),
	HOST(struct marked_route, destination_first),
	HOST(struct marked_route, destination_last),
	HOST(struct marked_route, protocol),
	HOST(struct marked_route, tos),
	HOST(struct marked_route, tos_mask),
	END,
};

const struct field complaint_fields[] = {
	ADDRESS(struct complaint, inside), ADDRESS(struct complaint, remote),
	ADDRESS(struct complaint, from),   HOST(struct complaint, at),
	HOST(struct complaint, class),	   HOST(struct complaint, type),
	HOST(struct complaint, code),	   END,
};

const struct field key_fields[] = {
	FIELD_("kind", struct record, key.kind, FIELD_HOST_ORDER),
	FIELD_("protocol", struct record, key.protocol, FIELD_HOST_ORDER),
	FIELD_("id_type", struct record, key.id_type, FIELD_HOST_ORDER),
	FIELD_("remote", struct record, key.remote, FIELD_ADDRESS),
	FIELD_("remote_id", struct record, key.remote_id, FIELD_NETWORK_ORDER),
	FIELD_("local", struct record, key.local, FIELD_ADDRESS),
	FIELD_("local_id", struct record, key.local_id, FIELD_NETWORK_ORDER),
	FIELD_("id", struct record, key.id, FIELD_NETWORK_ORDER),
	FIELD_("partner", struct record, partner, FIELD_HOST_ORDER),
	END,
};

#define IN_RECORD(part, member, kind) FIELD_(#member, struct record, part.member, kind)
static const struct field session_fields[] = {
	IN_RECORD(session, new_local, FIELD_ADDRESS),
	IN_RECORD(session, new_id, FIELD_NETWORK_ORDER),
	IN_RECORD(session, next_hop, FIELD_HOST_ORDER),
	IN_RECORD(session, address_delta, FIELD_HOST_ORDER),
	FIELD_("class", struct record, session.class_byte, FIELD_HOST_ORDER),
	IN_RECORD(session, timeout, FIELD_HOST_ORDER),
	IN_RECORD(session, tcp_state, FIELD_HOST_ORDER),
	IN_RECORD(session, rekeys, FIELD_HOST_ORDER),
	IN_RECORD(session, flags, FIELD_HOST_ORDER),
	IN_RECORD(session, route_generation, FIELD_HOST_ORDER),
	IN_RECORD(session, last_seen, FIELD_HOST_ORDER),
	IN_RECORD(session, created, FIELD_HOST_ORDER),
	IN_RECORD(session, packets, FIELD_HOST_ORDER),
	IN_RECORD(session, bytes, FIELD_HOST_ORDER),
	END,
};

static const struct field mapping_fields[] = {
	IN_RECORD(mapping, new_local, FIELD_ADDRESS),
	IN_RECORD(mapping, new_id, FIELD_NETWORK_ORDER),
	IN_RECORD(mapping, flags, FIELD_HOST_ORDER),
	IN_RECORD(mapping, class, FIELD_HOST_ORDER),
	IN_RECORD(mapping, last_seen, FIELD_HOST_ORDER),
	IN_RECORD(mapping, created, FIELD_HOST_ORDER),
	IN_RECORD(mapping, inbound, FIELD_HOST_ORDER),
	END,
};

static const struct field host_fields[] = {
	IN_RECORD(host, mappings, FIELD_HOST_ORDER),
	IN_RECORD(host, sessions, FIELD_HOST_ORDER),
	IN_RECORD(host, tokens, FIELD_HOST_ORDER),
	IN_RECORD(host, hosts, FIELD_HOST_ORDER),
	IN_RECORD(host, neighbours, FIELD_HOST_ORDER),
	IN_RECORD(host, created, FIELD_HOST_ORDER),
	END,
};

static const struct field claim_fields[] = {
	IN_RECORD(claim, inside, FIELD_ADDRESS),
	FIELD_("tokens", struct record, claim.bucket.tokens, FIELD_HOST_ORDER),
	FIELD_("refilled", struct record, claim.bucket.refilled, FIELD_HOST_ORDER),
	END,
};

static const struct field shared_fields[] = {
	IN_RECORD(shared, session, FIELD_HOST_ORDER),
	IN_RECORD(shared, last_seen, FIELD_HOST_ORDER),
	IN_RECORD(shared, inside, FIELD_ADDRESS),
	IN_RECORD(shared, new_id, FIELD_NETWORK_ORDER),
	END,
};

static const struct field fragment_fields[] = {
	IN_RECORD(fragments, session, FIELD_HOST_ORDER),
	IN_RECORD(fragments, last_seen, FIELD_HOST_ORDER),
	END,
};

static const struct field permit_fields[] = {IN_RECORD(permit, last_seen, FIELD_HOST_ORDER), END};
static const struct field next_hop_fields[] = {IN_RECORD(next_hop_index, index, FIELD_HOST_ORDER),
					       END};

const struct field *record_fields(__u8 kind)
{
	switch (kind) {
	case KIND_SESSION_ORIG:
	case KIND_SESSION_REPLY:
	case KIND_QUOTED:
		return session_fields;
	case KIND_MAPPING_INSIDE:
	case KIND_MAPPING_EXTERNAL:
		return mapping_fields;
	case KIND_HOST:
	case KIND_REMOTE:
	case KIND_STATION:
		return host_fields;
	case KIND_NEXT_HOP:
		return next_hop_fields;
	case KIND_CLAIM:
		return claim_fields;
	case KIND_SHARED:
		return shared_fields;
	case KIND_FRAGMENT:
	case KIND_FRAGMENT_ID:
		return fragment_fields;
	default:
		return permit_fields;
	}
}

/* --- values ----------------------------------------------------------------------- */

static int mac_set(void *at, const char *text)
{
	unsigned char *b = at;

	return sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", b, b + 1, b + 2, b + 3, b + 4,
		      b + 5) == 6
		       ? 0
		       : -EINVAL;
}

static void number_set(const struct field *f, void *at, __u64 value)
{
	__u16 two = f->type == FIELD_NETWORK_ORDER ? htons(value) : value;
	__u32 four = f->type == FIELD_NETWORK_ORDER ? htonl(value) : value;
	__u8 one = value;

	memcpy(at,
	       f->size == 1   ? (void *)&one
	       : f->size == 2 ? (void *)&two
	       : f->size == 4 ? (void *)&four
			      : &value,
	       f->size);
}

static __u64 number_get(const struct field *f, const void *at)
{
	__u64 value = 0;
	__u16 two;

	if (f->size != 2) {
		memcpy(&value, at, f->size);
		return f->type == FIELD_NETWORK_ORDER ? ntohl(value) : value;
	}
	memcpy(&two, at, 2);
	return f->type == FIELD_NETWORK_ORDER ? ntohs(two) : two;
}

static int value_set(const struct field *f, void *at, const char *text)
{
	__u64 value;
	char *end;

	if (f->type == FIELD_ADDRESS)
		return inet_pton(AF_INET, text, at) == 1 ? 0 : -EINVAL;
	if (f->type == FIELD_MAC)
		return mac_set(at, text);
	value = strtoull(text, &end, 0);
	if (*end || end == text)
		return -EINVAL;
	number_set(f, at, value);
	return 0;
}

int field_set(const struct field *table, void *object, const char *assignment)
{
	size_t length = strcspn(assignment, "=");

	if (!assignment[length])
		return -EINVAL;
	for (const struct field *f = table; f->name; f++)
		if (strlen(f->name) == length && !memcmp(f->name, assignment, length))
			return value_set(f, (char *)object + f->offset, assignment + length + 1);
	return -EINVAL;
}

void fields_print(const struct field *table, const void *object, FILE *out)
{
	char text[INET_ADDRSTRLEN];

	for (const struct field *f = table; f->name; f++) {
		const char *at = (const char *)object + f->offset;

		if (f->type == FIELD_ADDRESS)
			fprintf(out, " %s=%s", f->name, inet_ntop(AF_INET, at, text, sizeof(text)));
		else if (f->type != FIELD_MAC)
			fprintf(out, " %s=%llu", f->name, (unsigned long long)number_get(f, at));
	}
}
