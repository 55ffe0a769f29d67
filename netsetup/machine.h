/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this machine says about its network before somebody changes it: its ports, which program
 * manages them, what is not installed. Only reads; ROOT goes before each path of a file.
 */
#ifndef WAYLEAVE_NETSETUP_MACHINE_H
#define WAYLEAVE_NETSETUP_MACHINE_H

#include <jansson.h>

#include "conf/error.h"
#include "netsetup/answers.h"

/*
 * The Ethernet ports: [{"name", "link": cable and other side are there, "address": "ADDRESS/PREFIX"
 * or null, "default_route": the internet is there now}]. Interfaces whose name begins with "wl",
 * ppp-wan and br-lan are left out. A new reference.
 */
json_t *machine_ports(void);

/*
 * Fills ANSWERS->manager where it was not said. -EINVAL and *ERROR: no program that this can
 * write for manages the ports, or one is set up already in a file of the administrator's.
 */
int machine_manager(const char *root, struct answers *answers, struct settings_error *error);

const char *machine_manager_name(enum answers_manager manager);

/* Debian packages that the answers need and this machine lacks: ["dnsmasq"]. A new reference. */
json_t *machine_lacks(const char *root, const struct answers *answers);

/* Sentences about what may go wrong; an array. A new reference. */
json_t *machine_notes(const char *root, const struct answers *answers);

#endif
