/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is logged in with a cookie. In memory alone: a new web process knows nobody.
 * Times are seconds of web_now_s().
 */
#ifndef WAYLEAVE_HTTP_LOGIN_H
#define WAYLEAVE_HTTP_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGINS_MAX	 32
#define LOGIN_IDLE_S	 (15 * 60)
#define LOGIN_ABSOLUTE_S (12 * 3600)
/* 32 random bytes in base64url, and the end */
#define LOGIN_SECRET_BYTES 44
#define LOGIN_COOKIE	   "__Host-wayleave"

struct login {
	char id[LOGIN_SECRET_BYTES]; /* empty: free */
	char csrf[LOGIN_SECRET_BYTES];
	uint64_t begun_s, seen_s;
	uint32_t number; /* never used again */
};

struct logins {
	struct login session[LOGINS_MAX];
	uint32_t last_number;
};

/* A new one; the one that was idle longest makes room. */
struct login *login_begin(struct logins *sessions, uint64_t now_s);

/* The live session with this id (LENGTH bytes); NULL: none. Constant time per session. */
struct login *login_find(struct logins *sessions, const char *id, size_t length, uint64_t now_s);

/* Somebody is there: LOGIN_IDLE_S begin anew. */
void login_seen(struct login *session, uint64_t now_s);

/* Not counted as a visit. NULL: it has ended. */
const struct login *login_by_number(const struct logins *sessions, uint32_t number, uint64_t now_s);

bool login_csrf_is(const struct login *session, const char *token);

void login_end(struct login *session);
void login_end_all(struct logins *sessions);

/* Seconds left of one that lives. */
uint64_t login_idle_left_s(const struct login *session, uint64_t now_s);
uint64_t login_left_s(const struct login *session, uint64_t now_s);

/* 32 random bytes as text. */
void secret_make(char secret[LOGIN_SECRET_BYTES]);

#endif
