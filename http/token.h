/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * API tokens: "wl_" and 32 random bytes. Kept is their BLAKE2b hash, which is enough for
 * what nobody can guess.
 */
#ifndef WAYLEAVE_HTTP_TOKEN_H
#define WAYLEAVE_HTTP_TOKEN_H

#include "http/exchange.h"

#define TOKEN_PREFIX	     "wl_"
#define TOKEN_NAME_MAX_BYTES 64

/* The token with this secret; NULL: none. Borrowed. */
const json_t *token_find(const struct web_state *state, const char *secret);

enum role token_role(const json_t *token);

#endif
