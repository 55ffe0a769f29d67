/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/events.h"
#include "http/greeting.h"

/* Nothing of another site, no inline code, in nobody's frame. */
static const char policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	"connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
	"form-action 'self'; frame-ancestors 'none'";

static const char *const headers[][2] = {
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
};

static void header_add(struct MHD_Response *response, const char *name, const char *value)
{
	MHD_add_response_header(response, name, value);
}

/* --- bodies --------------------------------------------------------------------------- */

/* Somebody has typed an address into a browser, and it is none of the API's. */
static bool is_for_people(const struct exchange *exchange)
{
	const char *accept = exchange_header(exchange, "Accept");

	return exchange->refused && exchange->answer.json &&
	       strncmp(exchange->path, "/api/", 5) != 0 && accept && strstr(accept, "text/html");
}

/* Where the page is: by its address, if it has been asked for by a name that is not ours. */
static void page_address(const struct exchange *exchange, char *text, size_t size)
{
	char address[INET_ADDRSTRLEN];

	if (exchange->answer.status != 421 || !exchange_own_address(exchange, address))
		snprintf(text, size, "/");
	else if (exchange->https_port == 443)
		snprintf(text, size, "https://%s/", address);
	else
		snprintf(text, size, "https://%s:%u/", address, exchange->https_port);
}

/*
 * The refusal as a sentence with the way to the page, in both languages: whose browser this is
 * has not been asked yet. Its words are the guard's, not a stranger's.
 */
static char *people_text(const struct exchange *exchange)
{
	const json_t *error = json_object_get(exchange->answer.json, "error");
	bool missing = exchange->answer.status == 404, misled = exchange->answer.status == 421;
	const char *why = misled    ? "Dies ist weder ein Name noch eine Adresse dieses Gateways"
			  : missing ? "Diese Adresse gibt es auf dem Gateway nicht"
				    : "Das Gateway hat die Anfrage abgelehnt";
	char address[48], *text;

	page_address(exchange, address, sizeof(address));
	if (asprintf(&text,
		     "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
		     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
		     "<meta name=\"color-scheme\" content=\"light dark\">"
		     "<title>%s – Wayleave</title>\n<link rel=\"stylesheet\" href=\"/app.css\">"
		     "<main class=\"door\"><div class=\"card\"><h1>%s</h1><p>%s.</p>"
		     "<p><a class=\"button\" href=\"%s\">Go to the gateway's page</a></p><hr>"
		     "<div lang=\"de\"><p>%s.</p>"
		     "<p><a class=\"button\" href=\"%s\">Zur Seite des Gateways</a></p></div></div>"
		     "</main></html>\n",
		     missing ? "Page not found" : "Not here",
		     missing ? "Page not found" : "Not here",
		     missing ? "This gateway has no page at this address"
			     : json_string_value(json_object_get(error, "message")),
		     address, why, address) < 0)
		return NULL;
	return text;
}

/* Takes TEXT. */
static struct MHD_Response *text_response(char *text, const char *type)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		text ? strlen(text) : 0, text, MHD_RESPMEM_MUST_FREE);

	if (!response)
		free(text);
	else
		header_add(response, "Content-Type", type);
	if (response)
		header_add(response, "Cache-Control", "no-store");
	return response;
}

static bool takes_gzip(const struct exchange *exchange)
{
	const char *encodings = exchange_header(exchange, "Accept-Encoding");

	return encodings && strstr(encodings, "gzip") && !strstr(encodings, "gzip;q=0");
}

static struct MHD_Response *bytes_response(const unsigned char *from, const unsigned char *to)
{
	return MHD_create_response_from_buffer((size_t)(to - from), (void *)from,
					       MHD_RESPMEM_PERSISTENT);
}

/* The browser keeps it and asks each time whether it is still the same. */
static struct MHD_Response *asset_response(struct exchange *exchange)
{
	const struct asset *asset = exchange->answer.asset;
	const char *known = exchange_header(exchange, "If-None-Match");
	bool gzip = takes_gzip(exchange) &&
		    asset->gzip_end - asset->gzip < asset->plain_end - asset->plain;
	bool same = known && strstr(known, asset->etag);
	struct MHD_Response *response;

	if (same)
		response = bytes_response(asset->plain, asset->plain);
	else if (gzip)
		response = bytes_response(asset->gzip, asset->gzip_end);
	else
		response = bytes_response(asset->plain, asset->plain_end);
	if (!response)
		return NULL;
	if (same)
		exchange->answer.status = 304;
	else if (gzip)
		header_add(response, "Content-Encoding", "gzip");
	header_add(response, "Content-Type", asset->type);
	header_add(response, "ETag", asset->etag);
	header_add(response, "Vary", "Accept-Encoding");
	header_add(response, "Cache-Control", "no-cache");
	return response;
}

static struct MHD_Response *stream_response(struct exchange *exchange)
{
	struct MHD_Response *response = events_response(exchange);

	if (!response)
		return NULL;
	header_add(response, "Content-Type", "text/event-stream");
	header_add(response, "Cache-Control", "no-store");
	return response;
}

static struct MHD_Response *body_response(struct exchange *exchange)
{
	struct answer *answer = &exchange->answer;

	if (answer->events)
		return stream_response(exchange);
	if (answer->asset)
		return asset_response(exchange);
	if (answer->text)
		return text_response(answer->text, "text/plain; version=0.0.4; charset=utf-8");
	if (answer->html)
		return text_response(answer->html, "text/html; charset=utf-8");
	if (is_for_people(exchange))
		return text_response(people_text(exchange), "text/html; charset=utf-8");
	return text_response(answer->json ? json_dumps(answer->json, JSON_COMPACT) : NULL,
			     "application/json");
}

/* --- headers ---------------------------------------------------------------------------- */

static void cookie_add(struct MHD_Response *response, const struct answer *answer)
{
	char cookie[160];

	if (answer->login)
		snprintf(cookie, sizeof(cookie),
			 LOGIN_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict",
			 answer->login->id);
	else if (answer->logout)
		snprintf(cookie, sizeof(cookie),
			 LOGIN_COOKIE "=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
	else
		return;
	header_add(response, "Set-Cookie", cookie);
}

/* A certificate that nobody vouches for must not lock a browser into HTTPS. */
static void common_add(struct MHD_Response *response, const struct exchange *exchange)
{
	header_add(response, "Content-Security-Policy",
		   exchange->answer.html ? greeting_policy() : policy);
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		header_add(response, headers[i][0], headers[i][1]);
	if (exchange->tls) /* without, browsers ignore it and complain */
		header_add(response, "Cross-Origin-Opener-Policy", "same-origin");
	if (exchange->tls && exchange->web->installed)
		header_add(response, "Strict-Transport-Security", "max-age=31536000");
}

static void special_add(struct MHD_Response *response, const struct answer *answer)
{
	char number[24];

	if (answer->allow)
		header_add(response, "Allow", answer->allow);
	if (answer->location)
		header_add(response, "Location", answer->location);
	if (answer->last)
		header_add(response, "Connection", "close");
	if (answer->status == 401)
		header_add(response, "WWW-Authenticate", "Bearer");
	if (!answer->retry_after_s)
		return;
	snprintf(number, sizeof(number), "%llu", (unsigned long long)answer->retry_after_s);
	header_add(response, "Retry-After", number);
}

enum MHD_Result reply_send(struct exchange *exchange)
{
	struct answer *answer = &exchange->answer;
	struct MHD_Response *response = body_response(exchange);
	enum MHD_Result result = MHD_NO;

	if (response) {
		common_add(response, exchange);
		special_add(response, answer);
		cookie_add(response, answer);
		result = MHD_queue_response(exchange->connection, answer->status, response);
		MHD_destroy_response(response);
	}
	json_decref(answer->json);
	free(answer->location);
	*answer = (struct answer){0};
	return result;
}
