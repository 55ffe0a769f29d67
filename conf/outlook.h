/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Will these settings work at the next start too? settings_check() asks whether they are
 * good in themselves; this, whether they fit the machine. `set`, `restore`, `rollback`,
 * `check` and every start ask here. Pure: what is known of the machine is passed in
 * (conf/machine.h reads it).
 *
 * A finding refuses what an administrator can only have mistyped. What may come later (an
 * interface of USB or PPP) is said and taken. A start refuses nothing for a finding's sake:
 * it logs it and runs without what is missing.
 */
#ifndef WAYLEAVE_CONF_OUTLOOK_H
#define WAYLEAVE_CONF_OUTLOOK_H

#include <net/if.h>
#include <stdio.h>

#include "conf/error.h"
#include "conf/settings.h"

/* Where a packet of this machine's own to an address would go. */
enum way {
	WAY_UNKNOWN, /* the kernel cannot be asked */
	WAY_SELF,    /* an address of this machine */
	WAY_MANY,    /* broadcast or multicast */
	WAY_NONE,    /* no route */
	WAY_OUT,     /* by an interface */
};

struct settings_facts {
	void *context;
	bool (*group)(void *context, const char *name);
	bool (*interface)(void *context, const char *name);
	/* it is up and has an IPv4 address: what lies behind it can be told */
	bool (*serving)(void *context, const char *name);
	/* an interface with a name like NAME into LIKE (IFNAMSIZ); false: none */
	bool (*interface_like)(void *context, const char *name, char *like);
	/* WAY_OUT: by INTERFACE (IFNAMSIZ bytes) */
	enum way (*way)(void *context, struct in_addr to, char *interface);
	/* files in PEM that belong together; false: WHY says what is wrong with which */
	bool (*certificate)(void *context, const char *certificate, const char *key, char *why,
			    size_t size);
};

struct finding {
	bool refuses;
	char field[64]; /* dotted, as struct settings_error has it */
	char sentence[220];
};

#define FINDINGS_MAX 16 /* further ones are not looked for */

struct outlook {
	struct finding finding[FINDINGS_MAX];
	unsigned int count;
};

void outlook_read(struct outlook *outlook, const struct settings *settings,
		  const struct settings_facts *facts);

/*
 * A change from PRESENT to WANTED: 0, or -EINVAL and *ERROR for the first finding that
 * refuses and that PRESENT does not have already (an old fault stops no other change).
 */
int outlook_refuses(const struct outlook *present, const struct outlook *wanted,
		    struct settings_error *error);

/* Is it in OUTLOOK already? */
bool outlook_has(const struct outlook *outlook, const struct finding *finding);

/*
 * For a check of FILE: each finding on a line of OUT, "FILE: FIELD: SENTENCE", with a word
 * where it only warns. False: something refuses.
 */
bool outlook_print(const struct outlook *outlook, const char *file, FILE *out);

/*
 * The I-th setting that differs between the two and that only a new start follows; NULL:
 * no more.
 */
const char *outlook_restarts(const struct settings *present, const struct settings *wanted,
			     unsigned int i);

#endif
