/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "10.1.0.0/16,192.168.3.0/24": IPv4 subnets with a comma between them. */
#ifndef WAYLEAVE_CONF_SUBNETS_H
#define WAYLEAVE_CONF_SUBNETS_H

#include <stdint.h>

#define SUBNETS_MAX 8

/* Network byte order. */
struct subnet {
	uint32_t address, mask;
};

/*
 * How many subnets TEXT names; NULL names none. -EINVAL: not such a list, a bit is set
 * behind a prefix, or there are more than SUBNETS_MAX. The rest of LIST is zeroed.
 */
int subnets_parse(const char *text, struct subnet list[SUBNETS_MAX]);

#endif
