/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings by their dotted name: "passthrough.pptp", "timeouts.udp",
 * "lan.interfaces" (names with a comma between them), and port forwards as a list.
 *
 * A change is checked as a whole before it is taken: on failure nothing in
 * SETTINGS has changed, the result is -EINVAL, -ENOENT (no such name) or -ENOMEM,
 * and *ERROR holds field and sentence.
 */
#ifndef WAYLEAVE_CONF_FIELD_H
#define WAYLEAVE_CONF_FIELD_H

#include <jansson.h>

#include "conf/error.h"
#include "conf/settings.h"

int settings_set(struct settings *settings, const char *name, const char *value,
		 struct settings_error *error);

/* All of VALUES, {"name": "value"}; checked as a whole, all or none is taken. */
int settings_set_all(struct settings *settings, const json_t *values, struct settings_error *error);

/*
 * What settings_json() gave, perhaps on another machine: nested objects, port_forwards,
 * defaults for what is not there. *SETTINGS is the caller's.
 */
int settings_from_json(const json_t *whole, struct settings **settings,
		       struct settings_error *error);

/*
 * True for what names files, directories and groups of this machine: a backup does not bring it,
 * and the web process, which has no files, may not point the daemon at any.
 */
bool settings_is_machines(const char *name);

/* The value as text, as settings_set() takes it; the caller frees *VALUE. */
int settings_get(const struct settings *settings, const char *name, char **value);

/* The I-th settable name, NULL after the last. */
const char *settings_name(size_t i);

/* "tcp", "udp", "esp", "gre", "l2tp", else the number: "41" */
const char *forward_protocol_name(enum forward_protocol protocol);
const char *passthrough_state_name(enum passthrough_state state);

/*
 * FORWARD as {"name", "protocol", "port", "port_last", "to", "to_port"}; all but protocol
 * and to are optional, port is required where the protocol has ports.
 */
int settings_forward_add(struct settings *settings, const json_t *forward,
			 struct settings_error *error);
/* KEY is the forward's name, or its position counted from 1 ("#2" or "2"). */
int settings_forward_remove(struct settings *settings, const char *key,
			    struct settings_error *error);

/* The settings as nested objects, named as in the file; a new reference or NULL. */
json_t *settings_json(const struct settings *settings);
/* One forward as settings_forward_add() takes it; a new reference or NULL. */
json_t *settings_forward_json(const struct port_forward_settings *forward);

#endif
