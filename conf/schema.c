/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/schema.h"

#include <stdio.h>
#include <string.h>

#define WEEK_S 604800

/*
 * The settings, one line each. The schema and the field table below are both
 * expanded from these lists.
 *   ENUM(struct, member, words, default)
 *   NUMBER(struct, member, default, min, max, who sets the minimum)
 */
#define PASSTHROUGH_SETTINGS(ENUM)                                                                 \
	ENUM(passthrough, pptp, passthrough_words, PASSTHROUGH_ON)                                 \
	ENUM(passthrough, l2tp, passthrough_words, PASSTHROUGH_ON)                                 \
	ENUM(passthrough, ipsec, passthrough_words, PASSTHROUGH_ON)

#define FILTERING_SETTINGS(ENUM)                                                                   \
	ENUM(filtering, udp, filtering_words, FILTERING_ADDRESS_DEPENDENT)                         \
	ENUM(filtering, tcp, filtering_words, FILTERING_ADDRESS_DEPENDENT)

/* The largest figures are what a key or a table of the data plane can hold. */
#define LIMITS_SETTINGS(NUMBER)                                                                    \
	NUMBER(limits, sessions, 0, 0, 1 << 26, NULL)                                              \
	NUMBER(limits, mappings_per_host, 4096, 1, 64512, NULL)                                    \
	NUMBER(limits, sessions_per_host, 16384, 1, 1 << 26, NULL)                                 \
	NUMBER(limits, new_sessions_per_second, 2000, 1, 10000000, NULL)

/* STRING(struct, member, default or NULL) */
#define LIMITS_SETTINGS_STRING(STRING) STRING(limits, routed_subnets, NULL)

/*
 * No RFC sets a time for ESP or GRE over IPv4; RFC 6092 REC-12 has 2 minutes for IPv6.
 * VPNs over UDP: who has no keepalive of its own is to be found an hour later. IKE is
 * silent for as long as an SA lives (an hour) where ESP goes beside it: twice that.
 */
#define TIMEOUTS_SETTINGS(NUMBER)                                                                  \
	NUMBER(timeouts, udp, 300, 120, WEEK_S, "RFC 4787 REQ-5")                                  \
	NUMBER(timeouts, tcp_established, 7440, 7440, WEEK_S, "RFC 5382 REQ-5")                    \
	NUMBER(timeouts, tcp_opening, 240, 30, WEEK_S, NULL)                                       \
	NUMBER(timeouts, tcp_closing, 240, 240, WEEK_S, "RFC 5382 REQ-5")                          \
	NUMBER(timeouts, icmp, 60, 60, WEEK_S, "RFC 5508 REQ-2")                                   \
	NUMBER(timeouts, ike, 7200, 120, WEEK_S, "RFC 4787 REQ-5")                                 \
	NUMBER(timeouts, l2tp, 3600, 120, WEEK_S, "RFC 4787 REQ-5")                                \
	NUMBER(timeouts, wireguard, 3600, 120, WEEK_S, "RFC 4787 REQ-5")                           \
	NUMBER(timeouts, openvpn, 3600, 120, WEEK_S, "RFC 4787 REQ-5")                             \
	NUMBER(timeouts, esp, 3600, 30, WEEK_S, NULL)                                              \
	NUMBER(timeouts, gre, 600, 30, WEEK_S, NULL)                                               \
	NUMBER(timeouts, other, 300, 30, WEEK_S, NULL)

#define WEB_SETTINGS_ENUM(ENUM)                                                                    \
	ENUM(web, enabled, switch_words, SWITCH_OFF)                                               \
	ENUM(web, metrics, switch_words, SWITCH_OFF)                                               \
	ENUM(web, language, language_words, WEB_LANGUAGE_AUTO)                                     \
	ENUM(web, machine_restart, switch_words, SWITCH_ON)

#define WEB_SETTINGS_NUMBER(NUMBER)                                                                \
	NUMBER(web, http_port, 80, 1, 65535, NULL)                                                 \
	NUMBER(web, https_port, 443, 1, 65535, NULL)

#define WEB_SETTINGS_STRING(STRING)                                                                \
	STRING(web, interfaces, NULL)                                                              \
	STRING(web, names, NULL)                                                                   \
	STRING(web, certificate, NULL)                                                             \
	STRING(web, key, NULL)

/*
 * Of several words for one value the first is the one that is written. YAML 1.1
 * has yes, no, true and false for the same two values, so people and programs
 * write them.
 */
static const cyaml_strval_t passthrough_words[] = {
	{"on", PASSTHROUGH_ON},	  {"off", PASSTHROUGH_OFF},   {"nat-only", PASSTHROUGH_NAT_ONLY},
	{"true", PASSTHROUGH_ON}, {"false", PASSTHROUGH_OFF}, {"yes", PASSTHROUGH_ON},
	{"no", PASSTHROUGH_OFF},
};

static const cyaml_strval_t switch_words[] = {
	{"on", SWITCH_ON},     {"off", SWITCH_OFF}, {"true", SWITCH_ON},
	{"false", SWITCH_OFF}, {"yes", SWITCH_ON},  {"no", SWITCH_OFF},
};

static const cyaml_strval_t language_words[] = {
	{"auto", WEB_LANGUAGE_AUTO},
	{"en", WEB_LANGUAGE_EN},
	{"de", WEB_LANGUAGE_DE},
};

static const cyaml_strval_t filtering_words[] = {
	{"endpoint-independent", FILTERING_ENDPOINT_INDEPENDENT},
	{"address-dependent", FILTERING_ADDRESS_DEPENDENT},
	{"address-and-port-dependent", FILTERING_ADDRESS_AND_PORT_DEPENDENT},
};

static const cyaml_strval_t dataplane_words[] = {
	{"auto", DATAPLANE_AUTO},
	{"tc", DATAPLANE_TC},
	{"xdp", DATAPLANE_XDP},
};

static const cyaml_strval_t mss_clamp_words[] = {
	{"auto", 1}, {"off", 0}, {"true", 1}, {"false", 0}, {"on", 1}, {"yes", 1}, {"no", 0},
};

/* A number of seconds, or none. */
static const cyaml_strval_t interval_words[] = {{"off", 0}, {"false", 0}, {"no", 0}};

const cyaml_strval_t forward_protocol_words[] = {
	{"tcp", FORWARD_TCP}, {"udp", FORWARD_UDP},   {"esp", FORWARD_ESP},
	{"gre", FORWARD_GRE}, {"l2tp", FORWARD_L2TP},
};
const size_t forward_protocol_words_count = CYAML_ARRAY_LEN(forward_protocol_words);

/* --- libcyaml's schema ---------------------------------------------------------- */

#define SCHEMA_ENUM(section, member, words, fallback)                                              \
	CYAML_FIELD_ENUM(#member, CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT,                         \
			 struct section##_settings, member, words, CYAML_ARRAY_LEN(words)),
#define SCHEMA_NUMBER(section, member, ...)                                                        \
	CYAML_FIELD_UINT(#member, CYAML_FLAG_OPTIONAL, struct section##_settings, member),

#define SCHEMA_STRING(section, member, ...)                                                        \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,                  \
			       struct section##_settings, member, 0, CYAML_UNLIMITED),

static const cyaml_schema_field_t passthrough_schema[] = {PASSTHROUGH_SETTINGS(SCHEMA_ENUM)
								  CYAML_FIELD_END};
static const cyaml_schema_field_t filtering_schema[] = {FILTERING_SETTINGS(SCHEMA_ENUM)
								CYAML_FIELD_END};
static const cyaml_schema_field_t limits_schema[] = {
	LIMITS_SETTINGS(SCHEMA_NUMBER) LIMITS_SETTINGS_STRING(SCHEMA_STRING) CYAML_FIELD_END};
/* The old name is document.c's business: one value for two settings. */
static const cyaml_schema_field_t timeouts_schema[] = {
	TIMEOUTS_SETTINGS(SCHEMA_NUMBER) CYAML_FIELD_IGNORE("tcp_transitory", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t web_schema[] = {
	WEB_SETTINGS_ENUM(SCHEMA_ENUM) WEB_SETTINGS_NUMBER(SCHEMA_NUMBER)
		WEB_SETTINGS_STRING(SCHEMA_STRING) CYAML_FIELD_END};

/*
 * Not strict: a number is taken too. Such members have four bytes: libcyaml takes an
 * enum for signed, and would write 40000 of a uint16_t as -25536.
 */
static const cyaml_schema_field_t keepalive_schema[] = {
	CYAML_FIELD_ENUM("interval_s", CYAML_FLAG_OPTIONAL, struct keepalive_settings, interval_s,
			 interval_words, CYAML_ARRAY_LEN(interval_words)),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t wan_schema[] = {
	CYAML_FIELD_STRING_PTR("interface", CYAML_FLAG_POINTER, struct wan_settings, interface, 0,
			       CYAML_UNLIMITED),
	CYAML_FIELD_STRING_PTR("allow", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			       struct wan_settings, allow, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t interface_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t lan_schema[] = {
	CYAML_FIELD_SEQUENCE("interfaces", CYAML_FLAG_POINTER | CYAML_FLAG_FLOW,
			     struct lan_settings, interfaces, &interface_schema, 0, 1024),
	CYAML_FIELD_END,
};

#define FORWARD_PORT(key)                                                                          \
	CYAML_FIELD_UINT_PTR(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,                       \
			     struct forward_document, key)
static const cyaml_schema_field_t forward_schema[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			       struct forward_document, name, 0, CYAML_UNLIMITED),
	/* not strict: a number is taken too */
	CYAML_FIELD_ENUM("protocol", CYAML_FLAG_DEFAULT, struct forward_document, protocol,
			 forward_protocol_words, CYAML_ARRAY_LEN(forward_protocol_words)),
	FORWARD_PORT(port),
	FORWARD_PORT(port_last),
	CYAML_FIELD_STRING_PTR("to", CYAML_FLAG_POINTER, struct forward_document, to, 0,
			       CYAML_UNLIMITED),
	FORWARD_PORT(to_port),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t forward_entry_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct forward_document, forward_schema),
};

#define SECTION(name, flags, fields)                                                               \
	CYAML_FIELD_MAPPING(#name, flags, struct settings_document, settings.name, fields)
static const cyaml_schema_field_t document_schema[] = {
	SECTION(wan, CYAML_FLAG_DEFAULT, wan_schema),
	SECTION(lan, CYAML_FLAG_DEFAULT, lan_schema),
	SECTION(passthrough, CYAML_FLAG_OPTIONAL, passthrough_schema),
	CYAML_FIELD_SEQUENCE("port_forwards", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			     struct settings_document, forwards, &forward_entry_schema, 0,
			     PORT_FORWARDS_MAX),
	SECTION(filtering, CYAML_FLAG_OPTIONAL, filtering_schema),
	SECTION(limits, CYAML_FLAG_OPTIONAL, limits_schema),
	SECTION(timeouts, CYAML_FLAG_OPTIONAL, timeouts_schema),
	SECTION(web, CYAML_FLAG_OPTIONAL, web_schema),
	SECTION(keepalive, CYAML_FLAG_OPTIONAL, keepalive_schema),
	CYAML_FIELD_ENUM("dataplane", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT,
			 struct settings_document, settings.dataplane, dataplane_words,
			 CYAML_ARRAY_LEN(dataplane_words)),
	/* as keepalive_schema */
	CYAML_FIELD_ENUM("mss_clamp", CYAML_FLAG_OPTIONAL, struct settings_document,
			 settings.mss_clamp, mss_clamp_words, CYAML_ARRAY_LEN(mss_clamp_words)),
	CYAML_FIELD_STRING_PTR("run_dir", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			       struct settings_document, settings.run_dir, 0, CYAML_UNLIMITED),
	CYAML_FIELD_STRING_PTR("state_dir", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			       struct settings_document, settings.state_dir, 0, CYAML_UNLIMITED),
	CYAML_FIELD_STRING_PTR("control_group", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			       struct settings_document, settings.control_group, 0,
			       CYAML_UNLIMITED),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t settings_document_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct settings_document, document_schema),
};

/* --- the field table -------------------------------------------------------------- */

#define PLACE(path)                                                                                \
	.offset = offsetof(struct settings, path), .size = sizeof(((struct settings *)0)->path)
#define WORDS(list) .words = list, .words_count = CYAML_ARRAY_LEN(list)
#define FIELD_ENUM_ROW(section, member, list, value)                                               \
	{.name = #section "." #member,                                                             \
	 .kind = FIELD_ENUM,                                                                       \
	 PLACE(section.member),                                                                    \
	 WORDS(list),                                                                              \
	 .fallback = (value)},
#define FIELD_NUMBER_ROW(section, member, value, low, high, reason)                                \
	{.name = #section "." #member,                                                             \
	 .kind = FIELD_NUMBER,                                                                     \
	 PLACE(section.member),                                                                    \
	 .fallback = (value),                                                                      \
	 .min = (low),                                                                             \
	 .max = (high),                                                                            \
	 .why = (reason)},

#define FIELD_STRING_ROW(section, member, value)                                                   \
	{.name = #section "." #member,                                                             \
	 .kind = FIELD_STRING,                                                                     \
	 PLACE(section.member),                                                                    \
	 .fallback_text = (value)},

const struct settings_field settings_fields[] = {
	{.name = "wan.interface", .kind = FIELD_STRING, PLACE(wan.interface)},
	{.name = "wan.allow", .kind = FIELD_STRING, PLACE(wan.allow)},
	{.name = "lan.interfaces", .kind = FIELD_NAMES, PLACE(lan)},
	PASSTHROUGH_SETTINGS(FIELD_ENUM_ROW) FILTERING_SETTINGS(FIELD_ENUM_ROW)
		LIMITS_SETTINGS(FIELD_NUMBER_ROW) LIMITS_SETTINGS_STRING(FIELD_STRING_ROW)
			TIMEOUTS_SETTINGS(FIELD_NUMBER_ROW){
				.name = "dataplane",
				.kind = FIELD_ENUM,
				PLACE(dataplane),
				WORDS(dataplane_words),
				.fallback = DATAPLANE_AUTO,
			},
	WEB_SETTINGS_ENUM(FIELD_ENUM_ROW) WEB_SETTINGS_NUMBER(FIELD_NUMBER_ROW)
		WEB_SETTINGS_STRING(FIELD_STRING_ROW)
	/* 536 is the MSS that every host takes (RFC 9293 section 3.7.1) */
	{
		.name = "mss_clamp",
		.kind = FIELD_NUMBER,
		PLACE(mss_clamp),
		WORDS(mss_clamp_words),
		.fallback = 1,
		.min = 536,
		.max = 65495,
		.why = "RFC 9293 section 3.7.1",
	},
	/* RFC 3948 section 4 has 20 s; more often than every 5 s no NAT needs it */
	{
		.name = "keepalive.interval_s",
		.kind = FIELD_NUMBER,
		PLACE(keepalive.interval_s),
		WORDS(interval_words),
		.fallback = 0,
		.min = 5,
		.max = 3600,
	},
	{
		.name = "run_dir",
		.kind = FIELD_STRING,
		PLACE(run_dir),
		.fallback_text = "/run/wayleave",
	},
	{.name = "state_dir", .kind = FIELD_STRING, PLACE(state_dir)},
	{.name = "control_group", .kind = FIELD_STRING, PLACE(control_group)},
};
const size_t settings_fields_count = CYAML_ARRAY_LEN(settings_fields);

const struct settings_field *settings_field_find(const char *name)
{
	for (size_t i = 0; i < settings_fields_count; i++)
		if (strcmp(settings_fields[i].name, name) == 0)
			return &settings_fields[i];
	return NULL;
}

const char *settings_field_word(const struct settings_field *field, int64_t value)
{
	for (size_t i = 0; i < field->words_count; i++)
		if (field->words[i].val == value)
			return field->words[i].str;
	return NULL;
}

char *settings_field_words(const struct settings_field *field, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < field->words_count && used < size; i++)
		if (settings_field_word(field, field->words[i].val) == field->words[i].str)
			used += snprintf(text + used, size - used, "%s%s", used ? ", " : "",
					 field->words[i].str);
	return text;
}

uint32_t settings_field_number(const struct settings_field *field, const struct settings *settings)
{
	const char *place = (const char *)settings + field->offset;
	uint16_t half;
	uint32_t value;

	if (field->size == sizeof(half)) {
		memcpy(&half, place, sizeof(half));
		return half;
	}
	memcpy(&value, place, sizeof(value));
	return value;
}

void settings_field_store(const struct settings_field *field, struct settings *settings,
			  uint32_t value)
{
	char *place = (char *)settings + field->offset;
	uint16_t half = value;

	if (field->size == sizeof(half))
		memcpy(place, &half, sizeof(half));
	else
		memcpy(place, &value, sizeof(value));
}
