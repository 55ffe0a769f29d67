/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wrong passwords and codes make whoever tries wait, per source address. A password can
 * be guessed, and an attacker on a LAN has as many addresses as it likes: wrong ones
 * count for the account as a whole too. A source that has logged in before is not held
 * up by what others do to the account. The code of the first start cannot be guessed
 * (40 random bits), so nobody holds up anybody else's first start.
 * Times are seconds of web_now_s().
 */
#ifndef WAYLEAVE_HTTP_LOCKOUT_H
#define WAYLEAVE_HTTP_LOCKOUT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#define LOCKOUT_TRIES	 10	   /* wrong ones before the first wait */
#define LOCKOUT_FIRST_S	 30	   /* doubled by each further wrong one, */
#define LOCKOUT_MOST_S	 (15 * 60) /* up to this */
#define LOCKOUT_FORGET_S 3600	   /* without a wrong one */
#define LOCKOUT_SOURCES	 256

struct lockout {
	uint32_t wrong;
	uint64_t last_s, until_s;
};

struct lockout_source {
	__be32 address; /* 0: free */
	bool known;	/* has logged in */
	struct lockout lockout;
};

struct lockouts {
	struct lockout_source source[LOCKOUT_SOURCES];
	struct lockout account;
};

enum lockout_secret { LOCKOUT_PASSWORD, LOCKOUT_CODE };

/* Seconds that ADDRESS has to wait before it may try; 0: it may. */
uint64_t lockout_wait_s(const struct lockouts *lockouts, enum lockout_secret secret, __be32 address,
			uint64_t now_s);

void lockout_wrong(struct lockouts *lockouts, enum lockout_secret secret, __be32 address,
		   uint64_t now_s);
void lockout_right(struct lockouts *lockouts, __be32 address, uint64_t now_s);

/* From the console: everybody may try again. */
void lockout_end_all(struct lockouts *lockouts);

#endif
