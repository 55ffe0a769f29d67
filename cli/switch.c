/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/switch.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct passthrough_switch switches[] = {
	{"pptp", "passthrough.pptp", "PPTP", 'p',
	 "PPTP off blocks TCP port 1723 and GRE version 1."},
	{"l2tp", "passthrough.l2tp", "L2TP", 'l',
	 "L2TP off blocks UDP port 1701 and IP protocol 115, not L2TP inside IPsec."},
	{"ipsec", "passthrough.ipsec", "IPsec", 'i',
	 "IPsec off blocks UDP 500/4500, ESP, AH: also IKEv2, NAT-T and Wi-Fi calling."},
};
#define SWITCHES_COUNT (sizeof(switches) / sizeof(*switches))

const struct passthrough_switch *switch_at(size_t i)
{
	return i < SWITCHES_COUNT ? &switches[i] : NULL;
}

const struct passthrough_switch *switch_find(const char *setting)
{
	for (size_t i = 0; i < SWITCHES_COUNT; i++)
		if (strcmp(switches[i].setting, setting) == 0)
			return &switches[i];
	return NULL;
}

static const char *member(const json_t *vpn, const char *name)
{
	const char *text = json_string_value(json_object_get(vpn, name));
	return text ? text : "";
}

static bool governs(const struct passthrough_switch *passthrough, const json_t *vpn)
{
	const char *class = member(vpn, "class");
	return strcmp(*class ? class : member(vpn, "kind"), passthrough->class) == 0;
}

static bool seen_before(const struct passthrough_switch *passthrough, const json_t *vpns,
			size_t end)
{
	const char *device = member(json_array_get(vpns, end), "device");

	for (size_t i = 0; i < end; i++) {
		const json_t *vpn = json_array_get(vpns, i);
		if (governs(passthrough, vpn) && strcmp(member(vpn, "device"), device) == 0)
			return true;
	}
	return false;
}

size_t switch_users(const struct passthrough_switch *passthrough, const json_t *vpns, char *text,
		    size_t size)
{
	size_t count = 0, used = 0, i;
	json_t *vpn;

	snprintf(text, size, "nobody");
	json_array_foreach ((json_t *)vpns, i, vpn) {
		if (!governs(passthrough, vpn) || seen_before(passthrough, vpns, i))
			continue;
		const char *name = member(vpn, "device_name");
		if (used < size)
			used += snprintf(text + used, size - used, "%s%s%s%s", count ? ", " : "",
					 member(vpn, "device"), *name ? " " : "", name);
		count++;
	}
	return count;
}
