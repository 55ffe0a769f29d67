/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The streams of server-sent events: one look at the daemon a second, whoever listens. */
#ifndef WAYLEAVE_HTTP_EVENTS_H
#define WAYLEAVE_HTTP_EVENTS_H

#include "http/exchange.h"

#define EVENTS_STREAMS_MAX 16 /* in all */
#define EVENTS_TOKENS_MAX  8  /* of them of API tokens: the rest is for who has logged in */
#define EVENTS_TOKEN_MAX   4  /* of one token */

struct events;

struct events *events_new(struct web *web);

/* A stream was opened and has nothing to show yet: tick now. Asked once. */
bool events_hurried(struct events *events);

/* Once a second. Streams whose session has ended, or that take nothing, end. */
void events_tick(struct events *events);

/* Every stream ends, so that the connections can be closed. */
void events_end_all(struct events *events);

/* The response of a stream for the exchange's session or token; NULL: no memory. */
struct MHD_Response *events_response(struct exchange *exchange);

#endif
