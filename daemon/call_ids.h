/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * External PPTP call ids, a pool per server: RFC 2637 section 3.2.2 tells calls
 * apart by (PAC, PNS, call id), and all our hosts are one PNS address to a server.
 *
 * Ids are in host byte order. Context: daemon, tests.
 */
#ifndef WAYLEAVE_DAEMON_CALL_IDS_H
#define WAYLEAVE_DAEMON_CALL_IDS_H

#include <linux/types.h>
#include <stdint.h>

struct call_ids;

struct call_ids *call_ids_new(void);
void call_ids_free(struct call_ids *ids);

/* A free id towards SERVER, at a random place and reserved from now on; 0: none is left. */
uint16_t call_ids_take(struct call_ids *ids, __be32 server);

/* Reserves a certain one. -EEXIST: it is in use; -ENOMEM. */
int call_ids_take_this(struct call_ids *ids, __be32 server, uint16_t id);

void call_ids_give_back(struct call_ids *ids, __be32 server, uint16_t id);

/* How many are in use towards SERVER. */
unsigned int call_ids_used(const struct call_ids *ids, __be32 server);

#endif
