/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the audit log says about a change: who made it, and what it was before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/field.h"
#include "ctl/request_kind.h"

/* "passthrough.pptp: on -> off"; NULL: there is no such setting. The caller frees it. */
static char *set_describe(const struct request_context *context, const char *name,
			  const json_t *value)
{
	char *old = NULL, *text = NULL;

	if (!context->change || !name ||
	    settings_get(ctl_change_settings(context->change), name, &old) != 0)
		return NULL;
	if (asprintf(&text, "%s: %s -> %s", name, old,
		     json_is_string(value) ? json_string_value(value) : "?") < 0)
		text = NULL;
	free(old);
	return text;
}

static char *values_describe(const struct request_context *context, const json_t *values)
{
	const char *name;
	json_t *value;
	char *all = NULL;

	json_object_foreach ((json_t *)values, name, value) {
		char *one = set_describe(context, name, value), *more = NULL;

		if (one && asprintf(&more, "%s%s%s", all ? all : "", all ? ", " : "", one) > 0) {
			free(all);
			all = more;
		}
		free(one);
	}
	return all;
}

/* What is about to change, before it does. The caller frees it; NULL: nothing to say. */
static char *change_describe(const struct request_context *context, const struct request_kind *kind,
			     const json_t *request)
{
	json_t *rest;
	char *text;

	if (strcmp(kind->name, "set") == 0 && json_object_get(request, "values"))
		return values_describe(context, json_object_get(request, "values"));
	if (strcmp(kind->name, "set") == 0)
		return set_describe(context, json_string_value(json_object_get(request, "name")),
				    json_object_get(request, "value"));
	if (strcmp(kind->name, "restore") == 0)
		return NULL;
	if (strcmp(kind->name, "network") == 0)
		return request_network_describe(request);
	rest = json_copy((json_t *)request);
	for (const char *const *known = (const char *const[]){"request", "id", "for", NULL}; *known;
	     known++)
		json_object_del(rest, *known);
	text = json_object_size(rest) ? json_dumps(rest, JSON_COMPACT) : NULL;
	json_decref(rest);
	return text;
}

/* Only the web process asks for somebody else. */
static void audit_add(const struct request_context *context, const struct request_kind *kind,
		      const json_t *request, const char *what, const json_t *answer)
{
	const json_t *other = context->peer.web ? json_object_get(request, "for") : NULL;
	const json_t *error = json_object_get(answer, "error");
	char uid[32];

	snprintf(uid, sizeof(uid), "uid %u", (unsigned int)context->peer.uid);
	const char *who = json_string_value(json_object_get(other, "who"));
	struct audit_entry entry = {
		.who = context->peer.web ? (who ? who : "page") : uid,
		.source = json_string_value(json_object_get(other, "source")),
		.action = kind->name,
		.what = what,
		.result = error ? json_string_value(json_object_get(error, "code")) : "ok",
	};
	ctl_audit_add(context->audit, &entry);
}

json_t *request_audited(const struct request_context *context, const struct request_kind *kind,
			const json_t *request)
{
	char *what = context->audit ? change_describe(context, kind, request) : NULL;
	json_t *answer = kind->answer(context, request);

	audit_add(context, kind, request, what, answer);
	free(what);
	return answer;
}
