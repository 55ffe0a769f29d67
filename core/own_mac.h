/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom a frame is for. A device hears what is for other stations too: when it is
 * promiscuous, on a mirrored port, when a switch does not know where a station is, and
 * a virtual one always. That is not for a router (RFC 1812 section 5.3.4). TC is told
 * by the kernel (skb->pkt_type); XDP compares with config.own_macs.
 *
 * An entry is one word, read at once: a MAC address and the low bits of the ifindex. It
 * stands in the place that the ifindex says. Of two interfaces with one place the
 * second has no entry, so XDP leaves all of it to TC.
 *
 * What the kernel takes in besides are its macvlan devices' addresses (VRRP has one of
 * them): config.further_macs, written by the daemon.
 */
#ifndef WAYLEAVE_CORE_OWN_MAC_H
#define WAYLEAVE_CORE_OWN_MAC_H

#include "core/backend.h"

_Static_assert(__builtin_offsetof(struct config, own_macs) % 64 == 0, "a line that nobody writes");

/* Whom @frame, with a whole Ethernet header, is for. */
static __always_inline __u64 own_mac_of(const void *frame, __u32 ifindex)
{
	union own_mac entry = {.word = *(const __u64 *)frame};

	entry.ifindex = ifindex;
	return entry.word;
}

/* Is @frame, with a whole Ethernet header, for the interface @ifindex itself? */
static __always_inline bool is_own_mac(const struct config *c, __u32 ifindex, const void *frame)
{
	return READ_ONCE(c->own_macs[ifindex % INTERFACES].word) == own_mac_of(frame, ifindex);
}

/* Is it for another address that the kernel takes in on the interface @ifindex? */
static __always_inline bool is_further_mac(const struct config *c, __u32 ifindex, const void *frame)
{
	__u64 wanted = own_mac_of(frame, ifindex);
	bool found = false;

	UNROLLED
	for (int i = 0; i < FURTHER_MACS; i++)
		found |= READ_ONCE(c->further_macs[i].word) == wanted;
	return found;
}

static inline __u64 own_mac_word(const __u8 *mac, __u32 ifindex)
{
	union own_mac entry = {.ifindex = ifindex};

	__builtin_memcpy(entry.mac, mac, 6);
	return entry.word;
}

/* The table anew from @interfaces. Context: daemon, tests; one writer at a time. */
static inline void own_macs_write(struct config *c, const struct interface *interfaces)
{
	__u64 macs[INTERFACES] = {0};

	for (__u32 i = 0; i < INTERFACES; i++) {
		const struct interface *interface = &interfaces[i];
		__u32 place = interface->ifindex % INTERFACES;

		if (interface->ifindex && !(interface->flags & INTERFACE_BARE) && !macs[place])
			macs[place] = own_mac_word(interface->mac, interface->ifindex);
	}
	for (__u32 i = 0; i < INTERFACES; i++)
		WRITE_ONCE(c->own_macs[i].word, macs[i]);
}

#endif
