/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one account: first password, login, logout, another password. */
#include <sodium.h>
#include <string.h>

#include "http/lockout.h"
#include "http/route.h"

#define PASSWORD_MIN_CHARACTERS 12
#define PASSWORD_MAX_BYTES	256

/* --- the session document ------------------------------------------------------------ */

static const char *role_name(enum role role)
{
	return role == ROLE_ADMIN ? "admin" : "read-only";
}

static void session_describe(json_t *document, const struct login *session)
{
	uint64_t now_s = web_now_s();

	json_object_set_new(document, "csrf_token", json_string(session->csrf));
	json_object_set_new(document, "idle_s",
			    json_integer((json_int_t)login_idle_left_s(session, now_s)));
	json_object_set_new(document, "expires_s",
			    json_integer((json_int_t)login_left_s(session, now_s)));
}

static struct answer session_answer(const struct exchange *exchange, enum role role,
				    const struct login *session)
{
	const struct web_state *state = &exchange->web->state;
	const char *language = web_state_text(state, "language"),
		   *name = web_state_text(state, "name");
	json_t *document =
		json_pack("{s:b, s:b, s:s, s:s}", "setup_needed",
			  !web_state_text(state, "password"), "logged_in", role != ROLE_PUBLIC,
			  "language", language ? language : "auto", "name", name ? name : "");

	if (role != ROLE_PUBLIC)
		json_object_set_new(document, "role", json_string(role_name(role)));
	if (session)
		session_describe(document, session);
	return answer_json(200, document);
}

struct answer account_session(struct exchange *exchange)
{
	return session_answer(exchange, exchange->role, exchange->session);
}

/* --- passwords -------------------------------------------------------------------------- */

/* Characters, not bytes: UTF-8's continuation bytes do not count. */
static size_t characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += (*text & 0xc0) != 0x80;
	return count;
}

static bool password_is_good(const char *password)
{
	return password && strlen(password) <= PASSWORD_MAX_BYTES &&
	       characters(password) >= PASSWORD_MIN_CHARACTERS;
}

static struct answer password_refusal(const char *field)
{
	return answer_error(400, "bad-request", field,
			    "a password has at least 12 characters, and at most 256 bytes");
}

static bool password_is(const struct web_state *state, const char *password)
{
	const char *hash = web_state_text(state, "password");

	return hash && password && strlen(password) <= PASSWORD_MAX_BYTES &&
	       crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
}

static int password_keep(struct web *web, const char *password)
{
	char hash[crypto_pwhash_STRBYTES];

	if (crypto_pwhash_str(hash, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
			      crypto_pwhash_MEMLIMIT_INTERACTIVE))
		return -1;
	return web_state_keep(web, "password", json_string(hash));
}

/* Text of BODY, which is wiped when it is freed (web_run()). */
static const char *secret_member(const json_t *body, const char *name)
{
	return json_string_value(json_object_get(body, name));
}

/* --- tries -------------------------------------------------------------------------------- */

/* False: has to wait, and *ANSWER says how long. */
static bool try_admit(const struct exchange *exchange, enum lockout_secret secret,
		      struct answer *answer)
{
	uint64_t wait_s =
		lockout_wait_s(&exchange->web->lockouts, secret, exchange->address, web_now_s());

	if (!wait_s)
		return true;
	*answer = answer_error(429, "busy", NULL,
			       "too many wrong tries; wait, or see `wayleave setup unlock` on "
			       "the gateway's console");
	answer->retry_after_s = wait_s;
	json_object_set_new(json_object_get(answer->json, "error"), "retry_after_s",
			    json_integer((json_int_t)wait_s));
	return false;
}

static struct answer try_wrong(struct exchange *exchange, enum lockout_secret secret,
			       const char *action, const char *field, const char *message)
{
	lockout_wrong(&exchange->web->lockouts, secret, exchange->address, web_now_s());
	exchange_note(exchange, action, NULL, "wrong");
	return answer_error(401, "not-allowed", field, message);
}

/* A new id, whatever the browser had before: nobody else can have planted it. */
static struct answer log_in(struct exchange *exchange, const char *action)
{
	struct web *web = exchange->web;
	struct login *session;
	struct answer answer;

	lockout_right(&web->lockouts, exchange->address, web_now_s());
	if (exchange->session)
		login_end(exchange->session);
	session = login_begin(&web->sessions, web_now_s());
	exchange->session = NULL;
	exchange_note(exchange, action, NULL, "ok");
	answer = session_answer(exchange, ROLE_ADMIN, session);
	answer.login = session;
	return answer;
}

/* --- routes --------------------------------------------------------------------------------- */

static struct answer login_try(struct exchange *exchange, const char *password)
{
	struct answer answer;

	if (!web_state_text(&exchange->web->state, "password"))
		return answer_error(409, "busy", NULL,
				    "no password has been set yet: set one with the code that "
				    "`wayleave setup` shows");
	if (!password)
		return answer_error(400, "bad-request", "password", "is missing or not text");
	if (!try_admit(exchange, LOCKOUT_PASSWORD, &answer))
		return answer;
	if (!password_is(&exchange->web->state, password))
		return try_wrong(exchange, LOCKOUT_PASSWORD, "login", "password",
				 "the password is wrong");
	return log_in(exchange, "login");
}

struct answer account_login(struct exchange *exchange)
{
	struct answer answer;
	json_t *body = exchange_json(exchange, &answer);

	if (!body)
		return answer;
	answer = login_try(exchange, secret_member(body, "password"));
	json_decref(body);
	return answer;
}

struct answer account_logout(struct exchange *exchange)
{
	struct answer answer = answer_empty();

	if (exchange->session) {
		exchange_note(exchange, "logout", NULL, "ok");
		login_end(exchange->session);
		exchange->session = NULL;
	}
	answer.logout = true;
	return answer;
}

/* 0, or an error code of the daemon. */
static const char *claim_refused(struct exchange *exchange, const char *code, json_t **whole)
{
	if (web_ask(exchange->web, json_pack("{s:s, s:s}", "request", "web-claim", "code", code),
		    whole))
		return "failed";
	return json_string_value(json_object_get(json_object_get(*whole, "error"), "code"));
}

static struct answer claim_try(struct exchange *exchange, const char *code, const char *password)
{
	json_t *whole = NULL;
	const char *refused = claim_refused(exchange, code, &whole);
	struct answer answer;

	if (refused && strcmp(refused, "not-allowed") == 0)
		answer = try_wrong(exchange, LOCKOUT_CODE, "setup", "code",
				   "this is not the code that `wayleave setup` shows now");
	else if (refused && strcmp(refused, "busy") == 0)
		answer = answer_error(409, "busy", NULL, "a password has been set already");
	else if (refused || password_keep(exchange->web, password))
		answer = answer_error(500, "failed", NULL, "the password could not be kept");
	else
		answer = log_in(exchange, "setup");
	json_decref(whole);
	return answer;
}

static struct answer setup_try(struct exchange *exchange, const char *code, const char *password)
{
	struct answer answer;

	if (web_state_text(&exchange->web->state, "password"))
		return answer_error(409, "busy", NULL, "a password has been set already");
	if (!code)
		return answer_error(400, "bad-request", "code", "is missing or not text");
	if (!password_is_good(password))
		return password_refusal("password");
	return try_admit(exchange, LOCKOUT_CODE, &answer) ? claim_try(exchange, code, password)
							  : answer;
}

struct answer account_setup(struct exchange *exchange)
{
	struct answer answer;
	json_t *body = exchange_json(exchange, &answer);

	if (!body)
		return answer;
	answer = setup_try(exchange, secret_member(body, "code"), secret_member(body, "password"));
	json_decref(body);
	return answer;
}

static struct answer password_change(struct exchange *exchange, const char *old, const char *new)
{
	struct answer answer;

	if (!password_is_good(new))
		return password_refusal("new");
	if (!try_admit(exchange, LOCKOUT_PASSWORD, &answer))
		return answer;
	if (!password_is(&exchange->web->state, old))
		return try_wrong(exchange, LOCKOUT_PASSWORD, "password", "old",
				 "the old password is wrong");
	if (password_keep(exchange->web, new))
		return answer_error(500, "failed", NULL, "the password could not be kept");
	exchange_note(exchange, "password", NULL, "ok");
	login_end_all(&exchange->web->sessions);
	exchange->session = NULL;
	answer = answer_empty();
	answer.logout = true;
	return answer;
}

struct answer account_password(struct exchange *exchange)
{
	struct answer answer;
	json_t *body = exchange_json(exchange, &answer);

	if (!body)
		return answer;
	answer = password_change(exchange, secret_member(body, "old"), secret_member(body, "new"));
	json_decref(body);
	return answer;
}
