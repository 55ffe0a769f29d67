/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/show_words.h"

#include <stdio.h>
#include <string.h>

const char *show_protocol(uint8_t protocol, char number[4])
{
	switch (protocol) {
	case PROTOCOL_TCP:
		return "tcp";
	case PROTOCOL_UDP:
		return "udp";
	case PROTOCOL_ICMP:
		return "icmp";
	case PROTOCOL_ESP:
		return "esp";
	case PROTOCOL_GRE:
		return "gre";
	case PROTOCOL_L2TP:
		return "l2tp";
	}
	snprintf(number, 4, "%u", protocol);
	return number;
}

const char *show_class(uint8_t class)
{
	static const char *const names[] = {
		[CLASS_PLAIN] = "plain",	 [CLASS_PPTP] = "pptp",
		[CLASS_L2TP] = "l2tp",		 [CLASS_IPSEC] = "ipsec",
		[CLASS_WIREGUARD] = "wireguard", [CLASS_OPENVPN] = "openvpn",
		[CLASS_TUNNEL] = "tunnel",
	};

	return class < CLASS_COUNT ? names[class] : "plain";
}

uint8_t show_class_number(const char *word)
{
	for (uint8_t class = 0; word && class < CLASS_COUNT; class ++)
		if (strcmp(show_class(class), word) == 0)
			return class;
	return 0;
}

static const char *tcp_state_word(uint8_t state)
{
	switch (state) {
	case TCP_ESTABLISHED:
		return "established";
	case TCP_INIT_INSIDE:
	case TCP_INIT_REMOTE:
		return "new";
	default:
		return "transitory";
	}
}

const char *show_session_state(const struct record *orig)
{
	if (orig->key.protocol == PROTOCOL_TCP)
		return tcp_state_word(orig->session.tcp_state);
	return orig->session.flags & (SESSION_REPLIED | SESSION_LOCAL) ? "established" : "new";
}

const char *show_attachment(const struct link *link)
{
	if (!link->attachment.ingress)
		return NULL;
	return link->attachment.xdp ? "xdp" : "tc";
}

struct ctl_traffic show_traffic(const struct traffic *traffic)
{
	return (struct ctl_traffic){.packets_out = traffic->packets_out,
				    .bytes_out = traffic->bytes_out,
				    .packets_in = traffic->packets_in,
				    .bytes_in = traffic->bytes_in};
}

uint64_t show_seconds(uint32_t ticks)
{
	return arena.config->hz ? ticks / arena.config->hz : 0;
}
