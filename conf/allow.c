/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/allow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FIELD	      "wan.allow"
#define ENTRY_MAX     96
#define SSH_PORT      22
#define PREFIX_BITS   32
#define NUMBER_DIGITS 5

/* Plain decimal at *TEXT, which moves behind it; false: none, or above MOST. */
static bool number_take(const char **text, uint32_t most, uint32_t *number)
{
	size_t digits = strspn(*text, "0123456789");

	if (!digits || digits > NUMBER_DIGITS || (**text == '0' && digits > 1))
		return false;
	*number = 0;
	for (size_t i = 0; i < digits; i++)
		*number = *number * 10 + (uint32_t)((*text)[i] - '0');
	*text += digits;
	return *number <= most;
}

/* "80", "6000-6009" */
static bool range_take(const char *text, struct allow *allow)
{
	uint32_t first, last;

	if (!number_take(&text, UINT16_MAX, &first))
		return false;
	last = first;
	if (*text == '-') {
		text++;
		if (!number_take(&text, UINT16_MAX, &last))
			return false;
	}
	allow->first = first;
	allow->last = last;
	return !*text && first && first <= last;
}

static int ports_take(const char *ports, struct allow *allow, struct settings_error *error)
{
	bool tcp = strncmp(ports, "tcp:", 4) == 0;

	if (strcmp(ports, "ssh") == 0) {
		allow->first = allow->last = SSH_PORT;
		return 0;
	}
	allow->udp = strncmp(ports, "udp:", 4) == 0;
	if ((tcp || allow->udp) && range_take(ports + 4, allow))
		return 0;
	return settings_error_set(error, -EINVAL, FIELD,
				  "'%.40s' is neither ssh nor tcp:PORT, udp:PORT or a range like "
				  "tcp:8000-8009",
				  ports);
}

static struct in_addr mask_of(unsigned int length)
{
	return (struct in_addr){.s_addr =
					length ? htonl(0xffffffffu << (PREFIX_BITS - length)) : 0};
}

/* "198.51.100.0/24", "198.51.100.7", "any" */
static int source_take(const char *source, struct allow *allow, struct settings_error *error)
{
	char address[INET_ADDRSTRLEN], network[INET_ADDRSTRLEN];
	size_t end = strcspn(source, "/");
	const char *text = source + end + 1;
	uint32_t length = PREFIX_BITS;
	bool good = true;

	if (strcmp(source, "any") == 0)
		return 0;
	if (source[end])
		good = number_take(&text, PREFIX_BITS, &length) && !*text;
	snprintf(address, sizeof(address), "%.*s", (int)end, source);
	if (!good || end >= sizeof(address) || inet_pton(AF_INET, address, &allow->source) != 1)
		return settings_error_set(error, -EINVAL, FIELD,
					  "'%.40s' is neither any nor an IPv4 address or network",
					  source);
	allow->length = length;
	allow->mask = mask_of(length);
	if (!(allow->source.s_addr & ~allow->mask.s_addr))
		return 0;
	allow->source.s_addr &= allow->mask.s_addr;
	inet_ntop(AF_INET, &allow->source, network, sizeof(network));
	return settings_error_set(error, -EINVAL, FIELD,
				  "%.40s has bits behind its prefix; did you mean %s/%u or %s?",
				  source, network, length, address);
}

/* One entry of LENGTH bytes, spaces around it. */
static int entry_take(const char *text, size_t length, struct allow *allow,
		      struct settings_error *error)
{
	char entry[ENTRY_MAX], ports[ENTRY_MAX], source[ENTRY_MAX];
	int end = 0;

	*allow = (struct allow){0};
	if (length >= sizeof(entry))
		return settings_error_set(error, -EINVAL, FIELD, "'%.40s...' is too long", text);
	snprintf(entry, sizeof(entry), "%.*s", (int)length, text);
	if (sscanf(entry, " %95s from %95s %n", ports, source, &end) != 2 || !end || entry[end])
		return settings_error_set(error, -EINVAL, FIELD,
					  "'%.40s' is not PORTS from SOURCE, as in \"ssh from "
					  "198.51.100.0/24\"",
					  entry);
	int rc = ports_take(ports, allow, error);
	return rc ? rc : source_take(source, allow, error);
}

int allows_parse(const char *text, struct allows *allows, struct settings_error *error)
{
	int rc = 0;

	*allows = (struct allows){0};
	while (!rc && text) {
		size_t length = strcspn(text, ",");

		if (allows->count == ALLOWS_MAX)
			return settings_error_set(error, -EINVAL, FIELD, "has more than %d entries",
						  ALLOWS_MAX);
		rc = entry_take(text, length, &allows->allow[allows->count++], error);
		text = text[length] ? text + length + 1 : NULL;
	}
	return rc;
}

bool allows_port(const struct allows *allows, struct in_addr source, bool udp, uint16_t port)
{
	for (unsigned int i = 0; i < allows->count; i++) {
		const struct allow *allow = &allows->allow[i];

		if (allow->udp == udp && allow->first <= port && port <= allow->last &&
		    !((source.s_addr ^ allow->source.s_addr) & allow->mask.s_addr))
			return true;
	}
	return false;
}
