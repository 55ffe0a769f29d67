/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that reads what other programs know about devices: dnsmasq's leases, whose names
 * are the devices' own words, avahi's answers, the list of manufacturers. It has its own uid, no
 * capability and no file; the daemon opens each and passes it with a question. What comes back
 * are records of one size (daemon/names.h takes them).
 */
#ifndef WAYLEAVE_DAEMON_NAMER_H
#define WAYLEAVE_DAEMON_NAMER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helper/sandbox.h"

#define NAMER_NAME_BYTES 64 /* with the NUL */
#define NAMER_ASKED	 32
#define NAMER_FILE_MAX	 (256 * 1024) /* of a lease file; what is behind it is not read */

enum namer_kind {
	NAMER_LEASES = 1, /* descriptor: dnsmasq's lease file; answers: address, mac, name */
	NAMER_VENDORS,	  /* descriptor: ieee-data's oui.txt; answers: mac's first three, name */
	NAMER_AVAHI,	  /* descriptor: connected to avahi's socket; answer: address, name */
	NAMER_DONE,	  /* the last answer to each question */
};

struct namer_question {
	uint32_t kind, count;
	union {
		__be32 address;			/* AVAHI */
		uint8_t prefix[NAMER_ASKED][3]; /* VENDORS, COUNT of them */
	};
};

struct namer_answer {
	uint32_t kind;
	__be32 address;
	uint8_t mac[6];
	uint8_t has_mac;	     /* 0: no; no bool, for any byte may come */
	char name[NAMER_NAME_BYTES]; /* printable ASCII or ""; check it */
};

extern const struct sandbox_rules namer_rules;

/* What the process does, until end of file on SOCKET; gives its exit status. */
int namer_run(int socket);

/* FD stays the caller's. 0 or -errno: -EAGAIN, it has not taken the last ones yet. */
int namer_ask(int socket, const struct namer_question *question, int fd);

/* For tests: TEXT's leases and vendors, one EACH() of them. */
void namer_leases(const char *text, size_t length,
		  void (*each)(void *context, const struct namer_answer *answer), void *context);

#endif
