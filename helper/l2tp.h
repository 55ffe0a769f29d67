/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * L2TP control messages through a NAT: one message and what is known about its
 * control connections in, edits and claims out. docs/l2tp.md tells the rules.
 * Pure: no clock, no I/O, nothing kept.
 *
 * HELPER_L2TP (RFC 2661, UDP): the tunnel id that the inside host chose is
 * replaced by a spare one where the host says it. What comes back has been
 * translated in its header before it is read here.
 * HELPER_L2TP_OWN (RFC 2661, UDP, a port that is no other host's): the host's own
 * id is claimed; when the request comes again, unanswered, and another host's tunnel
 * with this server has the same, it is replaced. Some servers know a tunnel by address and id.
 * HELPER_L2TP_IP (RFC 3931, IP): the ids are only claimed.
 */
#ifndef WAYLEAVE_HELPER_L2TP_H
#define WAYLEAVE_HELPER_L2TP_H

#include <stddef.h>

#include "helper/protocol.h"

/* `segment_bytes` of request->segment are valid. Fills the whole answer but magic and id. */
void l2tp_answer(const struct helper_request *request, size_t segment_bytes,
		 struct helper_answer *answer);

#endif
