/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conf/printable.h"
#include "ctl/story_text.h"

#define CELL_BYTES  160
#define COLUMNS_MAX 12

#define BOLD   "\x1b[1m"
#define RED    "\x1b[31m"
#define GREEN  "\x1b[32m"
#define YELLOW "\x1b[33m"
#define PLAIN  "\x1b[0m"

/* --- values ------------------------------------------------------------------------- */

static char *scaled(double value, unsigned int base, char *text)
{
	static const char units[] = "KMGTPE";
	int unit = -1;

	while (value >= 999.5) {
		value /= base;
		unit++;
	}
	if (unit < 0)
		snprintf(text, 8, "%.0f", value);
	else
		snprintf(text, 8, "%.*f%c", value < 9.95 ? 1 : 0, value, units[unit]);
	return text;
}

char *text_size(uint64_t bytes, char *text)
{
	return scaled(bytes, 1024, text);
}

char *text_rate(uint64_t per_second, char *text)
{
	return scaled(per_second, 1000, text);
}

char *text_duration(uint64_t seconds, char *text)
{
	unsigned int minutes = seconds / 60 % 60, hours = seconds / 3600 % 24;
	uint64_t days = seconds / 86400;

	if (days)
		snprintf(text, 12, "%ud%02uh", days > 99999 ? 99999 : (unsigned int)days, hours);
	else if (hours)
		snprintf(text, 12, "%uh%02um", hours, minutes);
	else if (minutes)
		snprintf(text, 12, "%um%02us", minutes, (unsigned int)(seconds % 60));
	else
		snprintf(text, 12, "%us", (unsigned int)seconds);
	return text;
}

static const char *string_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

static uint64_t number_of(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

/* --- cells: one member of a document as text, at most CELL_BYTES -------------------------- */

static void string_cell(const json_t *document, const char *member, char *text)
{
	const char *value = string_of(document, member);
	snprintf(text, CELL_BYTES, "%s", *value ? value : "-");
}

static void number_cell(const json_t *document, const char *member, char *text)
{
	snprintf(text, CELL_BYTES, "%" PRIu64, number_of(document, member));
}

static void rate_cell(const json_t *document, const char *member, char *text)
{
	double rate = json_number_value(json_object_get(document, member));
	snprintf(text, CELL_BYTES, "%.*f", rate < 10 ? 1 : 0, rate);
}

static void size_cell(const json_t *document, const char *member, char *text)
{
	text_size(number_of(document, member), text);
}

static void duration_cell(const json_t *document, const char *member, char *text)
{
	text_duration(number_of(document, member), text);
}

/* 10.0.0.2:40000, but an SPI is what people know in hex: 10.0.0.2/0x1000; without id 10.0.0.2 */
static void endpoint_cell(const json_t *document, const char *member, char *text)
{
	const char *address = string_of(document, member);
	const char *protocol = string_of(document, "protocol");
	char id[24];

	snprintf(id, sizeof(id), "%s_id", member);
	uint64_t value = number_of(document, id);
	if (value == 0)
		snprintf(text, CELL_BYTES, "%s", *address ? address : "-");
	else if (strcmp(protocol, "esp") == 0 || strcmp(protocol, "l2tp") == 0)
		snprintf(text, CELL_BYTES, "%s/0x%08" PRIx64, address, value);
	else
		snprintf(text, CELL_BYTES, "%s:%" PRIu64, address, value);
}

/* The ids of one session of a tunnel: "esp 0xc0ffee01/0x1000", "gre 7/5001/3", "udp 500/500/500".
 */
static void ids_text(const json_t *session, char *text, size_t size)
{
	const char *protocol = string_of(session, "protocol");

	if (json_object_get(session, "spi_out"))
		snprintf(text, size, "%s 0x%08" PRIx64 "/0x%08" PRIx64, protocol,
			 number_of(session, "spi_in"), number_of(session, "spi_out"));
	else if (json_object_get(session, "call_id_server"))
		snprintf(text, size, "%s %" PRIu64 "/%" PRIu64 "/%" PRIu64, protocol,
			 number_of(session, "call_id_device"),
			 number_of(session, "call_id_external"),
			 number_of(session, "call_id_server"));
	else if (json_object_get(session, "inside_port"))
		snprintf(text, size, "%s %" PRIu64 "/%" PRIu64 "/%" PRIu64, protocol,
			 number_of(session, "inside_port"), number_of(session, "external_port"),
			 number_of(session, "server_port"));
	else
		snprintf(text, size, "%s", protocol);
}

#define IDS_SHOWN 2

/* The first two sessions' ids, and how many more there are. */
static void ids_cell(const json_t *document, const char *member, char *text)
{
	const json_t *sessions = json_object_get(json_object_get(document, member), "sessions");
	size_t count = json_array_size(sessions), used = 0;

	strcpy(text, count ? "" : "-");
	for (size_t i = 0; i < count && i < IDS_SHOWN; i++) {
		char ids[64];

		ids_text(json_array_get(sessions, i), ids, sizeof(ids));
		used += snprintf(text + used, CELL_BYTES - used, "%s%s", i ? ", " : "", ids);
	}
	if (count > IDS_SHOWN)
		snprintf(text + used, CELL_BYTES - used, " +%zu", count - IDS_SHOWN);
}

static void first_cell(const json_t *document, const char *member, char *text)
{
	const json_t *first = json_array_get(json_object_get(document, member), 0);
	snprintf(text, CELL_BYTES, "%s", json_is_string(first) ? json_string_value(first) : "-");
}

/* "80" or "6000-6009" */
static void ports_cell(const json_t *document, const char *member, char *text)
{
	uint64_t first = number_of(document, member), last = number_of(document, "port_last");

	if (first == 0)
		strcpy(text, "-");
	else if (last > first)
		snprintf(text, CELL_BYTES, "%" PRIu64 "-%" PRIu64, first, last);
	else
		snprintf(text, CELL_BYTES, "%" PRIu64, first);
}

static void device_cell(const json_t *document, const char *member, char *text)
{
	const char *name = string_of(document, "device_name");
	snprintf(text, CELL_BYTES, "%s%s%s", string_of(document, member), *name ? " " : "", name);
}

static void when_cell(const json_t *document, const char *member, char *text)
{
	story_when(document, text, CELL_BYTES);
}

static void saved_cell(const json_t *document, const char *member, char *text)
{
	json_t *entry = json_pack("{s:s}", "at", string_of(document, member));

	story_when(entry, text, CELL_BYTES);
	json_decref(entry);
}

static void who_cell(const json_t *document, const char *member, char *text)
{
	story_who(document, text, CELL_BYTES);
}

static void what_cell(const json_t *document, const char *member, char *text)
{
	story_what(document, text, CELL_BYTES);
}

/* --- columns --------------------------------------------------------------------------------- */

struct column {
	const char *title;
	const char *member;
	void (*cell)(const json_t *document, const char *member, char *text);
	bool right;
};

struct table {
	const char *what;
	struct column columns[COLUMNS_MAX];
	/* the others go below a row where a terminal is too narrow for all; 0: they are cut off */
	unsigned int first;
};

static const struct table tables[] = {
	{.what = "sessions",
	 .columns = {{"PROTO", "protocol", string_cell, false},
		     {"CLASS", "class", string_cell, false},
		     {"INSIDE", "inside", endpoint_cell, false},
		     {"EXTERNAL", "external", endpoint_cell, false},
		     {"REMOTE", "remote", endpoint_cell, false},
		     {"STATE", "state", string_cell, false},
		     {"AGE", "age_s", duration_cell, true},
		     {"IDLE", "idle_s", duration_cell, true},
		     {"LEFT", "expires_s", duration_cell, true},
		     {"OUT", "bytes_out", size_cell, true},
		     {"IN", "bytes_in", size_cell, true}}},
	/* what a terminal of 80 columns has to show comes first */
	{.what = "vpn",
	 .columns = {{"DEVICE", "device", device_cell, false},
		     {"KIND", "kind", string_cell, false},
		     {"STATE", "state", string_cell, false},
		     {"AGE", "age_s", duration_cell, true},
		     {"IDLE", "idle_s", duration_cell, true},
		     {"OUT", "bytes_out", size_cell, true},
		     {"IN", "bytes_in", size_cell, true},
		     {"SERVER", "server", string_cell, false},
		     {"WHY", "evidence", first_cell, false},
		     {"IDS", "detail", ids_cell, false}},
	 .first = 8},
	{.what = "devices",
	 .columns = {{"ADDRESS", "address", string_cell, false},
		     {"NAME", "name", string_cell, false},
		     {"SESSIONS", "sessions", number_cell, true},
		     {"MAPPINGS", "mappings", number_cell, true},
		     {"VPNS", "vpns", number_cell, true},
		     {"OUT", "bytes_out", size_cell, true},
		     {"IN", "bytes_in", size_cell, true},
		     {"INTERFACE", "interface", string_cell, false},
		     {"MAC", "mac", string_cell, false}}},
	{.what = "counters",
	 .columns = {{"COUNT", "count", number_cell, true},
		     {"KIND", "kind", string_cell, false},
		     {"NAME", "name", string_cell, false},
		     {"RFC", "rfc", string_cell, false},
		     {"MEANING", "sentence", string_cell, false}}},
	{.what = "drops",
	 .columns = {{"PER SECOND", "rate", rate_cell, true},
		     {"COUNT", "count", number_cell, true},
		     {"NAME", "name", string_cell, false},
		     {"MEANING", "sentence", string_cell, false}}},
	{.what = "port_forwards",
	 .columns = {{"NAME", "name", string_cell, false},
		     {"PROTO", "protocol", string_cell, false},
		     {"PORT", "port", ports_cell, false},
		     {"TO", "to", string_cell, false},
		     {"TO PORT", "to_port", number_cell, true}}},
	{.what = "audit",
	 .columns = {{"AT", "at", string_cell, false},
		     {"WHO", "who", string_cell, false},
		     {"FROM", "source", string_cell, false},
		     {"ACTION", "action", string_cell, false},
		     {"RESULT", "result", string_cell, false},
		     {"WHAT", "what", string_cell, false}}},
	{.what = "history",
	 .columns = {{"WHEN", "at", when_cell, false},
		     {"WHO", "who", who_cell, false},
		     {"WHAT", "what", what_cell, false}},
	 .first = 2},
	{.what = "generations",
	 .columns = {{"ROLLBACK", "steps", number_cell, true},
		     {"BEFORE", "saved_at", saved_cell, false},
		     {"WHAT CHANGED THEN", "what", string_cell, false},
		     {"WHO", "who", who_cell, false}}},
};

static const struct table *table_find(const char *what)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		if (strcmp(tables[i].what, what) == 0)
			return &tables[i];
	return NULL;
}

static void cell_make(const struct column *column, const json_t *document, char *text)
{
	column->cell(document, column->member, text);
	printable_make(text);
}

/* How wide each column has to be. */
static unsigned int columns_measure(const struct table *table, const json_t *items,
				    size_t widths[COLUMNS_MAX])
{
	unsigned int count = 0;
	char text[CELL_BYTES];
	size_t row;
	json_t *document;

	for (; count < COLUMNS_MAX && table->columns[count].title; count++) {
		widths[count] = strlen(table->columns[count].title);
		json_array_foreach ((json_t *)items, row, document) {
			cell_make(&table->columns[count], document, text);
			if (strlen(text) > widths[count])
				widths[count] = strlen(text);
		}
	}
	return count;
}

/* --- rows --------------------------------------------------------------------------- */

struct layout {
	const struct table *table;
	unsigned int count; /* of its columns */
	size_t widths[COLUMNS_MAX];
	struct text_style style;
};

struct line {
	char text[COLUMNS_MAX * CELL_BYTES];
	size_t length;
};

static void line_cell(struct line *line, const char *text, size_t width, bool right, bool last)
{
	size_t room = sizeof(line->text) - line->length;
	int done = snprintf(line->text + line->length, room, "%*s%s",
			    right  ? (int)width
			    : last ? 0
				   : -(int)width,
			    text, last ? "" : "  ");
	line->length += (size_t)done < room ? (size_t)done : room - 1;
}

static void line_print(FILE *out, struct line *line, const char *colour, struct text_style style)
{
	if (style.width && line->length > style.width)
		line->text[style.width] = '\0';
	if (style.colour && *colour)
		fprintf(out, "%s%s" PLAIN "\n", colour, line->text);
	else
		fprintf(out, "%s\n", line->text);
}

static const char *row_colour(const json_t *document)
{
	const char *state = string_of(document, "state");

	if (strcmp(state, "blocked") == 0 || strcmp(state, "failed") == 0 ||
	    strcmp(state, "refused") == 0 || strcmp(state, "no-answer") == 0)
		return RED;
	if (strcmp(state, "connecting") == 0 || strcmp(state, "stale") == 0 ||
	    strcmp(state, "one-way") == 0)
		return YELLOW;
	return "";
}

static void cells_print(FILE *out, const struct layout *layout, const json_t *document,
			unsigned int begin, unsigned int end)
{
	struct line line = {.length = 0};

	if (begin)
		line_cell(&line, "", 0, false, false); /* indented */
	for (unsigned int i = begin; i < end; i++) {
		const struct column *column = &layout->table->columns[i];
		char text[CELL_BYTES];

		if (document)
			cell_make(column, document, text);
		line_cell(&line, document ? text : column->title, begin ? 0 : layout->widths[i],
			  column->right, i == end - 1);
	}
	line_print(out, &line, document ? row_colour(document) : BOLD, layout->style);
}

/* Too narrow for all columns: those behind table->first stand on a line of their own. */
static bool is_folded(const struct layout *layout)
{
	size_t needed = 0;

	for (unsigned int i = 0; i < layout->count; i++)
		needed += layout->widths[i] + 2;
	return layout->style.width && layout->table->first && needed > layout->style.width + 2;
}

static void row_print(FILE *out, const struct layout *layout, const json_t *document)
{
	unsigned int first = is_folded(layout) ? layout->table->first : layout->count;

	cells_print(out, layout, document, 0, first);
	if (first < layout->count && document)
		cells_print(out, layout, document, first, layout->count);
}

unsigned int text_list_row_lines(const char *what, const json_t *items, struct text_style style)
{
	struct layout layout = {.table = table_find(what), .style = style};

	if (!layout.table)
		return 1;
	layout.count = columns_measure(layout.table, items, layout.widths);
	return is_folded(&layout) ? 2 : 1;
}

void text_list(FILE *out, const char *what, const json_t *items, struct text_style style)
{
	struct layout layout = {.table = table_find(what), .style = style};
	json_t *document;
	size_t row;

	if (!layout.table)
		return;
	layout.count = columns_measure(layout.table, items, layout.widths);
	row_print(out, &layout, NULL);
	json_array_foreach ((json_t *)items, row, document) {
		row_print(out, &layout, document);
	}
}

/* --- status and settings ------------------------------------------------------------ */

/* "name  text" with the sentence cut and clean. */
static void fact(FILE *out, const char *name, const char *colour, struct text_style style,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

static void fact(FILE *out, const char *name, const char *colour, struct text_style style,
		 const char *format, ...)
{
	struct line line = {.length = 0};
	va_list arguments;

	line_cell(&line, name, 11, false, false);
	va_start(arguments, format);
	vsnprintf(line.text + line.length, sizeof(line.text) - line.length, format, arguments);
	va_end(arguments);
	printable_make(line.text);
	line.length = strlen(line.text);
	line_print(out, &line, colour, style);
}

static void facts_of_list(FILE *out, const char *name, const json_t *sentences, const char *colour,
			  struct text_style style)
{
	size_t i;
	json_t *sentence;

	json_array_foreach ((json_t *)sentences, i, sentence) {
		fact(out, i ? "" : name, colour, style, "%s", json_string_value(sentence));
	}
}

static void interfaces_print(FILE *out, const json_t *status, struct text_style style)
{
	const json_t *wan = json_object_get(status, "wan");
	const char *address = string_of(wan, "address"), *dataplane = string_of(wan, "dataplane");
	size_t i;
	json_t *lan;

	fact(out, "WAN", "", style, "%s, %s, %s", string_of(wan, "interface"),
	     *address ? address : "no address", *dataplane ? dataplane : "not attached");
	json_array_foreach (json_object_get(status, "lan"), i, lan) {
		dataplane = string_of(lan, "dataplane");
		fact(out, i ? "" : "LAN", "", style, "%s, %s", string_of(lan, "interface"),
		     *dataplane ? dataplane : "not attached");
	}
}

/* Its state, and what the checks say. */
static void internet_print(FILE *out, const json_t *status, struct text_style style)
{
	const json_t *line = json_object_get(status, "internet");
	const char *state = string_of(line, "state");
	const char *neighbour = string_of(line, "neighbour");

	if (!*state)
		return;
	fact(out, "internet",
	     strcmp(state, "online") == 0 ? GREEN
	     : strcmp(state, "down") == 0 ? RED
					  : "",
	     style, "%s. %s", strcmp(state, "not-checked") == 0 ? "not checked" : state,
	     string_of(line, "why"));
	fact(out, "", "", style, "carrier %s, address %s, default route %s, its next hop %s",
	     json_is_true(json_object_get(line, "carrier")) ? "yes" : "NO",
	     json_is_true(json_object_get(line, "address")) ? "yes" : "NO",
	     json_is_true(json_object_get(line, "route")) ? "yes" : "NO",
	     strcmp(neighbour, "not-checked") == 0 ? "not checked" : neighbour);
}

static void figures_print(FILE *out, const json_t *status, struct text_style style)
{
	const json_t *passthrough = json_object_get(status, "passthrough");
	const json_t *sessions = json_object_get(status, "sessions");
	const json_t *helper = json_object_get(status, "helper");
	bool running = json_is_true(json_object_get(helper, "running"));

	fact(out, "passthrough", "", style, "PPTP %s, L2TP %s, IPsec %s",
	     string_of(passthrough, "pptp"), string_of(passthrough, "l2tp"),
	     string_of(passthrough, "ipsec"));
	fact(out, "sessions", "", style,
	     "%" PRIu64 " of %" PRIu64 ", %" PRIu64 " mappings, %" PRIu64 " devices",
	     number_of(sessions, "used"), number_of(sessions, "limit"),
	     number_of(status, "mappings"), number_of(status, "devices"));
	fact(out, "helper", running ? "" : RED, style, "%s, restarted %" PRIu64 " times",
	     running ? "running" : "not running", number_of(helper, "restarts"));
}

void text_status(FILE *out, const json_t *status, struct text_style style)
{
	bool translating = json_is_true(json_object_get(status, "translating"));
	uint64_t confirm_s = number_of(status, "confirm_within_s");
	char age[12];

	fact(out, "wayleave", translating ? GREEN : YELLOW, style, "%s, up %s, version %s, pid %d",
	     translating ? "translating" : "not translating yet",
	     text_duration(number_of(status, "uptime_s"), age), string_of(status, "version"),
	     (int)number_of(status, "pid"));
	facts_of_list(out, "waiting for", json_object_get(status, "waiting_for"), YELLOW, style);
	interfaces_print(out, status, style);
	internet_print(out, status, style);
	figures_print(out, status, style);
	facts_of_list(out, "warning", json_object_get(status, "warnings"), YELLOW, style);
	if (confirm_s)
		fact(out, "pending", YELLOW, style,
		     "a change will be undone in %" PRIu64 " s unless it is confirmed", confirm_s);
}

static void setting_print(FILE *out, const char *name, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	if (json_is_string(value))
		fprintf(out, "%-32s %s\n", name, json_string_value(value));
	else if (!json_is_null(value))
		fprintf(out, "%-32s %s\n", name, text ? text : "");
	free(text);
}

static void section_print(FILE *out, const char *section, json_t *settings)
{
	const char *key;
	json_t *value;

	json_object_foreach (settings, key, value) {
		char name[64];
		snprintf(name, sizeof(name), "%s.%s", section, key);
		setting_print(out, name, value);
	}
}

void text_config(FILE *out, const json_t *config, struct text_style style)
{
	json_t *settings = json_object_get(config, "settings");
	json_t *forwards = json_object_get(settings, "port_forwards");
	json_t *generations = json_object_get(config, "generations");
	const char *key;
	json_t *value;

	fact(out, "file", "", style, "%s", string_of(config, "file"));
	json_object_foreach (settings, key, value) {
		if (json_is_object(value))
			section_print(out, key, value);
		else if (value != forwards)
			setting_print(out, key, value);
	}
	if (json_array_size(forwards)) {
		fputc('\n', out);
		text_list(out, "port_forwards", forwards, style);
	}
	if (json_array_size(generations)) {
		fputc('\n', out);
		text_list(out, "generations", generations, style);
	}
}
