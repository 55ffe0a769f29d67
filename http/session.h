/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is logged in with a cookie. In memory alone: a new web process knows nobody.
 * Times are seconds of web_now_s().
 */
#ifndef WAYLEAVE_HTTP_SESSION_H
#define WAYLEAVE_HTTP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SESSIONS_MAX	   32
#define SESSION_IDLE_S	   (15 * 60)
#define SESSION_ABSOLUTE_S (12 * 3600)
/* 32 random bytes in base64url, and the end */
#define SESSION_SECRET_BYTES 44
#define SESSION_COOKIE	     "__Host-wayleave"

struct session {
	char id[SESSION_SECRET_BYTES]; /* empty: free */
	char csrf[SESSION_SECRET_BYTES];
	uint64_t begun_s, seen_s;
	uint32_t number; /* never used again */
};

struct sessions {
	struct session session[SESSIONS_MAX];
	uint32_t last_number;
};

/* A new one; the one that was idle longest makes room. */
struct session *session_begin(struct sessions *sessions, uint64_t now_s);

/* The live session with this id (LENGTH bytes), now seen; NULL: none. Constant time per session. */
struct session *session_find(struct sessions *sessions, const char *id, size_t length,
			     uint64_t now_s);

/* Not counted as a visit. NULL: it has ended. */
const struct session *session_by_number(const struct sessions *sessions, uint32_t number,
					uint64_t now_s);

bool session_csrf_is(const struct session *session, const char *token);

void session_end(struct session *session);
void session_end_all(struct sessions *sessions);

/* Seconds left of one that lives. */
uint64_t session_idle_left_s(const struct session *session, uint64_t now_s);
uint64_t session_left_s(const struct session *session, uint64_t now_s);

/* 32 random bytes as text. */
void secret_make(char secret[SESSION_SECRET_BYTES]);

#endif
