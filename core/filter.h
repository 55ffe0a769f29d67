/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses that no packet may carry through a router.
 *
 * The list is short on purpose. RFC 6890's private, shared (100.64/10) and
 * test prefixes are real on many WANs: a provider's own NAT in front of us,
 * servers in a campus, a lab. They are left to the routing table: a source is
 * checked against the way back (RFC 2827, strict, per interface), so that a
 * LAN prefix cannot come from the WAN nor a foreign one from the LAN.
 */
#ifndef WAYLEAVE_CORE_FILTER_H
#define WAYLEAVE_CORE_FILTER_H

#include "core/bytes.h"

static __always_inline bool in_prefix(__be32 address, __u32 prefix, __u32 mask)
{
	return (be32_to_host(address) & mask) == prefix;
}

/* 0/8 this network, 127/8 loopback, 224/4 multicast, 240/4 reserved and broadcast */
static __always_inline bool is_martian_source(__be32 address)
{
	return in_prefix(address, 0x00000000, 0xff000000) ||
	       in_prefix(address, 0x7f000000, 0xff000000) ||
	       in_prefix(address, 0xe0000000, 0xe0000000);
}

/* 169.254/16, RFC 3927 */
static __always_inline bool is_link_local(__be32 address)
{
	return in_prefix(address, 0xa9fe0000, 0xffff0000);
}

/* 224/4 multicast and 255.255.255.255: the link's own business, never translated */
static __always_inline bool is_multicast_or_broadcast(__be32 address)
{
	return in_prefix(address, 0xe0000000, 0xf0000000) || address == 0xffffffff;
}

/* 0/8, 127/8, 169.254/16 link-local (RFC 3927 section 7: never forwarded), 240/4 */
static __always_inline bool is_martian_destination(__be32 address)
{
	return in_prefix(address, 0x00000000, 0xff000000) ||
	       in_prefix(address, 0x7f000000, 0xff000000) || is_link_local(address) ||
	       in_prefix(address, 0xf0000000, 0xf0000000);
}

#endif
