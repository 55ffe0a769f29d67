/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon answers on the control socket. The server (ctl/server.h) does
 * the protocol, the permissions and the paging; changes of settings are done by
 * ctl/change.h; the rest is this table, which the daemon fills.
 *
 * All functions run in the daemon's event loop and must come back within a few
 * milliseconds. They return 0 or -errno. The documents are made with
 * ctl/document.h, so that `--json`, text and HTTP have one schema.
 */
#ifndef WAYLEAVE_CTL_PROVIDER_H
#define WAYLEAVE_CTL_PROVIDER_H

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/error.h"
#include "conf/settings.h"

#define CTL_PAGE_MAX 1000

/* Which part of a list is wanted. Addresses are 0 and names NULL when not asked for. */
struct ctl_query {
	uint64_t cursor;      /* 0: from the beginning, else what the last page gave */
	uint32_t limit;	      /* 1..CTL_PAGE_MAX */
	const char *protocol; /* "tcp", "udp", "icmp", "esp", "gre", "l2tp" */
	const char *class; /* "plain", "pptp", "l2tp", "ipsec", "wireguard", "openvpn", "tunnel" */
	struct in_addr inside;
	struct in_addr remote;
};

enum ctl_arm_kind { CTL_ARM_ESP, CTL_ARM_PPTP };

/*
 * For tests and benches: COUNT tunnels as if their control traffic had been seen.
 * Ids (SPI or Call ID) are host order and count up from the given ones.
 */
struct ctl_arm {
	enum ctl_arm_kind kind;
	struct in_addr inside;
	struct in_addr remote;
	uint32_t inside_id;   /* chosen by the inside host: inbound SPI, client's Call ID */
	uint32_t external_id; /* what the remote side sees in its place; 0: allocate */
	uint32_t remote_id;   /* chosen by the server: outbound SPI, server's Call ID */
	uint32_t count;	      /* at least 1 */
};

/* A change that somebody asks about before it is made. */
struct ctl_rehearsal {
	const struct settings *present, *wanted;
	struct in_addr asker; /* where a browser or an SSH session comes from; 0: not known */
	bool page;	      /* a browser */
};

/* What the daemon keeps for the web process, which has no files (http/web_state.h). */
struct ctl_web_provider {
	/* Secrets and settings; see http/web_state.h for the members. */
	int (*state)(void *daemon, json_t **result);

	/* Keeps the members of STATE that are there: password, tokens, certificate with key.
	 * -EINVAL: too long or of the wrong shape; then nothing has changed. */
	int (*keep)(void *daemon, const json_t *state);

	/* CODE is the one-time code. -EACCES: it is not. -EEXIST: a password is set. */
	int (*claim)(void *daemon, const char *code);

	/*
	 * For the console: {"enabled", "addresses", "password_set", "fingerprint", "code"}. RESET
	 * takes the password away and makes a new code; UNLOCK ends every lock-out.
	 */
	int (*setup)(void *daemon, bool reset, bool unlock, json_t **result);
};

/* The network setup of the first visit (daemon/network_setup.h). *ERROR is filled on failure. */
struct ctl_network_provider {
	/* {"ports", "settings", "confirm_within_s", "undo", "address" while it waits} */
	int (*look)(void *daemon, json_t **result);

	/* netsetup/plan.h; nothing changes. */
	int (*plan)(void *daemon, const json_t *answers, json_t **result,
		    struct settings_error *error);
	int (*apply)(void *daemon, const json_t *answers, struct settings_error *error);

	/* AT: the address that a browser has reached; NULL: the console. -ENOENT: nothing waits. */
	int (*confirm)(void *daemon, const char *at, struct settings_error *error);
	int (*undo)(void *daemon, struct settings_error *error);
};

struct ctl_provider {
	/* ctl_status_json() */
	int (*status)(void *daemon, json_t **result);

	/*
	 * Appends at most query->limit documents to ITEMS and sets *NEXT to the cursor of
	 * the rest, 0 at the end. May append fewer, even none, with *NEXT set: look at a
	 * bounded number of table slots per call, not until the page is full. A session
	 * that lives during the whole walk must be seen once; others may or may not be.
	 * Cursors fit in 63 bits.
	 */
	int (*sessions)(void *daemon, const struct ctl_query *query, json_t *items, uint64_t *next);
	int (*vpns)(void *daemon, const struct ctl_query *query, json_t *items, uint64_t *next);
	int (*devices)(void *daemon, const struct ctl_query *query, json_t *items, uint64_t *next);

	/* Appends all counters, in the order of reason.def. */
	int (*counters)(void *daemon, json_t *items);

	/* Keeps what waits for `confirm` beside a change of settings: true, there was something.
	 * May be NULL. */
	bool (*confirm)(void *daemon);

	/* Sentences about the change that was made last, an array; asking takes them away. May be
	 * NULL. */
	json_t *(*notes)(void *daemon);

	/*
	 * How much passed when, in the last hour or DAY: of the WAN, or of query->inside, or of the
	 * tunnel of query->inside, ->remote and ->class. docs/control-protocol.md has the document;
	 * -ENOENT: nothing is known of it. May be NULL.
	 */
	int (*traffic)(void *daemon, const struct ctl_query *query, bool day, json_t **result);

	/*
	 * The device at ADDRESS is called NAME from now on; "": nothing typed any more. -EINVAL:
	 * too long or not printable, -ENOSPC: too many names. May be NULL.
	 */
	int (*name)(void *daemon, struct in_addr address, const char *name);

	/* What it is called, borrowed until the loop runs again; NULL: no name. May be NULL. */
	const char *(*name_of)(void *daemon, struct in_addr address);

	/*
	 * What a change would do: {"notes": [sentence], "cuts": [{"device", "device_name", "kind",
	 * "class", "server", "because"}], "you": sentence}, the last where it concerns who asks.
	 * -EINVAL and *ERROR: the change would be refused. May be NULL.
	 */
	int (*effect)(void *daemon, const struct ctl_rehearsal *rehearsal, json_t **result,
		      struct settings_error *error);

	/* {"version", "candidate", "newer", "checked_at"}; may be NULL. */
	int (*version)(void *daemon, json_t **result);

	/*
	 * MACHINE false: the daemon ends and starts again. Takes effect after the answer was
	 * sent. -EPERM: the settings do not allow it. May be NULL.
	 */
	int (*restart)(void *daemon, bool machine);

	/* For the web process alone; NULL where there is none. */
	const struct ctl_web_provider *web;

	const struct ctl_network_provider *network; /* NULL: there is none */

	/* Test only, asked for by root only; may be NULL. *RESULT: {"armed", "external_id"}. */
	int (*arm)(void *daemon, const struct ctl_arm *arm, json_t **result);
};

#endif
