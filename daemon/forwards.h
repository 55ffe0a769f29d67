/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port forwards: mappings that the settings make, that any remote may use and
 * that nobody else can be given. Works on the core's arena.
 */
#ifndef WAYLEAVE_DAEMON_FORWARDS_H
#define WAYLEAVE_DAEMON_FORWARDS_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/settings.h"
#include "core/abi.h"

/*
 * Makes the forwards of SETTINGS at the present WAN address where they are missing.
 * Ports that a LAN host uses at the moment are taken when it is done with them:
 * call again every now and then. How many could not be made yet.
 */
unsigned int forwards_make(const struct settings *settings, uint32_t now);

/* A port that a forward wants and somebody else holds. */
struct forward_missing {
	const struct port_forward_settings *forward;
	uint16_t port; /* host order; 0: a protocol without ports */
	uint8_t owner; /* enum port_owner, core/port_owner.h */
	__be32 holder; /* PORT_HOSTS: which inside host */
};

/* The Nth port, from 0, that could not be made yet; false: there are not so many. */
bool forwards_missing_nth(const struct settings *settings, unsigned int n,
			  struct forward_missing *missing);

/* Ends the forwards of PRESENT that WANTED does not have. */
void forwards_drop(const struct settings *present, const struct settings *wanted);

/* Ends every forward that SETTINGS do not have; walks the whole table, for the start. */
void forwards_clean(const struct settings *settings);

#endif
