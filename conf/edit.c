/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/edit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/field.h"
#include "conf/load.h"
#include "conf/splice.h"
#include "conf/yaml_print.h"

/* --- one setting --------------------------------------------------------------------------- */

/* "section.member: value", or without a section; VALUE is text as YAML. */
struct entry {
	char section[32];
	const char *member;
	const char *value;
};

static int put(struct yaml_text *text, size_t from, size_t to, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int put(struct yaml_text *text, size_t from, size_t to, const char *format, ...)
{
	va_list arguments;
	char *words;

	va_start(arguments, format);
	int length = vasprintf(&words, format, arguments);
	va_end(arguments);
	if (length < 0)
		return -ENOMEM;
	int rc = text_splice(text, from, to, words);
	free(words);
	return rc;
}

/* Its line break is missing at the end of many a file. */
static const char *break_before(const struct yaml_text *text, size_t at)
{
	return at && text->bytes[at - 1] != '\n' ? line_break(text) : "";
}

/* A name that the file does not have yet, behind everything else in it. */
static int entry_append(struct yaml_text *text, const struct entry *entry)
{
	const yaml_node_t *root = yaml_text_root(text);
	const char *nl = line_break(text);
	size_t end = text->length;

	if (yaml_is_flow(root) || line_indent(text, yaml_begin(text, root)) != 0)
		return -EINVAL;
	if (!*entry->section)
		return put(text, end, end, "%s%s:%s%s%s", break_before(text, end), entry->member,
			   strchr("\r\n", *entry->value) ? "" : " ", entry->value, nl);
	return put(text, end, end, "%s%s:%s  %s: %s%s", break_before(text, end), entry->section, nl,
		   entry->member, entry->value, nl);
}

/* Into a section that is there. */
static int entry_insert(struct yaml_text *text, yaml_node_t *section, const struct entry *entry)
{
	size_t count = yaml_items(section), end;

	if (yaml_is_flow(section) && !count)
		return put(text, yaml_begin(text, section), yaml_end(text, section), "{%s: %s}",
			   entry->member, entry->value);
	end = yaml_end(text, yaml_item(text, section, count - 1));
	if (yaml_is_flow(section))
		return put(text, end, end, ", %s: %s", entry->member, entry->value);
	int indent = line_indent(text, yaml_begin(text, section));
	if (indent < 0 || !line_rests(text, end))
		return -EINVAL;
	end = line_after(text, end);
	return put(text, end, end, "%s%*s%s: %s%s", break_before(text, end), indent, "",
		   entry->member, entry->value, line_break(text));
}

/* Comments between brackets would go with what is replaced. */
static int flow_put(struct yaml_text *text, size_t from, size_t to, const char *items)
{
	return memchr(text->bytes + from, '#', to - from) ? -EINVAL
							  : text_splice(text, from, to, items);
}

/* From between braces, with the comma before it, or the one after it for the first. */
static int flow_remove(struct yaml_text *text, yaml_node_t *section, const yaml_node_t *key,
		       yaml_node_t *value)
{
	const yaml_node_pair_t *pairs = section->data.mapping.pairs.start;
	size_t from = yaml_begin(text, key), to = yaml_end(text, value), i = 0;

	while (yaml_item(text, section, i) != value)
		i++;
	if (i)
		from = yaml_end(text, yaml_item(text, section, i - 1));
	else if (yaml_items(section) > 1)
		to = yaml_begin(text, yaml_document_get_node(&text->document, pairs[1].key));
	return flow_put(text, from, to, "");
}

/* The line of a setting that is not wanted any more. */
static int entry_remove(struct yaml_text *text, yaml_node_t *section, const yaml_node_t *key,
			yaml_node_t *value)
{
	size_t begin = yaml_begin(text, key), end = yaml_end(text, value);

	if (yaml_is_flow(section))
		return flow_remove(text, section, key, value);
	if (line_indent(text, begin) < 0 || !line_rests(text, end))
		return -EINVAL;
	if (yaml_items(section) == 1 && section != yaml_text_root(text))
		return put(text, begin, end, "{}");
	return put(text, line_begin(text, begin), line_after(text, end), "%s", "");
}

static int value_replace(struct yaml_text *text, yaml_node_t *node, const char *value)
{
	if (node->type != YAML_SCALAR_NODE ||
	    node->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
	    node->data.scalar.style == YAML_FOLDED_SCALAR_STYLE)
		return -EINVAL;
	return put(text, yaml_begin(text, node), yaml_end(text, node), "%s", value);
}

/* VALUE "": the setting has none. */
static int entry_change(struct yaml_text *text, const struct entry *entry)
{
	yaml_node_t *section = yaml_text_root(text), *key, *value;

	if (!section)
		return -EINVAL;
	if (*entry->section)
		section = yaml_value(text, section, entry->section, &key);
	if (!section)
		return *entry->value ? entry_append(text, entry) : 0;
	if (section->type != YAML_MAPPING_NODE)
		return -EINVAL;
	value = yaml_value(text, section, entry->member, &key);
	if (value && *entry->value)
		return value_replace(text, value, entry->value);
	if (value)
		return entry_remove(text, section, key, value);
	if (!*entry->value)
		return 0;
	return section == yaml_text_root(text) ? entry_append(text, entry)
					       : entry_insert(text, section, entry);
}

/* --- lists --------------------------------------------------------------------------------- */

/*
 * A list becomes another one: HEAD items at its beginning and TAIL at its end stay, the OLD ones
 * between them make room for COUNT new ones, of which the I-th is printed by PRINT().
 */
struct list_change {
	const char *section, *member;
	size_t head, tail, old, count;
	void (*print)(FILE *out, const void *context, size_t i);
	const void *context;
};

static char *flow_items(const struct list_change *change)
{
	char *items = NULL;
	size_t size;
	FILE *out = open_memstream(&items, &size);

	for (size_t i = 0; out && i < change->count; i++) {
		fputs(i || change->head ? ", " : "", out);
		change->print(out, change->context, i);
	}
	if (out && change->count && !change->head && change->tail)
		fputs(", ", out);
	return out && fclose(out) == 0 ? items : NULL;
}

static int flow_change(struct yaml_text *text, yaml_node_t *list, const struct list_change *change)
{
	size_t from = yaml_begin(text, list) + 1, to = yaml_end(text, list) - 1;
	char *items = flow_items(change);

	if (!items)
		return -ENOMEM;
	if (change->head) {
		from = yaml_end(text, yaml_item(text, list, change->head - 1));
		to = change->old
			     ? yaml_end(text, yaml_item(text, list, change->head + change->old - 1))
			     : from;
	} else if (change->tail) {
		from = yaml_begin(text, yaml_item(text, list, 0));
		to = yaml_begin(text, yaml_item(text, list, change->old));
	}
	int rc = flow_put(text, from, to, items);
	free(items);
	return rc;
}

/* Lines that are a comment and nothing else stay, whatever goes around them. */
static void comments_print(FILE *out, const struct yaml_text *text, size_t from, size_t to)
{
	for (size_t at = from; at < to;) {
		size_t next = line_after(text, at), word = at;

		while (text->bytes[word] == ' ')
			word++;
		if (text->bytes[word] == '#')
			fwrite(text->bytes + at, 1, next - at, out);
		at = next;
	}
}

static char *block_items(const struct yaml_text *text, const struct list_change *change,
			 size_t from, size_t to, int indent)
{
	char *items = NULL;
	size_t size;
	FILE *out = open_memstream(&items, &size);

	if (!out)
		return NULL;
	fputs(break_before(text, from), out);
	comments_print(out, text, from, to);
	for (size_t i = 0; i < change->count; i++) {
		fprintf(out, "%*s- ", indent, "");
		change->print(out, change->context, i);
		fputs(line_break(text), out);
	}
	return fclose(out) == 0 ? items : NULL;
}

/* The dash of an item alone begins its line; its column or -1. */
static int dash_column(const struct yaml_text *text, size_t item)
{
	size_t begin = line_begin(text, item), at = begin + strspn(text->bytes + begin, " ");
	size_t word = at + 1;

	while (word < item && text->bytes[word] == ' ')
		word++;
	return text->bytes[at] == '-' && word == item ? (int)(at - begin) : -1;
}

/* A list that becomes empty is "[]" behind its name. */
static int block_empty(struct yaml_text *text, const yaml_node_t *key, size_t from, size_t to)
{
	yaml_node_t name = *key;
	size_t colon = yaml_end(text, &name);

	if (text->bytes[colon] != ':' || line_after(text, colon) > from)
		return -EINVAL;
	int rc = text_splice(text, from, to, "");
	return rc ? rc : text_splice(text, colon + 1, colon + 1, " []");
}

static int block_change(struct yaml_text *text, yaml_node_t *list, const yaml_node_t *key,
			const struct list_change *change)
{
	size_t first = yaml_begin(
		text, yaml_item(text, list,
				change->head && !change->old ? change->head - 1 : change->head));
	size_t from = line_begin(text, first), to = from;
	int indent = dash_column(text, first);

	if (change->old)
		to = line_after(text, yaml_end(text, yaml_item(text, list,
							       change->head + change->old - 1)));
	else if (change->head)
		from = to =
			line_after(text, yaml_end(text, yaml_item(text, list, change->head - 1)));
	if (indent < 0)
		return -EINVAL;
	if (!change->head && !change->tail && !change->count)
		return block_empty(text, key, from, to);
	char *items = block_items(text, change, from, to, indent);
	int rc = items ? text_splice(text, from, to, items) : -ENOMEM;
	free(items);
	return rc;
}

static int list_append(struct yaml_text *text, const struct list_change *change)
{
	char *items = flow_items(change), *value = NULL;
	struct entry entry = {.member = change->member};
	int rc = -ENOMEM;

	/* one a line: it is read by people */
	if (items && asprintf(&value, "%s  - %s", line_break(text), items) > 0) {
		entry.value = value;
		rc = change->count == 1 && !*change->section ? entry_append(text, &entry) : -EINVAL;
	}
	free(value);
	free(items);
	return rc;
}

static int list_change(struct yaml_text *text, const struct list_change *change)
{
	yaml_node_t *list = yaml_text_root(text), *key;

	if (list && *change->section)
		list = yaml_value(text, list, change->section, &key);
	if (!list || list->type != YAML_MAPPING_NODE)
		return -EINVAL;
	list = yaml_value(text, list, change->member, &key);
	if (!list)
		return list_append(text, change);
	if (list->type != YAML_SEQUENCE_NODE ||
	    yaml_items(list) != change->head + change->old + change->tail)
		return -EINVAL;
	return yaml_is_flow(list) ? flow_change(text, list, change)
				  : block_change(text, list, key, change);
}

/* --- what differs ---------------------------------------------------------------------------- */

static void name_print(FILE *out, const void *context, size_t i)
{
	const char *const *names = context;

	yaml_value_print(out, names[i]);
}

static int names_edit(struct yaml_text *text, const struct lan_settings *from,
		      const struct lan_settings *to)
{
	struct list_change change = {.section = "lan", .member = "interfaces", .print = name_print};
	size_t least = from->interfaces_count < to->interfaces_count ? from->interfaces_count
								     : to->interfaces_count;

	while (change.head < least &&
	       strcmp(from->interfaces[change.head], to->interfaces[change.head]) == 0)
		change.head++;
	while (change.head + change.tail < least &&
	       strcmp(from->interfaces[from->interfaces_count - 1 - change.tail],
		      to->interfaces[to->interfaces_count - 1 - change.tail]) == 0)
		change.tail++;
	change.old = from->interfaces_count - change.head - change.tail;
	change.count = to->interfaces_count - change.head - change.tail;
	change.context = to->interfaces + change.head;
	return list_change(text, &change);
}

static void forward_item_print(FILE *out, const void *context, size_t i)
{
	const struct port_forward_settings *forwards = context;

	yaml_forward_print(out, &forwards[i]);
}

static bool forward_same(const struct port_forward_settings *a,
			 const struct port_forward_settings *b)
{
	return strcmp(a->name ? a->name : "", b->name ? b->name : "") == 0 &&
	       !a->name == !b->name && a->protocol == b->protocol && a->port == b->port &&
	       a->port_last == b->port_last && a->to.s_addr == b->to.s_addr &&
	       a->to_port == b->to_port;
}

/* One place of the list at a time: several new ones where there was no list are several edits. */
static bool forwards_change(const struct settings *from, const struct settings *to,
			    struct list_change *change)
{
	size_t old = from->port_forwards_count, new = to->port_forwards_count;
	size_t least = old < new ? old : new;

	*change = (struct list_change){
		.section = "", .member = "port_forwards", .print = forward_item_print};
	while (change->head < least &&
	       forward_same(&from->port_forwards[change->head], &to->port_forwards[change->head]))
		change->head++;
	while (change->head + change->tail < least &&
	       forward_same(&from->port_forwards[old - 1 - change->tail],
			    &to->port_forwards[new - 1 - change->tail]))
		change->tail++;
	change->old = old - change->head - change->tail;
	change->count = new - change->head - change->tail;
	change->context = to->port_forwards + change->head;
	if (!old && change->count > 1)
		change->count = 1; /* the list is made with its first */
	return change->old || change->count;
}

static int field_edit(struct yaml_text *text, const char *name, const char *value)
{
	const char *dot = strchr(name, '.');
	struct entry entry = {.member = dot ? dot + 1 : name};
	char *words = NULL;
	size_t size;
	FILE *out = open_memstream(&words, &size);

	if (dot)
		snprintf(entry.section, sizeof(entry.section), "%.*s", (int)(dot - name), name);
	if (!out)
		return -ENOMEM;
	if (*value)
		yaml_value_print(out, value);
	if (fclose(out))
		return -ENOMEM;
	entry.value = words;
	int rc = entry_change(text, &entry);
	free(words);
	return rc;
}

/* The first setting in which FROM and TO differ is changed in TEXT. 1: it was; 0: none differs. */
static int next_edit(struct yaml_text *text, const struct settings *from, const struct settings *to)
{
	struct list_change change;
	const char *name;

	for (size_t i = 0; (name = settings_name(i)); i++) {
		char *old = NULL, *new = NULL;
		int rc = settings_get(from, name, &old);

		if (!rc)
			rc = settings_get(to, name, &new);
		bool differs = !rc && strcmp(old, new) != 0;
		if (differs)
			rc = strcmp(name, "lan.interfaces") == 0
				     ? names_edit(text, &from->lan, &to->lan)
				     : field_edit(text, name, new);
		free(old);
		free(new);
		if (rc || differs)
			return rc ? rc : 1;
	}
	if (!forwards_change(from, to, &change))
		return 0;
	int rc = list_change(text, &change);
	return rc ? rc : 1;
}

/* --- all of it ----------------------------------------------------------------------------------
 */

/* One change of *BYTES towards WANTED: 1, more to do; 0, it reads so already. */
static int step(char **bytes, size_t *length, const struct settings *wanted)
{
	struct settings_error ignored;
	struct settings *present;
	struct yaml_text text;

	if (settings_parse(*bytes, *length, "", &present, &ignored) != 0)
		return -EINVAL;
	int rc = yaml_text_read(&text, *bytes, *length);
	if (!rc)
		rc = next_edit(&text, present, wanted);
	*bytes = text.bytes;
	*length = text.length;
	yaml_text_free(&text, true);
	settings_free(present);
	return rc;
}

/* Every setting is changed once at most, and a list of forwards in two steps. */
#define STEPS_MAX 128

int settings_edit(const char *text, size_t length, const struct settings *wanted, char **result,
		  size_t *result_length)
{
	char *bytes = malloc(length + 1);
	int rc = 1;

	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, text, length);
	bytes[length] = '\0';
	for (int i = 0; i < STEPS_MAX && rc > 0; i++)
		rc = step(&bytes, &length, wanted);
	if (rc) {
		free(bytes);
		return rc > 0 ? -EINVAL : rc;
	}
	*result = bytes;
	*result_length = length;
	return 0;
}

bool settings_has_comments(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] == '#' && (i == 0 || strchr(" \t\n", text[i - 1])))
			return true;
	return false;
}
