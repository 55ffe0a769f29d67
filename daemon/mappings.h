/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mappings that the daemon makes: those that peers remember from before a reboot. */
#ifndef WAYLEAVE_DAEMON_MAPPINGS_H
#define WAYLEAVE_DAEMON_MAPPINGS_H

#include <stdbool.h>

#include "core/abi.h"

/*
 * The mapping of a UDP socket of INSIDE's to the port EXTERNAL of the WAN address, both
 * in network order. Nothing holds it: it lasts for its timer, or for the sessions that
 * begin there. False: the socket has a mapping, the port has another owner, or the table
 * is full; nothing is changed then.
 */
bool mapping_remake(__be32 inside, __be16 port, __be16 external, __u8 class);

#endif
