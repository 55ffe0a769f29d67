/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The settings file as tables: libcyaml's schema for reading and writing, and
 * one row per scalar setting with its name, default and limits. Both are made
 * from the lists on top of schema.c. Used inside conf/ only.
 */
#ifndef WAYLEAVE_CONF_SCHEMA_H
#define WAYLEAVE_CONF_SCHEMA_H

#include <cyaml/cyaml.h>

#include "conf/settings.h"

/* A port forward as written: what may be left out is a pointer, the address is text. */
struct forward_document {
	char *name;
	enum forward_protocol protocol;
	uint16_t *port, *port_last;
	char *to;
	uint16_t *to_port;
};

/* The file as written; settings.port_forwards stays empty here. */
struct settings_document {
	struct settings settings;
	struct forward_document *forwards;
	unsigned int forwards_count;
};

extern const cyaml_schema_value_t settings_document_schema;

enum field_kind {
	FIELD_ENUM,
	FIELD_NUMBER, /* uint16_t or uint32_t */
	FIELD_STRING,
	FIELD_NAMES, /* lan.interfaces */
};

/* One setting outside of port_forwards. */
struct settings_field {
	const char *name; /* dotted */
	enum field_kind kind;
	size_t offset, size;	     /* in struct settings, bytes */
	const cyaml_strval_t *words; /* enum: values; number: words that stand for one; or NULL */
	size_t words_count;
	uint32_t fallback; /* when not in the file; strings: see fallback_text */
	uint32_t min, max; /* number, inclusive; words are exempt */
	const char *fallback_text;
	const char *why; /* who sets the minimum: "RFC 4787 REQ-5"; or NULL */
};

extern const struct settings_field settings_fields[];
extern const size_t settings_fields_count;

/* NULL: no such setting */
const struct settings_field *settings_field_find(const char *name);

/* The word for VALUE, NULL when there is none (a number). */
const char *settings_field_word(const struct settings_field *field, int64_t value);

/* "on, off, nat-only": for a sentence; returns TEXT. */
char *settings_field_words(const struct settings_field *field, char *text, size_t size);

/* The value of an enum or number. */
uint32_t settings_field_number(const struct settings_field *field, const struct settings *settings);
void settings_field_store(const struct settings_field *field, struct settings *settings,
			  uint32_t value);

#define PORT_FORWARDS_MAX 4096
extern const cyaml_strval_t forward_protocol_words[];
extern const size_t forward_protocol_words_count;

#endif
