/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The web process (http/web.h), as the daemon sees it: forked early, like the helper, so
 * that it has nothing of the daemon's; started when the settings ask for the page. The
 * daemon opens the sockets that it listens on, on every address of every LAN interface
 * and bound to that interface, and follows addresses and settings.
 */
#ifndef WAYLEAVE_DAEMON_WEB_PROCESS_H
#define WAYLEAVE_DAEMON_WEB_PROCESS_H

#include <jansson.h>

#include "http/web_link.h"

struct gateway;
struct web_process;

/* Before anything is opened. Nothing runs until web_process_begin(). 0 or -errno. */
int web_process_fork(struct web_process **made);

/* Once loop, control socket and settings are there. 0 or -errno. */
int web_process_begin(struct web_process *web, struct gateway *gateway);

/* Settings or addresses may have changed. Before begin and with NULL nothing happens. */
void web_process_follow(struct web_process *web);

/* RELOAD, FORGET or UNLOCK. NULL is fine. */
void web_process_say(struct web_process *web, enum web_link_kind kind);

/* Where the page is: ["https://192.168.1.1"]; a new reference. */
json_t *web_process_places(const struct web_process *web);

/* The addresses that are listened on; a new reference. */
json_t *web_process_addresses(const struct web_process *web);

/* NULL is fine. */
void web_process_end(struct web_process *web);

#endif
