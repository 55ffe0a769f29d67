/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The three questions of the first visit: what there is, what the answers would write, write it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/request_kind.h"

json_t *request_network_look(const struct request_context *context, const json_t *request)
{
	json_t *result = NULL;
	int rc = context->provider->network->look(context->daemon, &result);

	return rc ? request_failure(rc) : request_success(result);
}

json_t *request_network_plan(const struct request_context *context, const json_t *request)
{
	struct settings_error error = {0};
	json_t *result = NULL;
	int rc = context->provider->network->plan(
		context->daemon, json_object_get(request, "answers"), &result, &error);

	return rc ? request_settings_refusal(rc, &error) : request_success(result);
}

static int action_do(const struct request_context *context, const json_t *request,
		     const char *action, struct settings_error *error)
{
	const struct ctl_network_provider *network = context->provider->network;
	const char *at = json_string_value(json_object_get(request, "at"));

	if (strcmp(action, "apply") == 0)
		return network->apply(context->daemon, json_object_get(request, "answers"), error);
	if (strcmp(action, "confirm") == 0)
		return network->confirm(context->daemon, context->peer.web ? at ? at : "" : NULL,
					error);
	return network->undo(context->daemon, error);
}

json_t *request_network(const struct request_context *context, const json_t *request)
{
	static const char *const actions[] = {"apply", "confirm", "undo", NULL};
	const char *action = json_string_value(json_object_get(request, "action"));
	struct settings_error error = {0};
	json_t *result = NULL;
	size_t i = 0;
	int rc;

	while (action && actions[i] && strcmp(action, actions[i]) != 0)
		i++;
	if (!action || !actions[i])
		return request_bad("action", "is apply (with answers), confirm or undo");
	rc = action_do(context, request, action, &error);
	if (rc)
		return request_settings_refusal(rc, &error);
	rc = context->provider->network->look(context->daemon, &result);
	return rc ? request_failure(rc) : request_success(result);
}

char *request_network_describe(const json_t *request)
{
	json_t *said = json_deep_copy(request), *answers = json_object_get(said, "answers");
	char *text;

	for (const char *const *known = (const char *const[]){"request", "id", "for", "at", NULL};
	     *known; known++)
		json_object_del(said, *known);
	if (json_object_get(answers, "password"))
		json_object_set_new(answers, "password", json_string("(not shown)"));
	text = json_dumps(said, JSON_COMPACT);
	json_decref(said);
	return text;
}
