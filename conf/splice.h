/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A YAML text and its nodes, for changes at the places where they stand. Used by conf/edit.c. */
#ifndef WAYLEAVE_CONF_SPLICE_H
#define WAYLEAVE_CONF_SPLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

struct yaml_text {
	char *bytes; /* NUL at the end */
	size_t length;
	yaml_document_t document;
	bool parsed;
};

/* Takes BYTES, from malloc(), also on failure. 0 or -EINVAL. */
int yaml_text_read(struct yaml_text *text, char *bytes, size_t length);

/* BYTES stay the caller's with KEEP. */
void yaml_text_free(struct yaml_text *text, bool keep);

/* NULL: the text is not a mapping. */
yaml_node_t *yaml_text_root(struct yaml_text *text);

/* Key and value of KEY in MAPPING; NULL: it is not there. */
yaml_node_t *yaml_value(struct yaml_text *text, const yaml_node_t *mapping, const char *key,
			yaml_node_t **key_node);

yaml_node_t *yaml_item(struct yaml_text *text, const yaml_node_t *sequence, size_t i);
size_t yaml_items(const yaml_node_t *sequence);

bool yaml_is_flow(const yaml_node_t *node);

/* Where NODE begins, and where its last character ends, in bytes. */
size_t yaml_begin(const struct yaml_text *text, const yaml_node_t *node);
size_t yaml_end(struct yaml_text *text, const yaml_node_t *node);

/* The beginning of AT's line, and what follows its line break. */
size_t line_begin(const struct yaml_text *text, size_t at);
size_t line_after(const struct yaml_text *text, size_t at);

/* Is all from AT to its line's end blank, or a comment? */
bool line_rests(const struct yaml_text *text, size_t at);

/* How many spaces AT's line begins with, if it has nothing else before AT; -1: it has. */
int line_indent(const struct yaml_text *text, size_t at);

/* "\n" or "\r\n", as TEXT has it. */
const char *line_break(const struct yaml_text *text);

/* Puts PUT in the place of the bytes from FROM to TO; TEXT's nodes are stale afterwards. 0 or
 * -ENOMEM. */
int text_splice(struct yaml_text *text, size_t from, size_t to, const char *put);

#endif
