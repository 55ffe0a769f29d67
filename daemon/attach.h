/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hanging the programs on interfaces: TC on every one (tcx; before Linux 6.6 clsact,
 * one fixed handle and priority), XDP by netlink in addition where it gains something.
 * All stay when the daemon ends. A program of an earlier run is replaced in place.
 */
#ifndef WAYLEAVE_DAEMON_ATTACH_H
#define WAYLEAVE_DAEMON_ATTACH_H

#include "conf/settings.h"
#include "daemon/dataplane.h"
#include "daemon/instance.h"
#include "daemon/links.h"

/*
 * Asks what XDP can do on a link and writes xdp_native and xdp_takes. True when
 * one of them has changed.
 */
bool attach_probe(struct link *link);

/* Should LINK have XDP too? Rule 1 of docs/architecture.md, "XDP". */
bool attach_wants_xdp(const struct links *links, const struct link *link, enum dataplane_mode mode);

/*
 * Attaches what LINK should have and takes XDP away where it should have none, or where
 * VLAN tags cannot be kept in frames (daemon/vlan_offload.h).
 * 0, or -errno after a sentence with nothing newly attached: -EBUSY somebody
 * else's program is in the way, -ENODEV the interface vanished, -EOPNOTSUPP forced
 * XDP is not possible.
 */
int attach_link(struct link *link, const struct plane *plane, const struct instance *instance,
		bool xdp);

/*
 * Has LINK what XDP needs, still? Where VLAN tags are taken off again and this cannot be
 * stopped, XDP is taken away. 0 or -errno. Context: upkeep.
 */
int attach_check(struct link *link, const struct plane *plane, const struct instance *instance);

/*
 * Takes our programs off the interface with LINK's ifindex, whatever its name is by now (PLANE
 * may be one that is not loaded); clsact too if we made it and nothing else is on it.
 */
void attach_detach(const struct link *link, const struct plane *plane,
		   const struct instance *instance);

/* Are the programs of LINK's attachment still there? Others may detach them without notice. */
bool attach_holds(const struct link *link, const struct plane *plane);

/* Was a run of this instance, perhaps one of another version, attached to an INTERFACE? */
bool attach_remembers(const char *interface, const struct instance *instance);

/* Attaches PROGRAM to the ingress of a device of our own. 0 or -errno after a sentence. */
int attach_own(uint32_t ifindex, enum program program, const struct plane *plane);

#endif
