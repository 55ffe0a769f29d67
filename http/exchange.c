/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/exchange.h"

#include <string.h>
#include <sys/socket.h>

const char *exchange_header(const struct exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

const char *exchange_query(const struct exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

bool exchange_own_address(const struct exchange *exchange, char text[INET_ADDRSTRLEN])
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct sockaddr_in own;
	socklen_t size = sizeof(own);

	return info && !getsockname(info->connect_fd, (struct sockaddr *)&own, &size) &&
	       own.sin_family == AF_INET &&
	       inet_ntop(AF_INET, &own.sin_addr, text, INET_ADDRSTRLEN);
}

static bool type_is_json(const char *type)
{
	static const char json[] = "application/json";

	return type && strncasecmp(type, json, sizeof(json) - 1) == 0 &&
	       strchr("; ", type[sizeof(json) - 1]);
}

json_t *exchange_json(const struct exchange *exchange, struct answer *answer)
{
	json_t *object;

	/* a form of another site cannot send this type without asking first */
	if (!type_is_json(exchange_header(exchange, "Content-Type"))) {
		*answer = answer_error(415, "bad-request", NULL,
				       "the body has to be application/json");
		return NULL;
	}
	object = json_loadb(exchange->body ? exchange->body : "", exchange->body_bytes,
			    JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(object))
		return object;
	json_decref(object);
	*answer = answer_error(400, "bad-request", NULL, "the body is not one JSON object");
	return NULL;
}

/* --- answers ------------------------------------------------------------------------ */

struct answer answer_json(unsigned int status, json_t *json)
{
	if (!json)
		return answer_error(500, "failed", NULL, "no memory");
	return (struct answer){.status = status, .json = json};
}

struct answer answer_empty(void)
{
	return (struct answer){.status = 204};
}

struct answer answer_error(unsigned int status, const char *code, const char *field,
			   const char *message)
{
	return (struct answer){.status = status,
			       .json = json_pack("{s:{s:s, s:s, s:s*}}", "error", "code", code,
						 "message", message, "field", field)};
}

/* --- asking the daemon ---------------------------------------------------------------- */

static unsigned int status_of(const char *code)
{
	static const struct {
		const char *code;
		unsigned int status;
	} known[] = {
		{"bad-request", 400},
		{"invalid-setting", 400},
		{"not-allowed", 403},
		{"not-found", 404},
		{"busy", 409},
		{"too-long", 413},
		{"unknown-request", 501},
		{"failed", 500},
	};

	for (size_t i = 0; code && i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i].code, code) == 0)
			return known[i].status;
	return 500;
}

/* Takes WHOLE, the daemon's answer. */
static struct answer answer_take(json_t *whole)
{
	json_t *error = json_object_get(whole, "error");
	json_t *result = json_object_get(whole, "result");
	struct answer answer;

	if (error)
		answer = answer_json(status_of(json_string_value(json_object_get(error, "code"))),
				     json_pack("{s:O}", "error", error));
	else
		answer = answer_json(200, json_incref(result));
	json_decref(whole);
	return answer;
}

struct answer answer_ask(const struct exchange *exchange, json_t *request)
{
	json_t *answer;

	json_object_set_new(
		request, "for",
		json_pack("{s:s, s:s}", "who", exchange->who, "source", exchange->source));
	if (web_ask(exchange->web, request, &answer))
		return answer_error(503, "busy", NULL, "the daemon does not answer");
	return answer_take(answer);
}

void exchange_note(const struct exchange *exchange, const char *action, const char *detail,
		   const char *result)
{
	json_decref(web_ask_result(
		exchange->web, json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s}", "request", "web-note",
					 "who", exchange->who, "source", exchange->source, "action",
					 action, "detail", detail, "result", result)));
}
