/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes that only read: a request to the daemon each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/route.h"

/* A number of the query as an integer; false: it is no number. */
static bool number_add(const struct exchange *exchange, json_t *request, const char *name)
{
	const char *text = exchange_query(exchange, name);
	char *end;

	if (!text)
		return true;
	errno = 0;
	long long number = strtoll(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno)
		return false;
	json_object_set_new(request, name, json_integer(number));
	return true;
}

static void filter_add(const struct exchange *exchange, json_t *request)
{
	static const char *const names[] = {"protocol", "class", "inside", "remote"};
	json_t *filter = json_object();

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = exchange_query(exchange, names[i]);

		if (value)
			json_object_set_new(filter, names[i], json_string(value));
	}
	json_object_set_new(request, "filter", filter);
}

static struct answer list_answer(struct exchange *exchange, const char *what)
{
	json_t *request = json_pack("{s:s, s:s}", "request", "show", "what", what);

	filter_add(exchange, request);
	if (number_add(exchange, request, "cursor") && number_add(exchange, request, "limit"))
		return answer_ask(exchange, request);
	json_decref(request);
	return answer_error(400, "bad-request", NULL, "cursor and limit are numbers");
}

struct answer look_status(struct exchange *exchange)
{
	return answer_ask(exchange, json_pack("{s:s}", "request", "status"));
}

struct answer look_version(struct exchange *exchange)
{
	return answer_ask(exchange, json_pack("{s:s}", "request", "version"));
}

struct answer look_sessions(struct exchange *exchange)
{
	return list_answer(exchange, "sessions");
}

struct answer look_vpn(struct exchange *exchange)
{
	return list_answer(exchange, "vpn");
}

struct answer look_devices(struct exchange *exchange)
{
	return list_answer(exchange, "devices");
}

struct answer look_counters(struct exchange *exchange)
{
	return list_answer(exchange, "counters");
}

struct answer look_config(struct exchange *exchange)
{
	return list_answer(exchange, "config");
}

struct answer look_traffic(struct exchange *exchange)
{
	json_t *request = json_pack("{s:s, s:s, s:s*}", "request", "show", "what", "traffic",
				    "span", exchange_query(exchange, "span"));

	if (!request) /* not UTF-8 */
		return answer_error(400, "bad-request", "span", "is hour or day");
	filter_add(exchange, request);
	return answer_ask(exchange, request);
}

struct answer look_history(struct exchange *exchange)
{
	return list_answer(exchange, "history");
}

struct answer look_audit(struct exchange *exchange)
{
	return list_answer(exchange, "audit");
}
