/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the audit log says about a change: who made it, and what differs by it. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/field.h"
#include "conf/load.h"
#include "ctl/difference.h"
#include "ctl/request_kind.h"

/* --- what was asked for, where nothing came of it -------------------------------------------- */

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

static char *forward_describe(const json_t *request)
{
	const char *key = json_string_value(json_object_get(request, "key"));
	char *forward = ctl_forward_text(json_object_get(request, "forward")), *text = NULL;
	int length = key ? asprintf(&text, "port forward %s", key)
			 : asprintf(&text, "port forward %s", forward ? forward : "?");

	free(forward);
	return length < 0 ? NULL : text;
}

static char *name_describe(const json_t *request)
{
	const char *address = json_string_value(json_object_get(request, "address"));
	const char *name = json_string_value(json_object_get(request, "name"));
	char *text;

	return asprintf(&text, "%s: %s", address ? address : "?", name ? name : "?") < 0 ? NULL
											 : text;
}

static char *steps_describe(const json_t *request)
{
	json_int_t steps = json_integer_value(json_object_get(request, "steps"));
	char *text;

	return asprintf(&text, "%" JSON_INTEGER_FORMAT " back", steps ? steps : 1) < 0 ? NULL
										       : text;
}

static char *setup_describe(const json_t *request)
{
	return strdup(json_is_true(json_object_get(request, "reset")) ? "reset" : "unlock");
}

/* The caller frees it; NULL: nothing to say. */
static char *request_describe(const struct request_context *context,
			      const struct request_kind *kind, const json_t *request)
{
	const char *what = json_string_value(json_object_get(request, "what"));

	if (strcmp(kind->name, "set") == 0 && json_object_get(request, "values"))
		return values_describe(context, json_object_get(request, "values"));
	if (strcmp(kind->name, "set") == 0)
		return set_describe(context, json_string_value(json_object_get(request, "name")),
				    json_object_get(request, "value"));
	if (strcmp(kind->name, "network") == 0)
		return request_network_describe(request);
	if (strcmp(kind->name, "forward") == 0)
		return forward_describe(request);
	if (strcmp(kind->name, "name") == 0)
		return name_describe(request);
	if (strcmp(kind->name, "rollback") == 0)
		return steps_describe(request);
	if (strcmp(kind->name, "setup") == 0)
		return setup_describe(request);
	return what ? strdup(what) : NULL;
}

/* --- the entry -----------------------------------------------------------------------------------
 */

const char *request_source_name(const struct request_context *context, const char *source)
{
	struct in_addr address;

	if (!source || !context->provider->name_of || inet_pton(AF_INET, source, &address) != 1)
		return NULL;
	return context->provider->name_of(context->daemon, address);
}

/* Only the web process asks for somebody else. */
static void entry_add(const struct request_context *context, const json_t *request,
		      struct audit_entry *entry)
{
	const json_t *other = context->peer.web ? json_object_get(request, "for") : NULL;
	char uid[32];

	snprintf(uid, sizeof(uid), "uid %u", (unsigned int)context->peer.uid);
	const char *who = json_string_value(json_object_get(other, "who"));
	entry->who = context->peer.web ? (who ? who : "page") : uid;
	entry->source = json_string_value(json_object_get(other, "source"));
	entry->source_name = request_source_name(context, entry->source);
	ctl_audit_add(context->audit, entry);
}

/* What has changed since BEFORE, which may be NULL; NULL: nothing. */
static json_t *changes_since(const struct request_context *context, const struct settings *before)
{
	json_t *changes =
		before ? ctl_difference_json(before, ctl_change_settings(context->change)) : NULL;

	if (json_array_size(changes))
		return changes;
	json_decref(changes);
	return NULL;
}

/* Taking a waiting change back leaves no generation to go back to. */
static unsigned int generation_kept(const struct request_context *context, unsigned int before)
{
	unsigned int now = ctl_change_generation(context->change);

	return now > before ? now : 0;
}

/* A look at where the page is changes nothing. */
static bool is_look(const struct request_kind *kind, const json_t *request)
{
	return strcmp(kind->name, "setup") == 0 &&
	       !json_is_true(json_object_get(request, "reset")) &&
	       !json_is_true(json_object_get(request, "unlock"));
}

static json_t *audited(const struct request_context *context, const struct request_kind *kind,
		       const json_t *request)
{
	struct settings *before = settings_copy(ctl_change_settings(context->change));
	unsigned int generation = ctl_change_generation(context->change);
	char *asked = request_describe(context, kind, request);
	json_t *answer = kind->answer(context, request);
	const json_t *error = json_object_get(answer, "error");
	json_t *changes = changes_since(context, before);
	char *what = changes ? ctl_difference_text(changes) : NULL;
	struct audit_entry entry = {
		.action = kind->name,
		.what = what ? what : asked,
		.result = error ? json_string_value(json_object_get(error, "code")) : "ok",
		.changes = changes,
		.generation = changes ? generation_kept(context, generation) : 0,
	};

	entry_add(context, request, &entry);
	settings_free(before);
	json_decref(changes);
	free(asked);
	free(what);
	return answer;
}

json_t *request_audited(const struct request_context *context, const struct request_kind *kind,
			const json_t *request)
{
	return context->audit && !is_look(kind, request) ? audited(context, kind, request)
							 : kind->answer(context, request);
}
