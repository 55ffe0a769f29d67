/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The three questions of the first visit, answered: which port is the internet, whether it
 * needs a user name, which addresses the inside has. Everything in here has been checked: no
 * byte of it can end a line or a quoted word in the files that it goes to.
 */
#ifndef WAYLEAVE_NETSETUP_ANSWERS_H
#define WAYLEAVE_NETSETUP_ANSWERS_H

#include <jansson.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>

#include "conf/error.h"

#define ANSWERS_PORTS_MAX	 8
#define ANSWERS_SECRET_MAX_BYTES 128 /* pppd takes 255 */
/* A cable may have to be moved, and a device has to get an address of the new network. */
#define ANSWERS_WITHIN_USUAL_S 300
#define ANSWERS_WITHIN_LEAST_S 10
#define ANSWERS_WITHIN_MOST_S  3600
#define ANSWERS_PREFIX_LEAST   16
#define ANSWERS_PREFIX_MOST    29

enum answers_line { LINE_DHCP, LINE_PPPOE };
enum answers_manager { MANAGER_UNKNOWN, MANAGER_NETWORKD, MANAGER_IFUPDOWN };

struct answers {
	char wan[IFNAMSIZ];
	enum answers_line line;
	char user[ANSWERS_SECRET_MAX_BYTES + 1]; /* with LINE_PPPOE */
	char password[ANSWERS_SECRET_MAX_BYTES + 1];
	struct in_addr address; /* the gateway's own, inside */
	unsigned int prefix;	/* its length in bits */
	char lan[ANSWERS_PORTS_MAX][IFNAMSIZ];
	unsigned int lan_count;	      /* 1.. */
	enum answers_manager manager; /* MANAGER_UNKNOWN: not said, to be found out */
	unsigned int within_s;	      /* taken back unless confirmed within so long */
};

/*
 * Reads {"wan": "eth0", "line": "dhcp" | "pppoe", "user", "password", "inside": "192.168.1.1/24",
 * "lan": ["eth1"], "manager": "networkd" | "ifupdown", "within_s": 300}; the last two are optional,
 * user and password are for pppoe. 0; -EINVAL: *ERROR says which member and why. Pure.
 */
int answers_read(const json_t *json, struct answers *answers, struct settings_error *error);

/* The interfaces that they lead to: "ppp-wan" or WAN; the one LAN port, or the bridge of several.
 * Borrowed from ANSWERS or static. */
const char *answers_wan_interface(const struct answers *answers);
const char *answers_lan_interface(const struct answers *answers);

#endif
