/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/greeting.h"
#include "http/host.h"
#include "http/route.h"
#include "http/token.h"

static bool refuse(struct exchange *exchange, struct answer answer)
{
	exchange->answer = answer;
	return false;
}

struct header_count {
	const char *name;
	unsigned int count;
};

static enum MHD_Result header_seen(void *context, enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	struct header_count *counted = context;

	counted->count += strcasecmp(name, counted->name) == 0;
	return MHD_YES;
}

static unsigned int header_count(const struct exchange *exchange, const char *name)
{
	struct header_count counted = {.name = name};

	MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, header_seen, &counted);
	return counted.count;
}

/* --- the length: request smuggling ------------------------------------------------------- */

static bool length_is_plain(const struct exchange *exchange)
{
	const char *length = exchange_header(exchange, "Content-Length");

	return header_count(exchange, "Content-Length") <= 1 &&
	       (!length || (*length && !length[strspn(length, "0123456789")]));
}

/*
 * Where a body ends is said once, in digits: else somebody in between may see two requests where
 * we see one (RFC 9112 section 11.2). Nothing more is read of such a connection.
 */
static bool length_admit(struct exchange *exchange)
{
	bool chunked = header_count(exchange, "Transfer-Encoding");

	if (!chunked && length_is_plain(exchange))
		return true;
	refuse(exchange, answer_error(chunked ? 411 : 400, "bad-request", "Content-Length",
				      "the length of the body has to be said, once"));
	exchange->answer.last = true;
	return false;
}

/* --- names of headers -------------------------------------------------------------------- */

static enum MHD_Result name_seen(void *context, enum MHD_ValueKind kind, const char *name,
				 const char *value)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	bool *plain = context;

	*plain = *plain && *name && !name[strspn(name, token)];
	return *plain ? MHD_YES : MHD_NO;
}

/*
 * RFC 9112 section 5.1: a space before the colon has to be refused, for one reader takes
 * "Content-Length : 60" for a length and the next one does not.
 */
static bool names_admit(struct exchange *exchange)
{
	bool plain = true;

	MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, name_seen, &plain);
	if (plain)
		return true;
	refuse(exchange, answer_error(400, "bad-request", NULL, "a header's name is no name"));
	exchange->answer.last = true;
	return false;
}

/* --- the host: DNS rebinding ----------------------------------------------------------- */

static bool host_is_own(const struct exchange *exchange, const char *host)
{
	const json_t *names = json_object_get(exchange->web->state.whole, "names");
	size_t length = host_length(host);
	char address[INET_ADDRSTRLEN];

	return length &&
	       (host_is_named(host, length, names) || (exchange_own_address(exchange, address) &&
						       host_is_address(host, length, address)));
}

/* Of two, who reads the other one sees another request (RFC 9112 section 3.2). */
static bool host_admit(struct exchange *exchange)
{
	const char *host = exchange_header(exchange, "Host");

	if (host && header_count(exchange, "Host") == 1 && host_is_own(exchange, host))
		return true;
	return refuse(exchange,
		      answer_error(421, "bad-request", "Host",
				   "this is not a name or address of this gateway; others are "
				   "named in the setting web.names"));
}

/*
 * What speaks plain HTTP is sent to the same place in HTTPS; nothing else is answered there, but
 * a browser is told first why it is going to warn.
 */
static bool redirect(struct exchange *exchange, uint16_t https_port)
{
	const char *host = exchange_header(exchange, "Host");
	struct answer answer = {.status = 308};
	char port[16] = "";

	if (https_port != 443)
		snprintf(port, sizeof(port), ":%u", https_port);
	/* the path as a browser may write it, without a line's end in it: MHD has decoded it */
	bool plain =
		*exchange->path == '/' && !exchange->path[strcspn(exchange->path, "\r\n\t \"<>")];
	if (asprintf(&answer.location, "https://%.*s%s%s", (int)host_length(host), host, port,
		     plain ? exchange->path : "/") < 0)
		answer.location = NULL;
	if (!greeting_is_for(exchange))
		return refuse(exchange, answer);
	struct answer greeting = greeting_answer(exchange, answer.location ? answer.location : "");
	free(answer.location);
	return refuse(exchange, greeting);
}

/* --- the origin ----------------------------------------------------------------------------- */

static bool is_change(const struct exchange *exchange)
{
	return strcmp(exchange->method, "GET") != 0 && strcmp(exchange->method, "HEAD") != 0;
}

/* Where a browser says who made it ask, it has to be this page. */
static bool origin_is_own(const struct exchange *exchange)
{
	const char *origin = exchange_header(exchange, "Origin");
	const char *site = exchange_header(exchange, "Sec-Fetch-Site");
	const char *host = exchange_header(exchange, "Host");

	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return false;
	return !origin || host_is_origin(host, origin);
}

static bool origin_admit(struct exchange *exchange)
{
	if ((exchange->route->flags & ROUTE_OPEN) || origin_is_own(exchange))
		return true;
	return refuse(exchange, answer_error(403, "not-allowed", "Origin",
					     "another site has made the browser ask this"));
}

/* --- who it is -------------------------------------------------------------------------------- */

/* What the page asks for by itself, again and again, is no sign that somebody sits there. */
static bool is_background(const struct exchange *exchange)
{
	return exchange_header(exchange, "X-Background");
}

static struct login *cookie_session(const struct exchange *exchange)
{
	const char *id =
		MHD_lookup_connection_value(exchange->connection, MHD_COOKIE_KIND, LOGIN_COOKIE);
	uint64_t now_s = web_now_s();
	struct login *session =
		id ? login_find(&exchange->web->sessions, id, strlen(id), now_s) : NULL;

	if (session && !is_background(exchange))
		login_seen(session, now_s);
	return session;
}

static void token_look(struct exchange *exchange, const char *authorization)
{
	const json_t *token = strncmp(authorization, "Bearer ", 7) == 0
				      ? token_find(&exchange->web->state, authorization + 7)
				      : NULL;

	if (!token)
		return;
	exchange->role = token_role(token);
	snprintf(exchange->who, sizeof(exchange->who), "token %s",
		 json_string_value(json_object_get(token, "name")));
}

/* A token that is there counts, and a cookie beside it does not. */
static void identify(struct exchange *exchange)
{
	const char *authorization = exchange_header(exchange, "Authorization");

	snprintf(exchange->who, sizeof(exchange->who), "page");
	if (authorization) {
		token_look(exchange, authorization);
		return;
	}
	exchange->session = cookie_session(exchange);
	if (exchange->session)
		exchange->role = ROLE_ADMIN;
}

static bool role_admit(struct exchange *exchange)
{
	enum role needed = exchange->route->role;

	if (exchange->role < needed && exchange->role == ROLE_PUBLIC)
		return refuse(exchange, answer_error(401, "not-allowed", NULL, "log in first"));
	if (exchange->role < needed)
		return refuse(exchange,
			      answer_error(403, "not-allowed", NULL, "this token may only read"));
	return true;
}

/* A public route has no session to protect: its own checks and the origin have to do. */
static bool csrf_admit(struct exchange *exchange)
{
	if (!is_change(exchange) || !exchange->session || exchange->route->role == ROLE_PUBLIC ||
	    login_csrf_is(exchange->session, exchange_header(exchange, "X-CSRF-Token")))
		return true;
	return refuse(exchange, answer_error(403, "not-allowed", "X-CSRF-Token",
					     "the page's token is missing or of another session"));
}

/* --- all ------------------------------------------------------------------------------------- */

static bool is_api(const char *path)
{
	return strncmp(path, "/api/", 5) == 0;
}

static bool route_admit(struct exchange *exchange)
{
	const char *allow;

	if (route_find(exchange, &allow))
		return true;
	exchange->answer =
		answer_error(allow ? 405 : 404, "not-found", NULL,
			     allow ? "this path has other methods" : "there is nothing here");
	exchange->answer.allow = allow;
	return false;
}

static bool asset_admit(struct exchange *exchange)
{
	const struct asset *asset = asset_find(exchange->path);

	if (!asset)
		return route_admit(exchange);
	if (is_change(exchange)) {
		exchange->answer = answer_error(405, "not-found", NULL, "this is only for reading");
		exchange->answer.allow = "GET, HEAD";
		return false;
	}
	exchange->answer = (struct answer){.status = 200, .asset = asset};
	return true;
}

static bool routed_admit(struct exchange *exchange)
{
	if (!origin_admit(exchange))
		return false;
	identify(exchange);
	if (!role_admit(exchange) || !csrf_admit(exchange))
		return false;
	exchange->body_max =
		exchange->route->flags & ROUTE_BACKUP ? BODY_MAX_BACKUP_BYTES : BODY_MAX_BYTES;
	return true;
}

bool guard_admit(struct exchange *exchange)
{
	if (!names_admit(exchange) || !length_admit(exchange) || !host_admit(exchange))
		return false;
	if (!exchange->tls)
		return redirect(exchange, exchange->https_port);
	if (is_api(exchange->path) ? !route_admit(exchange) : !asset_admit(exchange))
		return false;
	return !exchange->route || routed_admit(exchange);
}
