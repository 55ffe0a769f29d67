/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper: a process forked before the daemon opens anything, which does
 * nothing but fork a child (the helper, the web process) and fork it again when
 * it dies. A child that were forked by the running daemon would inherit its shared maps, writable.
 */
#ifndef WAYLEAVE_HELPER_KEEPER_H
#define WAYLEAVE_HELPER_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "helper/sandbox.h"

enum keeper_news_kind {
	KEEPER_STARTED = 1, /* pid */
	KEEPER_DIED,	    /* pid, status as of waitpid(2); STARTED follows */
	KEEPER_GAVE_UP,	    /* too many deaths: the keeper ends, or rests if it has a rest_s */
};

/* From keeper to daemon, one per datagram. */
struct keeper_news {
	uint32_t kind;
	int32_t pid;
	int32_t status;
};

/* From daemon to keeper, one byte each. */
#define KEEPER_KILL  'k' /* kill the child (it hangs or it lies) */
#define KEEPER_START 's' /* fork the first child, where the keeper waits for this */
#define KEEPER_STOP  'x' /* kill the child and wait for KEEPER_START */

struct keeper_options {
	int socket; /* the child's end */
	int news;   /* SOCK_SEQPACKET to the daemon; its end of file ends the keeper */
	uid_t uid;
	gid_t gid;
	pid_t daemon;
	bool waits;	     /* for KEEPER_START */
	unsigned int rest_s; /* after too many deaths; 0: the keeper ends then */
	struct sandbox_rules rules;
	int (*run)(int socket); /* what a child does; gives its exit status */
};

/* In the forked child. Never returns. */
_Noreturn void keeper_run(const struct keeper_options *options);

/* The daemon's side. */
struct kept {
	int socket;   /* to the child, SOCK_SEQPACKET; the next child has the same */
	int news;     /* to the keeper: struct keeper_news comes, KEEPER_* bytes go */
	pid_t keeper; /* 0: none */
};
#define KEPT_NONE ((struct kept){.socket = -1, .news = -1})

/*
 * Forks the keeper. USER is who the children run as: taken if it exists, else "nobody" is.
 * OPTIONS' sockets, ids and daemon are filled in here. 0 or -errno (-ENOENT: no such user);
 * KEPT is to be stopped in either case.
 */
int kept_start(struct kept *kept, const char *user, bool user_required,
	       const struct keeper_options *options);

/*
 * After end of file on `news`: the signal that killed the keeper, 0 if it ended by itself. Its
 * child died with it, and only a process that has opened nothing may fork another keeper.
 */
int kept_killed_by(struct kept *kept);

/* The keeper kills its child and ends; waits for it. */
void kept_stop(struct kept *kept);

#endif
