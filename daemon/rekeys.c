/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/rekeys.h"

#include <stdbool.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/session.h"
#include "daemon/expiry.h"
#include "daemon/gateway.h"
#include "daemon/roster.h"
#include "daemon/sweeper.h"

#define ENTRIES 1024

struct rekey {
	__be32 inside, remote;
	uint8_t class;	    /* CLASS_PLAIN: free */
	uint8_t handshakes; /* of all sessions, modulo 256, when last looked at */
	uint32_t last;	    /* tick of the last handshake */
	uint32_t interval;  /* ticks; 0: not known */
	uint32_t confirmed; /* tick of the handshake that it was measured by last */
	uint32_t kept;	    /* the interval that outlives a restart */
	uint64_t packets;   /* when last looked at */
	uint32_t moved;	    /* tick of the look that found more of them */
	uint32_t looked;    /* tick of the last look or handshake: the oldest makes room */
};

struct rekeys {
	uint32_t hz;
	bool changed;	  /* an interval is not as it is kept */
	uint32_t took_at; /* tick of the last rekeys_take_changed() that answered true */
	struct rekey entry[ENTRIES];
};

struct rekeys *rekeys_new(uint32_t hz)
{
	struct rekeys *rekeys = calloc(1, sizeof(*rekeys));

	if (rekeys)
		rekeys->hz = hz;
	return rekeys;
}

void rekeys_free(struct rekeys *rekeys)
{
	free(rekeys);
}

/* --- entries --------------------------------------------------------------------------- */

static bool is_of(const struct rekey *r, uint8_t class, __be32 inside, __be32 remote)
{
	return r->class == class && r->inside == inside && r->remote == remote;
}

static struct rekey *entry_get(struct rekeys *rekeys, uint8_t class, __be32 inside, __be32 remote,
			       uint32_t now)
{
	struct rekey *room = &rekeys->entry[0];

	for (struct rekey *r = rekeys->entry; r < rekeys->entry + ENTRIES; r++) {
		if (is_of(r, class, inside, remote)) {
			r->looked = now;
			return r;
		}
		if (room->class && (!r->class || ticks_is_later(room->looked, r->looked)))
			room = r;
	}
	*room = (struct rekey){
		.inside = inside, .remote = remote, .class = class, .looked = now, .moved = now};
	return room;
}

/* Leans to the longest: intervals are drawn at random a little below their limit. */
static void interval_take(struct rekeys *rekeys, struct rekey *r, uint32_t seen, uint32_t now)
{
	uint32_t off;

	r->confirmed = now;

	r->interval = seen > r->interval ? seen : r->interval - (r->interval - seen) / 4;
	off = r->interval > r->kept ? r->interval - r->kept : r->kept - r->interval;
	if (off > r->kept / 8)
		rekeys->changed = true;
}

void rekey_seen(struct rekeys *rekeys, uint8_t class, __be32 inside, __be32 remote, uint32_t now)
{
	struct rekey *r = entry_get(rekeys, class, inside, remote, now);
	uint32_t seen = ticks_since(now, r->last);

	if (r->last && seen >= REKEY_REPEAT_SECONDS * rekeys->hz &&
	    seen <= REKEY_MAX_SECONDS * rekeys->hz)
		interval_take(rekeys, r, seen, now);
	r->last = now ? now : 1;
}

uint32_t rekey_interval_s(const struct rekeys *rekeys, uint8_t class, __be32 inside, __be32 remote)
{
	uint32_t of_server = 0;

	for (const struct rekey *r = rekeys->entry; r < rekeys->entry + ENTRIES; r++) {
		if (r->class != class || r->remote != remote || !r->interval)
			continue;
		if (r->inside == inside)
			return r->interval / rekeys->hz;
		if (r->interval > of_server)
			of_server = r->interval;
	}
	return of_server / rekeys->hz;
}

/* --- what is kept ------------------------------------------------------------------------ */

void rekeys_each(const struct rekeys *rekeys,
		 bool (*visit)(void *context, const struct rekey_interval *interval), void *context,
		 uint32_t now)
{
	for (const struct rekey *r = rekeys->entry; r < rekeys->entry + ENTRIES; r++) {
		struct rekey_interval interval = {.class = r->class,
						  .inside = r->inside,
						  .remote = r->remote,
						  .seconds = r->interval / rekeys->hz,
						  .age_s = ticks_since(now, r->confirmed) /
							   rekeys->hz};

		if (r->class && r->interval && !visit(context, &interval))
			return;
	}
}

void rekeys_restore(struct rekeys *rekeys, const struct rekey_interval *interval, uint32_t now)
{
	struct rekey *r =
		entry_get(rekeys, interval->class, interval->inside, interval->remote, now);

	r->interval = r->kept = interval->seconds * rekeys->hz;
	r->confirmed = now - interval->age_s * rekeys->hz;
}

bool rekeys_take_changed(struct rekeys *rekeys, uint32_t pause_s, uint32_t now)
{
	if (!rekeys->changed ||
	    (rekeys->took_at && !ticks_passed(now, rekeys->took_at, pause_s * rekeys->hz)))
		return false;
	for (struct rekey *r = rekeys->entry; r < rekeys->entry + ENTRIES; r++)
		r->kept = r->interval;
	rekeys->changed = false;
	rekeys->took_at = now ? now : 1;
	return true;
}

/* --- one tunnel -------------------------------------------------------------------------- */

/* The roster is some seconds old: what has ended since is passed over. */
static struct record *session_of(const struct roster_tunnel *tunnel, uint32_t i)
{
	struct record *r = record_at(tunnel->index[i]);

	if (!r || record_state(r) != SLOT_LIVE || r->key.kind != KIND_SESSION_ORIG ||
	    r->key.local != tunnel->inside || r->key.remote != tunnel->remote)
		return NULL;
	return r;
}

struct sum {
	uint8_t handshakes;
	uint64_t packets;
};

static struct sum sum_of(const struct roster_tunnel *tunnel)
{
	struct sum sum = {0};

	for (uint32_t i = 0; i < tunnel->sessions && i < ROSTER_SESSIONS; i++) {
		const struct record *orig = session_of(tunnel, i);
		const struct record *reply = orig ? record_partner(orig) : NULL;

		if (!reply)
			continue;
		sum.packets += session_packets(orig) + session_packets(reply);
		if (orig->session.flags & SESSION_STUDIED && orig->key.protocol == PROTOCOL_UDP)
			sum.handshakes += orig->session.rekeys + reply->session.rekeys;
	}
	return sum;
}

/* As if it had been heard just now, half its timer ago: it ends that much later. */
static void session_keep(struct record *orig, uint32_t now)
{
	uint32_t half = arena.config->timeouts[orig->session.timeout & (TIMEOUT_SLOTS - 1)] / 2;

	if (ticks_since(now, READ_ONCE(orig->session.last_seen)) > half)
		WRITE_ONCE(orig->session.last_seen, now - half);
}

static void sessions_keep(const struct rekeys *rekeys, const struct rekey *r,
			  const struct roster_tunnel *tunnel, uint32_t now)
{
	uint64_t needed = rekey_interval_s(rekeys, r->class, r->inside, r->remote) *
			  (uint64_t)rekeys->hz * 12 / 10;

	if (ticks_since(now, r->moved) >= needed)
		return;
	for (uint32_t i = 0; i < tunnel->sessions && i < ROSTER_SESSIONS; i++) {
		struct record *orig = session_of(tunnel, i);

		if (orig && orig->session.flags & SESSION_REPLIED &&
		    !(orig->session.flags & (SESSION_LOCAL | SESSION_STATIC)))
			session_keep(orig, now);
	}
}

/* A tunnel begins with fresh keys; of one that was there before us only the next ones tell. */
static void first_look(const struct rekeys *rekeys, struct rekey *r,
		       const struct roster_tunnel *tunnel, uint8_t handshakes, uint32_t now)
{
	r->handshakes = handshakes;
	if (ticks_since(now, tunnel->created) < REKEY_REPEAT_SECONDS * rekeys->hz)
		r->last = tunnel->created;
}

/* Packets pass, and what should have come long ago has not: it is another interval by now. */
static void interval_judge(struct rekeys *rekeys, struct rekey *r, bool moved, uint32_t now)
{
	uint32_t last = r->last && ticks_is_later(r->last, r->confirmed) ? r->last : r->confirmed;
	uint32_t since = ticks_since(now, last);
	bool overdue = moved && since / REKEY_OVERDUE > r->interval;

	if (!r->interval || (!overdue && since <= REKEY_LASTS_SECONDS * rekeys->hz))
		return;
	r->interval = 0;
	rekeys->changed = true;
}

void rekeys_follow(struct rekeys *rekeys, const struct roster_tunnel *tunnel, uint32_t now)
{
	struct rekey *r = entry_get(rekeys, tunnel->class, tunnel->inside, tunnel->remote, now);
	struct sum sum = sum_of(tunnel);

	if (!r->packets && !r->last)
		first_look(rekeys, r, tunnel, sum.handshakes, now);
	interval_judge(rekeys, r, sum.packets != r->packets && sum.handshakes == r->handshakes,
		       now);
	if (sum.packets != r->packets)
		r->moved = now;
	if (sum.handshakes != r->handshakes)
		rekey_seen(rekeys, tunnel->class, tunnel->inside, tunnel->remote, now);
	r->packets = sum.packets;
	r->handshakes = sum.handshakes;
	sessions_keep(rekeys, r, tunnel, now);
}

static bool is_renewed(uint8_t class)
{
	return class == CLASS_WIREGUARD || class == CLASS_OPENVPN || class == CLASS_IPSEC;
}

void rekeys_tend(struct gateway *gateway, uint32_t now)
{
	const struct roster_tunnel *tunnels;
	size_t count;

	for (struct rekey *r = gateway->rekeys->entry; r < gateway->rekeys->entry + ENTRIES; r++)
		interval_judge(gateway->rekeys, r, false, now);
	tunnels = roster_tunnels(sweeper_roster(gateway->sweeper), &count);
	for (size_t i = 0; i < count; i++)
		if (is_renewed(tunnels[i].class))
			rekeys_follow(gateway->rekeys, &tunnels[i], now);
}
