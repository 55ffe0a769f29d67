/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the gateway sees happen, for the history (ctl/audit.h): the WAN's address, carrier and
 * next hop, tunnels that come up, fail and end, its own starts. It compares once a second, so
 * that whoever makes a change need not report it.
 */
#ifndef WAYLEAVE_DAEMON_STORY_H
#define WAYLEAVE_DAEMON_STORY_H

struct gateway;
struct story;

/* After the history was opened: notes the start. NULL without memory. */
struct story *story_begin(struct gateway *gateway);

/* Notes the end. */
void story_end(struct gateway *gateway, struct story *story);

/* Once a second. STORY may be NULL. */
void story_tend(struct gateway *gateway, struct story *story);

#endif
