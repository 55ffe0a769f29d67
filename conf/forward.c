/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Port forwards: to and from JSON, added and removed (conf/field.h). */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/check.h"
#include "conf/field.h"
#include "conf/load.h"
#include "conf/near.h"
#include "conf/schema.h"

json_t *settings_forward_json(const struct port_forward_settings *forward)
{
	char to[INET_ADDRSTRLEN];
	json_t *object = json_object();

	inet_ntop(AF_INET, &forward->to, to, sizeof(to));
	if (forward->name)
		json_object_set_new(object, "name", json_string(forward->name));
	json_object_set_new(object, "protocol",
			    json_string(forward_protocol_name(forward->protocol)));
	if (forward_has_ports(forward->protocol)) {
		json_object_set_new(object, "port", json_integer(forward->port));
		json_object_set_new(object, "port_last", json_integer(forward->port_last));
	}
	json_object_set_new(object, "to", json_string(to));
	if (forward_has_ports(forward->protocol))
		json_object_set_new(object, "to_port", json_integer(forward->to_port));
	return object;
}

/* "tcp", "41" or 41; -1: none of them. Which numbers are taken, forward_protocol_check() says. */
static long protocol_read(const json_t *value)
{
	const char *name = json_string_value(value);
	char *end;

	if (json_is_integer(value))
		return json_integer_value(value) & ~0xffll ? -1 : json_integer_value(value);
	for (size_t i = 0; name && i < forward_protocol_words_count; i++)
		if (strcmp(forward_protocol_words[i].str, name) == 0)
			return forward_protocol_words[i].val;
	if (!name || *name < '0' || *name > '9' || strlen(name) > 3)
		return -1;
	long number = strtol(name, &end, 10);
	return *end || number > UINT8_MAX ? -1 : number;
}

static int protocol_take(const json_t *value, struct port_forward_settings *forward,
			 struct settings_error *error)
{
	long protocol = protocol_read(value);

	forward->protocol = protocol < 0 ? 0 : protocol;
	return forward_protocol_check("protocol", forward->protocol, error);
}

static int port_take(const char *name, const json_t *value, uint16_t *port,
		     struct settings_error *error)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 1 || number > UINT16_MAX)
		return settings_error_set(error, -EINVAL, name, "is not a port from 1 to 65535");
	*port = number;
	return 0;
}

static int member_take(const char *key, const json_t *value, struct port_forward_settings *forward,
		       struct settings_error *error)
{
	const char *text = json_string_value(value);

	if (strcmp(key, "protocol") == 0)
		return protocol_take(value, forward, error);
	if (strcmp(key, "port") == 0)
		return port_take(key, value, &forward->port, error);
	if (strcmp(key, "port_last") == 0)
		return port_take(key, value, &forward->port_last, error);
	if (strcmp(key, "to_port") == 0)
		return port_take(key, value, &forward->to_port, error);
	if (strcmp(key, "to") == 0)
		return address_parse(key, text ? text : "", &forward->to, error);
	if (strcmp(key, "name") != 0)
		return settings_error_set(error, -EINVAL, key,
					  "a port forward has no such setting");
	if (!text || forward->name)
		return settings_error_set(error, -EINVAL, key, "is not text");
	forward->name = strdup(text);
	return forward->name ? 0 : settings_error_set(error, -ENOMEM, key, "no memory");
}

/* On failure nothing is left to free. */
static int forward_take(const json_t *object, struct port_forward_settings *forward,
			struct settings_error *error)
{
	const char *key;
	json_t *value;

	*forward = (struct port_forward_settings){0};
	if (!json_object_get(object, "protocol"))
		return settings_error_set(error, -EINVAL, "protocol", "is missing");
	if (!json_object_get(object, "to"))
		return settings_error_set(error, -EINVAL, "to", "is missing");
	json_object_foreach ((json_t *)object, key, value) {
		int rc = member_take(key, value, forward, error);
		if (rc) {
			free(forward->name);
			return rc;
		}
	}
	if (!forward->port_last)
		forward->port_last = forward->port;
	if (!forward->to_port)
		forward->to_port = forward->port;
	return 0;
}

/* Takes forward->name, also on failure. */
static int forward_append(struct settings *settings, struct port_forward_settings *forward)
{
	unsigned int count = settings->port_forwards_count;
	struct port_forward_settings *forwards = settings->port_forwards;

	if (count < PORT_FORWARDS_MAX)
		forwards = reallocarray(forwards, count + 1, sizeof(*forwards));
	if (!forwards || count >= PORT_FORWARDS_MAX) {
		free(forward->name);
		return forwards ? -ENOSPC : -ENOMEM;
	}
	forwards[count] = *forward;
	settings->port_forwards = forwards;
	settings->port_forwards_count++;
	return 0;
}

/* The check names the place in the list; the caller knows only the one it adds. */
static void own_place_strip(struct settings_error *error, unsigned int i)
{
	char own[48];
	int length = snprintf(own, sizeof(own), "port_forwards[%u].", i);

	if (strncmp(error->field, own, length) == 0)
		memmove(error->field, error->field + length, strlen(error->field + length) + 1);
}

int settings_forward_append(struct settings *settings, const json_t *object,
			    struct settings_error *error)
{
	struct port_forward_settings forward;
	int rc = forward_take(object, &forward, error);

	if (rc)
		return rc;
	rc = forward_append(settings, &forward);
	if (rc == -ENOSPC)
		return settings_error_set(error, -EINVAL, "port_forwards",
					  "there are %d already, which is as many as there may be",
					  PORT_FORWARDS_MAX);
	return rc ? settings_error_set(error, rc, "", "%s", strerror(-rc)) : 0;
}

int settings_forward_add(struct settings *settings, const json_t *object,
			 struct settings_error *error)
{
	struct settings *work = settings_copy(settings);

	if (!work)
		return settings_error_set(error, -ENOMEM, "", "no memory");
	int rc = settings_forward_append(work, object, error);
	rc = settings_edit_finish(settings, work, rc, error);
	if (rc)
		own_place_strip(error, settings->port_forwards_count);
	return rc;
}

/* Position of KEY, counted from 0; the count when there is none. */
static unsigned int forward_find(const struct settings *settings, const char *key)
{
	unsigned int count = settings->port_forwards_count;
	char *end;

	for (unsigned int i = 0; i < count; i++)
		if (settings->port_forwards[i].name &&
		    strcmp(settings->port_forwards[i].name, key) == 0)
			return i;
	const char *digits = key + (*key == '#');
	unsigned long place = strtoul(digits, &end, 10);
	if (*digits < '0' || *digits > '9' || *end || place == 0 || place > count)
		return count;
	return place - 1;
}

static int forward_unknown(const struct settings *settings, const char *key,
			   struct settings_error *error)
{
	struct near near = {.given = key};
	char hint[NEAR_HINT_BYTES];

	for (unsigned int i = 0; i < settings->port_forwards_count; i++)
		if (settings->port_forwards[i].name)
			near_look(&near, settings->port_forwards[i].name);
	return settings_error_set(error, -ENOENT, "port_forwards",
				  "there is no port forward '%.64s'%s", key,
				  near_hint(&near, hint, sizeof(hint)));
}

int settings_forward_remove(struct settings *settings, const char *key,
			    struct settings_error *error)
{
	unsigned int i = forward_find(settings, key);

	if (i == settings->port_forwards_count)
		return forward_unknown(settings, key, error);
	free(settings->port_forwards[i].name);
	settings->port_forwards_count--;
	memmove(&settings->port_forwards[i], &settings->port_forwards[i + 1],
		(settings->port_forwards_count - i) * sizeof(*settings->port_forwards));
	return 0;
}
