/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `show sessions`: straight from the table, a bounded walk per page. */
#include <string.h>

#include "daemon/show_pages.h"
#include "daemon/show_words.h"

#define SLOTS_A_PAGE 65536

/* Both halves; reply is NULL for a single half. */
struct pair {
	const struct record *orig, *reply;
};

/* Single inbound halves stand for themselves: the gateway's own flows, a call being set up. */
static bool is_first_half(const struct record *r)
{
	if (record_state(r) != SLOT_LIVE)
		return false;
	return r->key.kind == KIND_SESSION_ORIG ||
	       (r->key.kind == KIND_SESSION_REPLY && r->partner == NO_RECORD);
}

static struct pair pair_at(const struct record *r)
{
	struct pair pair = {.orig = r};

	if (r->partner != NO_RECORD)
		pair.reply = record_at(r->partner);
	return pair;
}

static struct in_addr address_in(__be32 address)
{
	return (struct in_addr){.s_addr = address};
}

static __be32 inside_of(const struct record *r)
{
	return r->key.kind == KIND_SESSION_ORIG ? r->key.local : r->session.new_local;
}

static bool is_asked(const struct ctl_query *query, const struct record *r)
{
	char number[4];

	if (query->protocol && strcmp(query->protocol, show_protocol(r->key.protocol, number)))
		return false;
	if (query->class && strcmp(query->class, show_class(r->session.class)))
		return false;
	if (query->inside.s_addr && query->inside.s_addr != inside_of(r))
		return false;
	return !query->remote.s_addr || query->remote.s_addr == r->key.remote;
}

/* --- ids ------------------------------------------------------------------------------- */

static void ids_of_ports(struct ctl_session *session, const struct record *r)
{
	bool orig = r->key.kind == KIND_SESSION_ORIG;

	session->remote_id = be16_to_host(r->key.remote_id);
	session->inside_id = be16_to_host(orig ? r->key.local_id : r->session.new_id);
	session->external_id = be16_to_host(orig ? r->session.new_id : r->key.local_id);
}

static void ids_of_spis(struct ctl_session *session, const struct pair *pair)
{
	if (pair->orig->key.kind == KIND_SESSION_ORIG)
		session->remote_id = be32_to_host(pair->orig->key.id);
	if (pair->reply)
		session->inside_id = session->external_id = be32_to_host(pair->reply->key.id);
}

static void ids_of_calls(struct ctl_session *session, const struct pair *pair)
{
	const struct record *reply = pair->reply ? pair->reply : pair->orig;

	if (pair->orig->key.kind == KIND_SESSION_ORIG)
		session->remote_id = be16_to_host(pair->orig->key.local_id);
	session->external_id = be16_to_host(reply->key.local_id);
	session->inside_id = be16_to_host(reply->session.new_id);
}

static void ids_fill(struct ctl_session *session, const struct pair *pair)
{
	switch (pair->orig->key.id_type) {
	case ID_PORTS:
		ids_of_ports(session, pair->orig);
		break;
	case ID_SPI:
		ids_of_spis(session, pair);
		break;
	case ID_KEY:
		session->remote_id = session->inside_id = session->external_id =
			be32_to_host(pair->orig->key.id);
		break;
	case ID_CALL:
		ids_of_calls(session, pair);
		break;
	}
}

/* --- the rest -------------------------------------------------------------------------- */

static void times_fill(struct ctl_session *session, const struct pair *pair, uint32_t now)
{
	const struct session *orig = &pair->orig->session;
	uint32_t timeout = arena.config->timeouts[orig->timeout % TIMEOUT_SLOTS];
	uint32_t idle = ticks_since(now, orig->last_seen);

	if (pair->reply && ticks_since(now, pair->reply->session.last_seen) < idle)
		idle = ticks_since(now, pair->reply->session.last_seen);
	session->age_s = show_seconds(ticks_since(now, orig->created));
	session->idle_s = show_seconds(idle);
	session->expires_s = idle < timeout ? show_seconds(timeout - idle) : 0;
}

static void traffic_fill(struct ctl_session *session, const struct pair *pair)
{
	const struct record *orig = pair->orig, *reply = pair->reply;

	if (orig->key.kind == KIND_SESSION_REPLY) {
		reply = orig;
		orig = NULL;
	}
	if (orig) {
		session->traffic.packets_out = session_packets(orig);
		session->traffic.bytes_out = orig->session.bytes;
	}
	if (reply) {
		session->traffic.packets_in = session_packets(reply);
		session->traffic.bytes_in = reply->session.bytes;
	}
}

static json_t *flags_of(const struct record *r)
{
	static const struct {
		uint8_t flag;
		const char *word;
	} words[] = {{SESSION_HELPER, "helper"},
		     {SESSION_LOCAL, "local"},
		     {SESSION_HAIRPIN, "hairpin"},
		     {SESSION_STATIC, "armed"}};
	json_t *flags = json_array();

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (r->session.flags & words[i].flag)
			json_array_append_new(flags, json_string(words[i].word));
	if (is_blocked(arena.config, r->session.class))
		json_array_append_new(flags, json_string("blocked"));
	return flags;
}

static json_t *session_document(struct gateway *gateway, const struct record *r, uint32_t now)
{
	struct pair pair = pair_at(r);
	const struct next_hop *hop = next_hop_at(r->session.next_hop);
	const struct link *link = hop ? links_by_ifindex(&gateway->links, hop->ifindex) : NULL;
	bool orig = r->key.kind == KIND_SESSION_ORIG;
	char number[4];
	struct ctl_session session = {
		.protocol = show_protocol(r->key.protocol, number),
		.class = show_class(r->session.class),
		.inside = address_in(inside_of(r)),
		.external = address_in(orig ? r->session.new_local : r->key.local),
		.remote = address_in(r->key.remote),
		.state = show_session_state(r),
		.interface = link ? link->name : NULL,
		.flags = flags_of(r),
	};

	ids_fill(&session, &pair);
	times_fill(&session, &pair, now);
	traffic_fill(&session, &pair);
	return ctl_session_json(&session);
}

int show_sessions(void *daemon, const struct ctl_query *query, json_t *items, uint64_t *next)
{
	struct gateway *gateway = daemon;
	uint64_t records = (arena.config->set_mask + 1ull) * RECORDS_A_SET;
	uint64_t index = query->cursor, end = index + SLOTS_A_PAGE;
	uint32_t now = clock_ticks(arena.config), found = 0;

	for (; index < records && index < end && found < query->limit; index++) {
		const struct record *r = record_at(index);

		if (!is_first_half(r) || !is_asked(query, r))
			continue;
		if (json_array_append_new(items, session_document(gateway, r, now)))
			return -ENOMEM;
		found++;
	}
	*next = index < records ? index : 0;
	return 0;
}
