/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

/* SO_PEERCRED has the first group only; membership is mostly by the others. */
static int supplementary_member(int fd, gid_t group, bool *member)
{
	socklen_t size = 64 * sizeof(gid_t);
	gid_t *groups = malloc(size);
	int rc = groups ? 0 : -ENOMEM;

	while (!rc && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0) {
		gid_t *larger = errno == ERANGE ? realloc(groups, size) : NULL;
		rc = larger ? 0 : -errno;
		groups = larger ? larger : groups;
	}
	*member = false;
	for (socklen_t i = 0; !rc && i < size / sizeof(gid_t); i++)
		*member |= groups[i] == group;
	free(groups);
	return rc;
}

int peer_read(int fd, gid_t group, struct peer *peer)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);
	bool member = false;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
		return -errno;
	if (group != (gid_t)-1) {
		int rc = supplementary_member(fd, group, &member);
		if (rc)
			return rc;
		member |= credentials.gid == group;
	}
	*peer = (struct peer){
		.uid = credentials.uid,
		.pid = credentials.pid,
		.may_change = credentials.uid == 0 || member,
	};
	return 0;
}
