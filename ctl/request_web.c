/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of the web process, and the console's about it. */
#include <errno.h>

#include "ctl/request_kind.h"

json_t *request_setup(const struct request_context *context, const json_t *request)
{
	json_t *result = NULL;
	int rc = context->provider->web->setup(
		context->daemon, json_is_true(json_object_get(request, "reset")),
		json_is_true(json_object_get(request, "unlock")), &result);

	return rc ? request_failure(rc) : request_success(result);
}

json_t *request_web_state(const struct request_context *context, const json_t *request)
{
	json_t *result = NULL;
	int rc = context->provider->web->state(context->daemon, &result);

	return rc ? request_failure(rc) : request_success(result);
}

json_t *request_web_keep(const struct request_context *context, const json_t *request)
{
	int rc = context->provider->web->keep(context->daemon, json_object_get(request, "state"));

	if (rc == -EINVAL)
		return request_bad("state", "is not as http/web_state.h has it");
	return rc ? request_failure(rc) : request_success(json_object());
}

json_t *request_web_claim(const struct request_context *context, const json_t *request)
{
	const char *code = json_string_value(json_object_get(request, "code"));
	int rc = code ? context->provider->web->claim(context->daemon, code) : -EINVAL;

	if (rc == -EINVAL)
		return request_bad("code", "is missing or not text");
	if (rc == -EACCES)
		return request_refusal("not-allowed", "code", "this is not the code");
	if (rc == -EEXIST)
		return request_refusal("busy", NULL, "a password is set already");
	return rc ? request_failure(rc) : request_success(json_object());
}

/* A line for the audit log about what never becomes a request, as a failed login. */
json_t *request_web_note(const struct request_context *context, const json_t *request)
{
	struct audit_entry entry = {
		.who = json_string_value(json_object_get(request, "who")),
		.source = json_string_value(json_object_get(request, "source")),
		.action = json_string_value(json_object_get(request, "action")),
		.what = json_string_value(json_object_get(request, "detail")),
		.result = json_string_value(json_object_get(request, "result")),
	};

	entry.source_name = request_source_name(context, entry.source);

	if (!entry.who || !entry.action || !entry.result)
		return request_bad("action", "who, action and result are text");
	ctl_audit_add(context->audit, &entry);
	return request_success(json_object());
}
