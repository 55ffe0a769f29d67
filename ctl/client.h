/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket's blocking client. Requests and answers are the JSON objects
 * of docs/control-protocol.md; the caller owns what it gets and gives.
 */
#ifndef WAYLEAVE_CTL_CLIENT_H
#define WAYLEAVE_CTL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

/* An answer longer than this is refused: a page of 1000 sessions is below 1 MiB. */
#define CTL_ANSWER_MAX_BYTES (8 * 1024 * 1024)
#define CTL_ANSWER_SECONDS   10

struct ctl_client;

/*
 * Connects to RUN_DIR/control.sock. 0 or -errno: -ENOENT and -ECONNREFUSED mean that
 * no daemon runs there, -EACCES that the user may not talk to it.
 */
int ctl_client_open(const char *run_dir, struct ctl_client **client);

/* The same on FD, a connection that somebody else made. Takes FD if it succeeds. */
int ctl_client_take(int fd, struct ctl_client **client);

void ctl_client_close(struct ctl_client *client);

/*
 * Sends REQUEST (borrowed) and waits for the answer. 0: *ANSWER is the whole object, "ok"
 * true or false, and the caller's to free. -errno: the connection is of no more use
 * (-EPIPE: the daemon went away, -ETIMEDOUT, -EPROTO: not an answer, -EMSGSIZE).
 */
int ctl_client_ask(struct ctl_client *client, const json_t *request, json_t **answer);

/*
 * Asks page by page until the list ends or MAX items are there (0: all). *ANSWER is
 * one answer with all "items" in its result, or the first refusal.
 */
int ctl_client_list(struct ctl_client *client, const json_t *request, size_t max, json_t **answer);

#endif
