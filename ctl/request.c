/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/field.h"
#include "ctl/request_kind.h"

/* --- answers ------------------------------------------------------------------------ */

json_t *request_refusal(const char *code, const char *field, const char *message)
{
	/* the field may be a client's own bytes, cut somewhere */
	json_t *name = field && *field ? json_string(field) : NULL;

	return json_pack("{s:b, s:{s:s, s:s, s:o*}}", "ok", 0, "error", "code", code, "message",
			 message, "field", name);
}

/* Takes RESULT. */
json_t *request_success(json_t *result)
{
	return result ? json_pack("{s:b, s:o}", "ok", 1, "result", result) : NULL;
}

json_t *request_bad(const char *field, const char *message)
{
	return request_refusal("bad-request", field, message);
}

json_t *request_failure(int rc)
{
	if (rc == -EAGAIN || rc == -EBUSY)
		return request_refusal("busy", NULL, "the daemon is not ready for this yet");
	return request_refusal("failed", NULL, strerror(-rc));
}

json_t *request_settings_refusal(int rc, const struct settings_error *error)
{
	char text[512];
	const char *code = rc == -ENOENT   ? "not-found"
			   : rc == -EINVAL ? "invalid-setting"
			   : rc == -EBUSY  ? "busy"
					   : "failed";

	/* a setting's error has a member of its own for the field */
	struct settings_error place = *error;
	*place.field = '\0';
	return request_refusal(code, error->field, settings_error_text(&place, text, sizeof(text)));
}

/* --- show ------------------------------------------------------------------------------ */

typedef int (*list_fn)(void *daemon, const struct ctl_query *query, json_t *items, uint64_t *next);

static json_t *list_answer(const struct request_context *context, const json_t *request,
			   list_fn list)
{
	struct ctl_query query;
	uint64_t next = 0;

	json_t *refusal = request_query(request, &query);
	if (refusal)
		return refusal;
	json_t *items = json_array();
	int rc = list(context->daemon, &query, items, &next);
	if (rc) {
		json_decref(items);
		return request_failure(rc);
	}
	return request_success(json_pack("{s:o, s:I}", "items", items, "cursor", (json_int_t)next));
}

static json_t *counters_answer(const struct request_context *context)
{
	json_t *items = json_array();

	int rc = context->provider->counters(context->daemon, items);
	if (rc) {
		json_decref(items);
		return request_failure(rc);
	}
	return request_success(json_pack("{s:o, s:i}", "items", items, "cursor", 0));
}

typedef uint64_t (*journal_fn)(const struct ctl_audit *audit, uint64_t cursor, uint32_t limit,
			       json_t *items);

static json_t *journal_answer(const struct request_context *context, const json_t *request,
			      journal_fn list)
{
	struct ctl_query query;
	json_t *refusal = request_query(request, &query);

	if (refusal)
		return refusal;
	json_t *items = json_array();
	uint64_t next = list(context->audit, query.cursor, query.limit, items);

	return request_success(json_pack("{s:o, s:I}", "items", items, "cursor", (json_int_t)next));
}

static json_t *traffic_answer(const struct request_context *context, const json_t *request)
{
	const char *span = json_string_value(json_object_get(request, "span"));
	struct ctl_query query;
	json_t *refusal = request_query(request, &query), *result = NULL;

	if (refusal)
		return refusal;
	if (span && strcmp(span, "hour") != 0 && strcmp(span, "day") != 0)
		return request_bad("span", "is hour or day");
	if (!context->provider->traffic)
		return request_refusal("unknown-request", NULL, "this daemon keeps no traffic");
	int rc = context->provider->traffic(context->daemon, &query, span && *span == 'd', &result);
	if (rc == -ENOENT)
		return request_refusal("not-found", "filter", "nothing is known of its traffic");
	return rc ? request_failure(rc) : request_success(result);
}

static json_t *config_answer(const struct request_context *context)
{
	json_t *config = ctl_change_json(context->change);

	ctl_history_generations(context->audit, json_object_get(config, "generations"));
	return request_success(config);
}

static json_t *show(const struct request_context *context, const json_t *request)
{
	static const char *const lists[] = {"sessions", "vpn",	   "devices", "counters", "config",
					    "audit",	"history", "traffic", NULL};
	const struct ctl_provider *provider = context->provider;
	const char *what = json_string_value(json_object_get(request, "what"));

	if (!what)
		return request_bad("what", "is missing");
	if (strcmp(what, "sessions") == 0)
		return list_answer(context, request, provider->sessions);
	if (strcmp(what, "vpn") == 0)
		return list_answer(context, request, provider->vpns);
	if (strcmp(what, "devices") == 0)
		return list_answer(context, request, provider->devices);
	if (strcmp(what, "counters") == 0)
		return counters_answer(context);
	if (strcmp(what, "config") == 0 && context->change)
		return config_answer(context);
	if (strcmp(what, "traffic") == 0)
		return traffic_answer(context, request);
	if (strcmp(what, "audit") == 0)
		return journal_answer(context, request, ctl_audit_list);
	if (strcmp(what, "history") == 0)
		return journal_answer(context, request, ctl_history_list);
	return request_none_of("what", what, lists);
}

static json_t *status(const struct request_context *context, const json_t *request)
{
	json_t *result = NULL;
	int rc = context->provider->status(context->daemon, &result);

	return rc ? request_failure(rc) : request_success(result);
}

/* --- changes ------------------------------------------------------------------------------ */

static json_t *change_answer(const struct request_context *context, int rc,
			     const struct settings_error *error)
{
	json_t *status = NULL, *warnings, *notes, *answer;

	if (rc)
		return request_settings_refusal(rc, error);
	answer = json_pack("{s:i}", "confirm_within_s",
			   (int)ctl_change_seconds_left(context->change));
	notes = context->provider->notes ? context->provider->notes(context->daemon) : NULL;
	if (json_array_size(notes))
		json_object_set(answer, "notes", notes);
	json_decref(notes);
	if (!context->provider->status(context->daemon, &status)) {
		warnings = json_object_get(status, "warnings");
		if (json_array_size(warnings))
			json_object_set(answer, "warnings", warnings);
	}
	json_decref(status);
	return request_success(answer);
}

static json_t *restore(const struct request_context *context, const json_t *request)
{
	struct settings_error error = {0};
	int rc = ctl_change_restore(context->change, json_object_get(request, "settings"),
				    json_is_true(json_object_get(request, "confirm")), &error);

	return change_answer(context, rc, &error);
}

static json_t *set_all(const struct request_context *context, const json_t *request)
{
	struct settings_error error = {0};
	int rc = ctl_change_set_all(context->change, json_object_get(request, "values"),
				    json_is_true(json_object_get(request, "confirm")), &error);

	return change_answer(context, rc, &error);
}

/* A setting of VALUES that the web process may not change; NULL: none. */
static const char *forbidden_find(const struct request_context *context, const json_t *values)
{
	const char *name;
	json_t *value;

	if (!context->peer.web)
		return NULL;
	json_object_foreach ((json_t *)values, name, value) {
		if (settings_is_machines(name))
			return name;
	}
	return NULL;
}

static json_t *set_values(const struct request_context *context, const json_t *request)
{
	const json_t *values = json_object_get(request, "values");
	const char *forbidden = forbidden_find(context, values);

	if (!json_is_object(values))
		return request_bad("values", "is not an object of names and values");
	if (forbidden)
		return request_refusal("not-allowed", forbidden,
				       "only the console and the settings file may change this");
	return set_all(context, request);
}

static json_t *set(const struct request_context *context, const json_t *request)
{
	struct settings_error error = {0};
	const char *name = json_string_value(json_object_get(request, "name"));
	const char *value = json_string_value(json_object_get(request, "value"));

	if (json_object_get(request, "values") || context->peer.web)
		return set_values(context, request);
	if (!name)
		return request_bad("name", "is missing or not text");
	if (!value)
		return request_bad("value", "is missing or not text");
	int rc = ctl_change_set(context->change, name, value,
				json_is_true(json_object_get(request, "confirm")), &error);
	return change_answer(context, rc, &error);
}

static json_t *confirm(const struct request_context *context, const json_t *request)
{
	struct settings_error error = {0};
	bool kept = context->provider->confirm && context->provider->confirm(context->daemon);
	int rc = kept && !ctl_change_seconds_left(context->change)
			 ? 0
			 : ctl_change_confirm(context->change, &error);

	return change_answer(context, rc, &error);
}

static json_t *rollback(const struct request_context *context, const json_t *request)
{
	struct settings_error error = {0};
	json_int_t steps = 1;

	if (!request_count(request, "steps", 1, 1000, &steps))
		return request_bad("steps", "is not a number from 1 on");
	int rc = ctl_change_rollback(context->change, steps,
				     json_is_true(json_object_get(request, "confirm")), &error);
	return change_answer(context, rc, &error);
}

static json_t *forward(const struct request_context *context, const json_t *request)
{
	struct settings_error error = {0};
	const char *action = json_string_value(json_object_get(request, "action"));
	const char *key = json_string_value(json_object_get(request, "key"));
	const json_t *object = json_object_get(request, "forward");
	bool wait = json_is_true(json_object_get(request, "confirm"));

	if (action && strcmp(action, "add") == 0 && json_is_object(object))
		return change_answer(context,
				     ctl_change_forward_add(context->change, object, wait, &error),
				     &error);
	if (action && strcmp(action, "remove") == 0 && key)
		return change_answer(context,
				     ctl_change_forward_remove(context->change, key, wait, &error),
				     &error);
	return request_bad("action", "is add (with forward) or remove (with key)");
}

/* --- the machine --------------------------------------------------------------------------- */

static json_t *version(const struct request_context *context, const json_t *request)
{
	json_t *result = NULL;

	if (!context->provider->version)
		return request_refusal("unknown-request", NULL, "this daemon knows no versions");
	int rc = context->provider->version(context->daemon, &result);
	return rc ? request_failure(rc) : request_success(result);
}

static json_t *restart(const struct request_context *context, const json_t *request)
{
	const char *what = json_string_value(json_object_get(request, "what"));

	if (!what || (strcmp(what, "services") != 0 && strcmp(what, "machine") != 0))
		return request_bad("what", "is services or machine");
	if (!context->provider->restart)
		return request_refusal("unknown-request", NULL, "this daemon cannot restart");
	int rc = context->provider->restart(context->daemon, *what == 'm');
	if (rc == -EPERM)
		return request_refusal("not-allowed", "web.machine_restart",
				       "the settings do not allow this");
	return rc ? request_failure(rc) : request_success(json_pack("{s:s}", "restarting", what));
}

/* --- for tests and benches ------------------------------------------------------------------ */

/* Returns the name of the member that is wrong, or NULL. */
static const char *arm_take(const json_t *request, struct ctl_arm *arm)
{
	const char *kind = json_string_value(json_object_get(request, "kind"));
	json_int_t inside = -1, external = 0, remote = -1, count = 1;

	*arm = (struct ctl_arm){0};
	if (!kind || (strcmp(kind, "esp") != 0 && strcmp(kind, "pptp") != 0))
		return "kind";
	arm->kind = *kind == 'e' ? CTL_ARM_ESP : CTL_ARM_PPTP;
	json_int_t most = arm->kind == CTL_ARM_ESP ? UINT32_MAX : UINT16_MAX;
	if (!request_address(request, "inside", &arm->inside) || arm->inside.s_addr == 0)
		return "inside";
	if (!request_address(request, "remote", &arm->remote) || arm->remote.s_addr == 0)
		return "remote";
	if (!request_count(request, "inside_id", 0, most, &inside) || inside < 0)
		return "inside_id";
	if (!request_count(request, "external_id", 0, most, &external))
		return "external_id";
	if (!request_count(request, "remote_id", 0, most, &remote) || remote < 0)
		return "remote_id";
	if (!request_count(request, "count", 1, 1 << 24, &count))
		return "count";
	arm->inside_id = inside;
	arm->external_id = external;
	arm->remote_id = remote;
	arm->count = count;
	return NULL;
}

static json_t *arm(const struct request_context *context, const json_t *request)
{
	struct ctl_arm pairs;
	json_t *result = NULL;

	if (!context->provider->arm)
		return request_refusal("unknown-request", NULL, "this daemon cannot arm");
	const char *wrong = arm_take(request, &pairs);
	if (wrong)
		return request_bad(wrong, "is missing or out of range");
	int rc = context->provider->arm(context->daemon, &pairs, &result);
	return rc ? request_failure(rc) : request_success(result);
}

/* --- which request ------------------------------------------------------------------ */

static const struct request_kind kinds[] = {
	{"status", MAY_READ, WEB, status},
	{"show", MAY_READ, WEB, show},
	{"version", MAY_READ, WEB, version},
	{"set", MAY_CHANGE, WEB, set},
	{"confirm", MAY_CHANGE, WEB, confirm},
	{"rollback", MAY_CHANGE, WEB, rollback},
	{"forward", MAY_CHANGE, WEB, forward},
	{"restore", MAY_CHANGE, WEB, restore},
	{"name", MAY_CHANGE, WEB, request_name},
	{"restart", MAY_CHANGE, WEB, restart},
	{"setup", MAY_CHANGE, NOT_WEB, request_setup},
	{"network-look", MAY_READ, WEB, request_network_look},
	{"network-plan", MAY_READ, WEB, request_network_plan},
	{"network", MAY_CHANGE, WEB, request_network},
	{"web-state", WEB_ONLY, WEB, request_web_state},
	{"web-keep", WEB_ONLY, WEB, request_web_keep},
	{"web-claim", WEB_ONLY, WEB, request_web_claim},
	{"web-note", WEB_ONLY, WEB, request_web_note},
	{"arm", ROOT_ONLY, NOT_WEB, arm},
};

static const struct request_kind *kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static bool needs_web(const struct request_kind *kind)
{
	return kind->permission == WEB_ONLY || kind->answer == request_setup;
}

static bool needs_network(const struct request_kind *kind)
{
	return strncmp(kind->name, "network", 7) == 0;
}

static json_t *permitted(const struct request_context *context, const struct request_kind *kind,
			 const json_t *request)
{
	if (context->peer.web ? kind->web != WEB : kind->permission == WEB_ONLY)
		return request_refusal("not-allowed", NULL,
				       context->peer.web ? "the web process may not ask for this"
							 : "only the web process may ask for this");
	if (needs_web(kind) && !context->provider->web)
		return request_refusal("unknown-request", NULL, "this daemon has no web process");
	if (needs_network(kind) && !context->provider->network)
		return request_refusal("unknown-request", NULL, "this daemon sets up no network");
	if (kind->permission == ROOT_ONLY && context->peer.uid != 0)
		return request_refusal("not-allowed", NULL, "only root may ask for this");
	if (kind->permission == MAY_CHANGE && !context->peer.may_change && !context->peer.web)
		return request_refusal("not-allowed", NULL,
				       "only root and members of the control group may change "
				       "settings");
	if (kind->permission == MAY_CHANGE && !context->change)
		return request_refusal("unknown-request", NULL,
				       "this daemon's settings cannot be changed");
	if (kind->permission != MAY_CHANGE)
		return kind->answer(context, request);
	return json_is_true(json_object_get(request, "dry_run"))
		       ? request_rehearsed(context, kind, request)
		       : request_audited(context, kind, request);
}

static json_t *object_answer(const struct request_context *context, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "request"));

	if (!name)
		return request_bad("request", "is missing");
	const struct request_kind *kind = kind_find(name);
	if (!kind)
		return request_refusal("unknown-request", "request", "there is no such request");
	return permitted(context, kind, request);
}

json_t *request_answer(const struct request_context *context, const char *line, size_t length)
{
	json_error_t error;
	json_t *request = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);

	if (!json_is_object(request)) {
		json_decref(request);
		return request_bad(NULL, "is not one JSON object on a line");
	}
	json_t *answer = object_answer(context, request);
	json_t *id = json_object_get(request, "id");
	if (answer && id)
		json_object_set(answer, "id", id);
	json_decref(request);
	return answer ? answer : request_refusal("failed", NULL, "no memory");
}
