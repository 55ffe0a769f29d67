/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the control socket's clients are shown. */
#ifndef WAYLEAVE_DAEMON_SHOW_H
#define WAYLEAVE_DAEMON_SHOW_H

#include "ctl/provider.h"

/* Its functions' DAEMON is the struct gateway. */
extern const struct ctl_provider show_provider;

#endif
