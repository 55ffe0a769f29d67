/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is at the other end of a Unix socket, as the kernel saw it at connect(2). */
#ifndef WAYLEAVE_CTL_PEER_H
#define WAYLEAVE_CTL_PEER_H

#include <stdbool.h>
#include <sys/types.h>

struct peer {
	uid_t uid;
	pid_t pid;
	bool may_change; /* root or a member of the control group */
	bool web;	 /* the web process: what request.c allows it, and no more */
};

/* GROUP: (gid_t)-1 for none. Returns 0 or -errno. */
int peer_read(int fd, gid_t group, struct peer *peer);

#endif
