/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One version for daemon and command. */
#ifndef WAYLEAVE_CONF_VERSION_H
#define WAYLEAVE_CONF_VERSION_H

#define WAYLEAVE_VERSION "0.1.0"

#endif
