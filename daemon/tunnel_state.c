/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/tunnel_state.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"

#include "core/complaint.h"
#include "daemon/show_words.h"

static void __attribute__((format(printf, 3, 4)))
state_set(struct tunnel_state *state, const char *word, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(state->why, sizeof(state->why), format, arguments);
	va_end(arguments);
	state->word = word;
}

static unsigned int seconds(uint32_t now, uint32_t then)
{
	return ticks_since(now, then) / arena.config->hz;
}

/* --- what ICMP says ------------------------------------------------------------------------ */

bool tunnel_complaint(struct complaint *complaint, uint8_t class, __be32 inside, __be32 remote)
{
	const struct complaint *kept = complaint_place(arena.config, class, inside, remote);

	if (!kept)
		return false;
	*complaint = *kept;
	return complaint->class == class && complaint->inside == inside &&
	       complaint->remote == remote && complaint->inside;
}

/* Nothing has come from the server since, and the device has stopped sending. */
static bool complaint_counts(const struct tunnel_facts *facts)
{
	const struct roster_tunnel *tunnel = facts->tunnel;
	const struct complaint *complaint = facts->complaint;

	if (!complaint || (tunnel->replied && ticks_is_later(tunnel->last_in, complaint->at)))
		return false;
	return ticks_since(tunnel->last_out, complaint->at) <
		       COMPLAINT_SECONDS * arena.config->hz &&
	       !ticks_is_later(tunnel->created, complaint->at);
}

static bool is_prohibition(const struct complaint *complaint)
{
	return complaint->type == ICMP_UNREACHABLE &&
	       (complaint->code == ICMP_CODE_NET_PROHIBITED ||
		complaint->code == ICMP_CODE_HOST_PROHIBITED ||
		complaint->code == ICMP_CODE_ADMIN_PROHIBITED);
}

static bool is_refusal(const struct complaint *complaint)
{
	return is_prohibition(complaint) || (complaint->type == ICMP_UNREACHABLE &&
					     (complaint->code == ICMP_CODE_PORT_UNREACHABLE ||
					      complaint->code == ICMP_CODE_PROTOCOL_UNREACHABLE));
}

static const char *complaint_sentence(const struct complaint *complaint)
{
	if (complaint->type != ICMP_UNREACHABLE)
		return "The packets go in a circle (ICMP time exceeded from %s).";
	if (is_prohibition(complaint))
		return "A firewall does not allow it (ICMP administratively prohibited from %s).";
	if (complaint->code == ICMP_CODE_PORT_UNREACHABLE)
		return "Nothing listens there (ICMP port unreachable from %s).";
	if (complaint->code == ICMP_CODE_PROTOCOL_UNREACHABLE)
		return "The server does not speak this protocol (ICMP protocol unreachable from "
		       "%s).";
	return "There is no way to the server (ICMP unreachable from %s).";
}

static void complaint_say(char *text, size_t room, const struct complaint *complaint)
{
	char from[INET_ADDRSTRLEN];

	snprintf(text, room, complaint_sentence(complaint),
		 inet_ntop(AF_INET, &complaint->from, from, sizeof(from)));
}

static void complained(struct tunnel_state *state, const struct tunnel_facts *facts)
{
	state->word = is_refusal(facts->complaint) ? "refused" : "no-answer";
	complaint_say(state->why, sizeof(state->why), facts->complaint);
}

/* --- the control connection ----------------------------------------------------------------- */

static bool is_over(const struct tunnel_facts *facts)
{
	return facts->tunnel->control == CONTROL_CLOSED || facts->hung_up;
}

static void over(struct tunnel_state *state, const struct tunnel_facts *facts)
{
	const struct roster_tunnel *tunnel = facts->tunnel;

	if (tunnel->was_up || tunnel->from_before)
		state_set(state, "ended", "The connection was closed.");
	else
		state_set(state, "failed", "The connection was closed before any data passed.");
}

/* --- answers ---------------------------------------------------------------------------------- */

static bool is_long(const struct unanswered *u)
{
	return u->is && ticks_since(u->last, u->since) >= ONE_WAY_SECONDS * arena.config->hz;
}

/*
 * What the devices of a call or of L2TP ask each other is answered on the way of the data.
 * IKE, OpenVPN's and WireGuard's control go on where data does not, so data counts alone.
 */
static const struct unanswered *one_way(const struct roster_tunnel *tunnel)
{
	if (is_long(&tunnel->packets))
		return &tunnel->packets;
	if (tunnel->class == CLASS_PPTP || tunnel->class == CLASS_L2TP)
		return NULL;
	return is_long(&tunnel->data_alone) ? &tunnel->data_alone : NULL;
}

static void goes_one_way(struct tunnel_state *state, const struct unanswered *u)
{
	state_set(state, "one-way", "Sent for %u s, nothing received.", seconds(u->last, u->since));
}

static void unanswered(struct tunnel_state *state, const struct tunnel_facts *facts)
{
	unsigned int tried_s = seconds(facts->tunnel->last_out, facts->tunnel->tried_since);
	unsigned int age_s = seconds(facts->now, facts->tunnel->tried_since);

	if (age_s < NO_ANSWER_SECONDS)
		state_set(state, "connecting", "The server has not answered yet.");
	else if (tried_s < NO_ANSWER_SECONDS)
		state_set(state, "no-answer", "The server has not answered.");
	else
		state_set(state, "no-answer", "Sent for %u s; the server has not answered.",
			  tried_s);
}

/* The server answers, but data has not passed both ways. */
static void setting_up(struct tunnel_state *state, const struct tunnel_facts *facts)
{
	const struct roster_tunnel *tunnel = facts->tunnel;

	if (seconds(facts->now, tunnel->tried_since) < SETUP_SECONDS)
		state_set(state, "connecting", "The server has answered; no data has passed yet.");
	else if (tunnel->data_in)
		state_set(state, "one-way", "Data has come in, but none has gone out.");
	else if (tunnel->data_out)
		state_set(state, "one-way", "Data has gone out, but none has come in.");
	else if (tunnel->was_up_before)
		state_set(state, "stale", "Set up again; no data has passed since.");
	else
		state_set(state, "failed", "The server answers, but no data has passed.");
}

static void was_up(struct tunnel_state *state, const struct tunnel_facts *facts)
{
	if (seconds(facts->now, facts->tunnel->last_data) > IDLE_SECONDS)
		state_set(state, "stale", "No data for more than three minutes.");
	else
		state_set(state, "up", "Data passes both ways.");
}

/* An attempt that nobody goes on with. */
static bool is_given_up(const struct tunnel_facts *facts)
{
	return !facts->tunnel->was_up && !facts->tunnel->was_up_before &&
	       seconds(facts->now, facts->tunnel->last_seen) > IDLE_SECONDS;
}

static void given_up(struct tunnel_state *state, const struct tunnel_facts *facts)
{
	state_set(state, "ended",
		  facts->tunnel->replied
			  ? "Nothing is sent any more; no data has passed."
			  : "Nothing is sent any more; the server had not answered.");
}

static void judge(struct tunnel_state *state, const struct tunnel_facts *facts)
{
	const struct roster_tunnel *tunnel = facts->tunnel;
	const struct unanswered *u = one_way(tunnel);

	if (facts->blocked)
		state_set(state, "blocked", "The passthrough switch is off.");
	else if (tunnel->control == CONTROL_REFUSED)
		state_set(state, "refused", "The server refused the connection (TCP reset).");
	else if (is_over(facts))
		over(state, facts);
	else if (complaint_counts(facts))
		complained(state, facts);
	else if (is_given_up(facts))
		given_up(state, facts);
	else if (!tunnel->replied)
		unanswered(state, facts);
	else if (u && seconds(facts->now, u->last) <= IDLE_SECONDS)
		goes_one_way(state, u);
	else if (tunnel->was_up)
		was_up(state, facts);
	else
		setting_up(state, facts);
}

void tunnel_state_tell(struct tunnel_state *state, const struct tunnel_facts *facts)
{
	*state = (struct tunnel_state){0};
	judge(state, facts);
	if (complaint_counts(facts) && strcmp(state->word, "refused"))
		complaint_say(state->complaint, sizeof(state->complaint), facts->complaint);
	if (!strcmp(state->complaint, state->why))
		state->complaint[0] = 0;
}
