/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strangers: interfaces that carry this instance's programs although the settings do not
 * name them. One was renamed or put into a bridge, or an earlier run had other settings.
 * The programs would drop everything there, for the data plane does not know it.
 */
#ifndef WAYLEAVE_DAEMON_STRANGERS_H
#define WAYLEAVE_DAEMON_STRANGERS_H

#include "daemon/dataplane.h"
#include "daemon/instance.h"
#include "daemon/links.h"

/*
 * Takes our programs off every interface of the kernel that is not one of LINKS. A program of
 * another run is recognised by its maps, which takes CAP_SYS_ADMIN; PLANE's own always are.
 */
void strangers_detach(const struct links *links, const struct plane *plane,
		      const struct instance *instance);

/* The same for all interfaces, LINKS and our own devices included. PLANE may not be loaded. */
void strangers_detach_all(const struct plane *plane, const struct instance *instance);

#endif
