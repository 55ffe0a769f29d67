/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the file as written (struct settings_document, libcyaml) and struct
 * settings. Used inside conf/ only; results as in conf/load.h.
 */
#ifndef WAYLEAVE_CONF_DOCUMENT_H
#define WAYLEAVE_CONF_DOCUMENT_H

#include "conf/error.h"
#include "conf/lines.h"
#include "conf/schema.h"

/* Reads TEXT by the schema; what is wrong gets field and message, no line. */
int document_read(const char *text, size_t length, struct settings_document **document,
		  struct settings_error *error);
void document_free(struct settings_document *document);

/*
 * Takes the values over and frees DOCUMENT, also on failure. LINES tells which settings
 * are written there; the others get their defaults. Not checked yet.
 */
int document_to_settings(struct settings_document *document, const struct lines *lines,
			 struct settings **settings, struct settings_error *error);

/* Fills an all-zero SETTINGS with every setting's default. 0 or -ENOMEM. */
int settings_defaults(struct settings *settings);

/* YAML text; the caller frees *TEXT. */
int document_write(const struct settings *settings, char **text, size_t *length);

#endif
