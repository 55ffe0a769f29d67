/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The routes of the API, as http/openapi.yaml has them. */
#ifndef WAYLEAVE_HTTP_ROUTE_H
#define WAYLEAVE_HTTP_ROUTE_H

#include "http/exchange.h"

enum route_flags {
	ROUTE_BACKUP = 1, /* takes a body of BODY_MAX_BACKUP_BYTES */
	ROUTE_OPEN = 2,	  /* for other programs of the LAN: Sec-Fetch-Site does not matter */
};

struct route {
	const char *method;
	const char *path; /* "{}" at its end: one segment, whatever it is */
	enum role role;
	struct answer (*serve)(struct exchange *exchange);
	unsigned int flags;
};

/*
 * Finds the exchange's route and its parameter. True: found. False: *ALLOW are the methods
 * that the path has, NULL where there is no such path.
 */
bool route_find(struct exchange *exchange, const char **allow);

/* --- what they do; each in the file that its name says --- */

struct answer account_session(struct exchange *exchange);
struct answer account_login(struct exchange *exchange);
struct answer account_logout(struct exchange *exchange);
struct answer account_setup(struct exchange *exchange);
struct answer account_password(struct exchange *exchange);
struct answer token_list(struct exchange *exchange);
struct answer token_make(struct exchange *exchange);
struct answer token_revoke(struct exchange *exchange);
struct answer look_status(struct exchange *exchange);
struct answer look_sessions(struct exchange *exchange);
struct answer look_vpn(struct exchange *exchange);
struct answer look_devices(struct exchange *exchange);
struct answer look_counters(struct exchange *exchange);
struct answer look_config(struct exchange *exchange);
struct answer look_traffic(struct exchange *exchange);
struct answer look_history(struct exchange *exchange);
struct answer look_audit(struct exchange *exchange);
struct answer look_version(struct exchange *exchange);
struct answer change_set(struct exchange *exchange);
struct answer change_forward_add(struct exchange *exchange);
struct answer change_forward_remove(struct exchange *exchange);
struct answer change_device_name(struct exchange *exchange);
struct answer change_confirm(struct exchange *exchange);
struct answer change_rollback(struct exchange *exchange);
struct answer change_backup(struct exchange *exchange);
struct answer change_restore(struct exchange *exchange);
struct answer change_restart(struct exchange *exchange);
struct answer network_look(struct exchange *exchange);
struct answer network_plan(struct exchange *exchange);
struct answer network_apply(struct exchange *exchange);
struct answer network_confirm(struct exchange *exchange);
struct answer network_undo(struct exchange *exchange);
struct answer events_open(struct exchange *exchange);
struct answer metrics_show(struct exchange *exchange);

#endif
