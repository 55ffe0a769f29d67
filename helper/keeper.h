/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper: a process forked before the daemon opens anything, which does
 * nothing but fork the helper and fork it again when it dies. A helper that
 * were forked by the running daemon would inherit its shared maps, writable.
 */
#ifndef WAYLEAVE_HELPER_KEEPER_H
#define WAYLEAVE_HELPER_KEEPER_H

#include <stdint.h>
#include <sys/types.h>

enum keeper_news_kind {
	KEEPER_STARTED = 1, /* pid */
	KEEPER_DIED,	    /* pid, status as of waitpid(2); STARTED follows */
	KEEPER_GAVE_UP,	    /* too many deaths: the keeper ends */
};

/* From keeper to daemon, one per datagram. */
struct keeper_news {
	uint32_t kind;
	int32_t pid;
	int32_t status;
};

/* From daemon to keeper, one byte: kill the helper (it hangs or it lies). */
#define KEEPER_KILL 'k'

struct keeper_options {
	int socket; /* the helper's end */
	int news;   /* SOCK_SEQPACKET to the daemon; its end of file ends the keeper */
	uid_t uid;
	gid_t gid;
	pid_t daemon;
	int (*run)(int socket); /* what a helper does; gives its exit status */
};

/* In the forked child. Never returns. */
_Noreturn void keeper_run(const struct keeper_options *options);

#endif
