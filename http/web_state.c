/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/web_state.h"

#include <errno.h>
#include <string.h>

#include "http/web.h"

int web_state_read(struct web *web)
{
	json_t *whole = web_ask_result(web, json_pack("{s:s}", "request", "web-state"));

	if (!whole)
		return -EPROTO;
	json_decref(web->state.whole);
	web->state.whole = whole;
	return 0;
}

int web_state_keep(struct web *web, const char *name, json_t *value)
{
	json_t *answer = web_ask_result(
		web, json_pack("{s:s, s:{s:O}}", "request", "web-keep", "state", name, value));

	if (answer)
		json_object_set(web->state.whole, name, value);
	json_decref(value);
	json_decref(answer);
	return answer ? 0 : -EIO;
}

const char *web_state_text(const struct web_state *state, const char *name)
{
	return json_string_value(json_object_get(state->whole, name));
}

bool web_state_is(const struct web_state *state, const char *name)
{
	return json_is_true(json_object_get(state->whole, name));
}

json_t *web_state_tokens(const struct web_state *state)
{
	json_t *tokens = json_object_get(state->whole, "tokens");

	if (tokens)
		return tokens;
	json_object_set_new(state->whole, "tokens", json_array());
	return json_object_get(state->whole, "tokens");
}
