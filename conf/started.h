/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Has a daemon with this settings file ever closed the machine? FILE.d/started says so; it
 * outlives a reboot as the settings do, and goes with them when the package is purged.
 */
#ifndef WAYLEAVE_CONF_STARTED_H
#define WAYLEAVE_CONF_STARTED_H

#include <stdbool.h>

/* True too where that could not be noted: a first start happens once, or never. */
bool settings_started(const char *path);

/* 0 or -errno. */
int settings_started_note(const char *path);

#endif
