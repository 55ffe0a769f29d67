/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon keeps for the web process, which has no files: password hash, tokens,
 * key and certificate, in state_dir/web.json (0600); and the one-time code that the first
 * password takes. The code never leaves for the web process: it is compared here.
 */
#ifndef WAYLEAVE_DAEMON_WEB_STORE_H
#define WAYLEAVE_DAEMON_WEB_STORE_H

#include "ctl/provider.h"

struct gateway;
struct web_store;

/* Reads what is kept. NULL without memory. */
struct web_store *web_store_new(const struct gateway *gateway);
void web_store_free(struct web_store *store);

/* Where there is no password yet, says the code in the log. */
void web_store_code_say(struct gateway *gateway);

/* The login screen shows address and code, or, with a password or without a page, nothing. */
void web_store_screen_follow(const struct gateway *gateway);

extern const struct ctl_web_provider web_store_provider;

#endif
