/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The prison of a child: own uid and gid, no capability in any set, no way
 * to gain one, one socket, bounded memory, no files, no core, and only the
 * system calls that receiving, answering and ending need, and those that its
 * rules add. Any other kills the process.
 */
#ifndef WAYLEAVE_HELPER_SANDBOX_H
#define WAYLEAVE_HELPER_SANDBOX_H

#include <stddef.h>
#include <sys/types.h>

#define SANDBOX_MEMORY_BYTES (64u << 20)

/* What one kind of child may more than the others. All zero: nothing, as the helper. */
struct sandbox_rules {
	size_t memory_bytes;	  /* 0: SANDBOX_MEMORY_BYTES */
	unsigned int descriptors; /* how many it can have; 0: no new one */
	const int *calls;	  /* SCMP_SYS() of further calls, whatever their arguments */
	size_t calls_count;
};

struct sandbox_options {
	int socket; /* the only descriptor that stays open */
	uid_t uid;  /* taken on if we are root; else the process is unprivileged already */
	gid_t gid;
	pid_t parent; /* die with it */
	struct sandbox_rules rules;
};

/* For a freshly forked child; no way back. 0 or -errno, then the child must exit. */
int sandbox_enter(const struct sandbox_options *options);

/* Dies with `parent`, also if that is gone already (-ESRCH). */
int sandbox_bind_life(pid_t parent);

/* Closes every descriptor but `count` ascending ones. 0 or -errno. */
int sandbox_close_all_but(const int *kept, size_t count);

#endif
