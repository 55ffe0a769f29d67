/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between two settings, in words, for the audit log. Pure. */
#ifndef WAYLEAVE_CTL_DIFFERENCE_H
#define WAYLEAVE_CTL_DIFFERENCE_H

#include "conf/settings.h"

/* "timeouts.udp: 400 -> 300, port_forwards"; "" without any. The caller frees it; NULL: no memory.
 */
char *ctl_difference(const struct settings *before, const struct settings *after);

#endif
