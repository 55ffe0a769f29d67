/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/login.h"

#include <sodium.h>
#include <string.h>

void secret_make(char secret[LOGIN_SECRET_BYTES])
{
	unsigned char bytes[32];

	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2base64(secret, LOGIN_SECRET_BYTES, bytes, sizeof(bytes),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bytes, sizeof(bytes));
}

static bool lives(const struct login *session, uint64_t now_s)
{
	return session->id[0] && now_s - session->seen_s < LOGIN_IDLE_S &&
	       now_s - session->begun_s < LOGIN_ABSOLUTE_S;
}

static struct login *place_find(struct logins *sessions, uint64_t now_s)
{
	struct login *oldest = &sessions->session[0];

	for (size_t i = 0; i < LOGINS_MAX; i++) {
		struct login *session = &sessions->session[i];

		if (!lives(session, now_s))
			return session;
		if (session->seen_s < oldest->seen_s)
			oldest = session;
	}
	return oldest;
}

struct login *login_begin(struct logins *sessions, uint64_t now_s)
{
	struct login *session = place_find(sessions, now_s);

	secret_make(session->id);
	secret_make(session->csrf);
	session->begun_s = session->seen_s = now_s;
	session->number = ++sessions->last_number;
	return session;
}

struct login *login_find(struct logins *sessions, const char *id, size_t length, uint64_t now_s)
{
	if (length != LOGIN_SECRET_BYTES - 1)
		return NULL;
	for (size_t i = 0; i < LOGINS_MAX; i++) {
		struct login *session = &sessions->session[i];

		if (!session->id[0] || sodium_memcmp(session->id, id, length) != 0)
			continue;
		if (!lives(session, now_s)) {
			login_end(session);
			return NULL;
		}
		return session;
	}
	return NULL;
}

void login_seen(struct login *session, uint64_t now_s)
{
	session->seen_s = now_s;
}

const struct login *login_by_number(const struct logins *sessions, uint32_t number, uint64_t now_s)
{
	for (size_t i = 0; i < LOGINS_MAX; i++)
		if (sessions->session[i].number == number && lives(&sessions->session[i], now_s))
			return &sessions->session[i];
	return NULL;
}

bool login_csrf_is(const struct login *session, const char *token)
{
	return token && strlen(token) == LOGIN_SECRET_BYTES - 1 &&
	       sodium_memcmp(session->csrf, token, LOGIN_SECRET_BYTES - 1) == 0;
}

void login_end(struct login *session)
{
	sodium_memzero(session, sizeof(*session));
}

void login_end_all(struct logins *sessions)
{
	for (size_t i = 0; i < LOGINS_MAX; i++)
		login_end(&sessions->session[i]);
}

uint64_t login_idle_left_s(const struct login *session, uint64_t now_s)
{
	uint64_t idle = LOGIN_IDLE_S - (now_s - session->seen_s);
	uint64_t whole = login_left_s(session, now_s);

	return idle < whole ? idle : whole;
}

uint64_t login_left_s(const struct login *session, uint64_t now_s)
{
	return LOGIN_ABSOLUTE_S - (now_s - session->begun_s);
}
