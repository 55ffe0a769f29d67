/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request in, one answer out: what the server does between two lines. Knows
 * nothing of sockets.
 */
#ifndef WAYLEAVE_CTL_REQUEST_H
#define WAYLEAVE_CTL_REQUEST_H

#include <jansson.h>
#include <stddef.h>

#include "ctl/audit.h"
#include "ctl/change.h"
#include "ctl/peer.h"
#include "ctl/provider.h"

struct request_context {
	const struct ctl_provider *provider;
	struct ctl_change *change; /* NULL: settings cannot be changed */
	void *daemon;
	struct ctl_audit *audit; /* NULL: none is kept */
	struct peer peer;
};

/* The answer to LINE (without its newline); a new reference, NULL without memory. */
json_t *request_answer(const struct request_context *context, const char *line, size_t length);

/* {"ok": false, "error": {...}} */
json_t *request_refusal(const char *code, const char *field, const char *message);

#endif
