/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is there a newer package? apt-cache says what this machine's package lists have: the
 * lists are there already, nothing is fetched. It runs beside the loop, without
 * capabilities, and its answer is kept.
 */
#ifndef WAYLEAVE_DAEMON_PACKAGE_H
#define WAYLEAVE_DAEMON_PACKAGE_H

#include <event2/event.h>
#include <jansson.h>

struct package;

/* NULL without memory. */
struct package *package_new(struct event_base *base);
void package_free(struct package *package);

/* {"version", "candidate", "newer", "checked_at"}; the last three once apt-cache has said
 * them, and asks it again when that is an hour ago. A new reference. */
json_t *package_json(struct package *package);

/* What apt-cache has written, TEXT: the values into 64 bytes each, "" for "(none)" and nothing. */
void package_parse(const char *text, char installed[64], char candidate[64]);

#endif
