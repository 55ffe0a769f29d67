/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Restarting the programs whose files were written, by systemd's bus: no shell, no child. */
#ifndef WAYLEAVE_NETSETUP_UNITS_H
#define WAYLEAVE_NETSETUP_UNITS_H

/*
 * Asks systemd to restart UNIT and does not wait until it has; at most two seconds for the
 * question. 0 or -errno; -ENOENT: there is no such unit, or no systemd.
 */
int units_restart(const char *unit);

#endif
