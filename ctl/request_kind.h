/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of request.c share: one row per request, and how answers are made. */
#ifndef WAYLEAVE_CTL_REQUEST_KIND_H
#define WAYLEAVE_CTL_REQUEST_KIND_H

#include "ctl/request.h"

enum request_permission { MAY_READ, MAY_CHANGE, ROOT_ONLY, WEB_ONLY };

/* What the web process may, besides WEB_ONLY; nothing else, for its page has no use for it. */
enum request_web { NOT_WEB, WEB };

typedef json_t *(*request_fn)(const struct request_context *context, const json_t *request);

struct request_kind {
	const char *name;
	enum request_permission permission;
	enum request_web web;
	request_fn answer;
};

/* Each a new reference or NULL. */
json_t *request_success(json_t *result); /* takes RESULT */
json_t *request_bad(const char *field, const char *message);
json_t *request_failure(int rc);

json_t *request_settings_refusal(int rc, const struct settings_error *error);

/*
 * request_query.c: a member NAME of OBJECT where it is there; false: it is not an IPv4 address,
 * not a whole number from LEAST to MOST.
 */
bool request_address(const json_t *object, const char *name, struct in_addr *address);
bool request_count(const json_t *object, const char *name, json_int_t least, json_int_t most,
		   json_int_t *count);
/* Which part of a list; the refusal, or NULL. */
json_t *request_query(const json_t *request, struct ctl_query *query);
/* The refusal of WORD, which is none of WORDS (NULL at the end). */
json_t *request_none_of(const char *field, const char *word, const char *const *words);

/* request_rehearse.c: what KIND's change would do, without doing it. */
json_t *request_rehearsed(const struct request_context *context, const struct request_kind *kind,
			  const json_t *request);

/* What the device at SOURCE, an address, is called; NULL: no name. */
const char *request_source_name(const struct request_context *context, const char *source);

/* KIND's answer, and a line about it in the audit log. */
json_t *request_audited(const struct request_context *context, const struct request_kind *kind,
			const json_t *request);

/* request_name.c */
json_t *request_name(const struct request_context *context, const json_t *request);

/* request_web.c: of and for the web process; the provider has one. */
json_t *request_setup(const struct request_context *context, const json_t *request);
json_t *request_web_state(const struct request_context *context, const json_t *request);
json_t *request_web_keep(const struct request_context *context, const json_t *request);
json_t *request_web_claim(const struct request_context *context, const json_t *request);
json_t *request_web_note(const struct request_context *context, const json_t *request);

/* request_network.c: the provider has one. */
json_t *request_network_look(const struct request_context *context, const json_t *request);
json_t *request_network_plan(const struct request_context *context, const json_t *request);
json_t *request_network(const struct request_context *context, const json_t *request);
/* For the audit log, without the password. The caller frees it. */
char *request_network_describe(const json_t *request);

#endif
