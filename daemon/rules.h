/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's IPv4 routing rules (ip-rule(8)), read by netlink. */
#ifndef WAYLEAVE_DAEMON_RULES_H
#define WAYLEAVE_DAEMON_RULES_H

#include <linux/types.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/netlink.h"

/* Addresses in network byte order, ports in host order; 0 or empty: not asked for. */
struct rule {
	uint32_t priority;
	uint32_t table;
	uint8_t action;	 /* FR_ACT_* */
	bool inverted;	 /* not ... */
	bool suppresses; /* suppress_prefixlength, suppress_ifgroup */
	__be32 source, destination;
	uint8_t source_length, destination_length;
	char iif[IFNAMSIZ];
	uint32_t mark, mark_mask;
	uint8_t tos, tos_mask;
	uint8_t protocol;
	uint16_t source_first, source_last, destination_first, destination_last;
	/* never so of a packet that is forwarded from a LAN: oif, another user's, a tunnel's id */
	bool never_forwarded;
};

struct rules {
	struct rule *rule; /* by priority, as the kernel asks them */
	size_t count, room;
};

/* 0 or -errno; rules_free() in any case. */
int rules_read(struct netlink *netlink, struct rules *rules);
void rules_free(struct rules *rules);

/* One of the three that the kernel itself makes, unchanged. */
bool rule_is_default(const struct rule *rule);

/* Takes every packet that is forwarded, but for what it says of marks. */
bool rule_is_plain(const struct rule *rule);

/* "from 10.0.0.0/8 iif lan0 fwmark 0x7 lookup 100". */
void rule_text(const struct rule *rule, char *text, size_t size);

/* The same without mark and action; "all" where nothing is left. */
void rule_traffic_text(const struct rule *rule, char *text, size_t size);

/* The mask of a prefix's LENGTH, network byte order. */
__be32 prefix_mask(uint8_t length);

#endif
