/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/route.h"

#include <string.h>

static struct answer description(struct exchange *exchange)
{
	return (struct answer){.status = 200, .asset = asset_find("/api/v1/openapi.yaml")};
}

/* The methods of one path stand together. */
static const struct route routes[] = {
	{"GET", "/api/v1/session", ROLE_PUBLIC, account_session, 0},
	{"POST", "/api/v1/session", ROLE_PUBLIC, account_login, 0},
	{"DELETE", "/api/v1/session", ROLE_READ_ONLY, account_logout, 0},
	{"POST", "/api/v1/setup", ROLE_PUBLIC, account_setup, 0},
	{"PUT", "/api/v1/password", ROLE_ADMIN, account_password, 0},
	{"GET", "/api/v1/status", ROLE_READ_ONLY, look_status, 0},
	{"GET", "/api/v1/sessions", ROLE_READ_ONLY, look_sessions, 0},
	{"GET", "/api/v1/vpn", ROLE_READ_ONLY, look_vpn, 0},
	{"GET", "/api/v1/devices", ROLE_READ_ONLY, look_devices, 0},
	{"PUT", "/api/v1/devices/{}", ROLE_ADMIN, change_device_name, 0},
	{"GET", "/api/v1/counters", ROLE_READ_ONLY, look_counters, 0},
	{"GET", "/api/v1/traffic", ROLE_READ_ONLY, look_traffic, 0},
	{"GET", "/api/v1/events", ROLE_READ_ONLY, events_open, 0},
	{"GET", "/api/v1/config", ROLE_READ_ONLY, look_config, 0},
	{"PATCH", "/api/v1/config", ROLE_ADMIN, change_set, 0},
	{"POST", "/api/v1/forwards", ROLE_ADMIN, change_forward_add, 0},
	{"DELETE", "/api/v1/forwards/{}", ROLE_ADMIN, change_forward_remove, 0},
	{"POST", "/api/v1/confirm", ROLE_ADMIN, change_confirm, 0},
	{"POST", "/api/v1/rollback", ROLE_ADMIN, change_rollback, 0},
	{"GET", "/api/v1/backup", ROLE_ADMIN, change_backup, 0},
	{"PUT", "/api/v1/backup", ROLE_ADMIN, change_restore, ROUTE_BACKUP},
	{"GET", "/api/v1/tokens", ROLE_ADMIN, token_list, 0},
	{"POST", "/api/v1/tokens", ROLE_ADMIN, token_make, 0},
	{"DELETE", "/api/v1/tokens/{}", ROLE_ADMIN, token_revoke, 0},
	{"GET", "/api/v1/history", ROLE_ADMIN, look_history, 0},
	{"GET", "/api/v1/audit", ROLE_ADMIN, look_audit, 0},
	{"POST", "/api/v1/restart", ROLE_ADMIN, change_restart, 0},
	{"GET", "/api/v1/network", ROLE_READ_ONLY, network_look, 0},
	{"POST", "/api/v1/network", ROLE_ADMIN, network_apply, 0},
	{"DELETE", "/api/v1/network", ROLE_ADMIN, network_undo, 0},
	{"POST", "/api/v1/network/plan", ROLE_ADMIN, network_plan, 0},
	{"POST", "/api/v1/network/confirm", ROLE_ADMIN, network_confirm, 0},
	{"GET", "/api/v1/version", ROLE_READ_ONLY, look_version, 0},
	{"GET", "/api/v1/openapi.yaml", ROLE_PUBLIC, description, 0},
	{"GET", "/metrics", ROLE_PUBLIC, metrics_show, ROUTE_OPEN},
};
#define ROUTES (sizeof(routes) / sizeof(*routes))

/* The part of PATH that stands for {}, its end if the route has none; NULL: not this route. */
static const char *path_match(const struct route *route, const char *path)
{
	size_t fixed = strcspn(route->path, "{");

	if (strncmp(route->path, path, fixed) != 0)
		return NULL;
	if (!route->path[fixed])
		return path[fixed] ? NULL : path + fixed;
	return path[fixed] && !strchr(path + fixed, '/') ? path + fixed : NULL;
}

static const char *methods_of(const char *path)
{
	static char list[64];

	*list = '\0';
	for (size_t i = 0; i < ROUTES; i++) {
		if (!path_match(&routes[i], path))
			continue;
		if (*list)
			strcat(list, ", ");
		strcat(list, routes[i].method);
	}
	return *list ? list : NULL;
}

bool route_find(struct exchange *exchange, const char **allow)
{
	for (size_t i = 0; i < ROUTES; i++) {
		const char *parameter = path_match(&routes[i], exchange->path);

		if (!parameter || strcmp(routes[i].method, exchange->method) != 0)
			continue;
		exchange->route = &routes[i];
		exchange->parameter = parameter;
		return true;
	}
	*allow = methods_of(exchange->path);
	return false;
}
