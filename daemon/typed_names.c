/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/typed_names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "conf/printable.h"
#include "daemon/names.h"
#include "daemon/state_file.h"

#define FILE_NAME "names.json"
#define KEY_BYTES 20

static void key_of(const uint8_t *mac, __be32 address, char key[KEY_BYTES])
{
	if (mac)
		snprintf(key, KEY_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
			 mac[3], mac[4], mac[5]);
	else
		inet_ntop(AF_INET, &address, key, KEY_BYTES);
}

static bool is_name(const char *name)
{
	return strlen(name) < NAMER_NAME_BYTES && printable(name);
}

json_t *typed_names_read(const struct settings *settings)
{
	json_t *typed = state_read(settings, FILE_NAME), *value;
	const char *key;
	void *next;

	json_object_foreach_safe (typed, next, key, value)
		if (!json_is_string(value) || !is_name(json_string_value(value)))
			json_object_del(typed, key);
	return typed ? typed : json_object();
}

const char *typed_name(const json_t *typed, const uint8_t *mac, __be32 address)
{
	char key[KEY_BYTES];
	const char *name;

	key_of(mac, address, key);
	name = json_string_value(json_object_get(typed, key));
	if (name || !mac)
		return name;
	key_of(NULL, address, key); /* typed before its MAC address was known */
	return json_string_value(json_object_get(typed, key));
}

int typed_name_set(json_t **typed, const struct settings *settings, const uint8_t *mac,
		   __be32 address, const char *name)
{
	char key[KEY_BYTES];
	json_t *changed;
	int rc;

	if (!is_name(name))
		return -EINVAL;
	changed = json_copy(*typed);
	key_of(NULL, address, key);
	json_object_del(changed, key);
	key_of(mac, address, key);
	json_object_del(changed, key);
	if (*name)
		json_object_set_new(changed, key, json_string(name));
	rc = json_object_size(changed) > NAMES_TYPED
		     ? -ENOSPC
		     : state_write_now(settings, FILE_NAME, changed);
	json_decref(rc ? changed : *typed);
	if (!rc)
		*typed = changed;
	return rc;
}
