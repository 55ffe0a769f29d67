/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An entry of the history in words, for a terminal. Pure. */
#ifndef WAYLEAVE_CTL_STORY_TEXT_H
#define WAYLEAVE_CTL_STORY_TEXT_H

#include <jansson.h>
#include <stddef.h>

/* "2026-01-31 11:00:00", local time. */
void story_when(const json_t *entry, char *text, size_t size);

/* "root", "page 192.168.1.20"; "gateway" for what it saw by itself. */
void story_who(const json_t *entry, char *text, size_t size);

/* One sentence. */
void story_what(const json_t *entry, char *text, size_t size);

#endif
