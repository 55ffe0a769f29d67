/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may: the checks between a request's headers and its route. Nothing of the body has
 * been read when they run.
 */
#ifndef WAYLEAVE_HTTP_GUARD_H
#define WAYLEAVE_HTTP_GUARD_H

#include "http/exchange.h"

/*
 * Takes the exchange to its route or asset, and finds role, session and who. False: refused,
 * and exchange->answer says so.
 */
bool guard_admit(struct exchange *exchange);

#endif
