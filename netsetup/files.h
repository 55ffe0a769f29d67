/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answers as the files of the programs that do it: systemd-networkd or ifupdown, pppd,
 * dnsmasq. Pure: texts and modes; nothing is read or written. The list of paths is fixed, and
 * each is a file that nobody else writes.
 */
#ifndef WAYLEAVE_NETSETUP_FILES_H
#define WAYLEAVE_NETSETUP_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#include "netsetup/answers.h"

enum files_place {
	FILE_WAN_NETWORK,
	FILE_LAN_NETWORK,
	FILE_PORTS_NETWORK,
	FILE_BRIDGE_NETDEV,
	FILE_INTERFACES,
	FILE_PEER,
	FILE_DNSMASQ,
	FILES_COUNT
};

struct file_wanted {
	char *text; /* NULL: the file has to be away */
	mode_t mode;
};

struct files {
	struct file_wanted file[FILES_COUNT];
};

/* "/etc/..."; PLACE below FILES_COUNT. */
const char *files_path(enum files_place place);

/* ANSWERS with a manager. 0 or -ENOMEM; *FILES are to be freed either way. */
int files_make(const struct answers *answers, struct files *files);

/* The secrets in them are wiped. */
void files_free(struct files *files);

/* A NULL-terminated list of the units to be restarted, in this order. Static. */
const char *const *files_units(const struct answers *answers);

#endif
