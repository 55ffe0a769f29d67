/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/l2tp_sharing.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "core/memory.h"

#include "core/session.h"
#include "daemon/expiry.h"
#include "daemon/gateway.h"
#include "daemon/habit_state.h"
#include "daemon/l2tp_ports.h"
#include "daemon/log.h"
#include "daemon/monotonic.h"

#define FILE_NAME    "l2tp_servers.json"
#define FILE_SECONDS 10 /* between two writes */

/* RFC 2661 section 5.8: a request comes again after 1, 2, 4 and 8 seconds. */
#define VAIN_MESSAGES 4 /* not answered: the port is not what is wrong, or what is known is */
#define VAIN_SECONDS  5
#define ALIVE_SECONDS 60

#define TRIED_SECONDS	 600 /* until a flow that has gone back is moved again */
#define DESERTED_SECONDS 60  /* RFC 2661 section 5.8: after 31 a peer gives a tunnel up */

#define SILENT_MESSAGES	    3 /* each has to be acknowledged, RFC 2661 section 5.8 */
#define SILENT_SECONDS	    3
#define SILENT_DATA	    20 /* packets that go out while none comes, for so long: */
#define SILENT_DATA_SECONDS 20
#define TRIAL_SECONDS	    120 /* in which a newcomer is blamed for another's silence, */
#define STOP_SECONDS	    10	/* ... for another's end */
#define RECOVERY_SECONDS    60	/* in which the other is heard again if the blame was right */

struct l2tp_sharing {
	struct gateway *gateway;
	struct connections *connections;
	struct port_habits *habits;
	bool changed;
	uint32_t written; /* tick */
};

static int64_t now_ms(void)
{
	return (int64_t)monotonic_ms();
}

struct l2tp_sharing *l2tp_sharing_new(struct gateway *gateway, struct connections *connections)
{
	struct l2tp_sharing *sharing = calloc(1, sizeof(*sharing));

	if (!sharing)
		return NULL;
	sharing->gateway = gateway;
	sharing->connections = connections;
	sharing->habits = port_habits_new();
	if (!sharing->habits) {
		free(sharing);
		return NULL;
	}
	if (gateway->settings)
		habits_load(gateway->settings, FILE_NAME, sharing->habits, now_ms());
	return sharing;
}

static void file_write(struct l2tp_sharing *sharing)
{
	if (sharing->changed && sharing->gateway->settings)
		habits_save(sharing->gateway->settings, FILE_NAME, sharing->habits, now_ms());
	sharing->changed = false;
}

void l2tp_sharing_free(struct l2tp_sharing *sharing)
{
	if (!sharing)
		return;
	sharing->changed |= port_habits_take_changed(sharing->habits);
	file_write(sharing);
	port_habits_free(sharing->habits);
	free(sharing);
}

void l2tp_sharing_tend(struct l2tp_sharing *sharing, uint32_t now)
{
	sharing->changed |= port_habits_take_changed(sharing->habits);
	if (!sharing->changed || (sharing->written && ticks_since(now, sharing->written) <
							      FILE_SECONDS * arena.config->hz))
		return;
	file_write(sharing);
	sharing->written = now ? now : 1;
}

enum port_habit l2tp_sharing_habit(const struct l2tp_sharing *sharing, __be32 server)
{
	return port_habit_of(sharing->habits, server, now_ms());
}

/* --- flows ------------------------------------------------------------------------------- */

static struct record *session_of(const struct connection *flow)
{
	struct record *orig = table_find(arena.config, &flow->key);

	return orig && orig->session.created == flow->created ? orig : NULL;
}

static struct connection *flow_of(const struct l2tp_sharing *sharing, const struct record *orig)
{
	struct connection *flow = connection_find(sharing->connections, &orig->key);

	return flow && flow->created == orig->session.created ? flow : NULL;
}

static bool is_within(uint32_t then, uint32_t now, unsigned int seconds)
{
	return ticks_since(now, then) < seconds * arena.config->hz;
}

/* Who has the port hears from the server, or did a minute before: it is not down. */
static uint32_t sign_of(__be32 server, uint32_t since)
{
	const struct record *owner = l2tp_port_owner(server);

	return owner && owner->session.flags & SESSION_REPLIED &&
			       is_within(READ_ONCE(owner->session.last_seen), since, ALIVE_SECONDS)
		       ? HABIT_SIGN_STRONG
		       : HABIT_SIGN;
}

void l2tp_sharing_joined(struct connection *flow, uint32_t now)
{
	flow->watch.shared_at = now ? now : 1;
	flow->watch.asked = 0;
}

void l2tp_sharing_leave(struct l2tp_sharing *sharing, struct connection *flow, uint32_t now)
{
	struct record *orig = session_of(flow);

	flow->watch.shared_at = 0;
	flow->watch.tried_at = now ? now : 1;
	flow->watch.asked = 0;
	if (!orig || !l2tp_port_is_shared(orig))
		return;
	connection_restart(sharing->connections, flow, HELPER_L2TP_OWN, now);
	l2tp_port_unshare(orig, now);
}

/* --- whether a flow is answered ------------------------------------------------------------ */

static bool is_in_vain(const struct connection *flow, uint32_t since, uint32_t now)
{
	return flow->watch.asked >= VAIN_MESSAGES && !is_within(since, now, VAIN_SECONDS);
}

/* It answered at any port once, and not at this one: a sign for each request that is given up. */
static void any_port_doubt(struct l2tp_sharing *sharing, struct connection *flow, uint32_t now)
{
	__be32 server = flow->key.remote;

	if (!is_in_vain(flow, flow->created, now))
		return;
	flow->watch.asked = 0;
	port_habit_contradict(sharing->habits, server, HABIT_ANY_PORT,
			      sign_of(server, flow->created));
}

static void shared_doubt(struct l2tp_sharing *sharing, struct connection *flow, uint32_t now)
{
	__be32 server = flow->key.remote;
	uint32_t since = flow->watch.shared_at;

	if (!since || !is_in_vain(flow, since, now))
		return;
	port_habit_contradict(sharing->habits, server, HABIT_INSISTS, sign_of(server, since));
	l2tp_sharing_leave(sharing, flow, now);
}

/*
 * Not who cannot be told apart by a tunnel id that can be read: behind a shared port
 * his answers would be taken for the owner's. Nor a flow that lately had no answer there.
 */
static bool may_share(const struct connection *flow, uint32_t now)
{
	if (!flow)
		return true;
	return !flow->watch.hidden &&
	       !(flow->watch.tried_at && is_within(flow->watch.tried_at, now, TRIED_SECONDS));
}

static void asked_count(struct connection *flow)
{
	if (flow && flow->watch.asked < UINT8_MAX)
		flow->watch.asked++;
}

/* A request waits for its answer, and no tunnel is up. */
static bool is_dialling(const struct connection *flow)
{
	bool asks = false;

	for (unsigned int i = 0; i < CONNECTION_IDS; i++) {
		if (flow->ids[i].state != ID_ARMED)
			continue;
		if (flow->ids[i].has_remote)
			return false;
		asks = true;
	}
	return asks;
}

/* Its session was answered once, but this time it is not: a tunnel that is up gives up sooner. */
static bool is_deserted(const struct connection *flow, uint32_t now)
{
	unsigned int seconds = flow && is_dialling(flow) ? VAIN_SECONDS : DESERTED_SECONDS;

	return flow && flow->watch.asked >= VAIN_MESSAGES &&
	       !is_within(flow->watch.heard, now, seconds);
}

bool l2tp_sharing_asked(struct l2tp_sharing *sharing, struct record *orig, uint32_t now)
{
	struct connection *flow = flow_of(sharing, orig);

	asked_count(flow);
	if (orig->session.flags & SESSION_REPLIED && !is_deserted(flow, now))
		return false;
	if (l2tp_port_is_shared(orig)) {
		if (flow)
			shared_doubt(sharing, flow, now);
		return false;
	}
	if (flow)
		any_port_doubt(sharing, flow, now);
	return may_share(flow, now) &&
	       l2tp_port_is_to_blame(l2tp_sharing_habit(sharing, orig->key.remote), orig, now) &&
	       l2tp_port_share(orig, now) == 1;
}

/*
 * That it answers at port 1701 says something of one that has not answered elsewhere: where
 * the first message was sent from there at once nothing is confirmed, and tested in time.
 */
static void habit_learn(struct l2tp_sharing *sharing, const struct record *orig)
{
	__be32 server = orig->key.remote;

	if (orig->key.local_id != host_to_be16(PORT_L2TP) || orig->session.flags & SESSION_HAIRPIN)
		return;
	if (orig->session.new_id != host_to_be16(PORT_L2TP))
		port_habit_confirm(sharing->habits, server, HABIT_ANY_PORT, now_ms());
	else if (l2tp_port_is_shared(orig) && !(orig->session.flags & SESSION_REPLIED) &&
		 l2tp_sharing_habit(sharing, server) == HABIT_UNKNOWN)
		port_habit_confirm(sharing->habits, server, HABIT_INSISTS, now_ms());
}

void l2tp_sharing_answered(struct l2tp_sharing *sharing, const struct record *orig, uint32_t now)
{
	struct connection *flow = flow_of(sharing, orig);

	habit_learn(sharing, orig);
	if (!flow)
		return;
	flow->watch.asked = 0;
	flow->watch.heard = now ? now : 1;
}

/* --- whether its coming has harmed another ------------------------------------------------- */

/* Has @other come to the port since? */
static bool is_newcomer(const struct connection *other, const struct connection *flow,
			uint32_t since, uint32_t now)
{
	uint32_t at = other->watch.shared_at;

	return at && other->helper.protocol == HELPER_L2TP &&
	       other->key.remote == flow->key.remote && other->key.local != flow->key.local &&
	       !ticks_is_later(since, at) && is_within(at, now, TRIAL_SECONDS);
}

/* Of a server that answers nobody nothing can be said. */
static bool is_answered(const struct connection *flow)
{
	const struct record *orig = session_of(flow);

	return orig && orig->session.flags & SESSION_REPLIED;
}

static bool has_answered_newcomer(const struct l2tp_sharing *sharing, const struct connection *flow,
				  uint32_t since, uint32_t now)
{
	const struct connection *other = NULL;

	while ((other = connections_next(sharing->connections, other)))
		if (is_newcomer(other, flow, since, now) && is_answered(other))
			return true;
	return false;
}

static void crowd_say(__be32 server, unsigned int count)
{
	char text[INET_ADDRSTRLEN];

	log_notice("%s takes all L2TP from port 1701 for one device's: of %u who shared the port "
		   "lately, each has its own again",
		   inet_ntop(AF_INET, &server, text, sizeof(text)), count);
}

/* Who has come since @since goes back. */
static void newcomers_blame(struct l2tp_sharing *sharing, struct connection *flow, uint32_t since,
			    uint32_t now)
{
	struct connection *other = NULL;
	unsigned int count = 0;

	while ((other = connections_next(sharing->connections, other))) {
		if (!is_newcomer(other, flow, since, now))
			continue;
		l2tp_sharing_leave(sharing, other, now);
		count++;
	}
	if (!count)
		return;
	port_habit_confirm(sharing->habits, flow->key.remote, HABIT_ONE_CLIENT, now_ms());
	flow->watch.blamed_at = now ? now : 1;
	crowd_say(flow->key.remote, count);
}

void l2tp_sharing_stopped(struct l2tp_sharing *sharing, struct connection *flow, uint32_t now)
{
	if (!flow->watch.wrong)
		newcomers_blame(sharing, flow, now - STOP_SECONDS * arena.config->hz, now);
}

/* Something has come since the last look. */
static bool is_heard(struct connection *flow, const struct record *orig, uint32_t now)
{
	const struct record *reply = record_partner(orig);
	uint32_t in = reply ? (uint32_t)session_packets(reply) : flow->watch.in;

	if (in == flow->watch.in && flow->watch.heard)
		return false;
	flow->watch.in = in;
	flow->watch.out = (uint32_t)session_packets(orig);
	flow->watch.heard = now ? now : 1;
	flow->watch.asked = 0;
	flow->watch.blamed_at = 0;
	return true;
}

static bool is_unheard(const struct connection *flow, const struct record *orig, uint32_t now)
{
	uint32_t sent = (uint32_t)session_packets(orig) - flow->watch.out;

	if (flow->watch.asked >= SILENT_MESSAGES &&
	    !is_within(flow->watch.heard, now, SILENT_SECONDS))
		return true;
	return sent >= SILENT_DATA && !is_within(flow->watch.heard, now, SILENT_DATA_SECONDS);
}

/* It has not come back to life though the newcomers have left: they were not what was wrong. */
static void blame_judge(struct l2tp_sharing *sharing, struct connection *flow, uint32_t now)
{
	if (!flow->watch.blamed_at || is_within(flow->watch.blamed_at, now, RECOVERY_SECONDS))
		return;
	port_habit_contradict(sharing->habits, flow->key.remote, HABIT_ONE_CLIENT, HABIT_SIGN);
	flow->watch.blamed_at = 0;
	flow->watch.wrong = 1;
}

void l2tp_sharing_watch(struct l2tp_sharing *sharing, struct connection *flow, uint32_t now)
{
	const struct record *orig = session_of(flow);
	uint32_t since = flow->watch.heard - arena.config->hz;

	if (!orig || !(orig->session.flags & SESSION_REPLIED) || is_heard(flow, orig, now) ||
	    orig->session.new_id != host_to_be16(PORT_L2TP))
		return;
	blame_judge(sharing, flow, now);
	if (!flow->watch.wrong && !flow->watch.blamed_at && is_unheard(flow, orig, now) &&
	    has_answered_newcomer(sharing, flow, since, now))
		newcomers_blame(sharing, flow, since, now);
}
