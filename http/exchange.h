/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request and its answer, between the server (bytes), the guard (who may) and the
 * routes (what it does).
 */
#ifndef WAYLEAVE_HTTP_EXCHANGE_H
#define WAYLEAVE_HTTP_EXCHANGE_H

#include <arpa/inet.h>
#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "http/asset.h"
#include "http/login.h"
#include "http/web.h"

/* Nobody needs more but who restores a backup. */
#define BODY_MAX_BYTES	      (16 * 1024)
#define BODY_MAX_BACKUP_BYTES (1000 * 1024)

enum role { ROLE_PUBLIC, ROLE_READ_ONLY, ROLE_ADMIN };

/* What goes back. One of json, text, html, asset and events, or none. */
struct answer {
	unsigned int status;
	json_t *json; /* taken */
	char *text;   /* taken; text/plain */
	char *html;   /* taken; the page without TLS, with a policy of its own */
	const struct asset *asset;
	bool events;		   /* the stream of server-sent events */
	const char *allow;	   /* with 405 */
	char *location;		   /* taken; with 308 */
	uint64_t retry_after_s;	   /* 0: none */
	const struct login *login; /* its cookie is set */
	bool logout;		   /* the cookie is taken away */
	bool last;		   /* the connection ends, whatever else has come on it */
};

struct route;

struct exchange {
	struct web *web;
	struct MHD_Connection *connection;
	bool tls;
	uint16_t https_port; /* where to send who comes without TLS */
	const char *method;
	char *path;
	const struct route *route; /* NULL: an asset, or refused */
	const char *parameter;	   /* what stands for {} in the route; in PATH */
	char source[INET_ADDRSTRLEN];
	__be32 address;

	/* the guard's findings */
	enum role role;
	struct login *session; /* NULL: none, or a token */
	char who[80];	       /* "page", "token NAME"; for the audit log */

	/* the body: at most body_max; what is more is thrown away */
	char *body;
	size_t body_bytes, body_max;
	bool body_too_long;

	bool refused; /* by the guard: `answer` waits until the body has come */
	struct answer answer;
};

/* A header or a parameter of the query; NULL: not there. */
const char *exchange_header(const struct exchange *exchange, const char *name);
const char *exchange_query(const struct exchange *exchange, const char *name);

/* The address that the connection came to; false: it has ended. */
bool exchange_own_address(const struct exchange *exchange, char text[INET_ADDRSTRLEN]);

/* The body as a JSON object (the caller's), or NULL with *ANSWER the refusal. */
json_t *exchange_json(const struct exchange *exchange, struct answer *answer);

/* --- answers --- */

struct answer answer_json(unsigned int status, json_t *json);
struct answer answer_empty(void); /* 204 */
/* {"error": ...}; FIELD may be NULL. */
struct answer answer_error(unsigned int status, const char *code, const char *field,
			   const char *message);

/*
 * Asks the daemon in the name of whoever sent the exchange. REQUEST is taken. The daemon's
 * result as the answer, its refusal as the status that fits.
 */
struct answer answer_ask(const struct exchange *exchange, json_t *request);

/* A line in the audit log that no request of the control socket makes. DETAIL may be NULL. */
void exchange_note(const struct exchange *exchange, const char *action, const char *detail,
		   const char *result);

#endif
