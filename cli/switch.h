/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What switching a passthrough class off means, and for whom. */
#ifndef WAYLEAVE_CLI_SWITCH_H
#define WAYLEAVE_CLI_SWITCH_H

#include <jansson.h>

struct passthrough_switch {
	const char *class;   /* "ipsec", as in vpn documents */
	const char *setting; /* "passthrough.ipsec" */
	const char *name;    /* "IPsec" */
	int key;	     /* in `watch` */
	const char *off;     /* a sentence: what off blocks */
};

/* The I-th switch, NULL after the last. */
const struct passthrough_switch *switch_at(size_t i);
/* NULL: SETTING is none of them. */
const struct passthrough_switch *switch_find(const char *setting);

/*
 * The devices with a tunnel of that class in VPNS (an array of vpn documents), in words:
 * "192.168.1.20 phone, 192.168.1.21", or "nobody". Returns how many; cuts at SIZE.
 */
size_t switch_users(const struct passthrough_switch *passthrough, const json_t *vpns, char *text,
		    size_t size);

#endif
