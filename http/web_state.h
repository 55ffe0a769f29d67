/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon keeps for the web process: secrets and the settings that matter
 * here. `web-state` gives all of it,
 *
 *   {"password": "$argon2id$...", "tokens": [{"id", "name", "role", "created_at", "hash"}],
 *    "certificate": PEM, "key": PEM (made here), "installed_certificate": PEM,
 *    "installed_key": PEM (the administrator's),
 *    "name": host name, "names": ["gateway.lan"], "addresses": ["192.168.1.1"],
 *    "metrics": false, "language": "auto", "machine_restart": true}
 *
 * without the members that do not exist yet; `web-keep` takes the first four back.
 */
#ifndef WAYLEAVE_HTTP_WEB_STATE_H
#define WAYLEAVE_HTTP_WEB_STATE_H

#include <jansson.h>
#include <stdbool.h>

struct web;

#define STATE_TOKENS_MAX 32

struct web_state {
	json_t *whole; /* as above; NULL: not read yet */
};

/* Asks the daemon. 0 or -errno; on failure the old state stays. */
int web_state_read(struct web *web);

/* Keeps VALUE (taken) as member NAME, here and with the daemon. 0 or -errno. */
int web_state_keep(struct web *web, const char *name, json_t *value);

/* Text members: NULL when they do not exist. */
const char *web_state_text(const struct web_state *state, const char *name);
bool web_state_is(const struct web_state *state, const char *name);

/* The tokens; an array, borrowed. */
json_t *web_state_tokens(const struct web_state *state);

#endif
