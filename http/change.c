/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes that change something: bodies become requests, and the daemon checks them. */
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "conf/version.h"
#include "http/route.h"

/* --- settings ---------------------------------------------------------------------- */

/*
 * The members NAMES (NULL at the end) of the body and `confirm` become those of a request. A body
 * may be left out where OPTIONAL.
 */
static struct answer body_ask(struct exchange *exchange, json_t *request, const char *const *names,
			      bool optional)
{
	struct answer answer;
	json_t *body = optional && !exchange->body_bytes ? json_object()
							 : exchange_json(exchange, &answer);

	if (!body) {
		json_decref(request);
		return answer;
	}
	for (; *names; names++)
		if (json_object_get(body, *names))
			json_object_set(request, *names, json_object_get(body, *names));
	json_decref(body);
	return answer_ask(exchange, request);
}

struct answer change_set(struct exchange *exchange)
{
	static const char *const names[] = {"values", "confirm", "dry_run", NULL};

	return body_ask(exchange, json_pack("{s:s}", "request", "set"), names, false);
}

struct answer change_forward_add(struct exchange *exchange)
{
	static const char *const names[] = {"forward", "confirm", "dry_run", NULL};

	return body_ask(exchange, json_pack("{s:s, s:s}", "request", "forward", "action", "add"),
			names, false);
}

/* ?NAME=true, where a request has no body for it. */
static bool query_is(const struct exchange *exchange, const char *name)
{
	const char *value = exchange_query(exchange, name);

	return value && strcmp(value, "true") == 0;
}

struct answer change_forward_remove(struct exchange *exchange)
{
	json_t *request =
		json_pack("{s:s, s:s, s:s, s:b, s:b}", "request", "forward", "action", "remove",
			  "key", exchange->parameter, "confirm", query_is(exchange, "confirm"),
			  "dry_run", query_is(exchange, "dry_run"));

	if (!request) /* not UTF-8 */
		return answer_error(404, "not-found", "key", "there is no such port forward");
	return answer_ask(exchange, request);
}

struct answer change_device_name(struct exchange *exchange)
{
	static const char *const names[] = {"name", NULL};
	json_t *request =
		json_pack("{s:s, s:s}", "request", "name", "address", exchange->parameter);

	if (!request) /* not UTF-8 */
		return answer_error(404, "not-found", "address", "there is no such device");
	return body_ask(exchange, request, names, false);
}

struct answer change_confirm(struct exchange *exchange)
{
	static const char *const names[] = {NULL};

	return body_ask(exchange, json_pack("{s:s}", "request", "confirm"), names, true);
}

struct answer change_rollback(struct exchange *exchange)
{
	static const char *const names[] = {"steps", "confirm", "dry_run", NULL};

	return body_ask(exchange, json_pack("{s:s}", "request", "rollback"), names, true);
}

/* --- backup --------------------------------------------------------------------------- */

static json_t *backup_of(json_t *config)
{
	char at[32] = "";
	time_t now = time(NULL);
	struct tm utc;

	if (gmtime_r(&now, &utc))
		strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &utc);
	return json_pack("{s:i, s:s, s:s, s:O}", "wayleave_backup", 1, "version", WAYLEAVE_VERSION,
			 "saved_at", at, "settings", json_object_get(config, "settings"));
}

struct answer change_backup(struct exchange *exchange)
{
	struct answer answer = look_config(exchange);
	json_t *config = answer.json;

	if (answer.status != 200)
		return answer;
	answer = answer_json(200, backup_of(config));
	json_decref(config);
	return answer;
}

struct answer change_restore(struct exchange *exchange)
{
	struct answer answer;
	json_t *backup = exchange_json(exchange, &answer);
	json_t *settings = json_object_get(backup, "settings");

	if (!backup)
		return answer;
	if (json_integer_value(json_object_get(backup, "wayleave_backup")) != 1 ||
	    !json_is_object(settings))
		answer = answer_error(400, "bad-request", "wayleave_backup",
				      "this is not a backup of these settings");
	else
		answer = answer_ask(exchange, json_pack("{s:s, s:O, s:b, s:b}", "request",
							"restore", "settings", settings, "confirm",
							query_is(exchange, "confirm"), "dry_run",
							query_is(exchange, "dry_run")));
	json_decref(backup);
	return answer;
}

/* --- restart --------------------------------------------------------------------------- */

#define CONFIRMATION_S 30

/* The machine is asked for twice: a click too many does not end everybody's connections. */
static struct answer confirmation_ask(struct restart_confirmation *restart)
{
	unsigned char bytes[8];

	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2hex(restart->code, sizeof(restart->code), bytes, sizeof(bytes));
	restart->until_s = web_now_s() + CONFIRMATION_S;
	return answer_json(202, json_pack("{s:s, s:i}", "confirmation", restart->code, "within_s",
					  CONFIRMATION_S));
}

static bool confirmation_is(struct restart_confirmation *restart, const char *code)
{
	bool right = code && *restart->code && strcmp(restart->code, code) == 0 &&
		     web_now_s() < restart->until_s;

	*restart->code = '\0';
	return right;
}

static struct answer machine_restart(struct exchange *exchange, const char *code)
{
	struct web *web = exchange->web;

	if (!web_state_is(&web->state, "machine_restart"))
		return answer_error(403, "not-allowed", "web.machine_restart",
				    "the settings do not allow this");
	if (!confirmation_is(&web->restart, code))
		return confirmation_ask(&web->restart);
	return answer_ask(exchange,
			  json_pack("{s:s, s:s}", "request", "restart", "what", "machine"));
}

struct answer change_restart(struct exchange *exchange)
{
	struct answer answer;
	json_t *body = exchange_json(exchange, &answer);
	const char *what = json_string_value(json_object_get(body, "what"));

	if (!body)
		return answer;
	if (what && strcmp(what, "machine") == 0)
		answer = machine_restart(exchange,
					 json_string_value(json_object_get(body, "confirmation")));
	else if (what && strcmp(what, "services") == 0)
		answer = answer_ask(exchange, json_pack("{s:s, s:s}", "request", "restart", "what",
							"services"));
	else
		answer = answer_error(400, "bad-request", "what", "is services or machine");
	json_decref(body);
	return answer;
}
