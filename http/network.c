/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes of the network setup: what there is, the plan, write, confirm, undo. */
#include "http/route.h"

struct answer network_look(struct exchange *exchange)
{
	return answer_ask(exchange, json_pack("{s:s}", "request", "network-look"));
}

/* The body is the answers. */
static struct answer answers_ask(struct exchange *exchange, json_t *request)
{
	struct answer answer;
	json_t *answers = exchange_json(exchange, &answer);

	if (!answers) {
		json_decref(request);
		return answer;
	}
	json_object_set_new(request, "answers", answers);
	return answer_ask(exchange, request);
}

struct answer network_plan(struct exchange *exchange)
{
	return answers_ask(exchange, json_pack("{s:s}", "request", "network-plan"));
}

struct answer network_apply(struct exchange *exchange)
{
	return answers_ask(exchange,
			   json_pack("{s:s, s:s}", "request", "network", "action", "apply"));
}

/* Which address the browser has reached is the proof, so it is ours to say and not the body's. */
struct answer network_confirm(struct exchange *exchange)
{
	char at[INET_ADDRSTRLEN] = "";

	exchange_own_address(exchange, at);
	return answer_ask(exchange, json_pack("{s:s, s:s, s:s}", "request", "network", "action",
					      "confirm", "at", at));
}

struct answer network_undo(struct exchange *exchange)
{
	return answer_ask(exchange,
			  json_pack("{s:s, s:s}", "request", "network", "action", "undo"));
}
