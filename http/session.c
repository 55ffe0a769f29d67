/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/session.h"

#include <sodium.h>
#include <string.h>

void secret_make(char secret[SESSION_SECRET_BYTES])
{
	unsigned char bytes[32];

	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2base64(secret, SESSION_SECRET_BYTES, bytes, sizeof(bytes),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bytes, sizeof(bytes));
}

static bool lives(const struct session *session, uint64_t now_s)
{
	return session->id[0] && now_s - session->seen_s < SESSION_IDLE_S &&
	       now_s - session->begun_s < SESSION_ABSOLUTE_S;
}

static struct session *place_find(struct sessions *sessions, uint64_t now_s)
{
	struct session *oldest = &sessions->session[0];

	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sessions->session[i];

		if (!lives(session, now_s))
			return session;
		if (session->seen_s < oldest->seen_s)
			oldest = session;
	}
	return oldest;
}

struct session *session_begin(struct sessions *sessions, uint64_t now_s)
{
	struct session *session = place_find(sessions, now_s);

	secret_make(session->id);
	secret_make(session->csrf);
	session->begun_s = session->seen_s = now_s;
	session->number = ++sessions->last_number;
	return session;
}

struct session *session_find(struct sessions *sessions, const char *id, size_t length,
			     uint64_t now_s)
{
	if (length != SESSION_SECRET_BYTES - 1)
		return NULL;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sessions->session[i];

		if (!session->id[0] || sodium_memcmp(session->id, id, length) != 0)
			continue;
		if (!lives(session, now_s)) {
			session_end(session);
			return NULL;
		}
		session->seen_s = now_s;
		return session;
	}
	return NULL;
}

const struct session *session_by_number(const struct sessions *sessions, uint32_t number,
					uint64_t now_s)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (sessions->session[i].number == number && lives(&sessions->session[i], now_s))
			return &sessions->session[i];
	return NULL;
}

bool session_csrf_is(const struct session *session, const char *token)
{
	return token && strlen(token) == SESSION_SECRET_BYTES - 1 &&
	       sodium_memcmp(session->csrf, token, SESSION_SECRET_BYTES - 1) == 0;
}

void session_end(struct session *session)
{
	sodium_memzero(session, sizeof(*session));
}

void session_end_all(struct sessions *sessions)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		session_end(&sessions->session[i]);
}

uint64_t session_idle_left_s(const struct session *session, uint64_t now_s)
{
	uint64_t idle = SESSION_IDLE_S - (now_s - session->seen_s);
	uint64_t whole = session_left_s(session, now_s);

	return idle < whole ? idle : whole;
}

uint64_t session_left_s(const struct session *session, uint64_t now_s)
{
	return SESSION_ABSOLUTE_S - (now_s - session->begun_s);
}
