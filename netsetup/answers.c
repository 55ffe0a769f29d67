/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netsetup/answers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PPP_INTERFACE	 "ppp-wan"
#define BRIDGE_INTERFACE "br-lan"

static int wrong(struct settings_error *error, const char *field, const char *message)
{
	return settings_error_set(error, -EINVAL, field, "%s", message);
}

/* --- one member -------------------------------------------------------------------------- */

/* Linux takes more; these are what no file takes for a pattern, a list or an option. */
static int port_take(const json_t *value, const char *field, char name[IFNAMSIZ],
		     struct settings_error *error)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	const char *text = json_string_value(value);
	size_t length = json_string_length(value);

	if (!text || !length)
		return wrong(error, field, "which port? For example eth0");
	if (length >= IFNAMSIZ || strlen(text) != length || text[strspn(text, allowed)] ||
	    *text == '-' || *text == '.')
		return wrong(error, field,
			     "a port's name has at most 15 letters, digits, dots, dashes and "
			     "underscores");
	if (strcmp(text, PPP_INTERFACE) == 0 || strcmp(text, BRIDGE_INTERFACE) == 0)
		return wrong(error, field,
			     "this interface is made by the setup itself; name the port below it");
	memcpy(name, text, length + 1);
	return 0;
}

/* Printable ASCII: it goes between quotes into a file of lines. */
static int secret_take(const json_t *value, const char *field, char *secret,
		       struct settings_error *error)
{
	const char *text = json_string_value(value);
	size_t length = json_string_length(value);

	if (!text || !length)
		return wrong(error, field, "is needed for PPPoE; the provider's letter has it");
	if (length > ANSWERS_SECRET_MAX_BYTES)
		return wrong(error, field, "is longer than 128 characters");
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return wrong(error, field,
				     "may only have the printable characters of ASCII");
	memcpy(secret, text, length + 1);
	return 0;
}

static bool is_private(uint32_t address)
{
	return address >> 24 == 10 || address >> 20 == 0xac1 || address >> 16 == 0xc0a8;
}

/* A network that lies in one of RFC 1918's three as a whole. */
static bool network_is_private(uint32_t address, uint32_t mask)
{
	return is_private(address & mask) && is_private(address | ~mask);
}

static int inside_take(const json_t *value, struct answers *answers, struct settings_error *error)
{
	const char *text = json_string_value(value), *slash = text ? strchr(text, '/') : NULL;
	char address[INET_ADDRSTRLEN] = "", *end;
	unsigned long prefix = slash ? strtoul(slash + 1, &end, 10) : 24;
	size_t length = slash ? (size_t)(slash - text) : text ? strlen(text) : 0;

	if (!text || length >= sizeof(address) || strlen(text) != json_string_length(value) ||
	    (slash && (slash[1] < '0' || slash[1] > '9' || *end)))
		return wrong(error, "inside", "is an address with a prefix, as 192.168.1.1/24");
	memcpy(address, text, length);
	if (inet_pton(AF_INET, address, &answers->address) != 1)
		return wrong(error, "inside", "is an address with a prefix, as 192.168.1.1/24");
	if (prefix < ANSWERS_PREFIX_LEAST || prefix > ANSWERS_PREFIX_MOST)
		return wrong(error, "inside", "the prefix is from /16 to /29");
	answers->prefix = (unsigned int)prefix;

	uint32_t mask = ~0u << (32 - prefix), host = ntohl(answers->address.s_addr);
	if (!network_is_private(host, mask))
		return wrong(error, "inside",
			     "is not private; take one of 192.168.0.0/16, 172.16.0.0/12 or "
			     "10.0.0.0/8");
	if ((host & ~mask) == 0 || (host & ~mask) == ~mask)
		return wrong(error, "inside",
			     "is the network's own or its broadcast address, not a host's");
	return 0;
}

static int lan_take(const json_t *list, struct answers *answers, struct settings_error *error)
{
	size_t count = json_array_size(list);

	if (!count || count > ANSWERS_PORTS_MAX)
		return wrong(error, "lan", "names 1 to 8 ports for the devices inside");
	for (size_t i = 0; i < count; i++) {
		char *name = answers->lan[i];
		int rc = port_take(json_array_get(list, i), "lan", name, error);

		if (rc)
			return rc;
		if (strcmp(name, answers->wan) == 0)
			return wrong(error, "lan", "the internet's port cannot be inside as well");
		for (size_t k = 0; k < i; k++)
			if (strcmp(name, answers->lan[k]) == 0)
				return wrong(error, "lan", "names a port twice");
	}
	answers->lan_count = (unsigned int)count;
	return 0;
}

static int line_take(const json_t *json, struct answers *answers, struct settings_error *error)
{
	const char *line = json_string_value(json_object_get(json, "line"));
	int rc;

	if (line && strcmp(line, "dhcp") == 0) {
		answers->line = LINE_DHCP;
		return 0;
	}
	if (!line || strcmp(line, "pppoe") != 0)
		return wrong(error, "line", "is dhcp (no user name) or pppoe (with one)");
	answers->line = LINE_PPPOE;
	rc = secret_take(json_object_get(json, "user"), "user", answers->user, error);
	return rc ? rc
		  : secret_take(json_object_get(json, "password"), "password", answers->password,
				error);
}

static int manager_take(const json_t *value, struct answers *answers, struct settings_error *error)
{
	const char *text = json_string_value(value);

	if (!value || json_is_null(value))
		return 0;
	if (text && strcmp(text, "networkd") == 0)
		answers->manager = MANAGER_NETWORKD;
	else if (text && strcmp(text, "ifupdown") == 0)
		answers->manager = MANAGER_IFUPDOWN;
	else
		return wrong(error, "manager", "is networkd or ifupdown");
	return 0;
}

static int within_take(const json_t *value, struct answers *answers, struct settings_error *error)
{
	json_int_t seconds = value ? json_integer_value(value) : ANSWERS_WITHIN_USUAL_S;

	if (seconds < ANSWERS_WITHIN_LEAST_S || seconds > ANSWERS_WITHIN_MOST_S)
		return wrong(error, "within_s", "is a number of seconds from 10 to 3600");
	answers->within_s = (unsigned int)seconds;
	return 0;
}

/* --- all ------------------------------------------------------------------------------------ */

int answers_read(const json_t *json, struct answers *answers, struct settings_error *error)
{
	int rc;

	*answers = (struct answers){0};
	if (!json_is_object(json))
		return wrong(error, "answers", "are not an object");
	rc = port_take(json_object_get(json, "wan"), "wan", answers->wan, error);
	if (!rc)
		rc = line_take(json, answers, error);
	if (!rc)
		rc = inside_take(json_object_get(json, "inside"), answers, error);
	if (!rc)
		rc = lan_take(json_object_get(json, "lan"), answers, error);
	if (!rc)
		rc = manager_take(json_object_get(json, "manager"), answers, error);
	return rc ? rc : within_take(json_object_get(json, "within_s"), answers, error);
}

const char *answers_wan_interface(const struct answers *answers)
{
	return answers->line == LINE_PPPOE ? PPP_INTERFACE : answers->wan;
}

const char *answers_lan_interface(const struct answers *answers)
{
	return answers->lan_count > 1 ? BRIDGE_INTERFACE : answers->lan[0];
}
