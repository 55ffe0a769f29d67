/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values as text, and the checks of one value. The checks between values are
 * settings_check() in conf/load.h. Used inside conf/ only; results as there.
 */
#ifndef WAYLEAVE_CONF_CHECK_H
#define WAYLEAVE_CONF_CHECK_H

#include <jansson.h>

#include "conf/error.h"
#include "conf/schema.h"

/* TEXT for an enum or number, in its range. */
int value_parse(const struct settings_field *field, const char *text, uint32_t *value,
		struct settings_error *error);

/* A port from 0 to 65535 at PATH; whether 0 is one is settings_check()'s business. */
int port_parse(const char *path, const char *text, uint16_t *port, struct settings_error *error);

/* Dotted IPv4 address of an inside host at PATH. */
int address_parse(const char *path, const char *text, struct in_addr *address,
		  struct settings_error *error);

/* Stores VALUE, not checked against the other settings yet. */
int field_store(const struct settings_field *field, struct settings *settings, const char *value,
		struct settings_error *error);

/* Appends a forward from JSON, not checked against the others yet. */
int settings_forward_append(struct settings *settings, const json_t *object,
			    struct settings_error *error);

/*
 * Ends an edit of WORK, a copy of SETTINGS, that gave RC: checks it, makes it the content
 * of SETTINGS and frees what is left over. On failure SETTINGS is as it was.
 */
int settings_edit_finish(struct settings *settings, struct settings *work, int rc,
			 struct settings_error *error);

/* -EINVAL, and a sentence about the setting PATH: it cannot be forwarded. */
int forward_protocol_check(const char *path, enum forward_protocol protocol,
			   struct settings_error *error);

#endif
