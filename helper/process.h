/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The helper process: requests in, answers out, nothing kept. */
#ifndef WAYLEAVE_HELPER_PROCESS_H
#define WAYLEAVE_HELPER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "helper/protocol.h"

/*
 * The answer to a request of `bytes` bytes. False: no such request exists (too
 * short, wrong magic, unknown protocol); there is no answer then. Pure.
 */
bool process_answer(const struct helper_request *request, size_t bytes,
		    struct helper_answer *answer);

/* Serves `socket` until the daemon closes it. The exit status of the process. */
int process_run(int socket);

#endif
