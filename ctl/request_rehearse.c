/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "dry_run": a change is worked out and checked as ever, and then only told. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "conf/load.h"
#include "ctl/difference.h"
#include "ctl/request_kind.h"

static bool can_rehearse(const struct request_kind *kind)
{
	static const char *const names[] = {"set", "rollback", "forward", "restore"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(kind->name, names[i]) == 0)
			return true;
	return false;
}

/* The page's browser, or where the terminal comes from, which the client says. */
static struct in_addr asker_of(const struct request_context *context, const json_t *request)
{
	const json_t *place = context->peer.web
				      ? json_object_get(json_object_get(request, "for"), "source")
				      : json_object_get(request, "from");
	struct in_addr asker = {0};

	if (json_is_string(place) && inet_pton(AF_INET, json_string_value(place), &asker) != 1)
		asker.s_addr = 0;
	return asker;
}

static json_t *effect_answer(const struct request_context *context, const json_t *request,
			     const struct settings *wanted)
{
	const struct ctl_rehearsal rehearsal = {
		.present = ctl_change_settings(context->change),
		.wanted = wanted,
		.asker = asker_of(context, request),
		.page = context->peer.web,
	};
	json_t *result = json_object();
	struct settings_error error = {0};
	char *difference;
	int rc = 0;

	if (context->provider->effect) {
		json_decref(result);
		rc = context->provider->effect(context->daemon, &rehearsal, &result, &error);
	}
	if (rc)
		return request_settings_refusal(rc, &error);
	difference = ctl_difference(rehearsal.present, wanted);
	json_object_set_new(result, "dry_run", json_true());
	json_object_set_new(result, "changes", ctl_difference_json(rehearsal.present, wanted));
	json_object_set_new(result, "difference", json_string(difference ? difference : ""));
	/* a waiting change is undone by itself: taking it back needs no question */
	json_object_set_new(result, "confirm_within_s",
			    json_integer(ctl_change_seconds_left(context->change)));
	free(difference);
	return request_success(result);
}

json_t *request_rehearsed(const struct request_context *context, const struct request_kind *kind,
			  const json_t *request)
{
	struct settings *wanted = NULL;
	json_t *answer;

	if (!can_rehearse(kind))
		return request_bad("dry_run", "belongs to set, forward, rollback and restore");
	ctl_change_rehearse(context->change, &wanted);
	answer = kind->answer(context, request);
	ctl_change_rehearse(context->change, NULL);
	if (!wanted)
		return answer;
	json_decref(answer);
	answer = effect_answer(context, request, wanted);
	settings_free(wanted);
	return answer;
}
