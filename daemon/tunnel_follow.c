/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/tunnel_follow.h"

#include "core/memory.h"

#include "core/ticks.h"

/* --- sent, and nothing came back ---------------------------------------------------------- */

/* RFC 3948 section 2.3: IP header, UDP header, one byte. They are not answered. */
#define NAT_T_KEEPALIVE_BYTES 29
/* Its data without any, section 6.5 of WireGuard's paper: the same, and 32 bytes. */
#define WIREGUARD_KEEPALIVE_BYTES 60

static unsigned int keepalive_bytes(const struct roster_tunnel *tunnel)
{
	if (tunnel->class == CLASS_IPSEC)
		return NAT_T_KEEPALIVE_BYTES;
	return tunnel->class == CLASS_WIREGUARD ? WIREGUARD_KEEPALIVE_BYTES : 0;
}

/* What a pass adds to the counts of living sessions; one that has ended takes its own away. */
struct growth {
	bool out, in;
	uint64_t bytes_out; /* without keepalives */
};

static struct growth growth_of(const struct roster_tunnel *tunnel,
			       const struct roster_tunnel *before)
{
	struct growth growth = {.in = tunnel->data.packets_in > before->data.packets_in};
	uint64_t packets = tunnel->data.packets_out - before->data.packets_out;
	uint64_t bytes = tunnel->data.bytes_out - before->data.bytes_out;
	uint64_t keepalives = packets * keepalive_bytes(tunnel);

	if (tunnel->data.packets_out <= before->data.packets_out || bytes <= keepalives)
		return growth;
	growth.out = true;
	growth.bytes_out = bytes - keepalives;
	return growth;
}

static void unanswered_note(struct unanswered *u, bool out, bool in, uint32_t now)
{
	if (in)
		u->is = false;
	if (in || !out)
		return;
	if (!u->is)
		u->since = now;
	u->is = true;
	u->last = now;
}

/* For the limits of servers (daemon/show_limits.h): how long, and how much. */
static void silence_note(struct roster_tunnel *tunnel, const struct roster_tunnel *before,
			 const struct growth *growth, uint32_t now)
{
	tunnel->unanswered_since = now;
	if (tunnel->data.packets_in != before->data.packets_in ||
	    tunnel->data.packets_out < before->data.packets_out)
		return;
	tunnel->unanswered_since = before->unanswered_since;
	tunnel->unanswered_bytes = before->unanswered_bytes + growth->bytes_out;
}

static void answers_follow(struct roster_tunnel *tunnel, const struct roster_tunnel *before,
			   uint32_t now)
{
	struct growth growth = growth_of(tunnel, before);

	if (!tunnel->is_studied) {
		tunnel->moved_out = growth.out;
		tunnel->moved_in = growth.in;
	}
	tunnel->packets = before->packets;
	tunnel->data_alone = before->data_alone;
	unanswered_note(&tunnel->packets, growth.out, growth.in, now);
	unanswered_note(&tunnel->data_alone, tunnel->moved_out, tunnel->moved_in, now);
	silence_note(tunnel, before, &growth, now);
}

#define YOUNG_SECONDS 10

/* --- attempts ------------------------------------------------------------------------------- */

/* Over the same control connection. */
static bool is_same_attempt(const struct roster_tunnel *tunnel, const struct roster_tunnel *before)
{
	return tunnel->control != CONTROL_NONE && before->control != CONTROL_NONE &&
	       tunnel->control_created == before->control_created;
}

/* A control connection is one attempt; where there is none the data plane sees a new one begin. */
static void attempt_follow(struct roster_tunnel *tunnel, const struct roster_tunnel *before)
{
	uint32_t pause = ticks_since(tunnel->last_seen, before->last_seen);
	bool same = is_same_attempt(tunnel, before);

	tunnel->tried_since = before->tried_since;
	if (pause > ATTEMPT_PAUSE_SECONDS * arena.config->hz &&
	    ticks_is_later(tunnel->last_seen, before->last_seen))
		tunnel->tried_since = tunnel->last_seen;
	tunnel->was_up = tunnel->data_out && tunnel->data_in;
	if (same)
		tunnel->was_up |= before->was_up;
	tunnel->was_up_before = before->was_up_before || (before->was_up && !tunnel->was_up);
	tunnel->from_before = before->from_before && same;
}

void tunnel_follow(struct roster_tunnel *tunnel, const struct roster_tunnel *before, uint32_t now)
{
	answers_follow(tunnel, before, now);
	attempt_follow(tunnel, before);
	tunnel->last_data = before->was_up ? before->last_data : now;
	if (tunnel->moved_out || tunnel->moved_in)
		tunnel->last_data = now;
}

void tunnel_follow_first(struct roster_tunnel *tunnel, uint32_t now)
{
	tunnel->was_up = tunnel->data_out && tunnel->data_in;
	tunnel->tried_since = tunnel->created;
	tunnel->unanswered_since = now;
	tunnel->last_data = tunnel->last_seen;
	/* one that began just now has had no time for data that no pass has seen */
	tunnel->from_before = tunnel->control == CONTROL_CLOSED &&
			      ticks_since(now, tunnel->created) > YOUNG_SECONDS * arena.config->hz;
	unanswered_note(&tunnel->packets, tunnel->data_out || tunnel->data.packets_out,
			tunnel->data.packets_in, now);
}
