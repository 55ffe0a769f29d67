/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one page without encryption: why the browser is about to warn of the gateway's own
 * certificate, and its fingerprint. No script, no cookie, no form, nothing of the request in it
 * but the address that the browser has asked.
 */
#ifndef WAYLEAVE_HTTP_GREETING_H
#define WAYLEAVE_HTTP_GREETING_H

#include <stdbool.h>

#include "http/exchange.h"

/* A browser has come without TLS, and will be warned: its certificate is the gateway's own. */
bool greeting_is_for(const struct exchange *exchange);

/* The page, with a link to URL (of our own making). The answer has no text without memory. */
struct answer greeting_answer(const struct exchange *exchange, const char *url);

/* Its policy (CSP): its own style sheet and nothing else. Valid for ever. */
const char *greeting_policy(void);

#endif
