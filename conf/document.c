/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/document.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/check.h"
#include "conf/load.h"
#include "conf/near.h"

/* --- libcyaml's complaints --------------------------------------------------------- */

/*
 * libcyaml tells what is wrong in a log line and where in a backtrace of log lines,
 * innermost first; the result code alone has neither.
 */
struct complaint {
	char reason[160];    /* "Unexpected key: foo" */
	char innermost[128]; /* first line of the backtrace as a path segment, "" for none */
	char path[128];	     /* the segments outside of it */
	bool placed;	     /* the backtrace has begun */
};

static void segment_add(struct complaint *complaint, const char *segment)
{
	char rest[sizeof(complaint->path)];

	if (!complaint->placed) {
		complaint->placed = true;
		snprintf(complaint->innermost, sizeof(complaint->innermost), "%s", segment);
		return;
	}
	snprintf(rest, sizeof(rest), "%s", complaint->path);
	snprintf(complaint->path, sizeof(complaint->path), "%.60s%s%.60s", segment,
		 *rest && *rest != '[' ? "." : "", rest);
}

static void complaint_log(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
	struct complaint *complaint = context;
	char line[256], key[64];
	unsigned int entry;

	vsnprintf(line, sizeof(line), format, arguments);
	if (sscanf(line, "  in mapping field '%63[^']'", key) == 1) {
		segment_add(complaint, key);
	} else if (sscanf(line, "  in sequence entry '%u'", &entry) == 1) {
		snprintf(key, sizeof(key), "[%u]", entry - 1);
		segment_add(complaint, key);
	} else if (strncmp(line, "  in mapping", 12) == 0) {
		segment_add(complaint, "");
	} else if (!*complaint->reason) {
		line[strcspn(line, "\n")] = '\0';
		const char *reason = strncmp(line, "Load: ", 6) == 0 ? line + 6 : line;
		snprintf(complaint->reason, sizeof(complaint->reason), "%.150s", reason);
	}
}

/* The last word of a reason: "Unexpected key: foo" gives "foo". */
static const char *reason_object(const struct complaint *complaint)
{
	const char *colon = strstr(complaint->reason, ": ");
	return colon ? colon + 2 : "";
}

static void path_join(char *path, size_t size, const char *outer, const char *inner)
{
	snprintf(path, size, "%.60s%s%.60s", outer, *outer && *inner && *inner != '[' ? "." : "",
		 inner);
}

static const char *shape_sentence(const char *reason)
{
	if (strstr(reason, "Expecting MAPPING"))
		return "expected \"name: value\" lines below it, found plain text";
	if (strstr(reason, "Expecting SEQUENCE"))
		return "wants a list: [a, b]";
	return "wants a single value";
}

/* Names of settings, and their sections alone: "passtrough" for "passthrough". */
static int key_unknown(const char *path, struct settings_error *error)
{
	struct near near = {.given = path};
	char hint[NEAR_HINT_BYTES], section[32];

	for (size_t i = 0; i < settings_fields_count; i++)
		near_look(&near, settings_fields[i].name);
	near_look(&near, "port_forwards");
	for (size_t i = 0; !strchr(path, '.') && i < settings_fields_count; i++) {
		snprintf(section, sizeof(section), "%.*s",
			 (int)strcspn(settings_fields[i].name, "."), settings_fields[i].name);
		near_look(&near, section);
		if (near.word == section)
			break;
	}
	return settings_error_set(error, -EINVAL, path, "there is no such setting%s",
				  near_hint(&near, hint, sizeof(hint)));
}

static int complaint_error(const struct complaint *complaint, cyaml_err_t code,
			   struct settings_error *error)
{
	char path[sizeof(error->field)];

	switch (code) {
	case CYAML_ERR_OOM:
		return settings_error_set(error, -ENOMEM, "", "no memory");
	case CYAML_ERR_INVALID_KEY:
		path_join(path, sizeof(path), complaint->path, reason_object(complaint));
		return key_unknown(path, error);
	case CYAML_ERR_MAPPING_FIELD_MISSING:
		path_join(path, sizeof(path), complaint->path, reason_object(complaint));
		return settings_error_set(error, -EINVAL, path, "is missing");
	default:
		break;
	}
	path_join(path, sizeof(path), complaint->path, complaint->innermost);
	if (code == CYAML_ERR_UNEXPECTED_EVENT && strstr(complaint->reason, "already seen"))
		return settings_error_set(error, -EINVAL, path, "is given twice");
	if (strncmp(complaint->reason, "Expecting", 9) == 0)
		return settings_error_set(error, -EINVAL, path, "%s",
					  shape_sentence(complaint->reason));
	if (code == CYAML_ERR_SEQUENCE_ENTRIES_MAX)
		return settings_error_set(error, -EINVAL, path, "is more than this list may hold");
	if (strncmp(complaint->reason, "Invalid INT", 11) == 0) /* a word, or a number */
		return settings_error_set(error, -EINVAL, path, "%s is not known here",
					  reason_object(complaint));
	if (strncmp(complaint->reason, "Invalid ENUM", 12) == 0)
		return settings_error_set(error, -EINVAL, path, "'%.60s' is not known here",
					  reason_object(complaint));
	return settings_error_set(error, -EINVAL, path, "%s",
				  *complaint->reason ? complaint->reason : cyaml_strerror(code));
}

static cyaml_config_t config_make(struct complaint *complaint)
{
	return (cyaml_config_t){
		.log_fn = complaint ? complaint_log : NULL,
		.log_ctx = complaint,
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

int document_read(const char *text, size_t length, struct settings_document **document,
		  struct settings_error *error)
{
	struct complaint complaint = {0};
	cyaml_config_t config = config_make(&complaint);

	*document = NULL;
	cyaml_err_t code =
		cyaml_load_data((const uint8_t *)text, length, &config, &settings_document_schema,
				(cyaml_data_t **)document, NULL);
	if (code != CYAML_OK)
		return complaint_error(&complaint, code, error);
	if (!*document)
		return settings_error_set(error, -EINVAL, "", "has no settings in it");
	return 0;
}

void document_free(struct settings_document *document)
{
	cyaml_config_t config = config_make(NULL);
	cyaml_free(&config, &settings_document_schema, document, 0);
}

/* --- to settings ---------------------------------------------------------------------- */

static int default_store(const struct settings_field *field, struct settings *settings)
{
	if (field->kind == FIELD_ENUM || field->kind == FIELD_NUMBER) {
		settings_field_store(field, settings, field->fallback);
		return 0;
	}
	if (field->kind != FIELD_STRING || !field->fallback_text)
		return 0;
	char *text = strdup(field->fallback_text);
	memcpy((char *)settings + field->offset, &text, sizeof(text));
	return text ? 0 : -ENOMEM;
}

int settings_defaults(struct settings *settings)
{
	int rc = 0;

	for (size_t i = 0; i < settings_fields_count && !rc; i++)
		rc = default_store(&settings_fields[i], settings);
	return rc;
}

static int defaults_store(struct settings *settings, const struct lines *lines)
{
	for (size_t i = 0; i < settings_fields_count; i++) {
		const struct settings_field *field = &settings_fields[i];
		if (!lines_value(lines, field->name) && default_store(field, settings) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* The two timers of RFC 7857 section 2.1 by the one name of RFC 5382 REQ-5. */
static int transitory_store(struct settings *settings, const struct lines *lines,
			    struct settings_error *error)
{
	static const char *const names[] = {"timeouts.tcp_opening", "timeouts.tcp_closing"};
	const char *text = lines_value(lines, "timeouts.tcp_transitory");
	uint32_t value = 0;

	if (text && value_parse(settings_field_find(names[1]), text, &value, error) != 0) {
		snprintf(error->field, sizeof(error->field), "timeouts.tcp_transitory");
		return -EINVAL;
	}
	for (size_t i = 0; text && i < CYAML_ARRAY_LEN(names); i++)
		if (!lines_value(lines, names[i]))
			settings_field_store(settings_field_find(names[i]), settings, value);
	return 0;
}

/* An explicit 0 is an error where ports exist, and so is any port where they do not. */
static int forward_port_check(const struct forward_document *document, unsigned int i,
			      struct settings_error *error)
{
	const struct {
		const char *name;
		const uint16_t *port;
	} ports[] = {{"port", document->port},
		     {"port_last", document->port_last},
		     {"to_port", document->to_port}};

	for (size_t k = 0; k < CYAML_ARRAY_LEN(ports); k++) {
		char path[48];
		snprintf(path, sizeof(path), "port_forwards[%u].%s", i, ports[k].name);
		if (ports[k].port && *ports[k].port == 0)
			return settings_error_set(error, -EINVAL, path, "0 is not a port");
	}
	return 0;
}

/* Takes document->name. */
static int forward_convert(struct forward_document *document, unsigned int i,
			   struct port_forward_settings *forward, struct settings_error *error)
{
	char path[48];

	snprintf(path, sizeof(path), "port_forwards[%u].to", i);
	int rc = address_parse(path, document->to, &forward->to, error);
	if (!rc)
		rc = forward_port_check(document, i, error);
	if (rc)
		return rc;
	forward->protocol = document->protocol;
	forward->port = document->port ? *document->port : 0;
	forward->port_last = document->port_last ? *document->port_last : forward->port;
	forward->to_port = document->to_port ? *document->to_port : forward->port;
	forward->name = document->name;
	document->name = NULL;
	return 0;
}

static int forwards_convert(struct settings_document *document, struct settings *settings,
			    struct settings_error *error)
{
	if (document->forwards_count == 0)
		return 0;
	settings->port_forwards =
		calloc(document->forwards_count, sizeof(*settings->port_forwards));
	if (!settings->port_forwards)
		return settings_error_set(error, -ENOMEM, "", "no memory");
	for (unsigned int i = 0; i < document->forwards_count; i++) {
		int rc = forward_convert(&document->forwards[i], i, &settings->port_forwards[i],
					 error);
		if (rc)
			return rc;
		settings->port_forwards_count++;
	}
	return 0;
}

int document_to_settings(struct settings_document *document, const struct lines *lines,
			 struct settings **result, struct settings_error *error)
{
	struct settings *settings = malloc(sizeof(*settings));

	*result = NULL;
	if (!settings) {
		document_free(document);
		return settings_error_set(error, -ENOMEM, "", "no memory");
	}
	*settings = document->settings;
	memset(&document->settings, 0, sizeof(document->settings));
	int rc = defaults_store(settings, lines);
	rc = rc ? settings_error_set(error, rc, "", "no memory")
		: transitory_store(settings, lines, error);
	if (!rc)
		rc = forwards_convert(document, settings, error);
	document_free(document);
	if (rc)
		settings_free(settings);
	else
		*result = settings;
	return rc;
}

/* --- from settings -------------------------------------------------------------------- */

/* Only points into FORWARD and TEXT; not for document_free(). */
static void forward_borrow(struct port_forward_settings *forward, char *text,
			   struct forward_document *document)
{
	bool ports = forward_has_ports(forward->protocol);

	inet_ntop(AF_INET, &forward->to, text, INET_ADDRSTRLEN);
	*document = (struct forward_document){
		.name = forward->name,
		.protocol = forward->protocol,
		.port = ports ? &forward->port : NULL,
		.port_last =
			ports && forward->port_last != forward->port ? &forward->port_last : NULL,
		.to = text,
		.to_port = ports && forward->to_port != forward->port ? &forward->to_port : NULL,
	};
}

static int document_emit(const struct settings_document *document, char **text, size_t *length)
{
	cyaml_config_t config = config_make(NULL);
	char *buffer;
	size_t size;

	config.flags |= CYAML_CFG_STYLE_BLOCK;
	cyaml_err_t code =
		cyaml_save_data(&buffer, &size, &config, &settings_document_schema, document, 0);
	if (code != CYAML_OK)
		return code == CYAML_ERR_OOM ? -ENOMEM : -EINVAL;
	*text = buffer;
	*length = size;
	return 0;
}

int document_write(const struct settings *settings, char **text, size_t *length)
{
	unsigned int count = settings->port_forwards_count;
	struct settings_document document = {.settings = *settings, .forwards_count = count};
	char(*addresses)[INET_ADDRSTRLEN] = calloc(count ? count : 1, sizeof(*addresses));
	int rc = -ENOMEM;

	document.forwards = calloc(count ? count : 1, sizeof(*document.forwards));
	if (addresses && document.forwards) {
		for (unsigned int i = 0; i < count; i++)
			forward_borrow(&settings->port_forwards[i], addresses[i],
				       &document.forwards[i]);
		rc = document_emit(&document, text, length);
	}
	free(document.forwards);
	free(addresses);
	return rc;
}
