/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/token.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "http/route.h"

#define HASH_TEXT_BYTES (2 * crypto_generichash_BYTES + 1)

static void secret_hash(const char *secret, char text[HASH_TEXT_BYTES])
{
	unsigned char hash[crypto_generichash_BYTES];

	crypto_generichash(hash, sizeof(hash), (const unsigned char *)secret, strlen(secret), NULL,
			   0);
	sodium_bin2hex(text, HASH_TEXT_BYTES, hash, sizeof(hash));
}

static bool hash_is(const json_t *token, const char *hash)
{
	const char *own = json_string_value(json_object_get(token, "hash"));

	return own && strlen(own) == HASH_TEXT_BYTES - 1 &&
	       sodium_memcmp(own, hash, HASH_TEXT_BYTES - 1) == 0;
}

const json_t *token_find(const struct web_state *state, const char *secret)
{
	char hash[HASH_TEXT_BYTES];
	const json_t *token;
	size_t i;

	secret_hash(secret, hash);
	json_array_foreach (web_state_tokens(state), i, token) {
		if (hash_is(token, hash))
			return token;
	}
	return NULL;
}

enum role token_role(const json_t *token)
{
	const char *role = json_string_value(json_object_get(token, "role"));

	return role && strcmp(role, "admin") == 0 ? ROLE_ADMIN : ROLE_READ_ONLY;
}

/* --- routes ------------------------------------------------------------------------- */

/* The token without its hash; a new reference. */
static json_t *token_shown(const json_t *token)
{
	json_t *shown = json_copy((json_t *)token);

	json_object_del(shown, "hash");
	return shown;
}

struct answer token_list(struct exchange *exchange)
{
	json_t *items = json_array();
	const json_t *token;
	size_t i;

	json_array_foreach (web_state_tokens(&exchange->web->state), i, token)
		json_array_append_new(items, token_shown(token));
	return answer_json(200, json_pack("{s:o, s:i}", "items", items, "cursor", 0));
}

/* NULL: right. */
static const char *request_wrong(const char *name, const char *role)
{
	if (!name || !*name || strlen(name) > TOKEN_NAME_MAX_BYTES)
		return "name";
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			return "name";
	return role && (strcmp(role, "admin") == 0 || strcmp(role, "read-only") == 0) ? NULL
										      : "role";
}

static json_t *token_new(const char *name, const char *role, const char *secret)
{
	char hash[HASH_TEXT_BYTES], id[17], at[32] = "";
	unsigned char random[8];
	time_t now = time(NULL);
	struct tm utc;

	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(id, sizeof(id), random, sizeof(random));
	secret_hash(secret, hash);
	if (gmtime_r(&now, &utc))
		strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &utc);
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", id, "name", name, "role", role,
			 "created_at", at, "hash", hash);
}

static struct answer token_add(struct exchange *exchange, const char *name, const char *role)
{
	char secret[sizeof(TOKEN_PREFIX) + LOGIN_SECRET_BYTES] = TOKEN_PREFIX;
	json_t *tokens = json_copy(web_state_tokens(&exchange->web->state));
	json_t *token, *shown;

	secret_make(secret + strlen(TOKEN_PREFIX));
	token = token_new(name, role, secret);
	shown = token_shown(token);
	json_object_set_new(shown, "token", json_string(secret));
	sodium_memzero(secret, sizeof(secret));
	json_array_append_new(tokens, token);
	if (web_state_keep(exchange->web, "tokens", tokens)) {
		json_decref(shown);
		return answer_error(500, "failed", NULL, "the token could not be kept");
	}
	exchange_note(exchange, "token-make", name, "ok");
	return answer_json(201, shown);
}

struct answer token_make(struct exchange *exchange)
{
	struct answer answer;
	json_t *request = exchange_json(exchange, &answer);
	const char *name = json_string_value(json_object_get(request, "name"));
	const char *role = json_string_value(json_object_get(request, "role"));
	const char *wrong = request_wrong(name, role);

	if (!request)
		return answer;
	if (wrong)
		answer = answer_error(400, "bad-request", wrong,
				      "a name of 1 to 64 bytes, and a role: admin or read-only");
	else if (json_array_size(web_state_tokens(&exchange->web->state)) >= STATE_TOKENS_MAX)
		answer = answer_error(409, "busy", NULL, "there are 32 tokens; revoke one first");
	else
		answer = token_add(exchange, name, role);
	json_decref(request);
	return answer;
}

static struct answer token_drop(struct exchange *exchange, size_t place)
{
	json_t *tokens = json_copy(web_state_tokens(&exchange->web->state));

	json_array_remove(tokens, place);
	if (web_state_keep(exchange->web, "tokens", tokens))
		return answer_error(500, "failed", NULL, "the tokens could not be kept");
	exchange_note(exchange, "token-revoke", exchange->parameter, "ok");
	return answer_empty();
}

struct answer token_revoke(struct exchange *exchange)
{
	const json_t *token;
	size_t i;

	json_array_foreach (web_state_tokens(&exchange->web->state), i, token) {
		const char *id = json_string_value(json_object_get(token, "id"));

		if (id && strcmp(id, exchange->parameter) == 0)
			return token_drop(exchange, i);
	}
	return answer_error(404, "not-found", "id", "there is no such token");
}
