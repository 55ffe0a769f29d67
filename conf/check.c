/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/allow.h"
#include "conf/field.h"
#include "conf/load.h"
#include "conf/near.h"
#include "conf/printable.h"
#include "conf/subnets.h"

#define NAME_MAX_BYTES 64
/* sun_path holds 108 bytes, of which "/control.sock" and the end take 14. */
#define RUN_DIR_MAX_BYTES    94
#define STATE_DIR_MAX_BYTES  1024
#define HOST_NAMES_MAX_BYTES 512
#define PATH_MAX_BYTES	     1024

/* --- one value ------------------------------------------------------------------ */

static int range_check(const struct settings_field *field, uint32_t value,
		       struct settings_error *error)
{
	if (settings_field_word(field, value))
		return 0;
	if (value >= field->min && value <= field->max)
		return 0;
	if (value < field->min && field->why)
		return settings_error_set(error, -EINVAL, field->name,
					  "%u is too small: %s asks for at least %u", value,
					  field->why, field->min);
	return settings_error_set(error, -EINVAL, field->name, "%u is not from %u to %u", value,
				  field->min, field->max);
}

/* Plain decimal: 077 would be octal to one reader and 77 to another. */
static bool decimal(const char *text, uint32_t *value)
{
	char *end;

	if (!isdigit((unsigned char)*text) || (*text == '0' && text[1]))
		return false;
	errno = 0;
	unsigned long long number = strtoull(text, &end, 10);
	if (errno || *end || number > UINT32_MAX)
		return false;
	*value = number;
	return true;
}

static int word_missing(const struct settings_field *field, const char *text,
			struct settings_error *error)
{
	char words[128], hint[NEAR_HINT_BYTES];
	struct near near = {.given = text};

	settings_field_words(field, words, sizeof(words));
	for (size_t i = 0; i < field->words_count; i++)
		near_look(&near, field->words[i].str);
	if (field->kind == FIELD_ENUM)
		return settings_error_set(error, -EINVAL, field->name, "'%.40s' is none of %s%s",
					  text, words, near_hint(&near, hint, sizeof(hint)));
	return settings_error_set(error, -EINVAL, field->name,
				  "'%.40s' is not a whole number from %u to %u%s%s", text,
				  field->min, field->max, *words ? " and none of " : "", words);
}

int value_parse(const struct settings_field *field, const char *text, uint32_t *value,
		struct settings_error *error)
{
	for (size_t i = 0; i < field->words_count; i++) {
		if (strcmp(field->words[i].str, text) == 0) {
			*value = field->words[i].val;
			return 0;
		}
	}
	if (field->kind != FIELD_NUMBER || !decimal(text, value))
		return word_missing(field, text, error);
	return range_check(field, *value, error);
}

int port_parse(const char *path, const char *text, uint16_t *port, struct settings_error *error)
{
	uint32_t value;

	if (!decimal(text, &value) || value > UINT16_MAX)
		return settings_error_set(error, -EINVAL, path,
					  "'%.40s' is not a port from 1 to 65535", text);
	*port = value;
	return 0;
}

static bool inside_host(struct in_addr address)
{
	uint32_t host = ntohl(address.s_addr);

	return host >> 24 != 0 && host >> 24 != 127 && host < 0xe0000000;
}

int address_parse(const char *path, const char *text, struct in_addr *address,
		  struct settings_error *error)
{
	if (inet_pton(AF_INET, text, address) != 1)
		return settings_error_set(error, -EINVAL, path, "'%.40s' is not an IPv4 address",
					  text);
	return 0;
}

bool forward_has_ports(enum forward_protocol protocol)
{
	return protocol == FORWARD_TCP || protocol == FORWARD_UDP;
}

int forward_protocol_check(const char *path, enum forward_protocol protocol,
			   struct settings_error *error)
{
	if (protocol == FORWARD_ICMP)
		return settings_error_set(error, -EINVAL, path,
					  "ICMP cannot be forwarded: the gateway answers queries, "
					  "and errors follow their connections");
	if (protocol < 1 || protocol > FORWARD_PROTOCOL_LAST)
		return settings_error_set(error, -EINVAL, path,
					  "is tcp, udp, esp, gre, l2tp or the number of another "
					  "IP protocol, 2 to 254");
	return 0;
}

/* --- strings ---------------------------------------------------------------------- */

/* As the kernel's dev_valid_name() has it. */
static int interface_check(const char *path, const char *name, struct settings_error *error)
{
	bool valid = name && *name && strlen(name) < IFNAMSIZ && strcmp(name, ".") != 0 &&
		     strcmp(name, "..") != 0;

	for (const char *c = name; valid && *c; c++)
		valid = isgraph((unsigned char)*c) && *c != '/' && *c != ':' && *c != ',';
	return valid ? 0
		     : settings_error_set(error, -EINVAL, path, "'%.40s' is not an interface name",
					  name ? name : "");
}

/* "gateway.lan,router": host names as RFC 1123 section 2.1 has them. */
static int host_names_check(const char *path, const char *names, struct settings_error *error)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";

	if (!names)
		return 0;
	if (strlen(names) > HOST_NAMES_MAX_BYTES || !*names ||
	    names[strcspn(names, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] || strstr(names, ",,") ||
	    *names == ',' || names[strlen(names) - 1] == ',')
		return settings_error_set(error, -EINVAL, path,
					  "is not a list of host names in small letters, with a "
					  "comma between them");
	for (const char *c = names; *c; c++)
		if (*c != ',' && !strchr(letters, *c))
			return settings_error_set(error, -EINVAL, path,
						  "'%.40s' is not a host name", names);
	return 0;
}

static int path_check(const char *name, const char *path, struct settings_error *error)
{
	if (path && (*path != '/' || strlen(path) > PATH_MAX_BYTES))
		return settings_error_set(error, -EINVAL, name,
					  "is not an absolute path of at most %d bytes",
					  PATH_MAX_BYTES);
	return 0;
}

static bool is_lan(const struct lan_settings *lan, const char *name, size_t length)
{
	for (unsigned int i = 0; i < lan->interfaces_count; i++)
		if (strlen(lan->interfaces[i]) == length &&
		    memcmp(lan->interfaces[i], name, length) == 0)
			return true;
	return false;
}

/* "lan0,lan1": each of them a LAN, or the page would be where nobody looks for it. */
static int web_interfaces_check(const struct settings *settings, struct settings_error *error)
{
	const char *name = settings->web.interfaces;

	while (name) {
		size_t length = strcspn(name, ",");

		if (!is_lan(&settings->lan, name, length))
			return settings_error_set(error, -EINVAL, "web.interfaces",
						  "'%.*s' is none of lan.interfaces",
						  length < 40 ? (int)length : 40, name);
		name = name[length] ? name + length + 1 : NULL;
	}
	return 0;
}

static int limits_check(const struct limits_settings *limits, struct settings_error *error)
{
	struct subnet list[SUBNETS_MAX];

	if (subnets_parse(limits->routed_subnets, list) >= 0)
		return 0;
	return settings_error_set(error, -EINVAL, "limits.routed_subnets",
				  "is not a list of at most %d IPv4 subnets like 10.1.0.0/16, with "
				  "a comma between them",
				  SUBNETS_MAX);
}

static int web_check(const struct web_settings *web, struct settings_error *error)
{
	int rc = host_names_check("web.names", web->names, error);

	if (!rc)
		rc = path_check("web.certificate", web->certificate, error);
	if (!rc)
		rc = path_check("web.key", web->key, error);
	if (!rc && !web->certificate != !web->key)
		rc = settings_error_set(error, -EINVAL, web->key ? "web.certificate" : "web.key",
					"is missing: a certificate and its key come together");
	if (!rc && web->http_port == web->https_port)
		rc = settings_error_set(error, -EINVAL, "web.https_port",
					"%u is the port of HTTP already", web->https_port);
	return rc;
}

static int strings_check(const struct settings *settings, struct settings_error *error)
{
	const char *run_dir = settings->run_dir;
	const char *state_dir = settings->state_dir;
	const char *group = settings->control_group;

	if (!run_dir || *run_dir != '/' || strlen(run_dir) > RUN_DIR_MAX_BYTES)
		return settings_error_set(error, -EINVAL, "run_dir",
					  "is not an absolute path of at most %d bytes",
					  RUN_DIR_MAX_BYTES);
	if (state_dir && (*state_dir != '/' || strlen(state_dir) > STATE_DIR_MAX_BYTES))
		return settings_error_set(error, -EINVAL, "state_dir",
					  "is not an absolute path of at most %d bytes",
					  STATE_DIR_MAX_BYTES);
	if (group && (!*group || strlen(group) > 32 || strpbrk(group, ":/, \t\n")))
		return settings_error_set(error, -EINVAL, "control_group",
					  "'%.40s' is not the name of a group", group);
	return 0;
}

/* --- interfaces ---------------------------------------------------------------------- */

static int lan_interface_check(const struct settings *settings, unsigned int i,
			       struct settings_error *error)
{
	char path[32];
	const char *name = settings->lan.interfaces[i];

	snprintf(path, sizeof(path), "lan.interfaces[%u]", i);
	int rc = interface_check(path, name, error);
	if (rc)
		return rc;
	if (strcmp(name, settings->wan.interface) == 0)
		return settings_error_set(error, -EINVAL, path, "%s is the WAN interface already",
					  name);
	for (unsigned int k = 0; k < i; k++)
		if (strcmp(name, settings->lan.interfaces[k]) == 0)
			return settings_error_set(error, -EINVAL, path, "%s is named twice", name);
	return 0;
}

static int interfaces_check(const struct settings *settings, struct settings_error *error)
{
	int rc = interface_check("wan.interface", settings->wan.interface, error);

	if (!rc && settings->lan.interfaces_count == 0)
		rc = settings_error_set(error, -EINVAL, "lan.interfaces",
					"needs at least one interface");
	for (unsigned int i = 0; !rc && i < settings->lan.interfaces_count; i++)
		rc = lan_interface_check(settings, i, error);
	return rc;
}

/* --- port forwards -------------------------------------------------------------------- */

#define FORWARD_PATH_BYTES 48

static const char *forward_path(char *path, unsigned int i, const char *member)
{
	snprintf(path, FORWARD_PATH_BYTES, "port_forwards[%u].%s", i, member);
	return path;
}

static int forward_name_check(const struct settings *settings, unsigned int i,
			      struct settings_error *error)
{
	char path[FORWARD_PATH_BYTES];
	const char *name = settings->port_forwards[i].name;

	if (!name)
		return 0;
	forward_path(path, i, "name");
	/* '#2' and '2' mean a position where a forward is named for removal */
	if (!*name || strlen(name) > NAME_MAX_BYTES || *name == '#' ||
	    name[strspn(name, "0123456789")] == '\0')
		return settings_error_set(error, -EINVAL, path,
					  "is empty, longer than %d bytes or a number",
					  NAME_MAX_BYTES);
	if (!printable(name))
		return settings_error_set(error, -EINVAL, path,
					  "has a character that cannot be printed, or that changes "
					  "how the text around it is shown");
	for (unsigned int k = 0; k < i; k++)
		if (settings->port_forwards[k].name &&
		    strcmp(settings->port_forwards[k].name, name) == 0)
			return settings_error_set(error, -EINVAL, path, "'%s' is named twice",
						  name);
	return 0;
}

static int forward_ports_check(const struct port_forward_settings *forward, unsigned int i,
			       struct settings_error *error)
{
	char path[FORWARD_PATH_BYTES];
	bool any = forward->port || forward->port_last || forward->to_port;

	if (!forward_has_ports(forward->protocol))
		return any ? settings_error_set(error, -EINVAL, forward_path(path, i, "port"),
						"%s has no ports",
						forward_protocol_name(forward->protocol))
			   : 0;
	if (forward->port == 0)
		return settings_error_set(error, -EINVAL, forward_path(path, i, "port"),
					  "%s needs a port from 1 to 65535",
					  forward_protocol_name(forward->protocol));
	if (forward->port_last < forward->port)
		return settings_error_set(error, -EINVAL, forward_path(path, i, "port_last"),
					  "%u is below the first port, %u", forward->port_last,
					  forward->port);
	if (forward->to_port == 0)
		return settings_error_set(error, -EINVAL, forward_path(path, i, "to_port"),
					  "0 is not a port");
	if (forward->to_port + (forward->port_last - forward->port) > UINT16_MAX)
		return settings_error_set(error, -EINVAL, forward_path(path, i, "to_port"),
					  "%u ports from %u on go past 65535",
					  forward->port_last - forward->port + 1, forward->to_port);
	return 0;
}

static bool forwards_overlap(const struct port_forward_settings *a,
			     const struct port_forward_settings *b)
{
	return a->protocol == b->protocol && a->port <= b->port_last && b->port <= a->port_last;
}

static int forward_overlap_check(const struct settings *settings, unsigned int i,
				 struct settings_error *error)
{
	const struct port_forward_settings *forwards = settings->port_forwards;
	char path[FORWARD_PATH_BYTES];
	bool ports = forward_has_ports(forwards[i].protocol);

	for (unsigned int k = 0; k < i; k++)
		if (forwards_overlap(&forwards[i], &forwards[k]))
			return settings_error_set(
				error, -EINVAL, forward_path(path, i, ports ? "port" : "protocol"),
				"%s is forwarded by port_forwards[%u] already",
				ports ? "a port of it"
				      : forward_protocol_name(forwards[i].protocol),
				k);
	return 0;
}

static int forward_check(const struct settings *settings, unsigned int i,
			 struct settings_error *error)
{
	char path[FORWARD_PATH_BYTES];
	const struct port_forward_settings *forward = &settings->port_forwards[i];

	if (!inside_host(forward->to))
		return settings_error_set(error, -EINVAL, forward_path(path, i, "to"),
					  "is not the address of one host");
	int rc =
		forward_protocol_check(forward_path(path, i, "protocol"), forward->protocol, error);
	if (!rc)
		rc = forward_name_check(settings, i, error);
	if (!rc)
		rc = forward_ports_check(forward, i, error);
	if (!rc)
		rc = forward_overlap_check(settings, i, error);
	return rc;
}

/* --- wan.allow ------------------------------------------------------------------------ */

static bool forward_meets(const struct port_forward_settings *forward, const struct allow *allow)
{
	return forward->protocol == (allow->udp ? FORWARD_UDP : FORWARD_TCP) &&
	       forward->port <= allow->last && allow->first <= forward->port_last;
}

/* A port leads inside or to the gateway, not both. */
static int allow_check(const struct settings *settings, struct settings_error *error)
{
	struct allows allows;
	int rc = allows_parse(settings->wan.allow, &allows, error);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < allows.count; i++)
		for (unsigned int k = 0; k < settings->port_forwards_count; k++)
			if (forward_meets(&settings->port_forwards[k], &allows.allow[i]))
				return settings_error_set(
					error, -EINVAL, "wan.allow",
					"%s port %u is forwarded to a device by port_forwards[%u]",
					allows.allow[i].udp ? "udp" : "tcp",
					settings->port_forwards[k].port, k);
	return 0;
}

/* --- the whole ---------------------------------------------------------------------- */

int settings_check(const struct settings *settings, struct settings_error *error)
{
	int rc = interfaces_check(settings, error);

	if (!rc)
		rc = strings_check(settings, error);
	if (!rc)
		rc = allow_check(settings, error);
	if (!rc)
		rc = web_check(&settings->web, error);
	if (!rc)
		rc = web_interfaces_check(settings, error);
	if (!rc)
		rc = limits_check(&settings->limits, error);
	for (size_t i = 0; !rc && i < settings_fields_count; i++)
		if (settings_fields[i].kind == FIELD_NUMBER)
			rc = range_check(&settings_fields[i],
					 settings_field_number(&settings_fields[i], settings),
					 error);
	for (unsigned int i = 0; !rc && i < settings->port_forwards_count; i++)
		rc = forward_check(settings, i, error);
	return rc;
}
