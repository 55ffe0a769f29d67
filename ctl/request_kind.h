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

/* KIND's answer, and a line about it in the audit log. */
json_t *request_audited(const struct request_context *context, const struct request_kind *kind,
			const json_t *request);

/* request_web.c: of and for the web process; the provider has one. */
json_t *request_setup(const struct request_context *context, const json_t *request);
json_t *request_web_state(const struct request_context *context, const json_t *request);
json_t *request_web_keep(const struct request_context *context, const json_t *request);
json_t *request_web_claim(const struct request_context *context, const json_t *request);
json_t *request_web_note(const struct request_context *context, const json_t *request);

#endif
