/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network setup of the first visit: writes the files of netsetup/files.h and the settings
 * that belong to them, restarts what reads them, and takes all of it back when nobody says in
 * time, from the new address, that it works. What was there before is kept in
 * state_dir/network.json (0600), also for a later undo, and over a restart.
 */
#ifndef WAYLEAVE_DAEMON_NETWORK_SETUP_H
#define WAYLEAVE_DAEMON_NETWORK_SETUP_H

#include "ctl/provider.h"

struct gateway;
struct network_setup;

/* Goes on with what an earlier run left waiting, with the whole time anew. NULL: no memory. */
struct network_setup *network_setup_new(struct gateway *gateway);
void network_setup_free(struct network_setup *setup);

extern const struct ctl_network_provider network_setup_provider;

#endif
