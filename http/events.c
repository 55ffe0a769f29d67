/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "http/route.h"
#include "http/token.h"

/* A browser that has stopped reading is cut off, and comes again when it wakes up. */
#define STREAM_MAX_BYTES   (512 * 1024)
#define STREAM_BLOCK_BYTES (16 * 1024)
#define TOKEN_ID_BYTES	   32

struct stream {
	LIST_ENTRY(stream) entry;
	struct events *events;
	struct MHD_Connection *connection;
	uint32_t session;	    /* 0: a token */
	char token[TOKEN_ID_BYTES]; /* its id; a revoked one's streams end */
	char *waiting;		    /* not yet sent */
	size_t waiting_bytes;
	bool suspended, ended;
};

struct events {
	struct web *web;
	LIST_HEAD(, stream) streams;
	unsigned int count;
	unsigned int ticks;
	bool hurry;
};

struct events *events_new(struct web *web)
{
	struct events *events = calloc(1, sizeof(*events));

	if (events)
		events->web = web;
	return events;
}

/* --- what is sent ------------------------------------------------------------------- */

static void stream_resume(struct stream *stream)
{
	if (!stream->suspended)
		return;
	stream->suspended = false;
	MHD_resume_connection(stream->connection);
}

static void stream_append(struct stream *stream, const char *text, size_t length)
{
	char *longer = NULL;

	if (stream->waiting_bytes + length <= STREAM_MAX_BYTES)
		longer = realloc(stream->waiting, stream->waiting_bytes + length);
	if (!longer) {
		stream->ended = true;
		return;
	}
	memcpy(longer + stream->waiting_bytes, text, length);
	stream->waiting = longer;
	stream->waiting_bytes += length;
}

/* Takes DATA. */
static void event_send(struct events *events, const char *name, json_t *data)
{
	char *json = data ? json_dumps(data, JSON_COMPACT) : NULL, *text = NULL;
	struct stream *stream;

	if (json && asprintf(&text, "event: %s\ndata: %s\n\n", name, json) > 0)
		LIST_FOREACH(stream, &events->streams, entry)
	stream_append(stream, text, strlen(text));
	free(text);
	free(json);
	json_decref(data);
}

static json_t *traffic_of(const json_t *status)
{
	json_t *traffic = json_copy(json_object_get(status, "traffic"));
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (traffic)
		json_object_set_new(traffic, "at_ms",
				    json_integer(now.tv_sec * 1000LL + now.tv_nsec / 1000000));
	return traffic;
}

static void all_send(struct events *events, bool every_second_one)
{
	struct web *web = events->web;
	json_t *status = web_ask_result(web, json_pack("{s:s}", "request", "status"));

	event_send(events, "traffic", traffic_of(status));
	if (every_second_one) {
		event_send(events, "status", json_incref(status));
		event_send(events, "vpn",
			   web_ask_result(
				   web, json_pack("{s:s, s:s}", "request", "show", "what", "vpn")));
	}
	json_decref(status);
}

static bool stream_allowed(const struct stream *stream)
{
	const struct web *web = stream->events->web;
	const json_t *token;
	size_t i;

	if (stream->session)
		return login_by_number(&web->sessions, stream->session, web_now_s());
	json_array_foreach (web_state_tokens(&web->state), i, token) {
		const char *id = json_string_value(json_object_get(token, "id"));

		if (id && strcmp(id, stream->token) == 0)
			return true;
	}
	return false;
}

bool events_hurried(struct events *events)
{
	bool hurried = events->hurry;

	events->hurry = false;
	return hurried;
}

void events_tick(struct events *events)
{
	struct stream *stream;

	if (!events->count)
		return;
	LIST_FOREACH(stream, &events->streams, entry)
	stream->ended |= !stream_allowed(stream);
	all_send(events, events->ticks++ % 2 == 0);
	LIST_FOREACH(stream, &events->streams, entry)
	stream_resume(stream);
}

void events_end_all(struct events *events)
{
	struct stream *stream;

	LIST_FOREACH(stream, &events->streams, entry)
	{
		stream->ended = true;
		stream_resume(stream);
	}
}

/* --- a stream's life ------------------------------------------------------------------ */

/* libmicrohttpd asks for at most MAX bytes; there are some, or the connection sleeps. */
static ssize_t stream_read(void *context, uint64_t position, char *buffer, size_t max)
{
	struct stream *stream = context;
	size_t length = stream->waiting_bytes < max ? stream->waiting_bytes : max;

	if (stream->ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!length) {
		stream->suspended = true;
		MHD_suspend_connection(stream->connection);
		return 0;
	}
	memcpy(buffer, stream->waiting, length);
	stream->waiting_bytes -= length;
	memmove(stream->waiting, stream->waiting + length, stream->waiting_bytes);
	return (ssize_t)length;
}

static void stream_free(void *context)
{
	struct stream *stream = context;

	LIST_REMOVE(stream, entry);
	stream->events->count--;
	free(stream->waiting);
	free(stream);
}

/* Of the token that the request came with; "": none. */
static void token_id(const struct exchange *exchange, char text[TOKEN_ID_BYTES])
{
	const char *secret = exchange_header(exchange, "Authorization");
	const char *id =
		secret ? json_string_value(json_object_get(
				 token_find(&exchange->web->state, secret + strlen("Bearer ")),
				 "id"))
		       : NULL;

	snprintf(text, TOKEN_ID_BYTES, "%s", id ? id : "");
}

static void owner_note(struct stream *stream, const struct exchange *exchange)
{
	if (exchange->session)
		stream->session = exchange->session->number;
	else
		token_id(exchange, stream->token);
}

struct MHD_Response *events_response(struct exchange *exchange)
{
	static const char hello[] = "retry: 2000\n\n";
	struct events *events = exchange->web->events;
	struct stream *stream = calloc(1, sizeof(*stream));
	struct MHD_Response *response;

	if (!stream)
		return NULL;
	stream->events = events;
	stream->connection = exchange->connection;
	owner_note(stream, exchange);
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES,
						     stream_read, stream, stream_free);
	if (!response) {
		free(stream);
		return NULL;
	}
	stream_append(stream, hello, sizeof(hello) - 1);
	LIST_INSERT_HEAD(&events->streams, stream, entry);
	events->hurry = true;
	events->ticks = 0;
	events->count++;
	return response;
}

/* A token's streams leave room for the administrator's, and for other tokens'. */
static bool has_room(const struct events *events, const struct exchange *exchange)
{
	unsigned int tokens = 0, own = 0;
	const struct stream *stream;
	char token[TOKEN_ID_BYTES];

	if (events->count >= EVENTS_STREAMS_MAX)
		return false;
	if (exchange->session)
		return true;
	token_id(exchange, token);
	LIST_FOREACH(stream, &events->streams, entry)
	{
		tokens += !stream->session;
		own += !stream->session && strcmp(stream->token, token) == 0;
	}
	return tokens < EVENTS_TOKENS_MAX && own < EVENTS_TOKEN_MAX;
}

struct answer events_open(struct exchange *exchange)
{
	if (!has_room(exchange->web->events, exchange)) {
		struct answer busy = answer_error(429, "busy", NULL, "too many streams are open");

		busy.retry_after_s = 10;
		return busy;
	}
	return (struct answer){.status = 200, .events = true};
}
