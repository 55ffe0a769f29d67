/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PPTP control connections (RFC 2637) through a NAT: a TCP segment and what is
 * known about its connection in, edits and claims out. docs/pptp.md tells the
 * rules. Pure: no clock, no I/O, nothing kept.
 */
#ifndef WAYLEAVE_HELPER_PPTP_H
#define WAYLEAVE_HELPER_PPTP_H

#include <stddef.h>

#include "helper/protocol.h"

/* `segment_bytes` of request->segment are valid. Fills the whole answer but magic and id. */
void pptp_answer(const struct helper_request *request, size_t segment_bytes,
		 struct helper_answer *answer);

#endif
