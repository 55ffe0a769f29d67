/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the answers would change, to be shown before it is written. Reads; changes nothing. */
#ifndef WAYLEAVE_NETSETUP_PLAN_H
#define WAYLEAVE_NETSETUP_PLAN_H

#include <jansson.h>

#include "netsetup/files.h"

/*
 * {"manager": "networkd", "address": "192.168.1.1", "within_s": 300, "settings": {"wan.interface":
 * "eth0", "lan.interfaces": "eth1"}, "files": [{"path", "change": "new" | "changed" | "removed" |
 * "same", "mode": "0600", "diff": "+line\n"}], "units": [...], "lacks": ["dnsmasq"], "notes":
 * [...]} without files that are not there and do not come. Passwords are not in it. ANSWERS get
 * their manager, and *FILES are the caller's to free, also on failure. NULL: *ERROR says why not.
 */
json_t *plan_make(const char *root, struct answers *answers, struct files *files,
		  struct settings_error *error);

/* -EINVAL and *ERROR: programs are missing that PLAN writes for; else 0. */
int plan_lacks(const json_t *plan, struct settings_error *error);

/* Line by line: " same", "-gone", "+new"; a password's value is replaced. The caller frees it. */
char *plan_diff(const char *before, const char *after);

#endif
