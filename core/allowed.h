/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom the settings allow to begin with the gateway itself (wan.allow): named sources, named
 * ports. Only what would be dropped as nobody's is looked at. The gateway's answer makes it
 * one of its own flows (core/local.h); so a datagram in pieces passes from the answer on.
 *
 * Context: a first packet from the WAN that nothing inside has asked for.
 */
#ifndef WAYLEAVE_CORE_ALLOWED_H
#define WAYLEAVE_CORE_ALLOWED_H

#include "core/backend.h"
#include "core/bytes.h"
#include "core/packet.h"

static __always_inline bool allowed_fits(const struct allowed *allowed, const struct facts *f,
					 __u32 port)
{
	return allowed->protocol == f->protocol && allowed->first <= port &&
	       port <= allowed->last && !((f->source ^ allowed->source) & allowed->mask);
}

SEPARATE __u32 is_allowed_in(const struct facts *f)
{
	const struct config *c = config_get();
	__u32 port;

	if (!f || !c || f->id_type != ID_PORTS || f->hairpin)
		return false;
	if (f->protocol != PROTOCOL_TCP && f->protocol != PROTOCOL_UDP)
		return false;
	port = be16_to_host(f->destination_id);
	for (__u32 i = 0; i < ALLOWED_MAX; i++)
		if (i < c->allowed_count && allowed_fits(&c->allowed[i], f, port))
			return true;
	return false;
}

#endif
