/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What devices are called: by whoever typed a name, by dnsmasq's leases, by avahi; and who made
 * them, by their MAC address. Looked up by address; a typed name belongs to the MAC address,
 * where that is known, and so follows the device. Names are printable, at most NAMER_NAME_BYTES - 1
 * bytes.
 */
#ifndef WAYLEAVE_DAEMON_NAMES_H
#define WAYLEAVE_DAEMON_NAMES_H

#include <linux/types.h>

#include "daemon/namer.h"

#define NAMES_KNOWN   1024 /* devices of which something is known */
#define NAMES_VENDORS 256
#define NAMES_TYPED   512

struct gateway;
struct names;

struct device_name {
	const char *name;   /* NULL: none is known */
	const char *from;   /* "typed", "lease", "mdns" */
	const char *vendor; /* NULL: not known */
};

/* Forks the reader; before anything is opened. 0 or -errno. */
int names_fork(struct names **names);

/* In the gateway's loop from now on; reads what was typed before. 0 or -ENOMEM. */
int names_begin(struct names *names, struct gateway *gateway);
void names_end(struct names *names);

/* Every few seconds: files that have changed, devices that have come. NULL NAMES is fine. */
void names_tend(struct names *names);

/* Valid until the loop runs again. NULL NAMES is fine. */
struct device_name names_of(const struct names *names, __be32 address);

/*
 * NAME is what the device at ADDRESS is called from now on; "": nothing typed any more. 0,
 * -EINVAL: too long or not printable; -ENOSPC: too many; -errno: not written.
 */
int names_type(struct names *names, __be32 address, const char *name);

#endif
