/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wan.allow: who on the Internet may begin with the gateway itself. "PORTS from SOURCE" with
 * a comma between several: "ssh from 198.51.100.0/24, udp:51820 from any".
 *
 *   PORTS   ssh (tcp:22), tcp:PORT[-LAST], udp:PORT[-LAST]
 *   SOURCE  an IPv4 address, a prefix without further bits, any
 */
#ifndef WAYLEAVE_CONF_ALLOW_H
#define WAYLEAVE_CONF_ALLOW_H

#include "conf/error.h"
#include "conf/settings.h"

#define ALLOWS_MAX 16

/* Addresses in network byte order, ports in host byte order. */
struct allow {
	bool udp;
	uint16_t first, last;
	struct in_addr source, mask;
	unsigned int length; /* of the prefix, 0..32 */
};

struct allows {
	struct allow allow[ALLOWS_MAX];
	unsigned int count;
};

/* TEXT may be NULL: nobody. 0, or -EINVAL and *ERROR. */
int allows_parse(const char *text, struct allows *allows, struct settings_error *error);

/* May a connection from SOURCE to PORT (host order) begin? */
bool allows_port(const struct allows *allows, struct in_addr source, bool udp, uint16_t port);

#endif
