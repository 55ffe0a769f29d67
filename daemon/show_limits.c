/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/show_limits.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "core/memory.h"

#include "core/classify.h"
#include "ctl/document.h"
#include "daemon/show_words.h"

/*
 * Traffic that is never answered exists (a log that is sent on), so it takes some
 * of it, for some time, before anything is said; and it is said as what it is.
 */
#define SILENCE_SECONDS 20
#define SILENCE_BYTES	1000

#define SENTENCE_BYTES 256

static const char *address_text(__be32 address, char text[INET_ADDRSTRLEN])
{
	return inet_ntop(AF_INET, &address, text, INET_ADDRSTRLEN);
}

/* --- the server's limit -------------------------------------------------------------- */

static bool speaks_into_the_void(const struct roster_tunnel *tunnel, uint32_t now)
{
	return tunnel->unanswered_bytes >= SILENCE_BYTES &&
	       ticks_since(now, tunnel->unanswered_since) >= SILENCE_SECONDS * arena.config->hz;
}

/* Another device's tunnel with the same server, which is answered. */
static const struct roster_tunnel *answered_neighbour(const struct roster_tunnel *tunnels,
						      size_t count,
						      const struct roster_tunnel *tunnel,
						      uint32_t now)
{
	for (size_t i = 0; i < count; i++)
		if (tunnels[i].class == CLASS_IPSEC && tunnels[i].remote == tunnel->remote &&
		    tunnels[i].inside != tunnel->inside && tunnels[i].data_in &&
		    !speaks_into_the_void(&tunnels[i], now))
			return &tunnels[i];
	return NULL;
}

json_t *limit_of_server(const struct roster_tunnel *tunnels, size_t count,
			const struct roster_tunnel *tunnel, uint32_t now)
{
	const struct roster_tunnel *other;
	char verdict[SENTENCE_BYTES], silence[SENTENCE_BYTES], address[INET_ADDRSTRLEN];

	if (tunnel->class != CLASS_IPSEC || !tunnel->data_out || !speaks_into_the_void(tunnel, now))
		return NULL;
	other = answered_neighbour(tunnels, count, tunnel, now);
	if (!other)
		return NULL;
	snprintf(verdict, sizeof(verdict),
		 "The server answers %s but not this device: it may be unable to tell two devices "
		 "behind one address apart (L2TP in IPsec, RFC 3948 5.2).",
		 address_text(other->inside, address));
	snprintf(silence, sizeof(silence),
		 "The device sends tunnel packets, but none has come back for %llu seconds.",
		 (unsigned long long)show_seconds(ticks_since(now, tunnel->unanswered_since)));
	return json_pack("[s, s, s]", verdict, silence,
			 "That would be a limit of the server; what the packets carry is "
			 "encrypted, so it cannot be known here.");
}

/* --- refused --------------------------------------------------------------------------- */

static void refused_what(const struct refusal *refusal, char *text, size_t room)
{
	char number[4];

	if (refusal->id_type == ID_KEY)
		snprintf(text, room, "GRE with key %u", be32_to_host(refusal->id));
	else if (refusal->protocol == PROTOCOL_IPIP)
		snprintf(text, room, "IPIP");
	else if (refusal->protocol == PROTOCOL_IPV6)
		snprintf(text, room, "6in4");
	else if (refusal->protocol == PROTOCOL_ETHERIP)
		snprintf(text, room, "EtherIP");
	else if (refusal->protocol == PROTOCOL_GRE)
		snprintf(text, room, "GRE without a key");
	else
		snprintf(text, room, "protocol %s", show_protocol(refusal->protocol, number));
}

uint8_t limit_class(const struct refusal *refusal)
{
	struct facts facts = {.protocol = refusal->protocol, .id_type = refusal->id_type};
	struct packet none = {0};

	return classify(&none, &facts, 0, 0);
}

static json_t *refused_evidence(const struct refusal *refusal)
{
	char what[64], holder[INET_ADDRSTRLEN], sentence[SENTENCE_BYTES];
	__be32 inside = refusal_holder(refusal);

	refused_what(refusal, what, sizeof(what));
	snprintf(sentence, sizeof(sentence),
		 "Refused: %s already uses %s with this server, and there is nothing in it that "
		 "tells two devices apart.",
		 inside ? address_text(inside, holder) : "another device", what);
	return json_pack("[s]", sentence);
}

json_t *limit_refusal(const struct refusal *refusal, uint32_t now)
{
	struct ctl_vpn vpn = {
		.device = {.s_addr = refusal->inside},
		.kind = show_class(limit_class(refusal)),
		.server = {.s_addr = refusal->remote},
		.state = "refused",
		.age_s = show_seconds(ticks_since(now, refusal->first)),
		.idle_s = show_seconds(ticks_since(now, refusal->last)),
		.detail = json_pack("{s:i, s:i}", "protocol", refusal->protocol, "refused_packets",
				    refusal->count),
		.evidence = refused_evidence(refusal),
	};

	return ctl_vpn_json(&vpn);
}
