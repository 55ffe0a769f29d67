/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The web process: the page, the API and who may use it. It has the daemon's
 * descriptors and no others, and asks the daemon for everything (docs/api.md).
 * One thread; nothing here but asking the daemon and hashing a password blocks.
 */
#ifndef WAYLEAVE_HTTP_WEB_H
#define WAYLEAVE_HTTP_WEB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/client.h"
#include "http/lockout.h"
#include "http/login.h"
#include "http/web_state.h"

struct server;
struct events;

struct web {
	int link;		    /* from the daemon (http/web_link.h) */
	struct ctl_client *control; /* NULL: the daemon has not said anything yet */
	bool installed;		    /* the administrator's certificate is in use */
	bool ended;		    /* the daemon is gone: end */
	struct web_state state;
	struct logins sessions;
	struct lockouts lockouts;
	struct server *server;
	struct events *events;
	struct restart_confirmation {
		char code[32]; /* empty: none waits */
		uint64_t until_s;
	} restart;
};

/*
 * Asks the daemon. 0: *ANSWER is the whole answer and the caller's. REQUEST is taken. On failure
 * the connection is gone, and so will the process be: -errno.
 */
int web_ask(struct web *web, json_t *request, json_t **answer);

/* The result of a request that the daemon does not refuse; NULL: it did, or is gone. */
json_t *web_ask_result(struct web *web, json_t *request);

/* CLOCK_MONOTONIC, seconds and milliseconds. */
uint64_t web_now_s(void);
uint64_t web_now_ms(void);

#endif
