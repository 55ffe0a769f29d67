/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/cut_off.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "conf/allow.h"

static bool is_lan(const struct settings *settings, const char *name)
{
	for (unsigned int i = 0; i < settings->lan.interfaces_count; i++)
		if (strcmp(settings->lan.interfaces[i], name) == 0)
			return true;
	return false;
}

static bool is_wan(const struct settings *settings, const char *name)
{
	return strcmp(settings->wan.interface, name) == 0;
}

/* --- tunnels --------------------------------------------------------------------------- */

static const enum passthrough_state *switch_of(const struct settings *settings, const char *class)
{
	if (strcmp(class, "pptp") == 0)
		return &settings->passthrough.pptp;
	if (strcmp(class, "l2tp") == 0)
		return &settings->passthrough.l2tp;
	return strcmp(class, "ipsec") == 0 ? &settings->passthrough.ipsec : NULL;
}

static bool goes_off(const struct settings *present, const struct settings *wanted,
		     const char *class)
{
	const enum passthrough_state *now = switch_of(present, class);
	const enum passthrough_state *then = switch_of(wanted, class);

	return now && *now != PASSTHROUGH_OFF && *then == PASSTHROUGH_OFF;
}

static bool forwards_same(const struct port_forward_settings *a,
			  const struct port_forward_settings *b)
{
	return a->protocol == b->protocol && a->port == b->port && a->port_last == b->port_last &&
	       a->to.s_addr == b->to.s_addr && a->to_port == b->to_port;
}

static bool has_forward(const struct settings *settings,
			const struct port_forward_settings *forward)
{
	for (unsigned int i = 0; i < settings->port_forwards_count; i++)
		if (forwards_same(&settings->port_forwards[i], forward))
			return true;
	return false;
}

static bool has_port(const struct port_forward_settings *forward, unsigned int port)
{
	return forward->to_port <= port &&
	       port <= forward->to_port + (unsigned int)(forward->port_last - forward->port);
}

/* Does the forward carry tunnels of this class to a server inside? */
static bool carries(const struct port_forward_settings *forward, const char *class)
{
	switch (forward->protocol) {
	case FORWARD_ESP:
		return strcmp(class, "ipsec") == 0;
	case FORWARD_GRE:
		return strcmp(class, "pptp") == 0 || strcmp(class, "tunnel") == 0;
	case FORWARD_L2TP:
		return strcmp(class, "l2tp") == 0;
	case FORWARD_TCP:
		return strcmp(class, has_port(forward, 1723) ? "pptp" : "openvpn") == 0;
	default:
		break;
	}
	if (strcmp(class, "ipsec") == 0)
		return has_port(forward, 500) || has_port(forward, 4500);
	if (strcmp(class, "l2tp") == 0)
		return has_port(forward, 1701);
	return strcmp(class, "wireguard") == 0 || strcmp(class, "openvpn") == 0;
}

static bool loses_forward(const struct settings *present, const struct settings *wanted,
			  const struct cut_tunnel *tunnel)
{
	for (unsigned int i = 0; i < present->port_forwards_count; i++) {
		const struct port_forward_settings *forward = &present->port_forwards[i];

		if (forward->to.s_addr == tunnel->device.s_addr &&
		    carries(forward, tunnel->class) && !has_forward(wanted, forward))
			return true;
	}
	return false;
}

const char *cut_off_tunnel(const struct settings *present, const struct settings *wanted,
			   const struct cut_tunnel *tunnel)
{
	if (!is_wan(wanted, present->wan.interface))
		return "the WAN changes";
	if (goes_off(present, wanted, tunnel->class))
		return "its passthrough switch goes off";
	if (*tunnel->interface && is_lan(present, tunnel->interface) &&
	    !is_lan(wanted, tunnel->interface))
		return "its LAN is no longer served";
	return loses_forward(present, wanted, tunnel) ? "its port forward goes" : NULL;
}

/* --- who asks -------------------------------------------------------------------------- */

/* "lan0,lan1"; NULL: every LAN has the page. */
static bool page_serves(const struct settings *settings, const char *interface)
{
	const char *name = settings->web.interfaces;
	size_t length = strlen(interface);

	if (!is_lan(settings, interface))
		return false;
	if (!name)
		return true;
	for (; *name; name += strcspn(name, ",") + (name[strcspn(name, ",")] == ','))
		if (strcspn(name, ",") == length && memcmp(name, interface, length) == 0)
			return true;
	return false;
}

static bool page_asker(const struct settings *present, const struct settings *wanted,
		       const struct cut_asker *asker, char *sentence)
{
	*sentence = '\0';
	if (present->web.enabled == SWITCH_ON && wanted->web.enabled == SWITCH_OFF)
		snprintf(sentence, CUT_OFF_SENTENCE,
			 "This browser is cut off: the page is switched off.");
	else if (*asker->interface && page_serves(present, asker->interface) &&
		 !page_serves(wanted, asker->interface))
		snprintf(sentence, CUT_OFF_SENTENCE,
			 "This browser is cut off: there is no page on %s any more.",
			 asker->interface);
	else if (present->web.https_port != wanted->web.https_port)
		snprintf(sentence, CUT_OFF_SENTENCE,
			 "This browser is cut off: the page moves to port %u.",
			 wanted->web.https_port);
	return *sentence;
}

#define SSH_PORT 22

/* By the WAN, from where no new session may begin. */
static bool ssh_refused(const struct settings *settings, const struct cut_asker *asker)
{
	struct settings_error ignored;
	struct allows allows;

	if (!is_wan(settings, asker->interface) ||
	    allows_parse(settings->wan.allow, &allows, &ignored))
		return false;
	return !allows_port(&allows, asker->address, false, SSH_PORT);
}

/* What is open goes on, as the gateway's own flow; the next one is a stranger's. */
static bool ssh_asker(const struct settings *present, const struct settings *wanted,
		      const struct cut_asker *asker, char *sentence)
{
	char from[INET_ADDRSTRLEN];

	if (!*asker->interface || ssh_refused(present, asker) || !ssh_refused(wanted, asker))
		return false;
	inet_ntop(AF_INET, &asker->address, from, sizeof(from));
	snprintf(
		sentence, CUT_OFF_SENTENCE,
		"Your SSH session from %s comes in by %s, %s: it goes on, but a new one is refused "
		"unless wan.allow names it.",
		from, asker->interface,
		is_wan(present, asker->interface) ? "the WAN" : "which becomes the WAN");
	return true;
}

bool cut_off_asker(const struct settings *present, const struct settings *wanted,
		   const struct cut_asker *asker, char *sentence)
{
	return asker->page ? page_asker(present, wanted, asker, sentence)
			   : ssh_asker(present, wanted, asker, sentence);
}
