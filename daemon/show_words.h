/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the data plane's numbers, as documents have them. Static strings. */
#ifndef WAYLEAVE_DAEMON_SHOW_WORDS_H
#define WAYLEAVE_DAEMON_SHOW_WORDS_H

#include <stdint.h>

#include "core/memory.h"
#include "core/session.h"
#include "ctl/document.h"
#include "daemon/expiry.h"
#include "daemon/gateway.h"

/* "tcp", ..., the number in NUMBER of 4 bytes where it has no name. */
const char *show_protocol(uint8_t protocol, char number[4]);

const char *show_class(uint8_t class);

/* Back; 0 for NULL and what is no class. */
uint8_t show_class_number(const char *word);

/* "established", "transitory", "new". */
const char *show_session_state(const struct record *orig);

/* "xdp", "tc" or NULL. */
const char *show_attachment(const struct link *link);

struct ctl_traffic show_traffic(const struct traffic *traffic);

/* Whole seconds that TICKS are. */
uint64_t show_seconds(uint32_t ticks);

#endif
