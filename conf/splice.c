/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/splice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int yaml_text_read(struct yaml_text *text, char *bytes, size_t length)
{
	yaml_parser_t parser;

	*text = (struct yaml_text){.bytes = bytes, .length = length};
	if (!yaml_parser_initialize(&parser))
		return -EINVAL;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, length);
	text->parsed = yaml_parser_load(&parser, &text->document);
	yaml_parser_delete(&parser);
	return text->parsed ? 0 : -EINVAL;
}

void yaml_text_free(struct yaml_text *text, bool keep)
{
	if (text->parsed)
		yaml_document_delete(&text->document);
	text->parsed = false;
	if (!keep)
		free(text->bytes);
}

/* --- nodes ------------------------------------------------------------------------------ */

yaml_node_t *yaml_text_root(struct yaml_text *text)
{
	yaml_node_t *root = yaml_document_get_root_node(&text->document);

	return root && root->type == YAML_MAPPING_NODE ? root : NULL;
}

static bool scalar_is(const yaml_node_t *node, const char *word)
{
	return node && node->type == YAML_SCALAR_NODE && node->data.scalar.length == strlen(word) &&
	       memcmp(node->data.scalar.value, word, node->data.scalar.length) == 0;
}

yaml_node_t *yaml_value(struct yaml_text *text, const yaml_node_t *mapping, const char *key,
			yaml_node_t **key_node)
{
	const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;

	for (; pair < mapping->data.mapping.pairs.top; pair++) {
		*key_node = yaml_document_get_node(&text->document, pair->key);
		if (scalar_is(*key_node, key))
			return yaml_document_get_node(&text->document, pair->value);
	}
	*key_node = NULL;
	return NULL;
}

size_t yaml_items(const yaml_node_t *node)
{
	return node->type == YAML_MAPPING_NODE
		       ? (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start)
		       : (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

yaml_node_t *yaml_item(struct yaml_text *text, const yaml_node_t *node, size_t i)
{
	return yaml_document_get_node(&text->document,
				      node->type == YAML_MAPPING_NODE
					      ? node->data.mapping.pairs.start[i].value
					      : node->data.sequence.items.start[i]);
}

bool yaml_is_flow(const yaml_node_t *node)
{
	return node->type == YAML_MAPPING_NODE
		       ? node->data.mapping.style == YAML_FLOW_MAPPING_STYLE
		       : node->data.sequence.style == YAML_FLOW_SEQUENCE_STYLE;
}

/* --- places -------------------------------------------------------------------------------- */

/* libyaml counts characters, not bytes. */
static size_t byte_of(const struct yaml_text *text, size_t characters)
{
	size_t at = 0;

	while (characters-- && at < text->length)
		do
			at++;
		while (at < text->length && (text->bytes[at] & 0xc0) == 0x80);
	return at;
}

size_t yaml_begin(const struct yaml_text *text, const yaml_node_t *node)
{
	return byte_of(text, node->start_mark.index);
}

/* A block's own mark is behind the comments that follow it. */
size_t yaml_end(struct yaml_text *text, const yaml_node_t *node)
{
	while (node->type != YAML_SCALAR_NODE && !yaml_is_flow(node) && yaml_items(node))
		node = yaml_item(text, node, yaml_items(node) - 1);
	return byte_of(text, node->end_mark.index);
}

size_t line_begin(const struct yaml_text *text, size_t at)
{
	while (at && text->bytes[at - 1] != '\n')
		at--;
	return at;
}

size_t line_after(const struct yaml_text *text, size_t at)
{
	while (at < text->length && text->bytes[at] != '\n')
		at++;
	return at < text->length ? at + 1 : at;
}

bool line_rests(const struct yaml_text *text, size_t at)
{
	while (at < text->length && strchr(" \t\r", text->bytes[at]))
		at++;
	return at >= text->length || text->bytes[at] == '\n' || text->bytes[at] == '#';
}

int line_indent(const struct yaml_text *text, size_t at)
{
	size_t begin = line_begin(text, at);

	for (size_t i = begin; i < at; i++)
		if (text->bytes[i] != ' ')
			return -1;
	return (int)(at - begin);
}

const char *line_break(const struct yaml_text *text)
{
	const char *end = strchr(text->bytes, '\n');

	return end && end > text->bytes && end[-1] == '\r' ? "\r\n" : "\n";
}

int text_splice(struct yaml_text *text, size_t from, size_t to, const char *put)
{
	size_t put_length = strlen(put), length = text->length - (to - from) + put_length;
	char *bytes = malloc(length + 1);

	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, text->bytes, from);
	memcpy(bytes + from, put, put_length);
	memcpy(bytes + from + put_length, text->bytes + to, text->length - to + 1);
	free(text->bytes);
	text->bytes = bytes;
	text->length = length;
	return 0;
}
